"""Tables and figures of time horizons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dokimasia.core import FigureData, Series, Table
from dokimasia.core.figure import interval_dots
from dokimasia.core.rounding import percent
from dokimasia.theory.horizons import AgentFits, Attempts, Curve, Dispersion, Span, Standing
from dokimasia.theory.horizons.spans import Ends

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWN = ("Weibull", "logistic", "ceiling x exponential", "Lomax", "independent steps")
MOST_FIGURES = 12
BINS = 8
POINTS = 80
DIGITS = 2
LONGEST_NAME = 36


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One agent's fits, its horizons at each level, and how much tasks differ around the best curve."""

    fits: AgentFits
    spans: tuple[Span, ...]
    dispersion: Dispersion | None


def rounded(value: float, direction: int = 0) -> float:
    """Two digits that count: the nearest, or the next lower (-1) or higher (1).

    >>> rounded(865.8), rounded(865.8, -1), rounded(0.1234, 1)
    (870.0, 860.0, 0.13)
    """
    if value == 0 or not math.isfinite(value):
        return value
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1)
    count = (round, math.ceil, math.floor)[direction](round(value / unit, 6))
    return float(f"{count * unit:.{DIGITS}g}")


def minutes_text(value: float, direction: int = 0) -> str:
    """Minutes as they are read.

    >>> minutes_text(865.8), minutes_text(5.04), minutes_text(1e-7)
    ('870', '5', '1e-07')
    """
    shown = rounded(value, direction)
    return f"{shown:,.0f}" if abs(shown) >= 10 else f"{shown:g}"


def end_text(found: Span, shorter: bool) -> str:
    """That something lies beyond the shortest or the longest task."""
    return f"below {found.shortest:,.4g}" if shorter else f"above {found.longest:,.4g}"


def span_text(ends: Ends | None, found: Span) -> str | None:
    """An interval in minutes; an end that lies beyond the tasks says so."""
    if ends is None:
        return None
    if ends == Ends(low=0.0, high=found.shortest) or ends == Ends(low=found.longest, high=None):
        return end_text(found, ends.low == 0)
    low = end_text(found, True) if ends.low == 0 else minutes_text(ends.low, -1)
    high = end_text(found, False) if ends.high is None else minutes_text(ends.high, 1)
    return f"{low} to {high}"


def value_text(found: Span) -> str:
    """The horizon, or on which side of the tasks it lies."""
    return end_text(found, found.beyond == "shorter") if found.value is None else minutes_text(found.value)


def tables(
    shown: Sequence[Shown], standings: Sequence[Standing], best: Curve, rivals: Sequence[Curve]
) -> Iterator[Table]:
    """Horizons, curves, and how much tasks differ."""
    levels = [item.level for item in shown[0].spans]
    falling = [item.curve for item in standings if item.curve.name != "constant"]
    shaped = [item.curve for item in standings if item.curve.shape]
    for place, level in enumerate(levels):
        yield _horizons(shown, place, level, best, rivals)
    yield _curves(standings, len(shown))
    for place, level in enumerate(levels):
        yield Table(
            name=f"h{100 * level:.0f}-by-curve",
            title=f"The {level:.0%} horizon in minutes, by curve",
            columns=("agent", *(curve.name for curve in falling)),
            rows=tuple((agent.fits.name, *(_minutes(agent, curve, place) for curve in falling)) for agent in shown),
        )
    yield Table(
        name="shapes",
        title="Shape of each curve",
        columns=("agent", *(f"{curve.name}: {curve.shape}" for curve in shaped)),
        rows=tuple((agent.fits.name, *(_shape(agent, curve) for curve in shaped)) for agent in shown),
    )
    yield Table(
        name="dispersion",
        title="Do tasks of one human time differ?",
        columns=("agent", "chi-squared / df", "95%", "correlation", "95% (correlation)"),
        rows=tuple((agent.fits.name, *_dispersion(agent.dispersion)) for agent in shown),
        note="Chi-squared over its degrees of freedom is 1 if runs are independent given the time, and grows with the "
        "number of runs a task; the correlation, of two runs of one task around the curve, does not.",
    )


def _horizons(shown: Sequence[Shown], place: int, level: float, best: Curve, rivals: Sequence[Curve]) -> Table:
    rows = []
    for agent in shown:
        found, attempts = agent.spans[place], agent.fits.attempts
        ranges = span_text(found.between, found), span_text(found.both, found)
        runs, success = int(attempts.runs.sum()), percent(attempts.rate, 0)
        rows.append((agent.fits.name, runs, success, value_text(found), *ranges))
    return Table(
        name=f"h{100 * level:.0f}",
        title=f"Human minutes at which {level:.0%} of attempts succeed",
        columns=("agent", "runs", "success", "minutes", "any curve", "95%"),
        rows=tuple(rows),
        note=f"By the {best.name} curve; from the least to the most by any of {', '.join(item.name for item in rivals)}; "
        "and with chance added, over resampled families. Nothing is said of times beyond those of the tasks.",
    )


