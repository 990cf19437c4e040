"""The persona figures."""

from __future__ import annotations

import math

import numpy as np

from dokimasia.core import FigureData, Place, Series
from dokimasia.core.figure import interval_dots
from dokimasia.instruments.personas.attractors import settling_figures
from dokimasia.instruments.personas.result import Result

KEY_ROLES = 6


def figures(result: Result) -> tuple[FigureData, ...]:
    """The map, the trajectories, the flow, and what voices say of themselves."""
    flow = () if result.attractors is None else settling_figures(result.attractors, _landmarks(result))
    return (*_map(result), *_trajectories(result), *flow, *_itself(result))


def _map(result: Result) -> list[FigureData]:
    drawn = result.drawn
    if drawn is None or drawn.space.components.shape[0] < 2:
        return []
    roles, defaults = drawn.coordinates, drawn.space.coordinates(drawn.default_vectors)
    near = set(np.argsort(-np.asarray(drawn.standings[0].cosines))[:KEY_ROLES].tolist())
    shares = [f"{share:.0%}" for share in drawn.shares[:2]]
    warning = (
        "" if drawn.stable else " This map is not stable: with other questions or roles it would come out otherwise."
    )
    return [
        FigureData(
            name="personas-map",
            title="Which characters live in it, and where is its default?",
            kind="plane",
            x_label=f"first component ({shares[0]} of the variance among roles)",
            y_label=f"second component ({shares[1]})",
            places=(
                *(
                    Place(label=name, x=float(x), y=float(y), group="default voice", key=not place)
                    for place, (name, (x, y)) in enumerate(zip(drawn.defaults, defaults[:, :2], strict=True))
                ),
                *(
                    Place(label=name, x=float(x), y=float(y), group="roles")
                    for place, (name, (x, y)) in enumerate(zip(drawn.roles, roles[:, :2], strict=True))
                    if place not in near
                ),
                *(
                    Place(
                        label=drawn.roles[place],
                        x=float(roles[place, 0]),
                        y=float(roles[place, 1]),
                        group="nearest roles",
                    )
                    for place in sorted(near)
                ),
            ),
            caption="Mean activations over replies, from the roles' centre, in units of the roles' root mean square distance from it."
            + warning,
        )
    ]


def _landmarks(result: Result) -> tuple[Place, ...]:
    """The default voice and the role nearest to it, to see the flow by."""
    drawn = result.drawn
    if drawn is None:
        return ()
    near = int(np.argmax(drawn.standings[0].cosines))
    (default,) = drawn.space.coordinates(drawn.default_vectors[:1])
    points = ((drawn.defaults[0], default), (drawn.roles[near], drawn.coordinates[near]))
    return tuple(Place(label=name, x=float(at[0]), y=float(at[1]), group="voices", key=True) for name, at in points)


def _trajectories(result: Result) -> list[FigureData]:
    walks = result.trajectories
    if walks is None:
        return []
    series = []
    for style in walks.styles:
        rows = [row for row, talk in enumerate(walks.conversations.talks) if talk.script.style == style]
        places = walks.places[rows]
        turns = [turn for turn in range(places.shape[1]) if np.isfinite(places[:, turn]).any()]
        if turns:
            series.append(
                Series(
                    name=style,
                    x=tuple(float(turn + 1) for turn in turns),
                    y=tuple(float(np.nanmean(places[:, turn])) for turn in turns),
                )
            )
    drawn = result.drawn
    if not series or drawn is None:
        return []
    ends = (1.0, float(walks.places.shape[1]))
    default = float(drawn.space.along(drawn.default_vectors[0]))
    series += [
        Series(name=name, x=ends, y=(at, at), style="dashed")
        for name, at in ((drawn.defaults[0], default), ("mean role", 0.0))
    ]
    return [
        FigureData(
            name="personas-trajectories",
            title="Where does conversation carry it along the assistant axis?",
            kind="curves",
            x_label="turn",
            y_label="place along the axis (higher: like the default voice)",
            series=tuple(series),
            free=True,
            caption="Mean over conversations of a style, by scripted and played users. Intervals of the change are in the table.",
        )
    ]


def _itself(result: Result) -> list[FigureData]:
    found = result.self_image
    if found is None:
        return []
    default = [
        (row, *leaning.figure)
        for row, theme in enumerate(found.themes)
        if (leaning := found.leaning(found.voices[0], theme)).figure is not None
        and math.isfinite(leaning.figure.high - leaning.figure.low)
    ]
    roles = []
    for row, theme in enumerate(found.themes):
        values = [
            leaning.figure.value
            for voice in found.voices[1:]
            if (leaning := found.leaning(voice, theme)).figure is not None
        ]
        if values:
            roles.append((row, float(np.mean(values)), min(values), max(values)))
    differences = found.differences()
    by_role = FigureData(
        name="personas-itself-roles",
        title="Who speaks otherwise of itself than the default voice?",
        kind="dots",
        x_label=f"claims rather than denies, less the default voice ({found.unit})",
        series=(interval_dots("roles", [(row, *item.figure) for row, item in enumerate(differences)]),),
        rows=tuple(item.voice for item in differences),
        reference=0.0,
        free=True,
        caption="Over the same questions, with 95% intervals. Of many roles some will lie off 0 by chance: see the "
        "false-discovery rate in the table.",
    )
    if not default and not roles:
        return []
    return [
        *([by_role] if differences else []),
        FigureData(
            name="personas-itself",
            title="What does it say of itself, and does that depend on who it plays?",
            kind="dots",
            x_label=f"how much rather it claims than denies ({found.unit})",
            series=tuple(
                interval_dots(name, points)
                for name, points in (
                    ("default voice, 95% interval", default),
                    ("roles, from the least to the most", roles),
                )
                if points
            ),
            rows=found.themes,
            reference=0.0,
            free=True,
            caption="Each question offers the claim and its denial, in both orders. To the right: it claims.",
        ),
    ]
