"""Does conversation settle somewhere: is there a place in persona space to which turns return, in which style, how quickly?

Turns that run in a loop are taken out first: a model that repeats itself stands still, which is no persona.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError, FigureData, Flow, Mark, Place, Table, Track
from dokimasia.core.figure import interval_dots
from dokimasia.core.rounding import counted, number_down, number_up
from dokimasia.instruments.personas.conversing import Talk, Trajectories
from dokimasia.stats import Attraction, DriftField, Figure, attraction, drift_field, false_discovery_adjusted
from dokimasia.stats.drift import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

COORDINATES = 2
ALPHA = 0.05
ALL = "all styles"
GRID = 13
FARTHEST = 1.5
"""Where an interval of a radius without an upper end is cut off in the figure."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Settling:
    """Whether conversations of a style settle.

    Of `turns` that were taken, `looped` ran in circles and `unread` could not be read; `absorbed` conversations of
    `conversations` end in a loop. `adjusted` is the false-discovery rate, over styles, of the test against turns in random
    order. `found` and `field` are None where nothing could be computed, and `why` says why.
    """

    style: str
    conversations: int
    turns: int
    looped: int
    unread: int
    absorbed: int
    found: Attraction | None
    field: DriftField | None
    adjusted: float
    why: str

    @property
    def verdict(self) -> Verdict | None:
        """Of one style, with regard to how many were tried; None where nothing could be computed."""
        if self.found is None:
            return None
        if self.found.verdict == "attractor" and self.adjusted > ALPHA:
            return "no attractor found"
        return self.found.verdict


@dataclass(frozen=True, kw_only=True, eq=False)
class Attractors:
    """Where conversation settles, of all conversations as one and style by style, in the first `coordinates` components.

    `paths` are the turns that were used, a style and an array (n_turns, coordinates) each, NaN where one was taken out.
    """

    pooled: Settling
    styles: tuple[Settling, ...]
    coordinates: int
    paths: tuple[tuple[str, NDArray[np.float64]], ...]
    seed: int


def attractors(walks: Trajectories, *, seed: int) -> Attractors:
    """Is there a place to which conversations return, with loops taken out?

    All conversations are judged as one, then each style by itself. Misleads where styles lead to different places: the
    pooled map then looks slower than any style's.
    """
    k = min(COORDINATES, walks.coordinates.shape[2])
    talks = walks.conversations.talks
    paths = [_without_loops(talk, row[:, :k]) for talk, row in zip(talks, walks.coordinates, strict=True)]
    rows = {style: [row for row, talk in enumerate(talks) if talk.script.style == style] for style in walks.styles}
    styles = [
        _settling(style, [talks[row] for row in own], [paths[row] for row in own], seed=seed)
        for style, own in rows.items()
    ]
    rates = false_discovery_adjusted([one.adjusted for one in styles]) if styles else ()
    return Attractors(
        pooled=_settling(ALL, talks, paths, seed=seed),
        styles=tuple(replace(one, adjusted=float(rate)) for one, rate in zip(styles, rates, strict=True)),
        coordinates=k,
        paths=tuple((talk.script.style, path) for talk, path in zip(talks, paths, strict=True)),
        seed=seed,
    )


def _without_loops(talk: Talk, row: NDArray[np.float64]) -> NDArray[np.float64]:
    path = np.array(row[: len(talk.turns)], np.float64)
    path[[turn.looped for turn in talk.turns]] = np.nan
    return path


def _settling(style: str, talks: Sequence[Talk], paths: Sequence[NDArray[np.float64]], *, seed: int) -> Settling:
    found, field, why = None, None, ""
    try:
        found = attraction(paths, alpha=ALPHA, seed=seed)
        why = found.why
        field = drift_field(paths) if found.map is not None else None
    except DataError as error:
        why = str(error)
    turns = sum(len(talk.turns) for talk in talks)
    looped = sum(turn.looped for talk in talks for turn in talk.turns)
    return Settling(
        style=style,
        conversations=len(talks),
        turns=turns,
        looped=looped,
        unread=turns - looped - sum(int((~np.isnan(path).any(axis=1)).sum()) for path in paths),
        absorbed=sum(bool(talk.turns) and talk.turns[-1].looped for talk in talks),
        found=found,
        field=field,
        adjusted=found.p_value if found is not None else 1.0,
        why=why,
    )


