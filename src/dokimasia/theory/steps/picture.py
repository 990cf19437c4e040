"""The model of independent steps in tables and figures: what more approaches bring, and how sharp the threshold is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from dokimasia.core import FigureData, Series, Table
from dokimasia.core.tabulating import Cell
from dokimasia.theory.steps.budget import budget_scale, success_probability
from dokimasia.theory.steps.crossover import log_mean_fastest, rate_of_fastest
from dokimasia.theory.steps.horizon import horizon, limit_horizon
from dokimasia.theory.steps.laws import LogNormal, Pareto, Stretched, TimeLaw
from dokimasia.theory.steps.proportional import critical_index
from dokimasia.theory.steps.step import critical_approaches, rate
from dokimasia.theory.steps.sums import MOST_EXACT, median_growth, sum_within, time_within

OF_THRESHOLD = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0, 1.2, 1.5, 2.0, 4.0)
POWER = 0.1
INDICES = (0.4, 0.7, 1.0, 1.3, 4.0)
LENGTHS = (10, 100, 1000, 10_000)


def tables(alpha: float, subtasks: float, budget: float) -> tuple[Table, ...]:
    """What a mind can do, and how fast, by the number of approaches that it knows."""
    least = critical_approaches(alpha)
    return (
        Table(
            name="steps-approaches",
            title="What more approaches bring",
            columns=("approaches", "Q alpha", "rate", "median time", "success", "horizon", "horizon, limit law"),
            rows=tuple(_row(share * least, share, subtasks, budget) for share in OF_THRESHOLD),
            note=f"Of {subtasks:g} subtasks: their median time, and success within {budget:g}. Horizons at 50%, in subtasks.",
        ),
        Table(
            name="steps-crossover",
            title="The mean time of a subtask is infinite for power laws only",
            columns=("approaches", *_laws(alpha)),
            rows=tuple(
                (_round(share * least), *(_mean(law, share * least) for law in _laws(alpha).values()))
                for share in OF_THRESHOLD
            ),
            note=f"Laws of the same tail index, {alpha:g}, at the least time. Their index grows with the time, the Pareto "
            "law's does not.",
        ),
    )


def figures(alpha: float, approaches: float, budget: float, kappa: float) -> tuple[FigureData, ...]:
    """Rate and horizon against approaches, success and pace against length, and the threshold of a budget in proportion."""
    a = alpha * approaches
    least = critical_approaches(alpha)
    wide = np.linspace(0.02, 4, 80) * least
    return (
        FigureData(
            name="steps-rate",
            title="Rate of work against approaches",
            kind="curves",
            x_label="approaches known",
            y_label="subtasks per unit of time",
            series=tuple(_curve(name, wide, _rates(law)) for name, law in _laws(alpha).items()),
            caption=f"Threshold of the Pareto law: {least:g} approaches. The others have no threshold, but a crossover.",
        ),
        _success(a, budget),
        FigureData(
            name="steps-horizon",
            title=f"Time horizon at 50% within a budget of {budget:g}",
            kind="curves",
            x_label="approaches known",
            y_label="subtasks",
            series=(
                _curve("exact", wide[1:40:3], lambda q: _exact_horizon(budget, alpha * q)),
                _curve("limit law", wide[1:40], lambda q: limit_horizon(budget, a=alpha * q), style="dashed"),
            ),
            y_log=True,
            free=True,
            caption=f"Exponential below the threshold of {least:g}; never above the budget.",
        ),
        FigureData(
            name="steps-pace",
            title="Median pace of a task against its length",
            kind="curves",
            x_label="subtasks",
            y_label="subtasks per unit of time",
            series=tuple(
                _curve(
                    f"Q alpha = {index:g}, slope {1 - median_growth(index):.2g}",
                    10.0 ** np.arange(0, 7, 2),
                    _paces(index),
                )
                for index in INDICES
            ),
            x_log=True,
            y_log=True,
            free=True,
            caption="Length over the exact median time. A level line is linear time; slopes are the limits for long tasks.",
        ),
        _threshold(alpha, kappa),
    )


def _laws(alpha: float) -> dict[str, TimeLaw]:
    """Laws of one tail index at the least time."""
    return {
        "Pareto": Pareto(alpha=alpha),
        f"stretched, power {POWER:g}": Stretched(alpha=alpha, power=POWER),
        "log-normal": LogNormal(sigma=math.sqrt(2 / math.pi) / alpha),
    }


def _row(approaches: float, a: float, subtasks: float, budget: float) -> tuple[Cell, ...]:
    return (
        _round(approaches),
        _round(a),
        _round(rate(a)),
        _known(time_within(0.5, subtasks, a=a)),
        _round(sum_within(budget, subtasks, a=a)),
        _known(_exact_horizon(budget, a)),
        _round(limit_horizon(budget, a=a)),
    )


def _mean(law: TimeLaw, approaches: float) -> Cell:
    log = log_mean_fastest(law, approaches)
    if log < 700:
        return _round(math.exp(log))
    return "infinite" if math.isinf(log) else f"e**{log:.0f}"


def _rates(law: TimeLaw) -> Callable[[float], float]:
    return lambda approaches: rate_of_fastest(law, approaches)


def _exact_horizon(budget: float, a: float) -> float:
    return horizon(budget, a=a) if a < 1 or budget <= MOST_EXACT else math.inf


def _paces(a: float) -> Callable[[float], float]:
    return lambda n: n / time_within(0.5, n, a=a)


def _success(a: float, budget: float) -> FigureData:
    half = horizon(budget, a=a)
    lengths = half * np.geomspace(0.03, 8, 60)
    lengths = lengths[lengths < budget]
    series = [
        _curve(f"exact, Q alpha = {a:.3g}", lengths, lambda n: sum_within(budget, n, a=a)),
        _curve("half-life of the same horizon", lengths, lambda n: 0.5 ** (n / half), style="dashed"),
    ]
    if a < 1:
        scale = budget_scale(budget, a=a)
        limit = success_probability(lengths, a=a, scale=scale)
        series.append(Series(name="limit law", x=_floats(lengths), y=_floats(limit), style="dashed"))
    return FigureData(
        name="steps-success",
        title=f"Success within a budget of {budget:g} against length",
        kind="curves",
        x_label="subtasks",
        y_label="P(success)",
        series=tuple(series),
        x_log=True,
        caption="The hazard per subtask never falls: steeper than a half-life on its right, flatter on its left.",
    )


def _threshold(alpha: float, kappa: float) -> FigureData:
    middle = critical_index(kappa) / alpha
    away = np.linspace(-0.85, 1, 38)
    approaches = (1 + away * np.abs(away)) * middle  # closest together at the threshold
    return FigureData(
        name="steps-proportional",
        title=f"Success within {kappa:g} times the least time",
        kind="curves",
        x_label="approaches known",
        y_label="P(success)",
        series=tuple(_curve(f"{n:,} subtasks", approaches, _within(kappa * n, n, alpha)) for n in LENGTHS),
        caption=f"Threshold for long tasks: {middle:g} approaches.",
    )


def _within(time: float, n: int, alpha: float) -> Callable[[float], float]:
    return lambda approaches: sum_within(time, n, a=alpha * approaches)


def _curve(name: str, x: Iterable[float], function: Callable[[float], float], *, style: str = "line") -> Series:
    places = [float(item) for item in x]
    pairs = [(place, value) for place in places if math.isfinite(value := function(place))]
    return Series(
        name=name,
        x=tuple(place for place, _ in pairs),
        y=tuple(value for _, value in pairs),
        style="dashed" if style == "dashed" else "line",
    )


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _known(value: float) -> Cell:
    return None if math.isinf(value) else _round(value)


def _round(value: float) -> float:
    """Four digits; a whole number where it is one, and not too long to write out."""
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e16 else rounded
