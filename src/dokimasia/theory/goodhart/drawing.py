"""The figures of a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from dokimasia.core import FigureData, Mark, Series
from dokimasia.theory.goodhart.comparing import RARITIES, SIMULATED, Row
from dokimasia.theory.goodhart.divergence import best_of_n_kl
from dokimasia.theory.goodhart.gao import BestOfNCurve, LearningCurve
from dokimasia.theory.goodhart.laws import Normal
from dokimasia.theory.goodhart.tilting import bound, regularised_at

FARTHEST = 1e3


def tail_figure(rows: Sequence[Row]) -> FigureData:
    """Value above a threshold, by how rare it is to reach it."""
    return FigureData(
        name="goodhart-tail",
        title="Value above a threshold of the proxy",
        kind="curves",
        x_label="one output in so many reaches the threshold",
        y_label="mean value, E[V | U >= t]",
        series=tuple(Series(name=f"{row.name} error", x=RARITIES, y=row.tail) for row in reversed(rows)),
        x_log=True,
        free=True,
        caption="Value follows the proxy's hazard rate: it grows with a lighter tail, is level with an exponential one, and falls "
        "back to the mean with a heavier one.",
    )


def best_figure(rows: Sequence[Row]) -> FigureData:
    """Value of the best of n, with the simulated points."""
    x = tuple(float(n) for n in rows[0].counts[1:])
    points = [(float(n), item.mean) for row in rows for n, item in zip(SIMULATED, row.simulated, strict=True)]
    return FigureData(
        name="goodhart-best-of-n",
        title="Value of the best of n by the proxy",
        kind="curves",
        x_label="n",
        y_label="mean value",
        series=(
            *(Series(name=f"{row.name} error", x=x, y=row.best[1:]) for row in reversed(rows)),
            Series(name="simulated", x=tuple(a for a, _ in points), y=tuple(b for _, b in points), style="points"),
        ),
        x_log=True,
        free=True,
        caption="Lines by quadrature, points by simulation.",
    )


def kl_figure(rows: Sequence[Row], value: Normal) -> FigureData:
    """Value by divergence, under what no policy can pass."""
    grid = tuple(0.02 * 1.25**step for step in range(29))
    nats = tuple(best_of_n_kl(n) for n in rows[0].counts[1:])
    lines = [Series(name=f"best of n, {row.name} error", x=nats, y=row.best[1:]) for row in (rows[-1], rows[0])]
    lines.append(Series(name="most that is possible", x=grid, y=tuple(bound(value, kl) for kl in grid), style="dashed"))
    for row in rows:
        found = [regularised_at(row.proxy, kl) for kl in grid]
        if all(item is not None for item in found):
            y = tuple(item.value for item in found if item is not None)
            lines.append(Series(name=f"regularised, {row.name} error", x=grid, y=y))
    return FigureData(
        name="goodhart-divergence",
        title="Value by divergence from the base policy",
        kind="curves",
        x_label="nats",
        y_label="mean value",
        series=tuple(lines),
        free=True,
        caption="The dashed line bounds the value of any policy. With heavy-tailed error no regularised optimum exists.",
    )


def gao_figure(alpha: float, beta: float) -> FigureData:
    """Gao's two curves while they are positive, with their peaks."""
    curves: tuple[BestOfNCurve | LearningCurve, ...] = (
        BestOfNCurve(alpha=alpha, beta=beta),
        LearningCurve(alpha=alpha, beta=beta),
    )
    peaks = [peak for curve in curves if (peak := curve.peak()) is not None and peak.distance < FARTHEST]
    end = 3 * max((peak.distance for peak in peaks), default=3.0)
    series = []
    for name, curve in zip(("best of n", "reinforcement learning"), curves, strict=True):
        points = [(end * step / 320, curve.gold((end * step / 320) ** 2)) for step in range(321)]
        shown = list(takewhile(lambda point: point[1] >= 0, points))
        series.append(Series(name=name, x=tuple(x for x, _ in shown), y=tuple(y for _, y in shown)))
    return FigureData(
        name="goodhart-gao",
        title="Gao's curves of gold score",
        kind="curves",
        x_label="root of the divergence in nats",
        y_label="gold score above the base policy",
        series=tuple(series),
        marks=tuple(Mark(label="peak", x=peak.distance, y=peak.gold) for peak in peaks),
        free=True,
        caption=f"alpha {alpha:g}, beta {beta:g}: fitted coefficients of reward models change with the logarithm of their size.",
    )