def settling_table(found: Attractors) -> Table:
    """A row for all conversations and one a style."""
    return Table(
        name="attractors",
        title="Does conversation settle somewhere?",
        columns=(
            "conversations",
            "how many",
            "turns",
            "in loops",
            "end in a loop",
            "radius",
            "half-life",
            "p",
            "verdict",
        ),
        rows=tuple(_row(one) for one in (found.pooled, *found.styles)),
        note="The radius is the share of a displacement that a turn leaves in the direction that returns most slowly, with its "
        "95% interval; the half-life is in turns. p compares with turns in random order, adjusted for the number of styles. "
        "Turns in loops are taken out: a conversation that ends in one is absorbed by it, which is no persona.",
    )


def _row(one: Settling) -> tuple[str | int, ...]:
    counts = (one.style, one.conversations, one.turns, one.looped, one.absorbed)
    if one.found is None:
        return (*counts, "", "", "", f"not measured: {one.why}")
    needed = one.found.needed
    verdict = f"{one.verdict}" + (f" ({counted(needed, 'conversation')} of such lengths would do)" if needed else "")
    if one.found.map is None:
        return (*counts, "", "", "", verdict)
    drawn = one.found.map
    return (*counts, _span(drawn.radius), _span(drawn.half_life), f"{one.adjusted:.2g}", verdict)


def _span(figure: Figure) -> str:
    if not math.isfinite(figure.low):
        return "none"
    value = f"{figure.value:.2f}" if math.isfinite(figure.value) else "none"
    high = number_up(figure.high, 2) if math.isfinite(figure.high) else "no end"
    return f"{value} [{number_down(figure.low, 2)}, {high}]"


def settling_figures(found: Attractors, places: Sequence[Place] = ()) -> tuple[FigureData, ...]:
    """The flow of all conversations with their tracks, and `places` (voices, say) in it; the radius style by style."""
    figures = []
    if found.coordinates == COORDINATES and any(len(_seen(path)) for _, path in found.paths):
        figures.append(_flow(found, places))
    measured = [
        (one, one.found.map.radius)
        for one in (found.pooled, *found.styles)
        if one.found is not None and one.found.map is not None
    ]
    if measured:
        figures.append(_radii(measured))
    return tuple(figures)


def _seen(path: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(path[~np.isnan(path).any(axis=1)])


def _flow(found: Attractors, places: Sequence[Place]) -> FigureData:
    flows: list[Flow] = []
    marks: list[Mark] = []
    field = found.pooled.field
    if field is not None:
        seen = np.concatenate([_seen(path) for _, path in found.paths])
        axes = [np.linspace(low, high, GRID) for low, high in zip(seen.min(axis=0), seen.max(axis=0), strict=True)]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        flows = [Flow(x=x, y=y, dx=dx, dy=dy) for (x, y), (dx, dy) in _rounded(grid, field.after(grid) - grid)]
        settled = found.pooled.verdict == "attractor"
        for point in field.fixed_points:
            x, y = point.place
            name = "divide" if not point.stable else "attractor" if settled else "fixed point, not shown to attract"
            marks.append(Mark(label=name, x=round(x, 6), y=round(y, 6)))
    tracks = []
    for style, path in found.paths:
        here = _seen(path)
        if len(here):
            along, across = (tuple(round(float(value), 6) for value in column) for column in here.T)
            tracks.append(Track(x=along, y=across, group=style))
    return FigureData(
        name="personas-flow",
        title="Where does conversation carry it?",
        kind="plane",
        x_label="first component (in units of the roles\u2019 spread)",
        y_label="second component",
        flows=tuple(flows),
        tracks=tuple(tracks),
        marks=tuple(marks),
        places=tuple(places),
        caption="Lines are conversations, from a ring to a dot, without turns in loops. Arrows say which way the fitted map "
        "carries each place, and how far, against one another; crosses are where it stands still.",
    )


def _rounded(
    grid: NDArray[np.float64], steps: NDArray[np.float64]
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return [
        ((round(float(x), 6), round(float(y), 6)), (round(float(dx), 6), round(float(dy), 6)))
        for (x, y), (dx, dy) in zip(grid, steps, strict=True)
    ]


def _radii(measured: Sequence[tuple[Settling, Figure]]) -> FigureData:
    ends = [(row, figure.value, figure.low, min(figure.high, FARTHEST)) for row, (_, figure) in enumerate(measured)]
    return FigureData(
        name="personas-return",
        title="How much of a displacement does a turn leave?",
        kind="dots",
        x_label="spectral radius, with 95% interval; from 1 on nothing returns",
        series=(interval_dots("radius", ends),),
        rows=tuple(f"{one.style}: {one.verdict}" for one, _ in measured),
        reference=1.0,
        free=True,
        caption=f"Intervals that reach {FARTHEST:g} have no upper end.",
    )