def _curves(standings: Sequence[Standing], n_agents: int) -> Table:
    rows = []
    for item in standings:
        parameters = item.parameters * n_agents
        held_out, behind = (None if value is None else round(value, 1) for value in (item.held_out, item.behind))
        interval = f"{item.low:.1f} to {item.high:.1f}" if item.behind else None
        rows.append((item.curve.name, parameters, round(item.loss + parameters, 1), held_out, behind, interval))
    return Table(
        name="curves",
        title="Which curve predicts families that it was not fitted to",
        columns=("curve", "parameters", "loss + parameters", "loss on unseen families", "beyond the best", "95%"),
        rows=tuple(rows),
        note="Losses are minus log-likelihoods in nats, summed over agents; no success is believed surer than 0.9999. A curve "
        "whose interval holds 0 may be best.",
    )


def _shape(agent: Shown, curve: Curve) -> float:
    return round(float(curve.shape_of(agent.fits.of(curve).theta)), 3)


def _minutes(agent: Shown, curve: Curve, place: int) -> str:
    found = agent.spans[place]
    minutes = float(curve.horizon(agent.fits.of(curve).theta, found.level))
    if found.shortest <= minutes <= found.longest:
        return minutes_text(minutes)
    return "never reached" if minutes == 0 else end_text(found, minutes < found.shortest)


def _dispersion(found: Dispersion | None) -> tuple[float | str | None, ...]:
    if found is None:
        return None, None, None, None
    return (
        round(found.ratio, 1),
        f"{found.ratio_low:.1f} to {found.ratio_high:.1f}",
        round(found.correlation, 2),
        f"{found.correlation_low:.2f} to {found.correlation_high:.2f}",
    )


def figures(shown: Sequence[Shown], rivals: Sequence[Curve], best: Curve) -> Iterator[FigureData]:
    """Horizons of all agents, and success against human time of the first few."""
    series = []
    for place, level in enumerate(item.level for item in shown[0].spans):
        points = [
            (row, found.value, *_drawn(found))
            for row, found in enumerate(agent.spans[place] for agent in shown)
            if found.value is not None
        ]
        if points:
            series.append(interval_dots(f"{level:.0%} horizon", points))
    if series:
        yield FigureData(
            name="horizon-spans",
            title="Time horizons",
            kind="dots",
            x_label="human minutes",
            y_label="",
            series=tuple(series),
            rows=tuple(_short(item.fits.name) for item in shown),
            x_log=True,
            free=True,
            caption=f"By the {best.name} curve, with 95% intervals over resampled families and over the curves that may be "
            f"best ({', '.join(item.name for item in rivals)}). Intervals end where the tasks do. A horizon that lies beyond "
            "them is not drawn.",
        )
    for place, agent in enumerate(shown[:MOST_FIGURES], 1):
        yield _success(agent, f"horizon-agent-{place}", rivals)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _drawn(found: Span) -> tuple[float, float]:
    value = found.value or 0.0
    if found.both is None:
        return value, value
    return max(found.both.low, found.shortest), found.longest if found.both.high is None else found.both.high


def _success(agent: Shown, name: str, rivals: Sequence[Curve]) -> FigureData:
    attempts = agent.fits.attempts
    minutes = np.geomspace(attempts.minutes.min(), attempts.minutes.max(), POINTS)
    known = {fit.curve.name: fit for fit in agent.fits.fits}
    series = [_binned(attempts)]
    for curve in DRAWN:
        success = known[curve].curve.probability(minutes, known[curve].theta)
        style: Literal["line", "dashed"] = "line" if any(item.name == curve for item in rivals) else "dashed"
        series.append(Series(name=curve, x=_plain(minutes), y=_plain(success), style=style))
    return FigureData(
        name=name,
        title=f"Success against human time: {_short(agent.fits.name)}",
        kind="curves",
        x_label="human minutes",
        y_label="share of attempts that succeed",
        series=tuple(series),
        x_log=True,
        caption="Points are tasks of neighbouring times together, with the weights of the fit. Dashed curves predict unseen "
        "families worse than the best does.",
    )


def _binned(attempts: Attempts) -> Series:
    """Tasks in order of their times, in bins of like weight."""
    order = np.argsort(attempts.minutes, kind="stable")
    weights = attempts.weights[order]
    bins = np.minimum((np.cumsum(weights) - weights / 2) / weights.sum() * BINS, BINS - 1).astype(int)
    within = np.bincount(bins, weights)
    x = np.bincount(bins, weights * attempts.x[order])[within > 0] / within[within > 0]
    y = np.bincount(bins, weights * attempts.rates[order])[within > 0] / within[within > 0]
    return Series(name="observed", x=_plain(np.exp(x)), y=_plain(y), style="points")


def _plain(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{value:.5g}") for value in values)
