"""Is the threshold special to power laws? The mean time of the fastest of `Q` approaches, whatever the law of one.

If one approach's tail varies regularly with index `alpha`, that of the fastest of `Q` does with index `Q alpha`, and the mean is
infinite below `1 / alpha`. Log-normal and stretched-exponential times have every moment, so that the mean is finite
for every `Q`, and the threshold becomes a crossover: around where `Q` times the local tail index passes 1 at the times that count,
the mean falls from astronomical to ordinary.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core.errors import DataError
from dokimasia.theory.steps.laws import Pareto, TimeLaw
from dokimasia.theory.steps.searching import root
from dokimasia.theory.steps.step import mean_time, tail_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DROP = 45.0  # nats below the integrand's peak at which the integral ends
PANELS = 8
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def log_mean_fastest(law: TimeLaw, approaches: float) -> float:
    """`ln E T` for the fastest of `approaches`, by quadrature; infinite for a Pareto law up to its threshold.

    `E T = 1 + int_1^inf P(X > x)**Q dx`; the survival must be log-concave against `ln x`, as it is for all of `laws`.

    >>> log_mean_fastest(Pareto(alpha=0.5), 2.0), round(math.exp(log_mean_fastest(Pareto(alpha=0.5), 4.0)), 12)
    (inf, 2.0)
    """
    tail_index(1.0, approaches)
    if isinstance(law, Pareto):
        mean = mean_time(law.alpha * approaches)
        return math.log(mean) if math.isfinite(mean) else math.inf

    def log_height(t: Array) -> Array:
        return np.asarray(t + approaches * law.log_survival(t))

    low, high = _where_it_counts(log_height)
    ends = np.linspace(low, high, PANELS + 1)
    half = (high - low) / PANELS / 2
    heights = log_height((ends[:-1, None] + half * (NODES + 1)).ravel())
    top = float(heights.max())
    area = half * float(np.tile(WEIGHTS, PANELS) @ np.exp(heights - top))
    return float(np.logaddexp(0.0, top + math.log(area)))


def rate_of_fastest(law: TimeLaw, approaches: float) -> float:
    """Subtasks done per unit of time in the long run, `1 / E T`."""
    return math.exp(-log_mean_fastest(law, approaches))


def approaches_for(rate: float, law: TimeLaw) -> float:
    """How many approaches, a real number, bring this rate? One over `alpha (1 - rate)` for the Pareto law.

    >>> round(approaches_for(0.5, Pareto(alpha=0.1)), 6)
    20.0
    """
    if not 0 < rate < 1:
        raise DataError(
            "A rate lies between 0 and 1.", f"Found {rate}.", "At 0 no approach is needed, at 1 no number is enough."
        )
    return math.exp(root(lambda y: -log_mean_fastest(law, math.exp(y)) - math.log(rate), -30.0, 20.0, tolerance=1e-10))


def _where_it_counts(log_height: Callable[[Array], Array]) -> tuple[float, float]:
    """The interval on which a function of one peak is within DROP of it."""
    grid = np.concatenate([[0.0], 2.0 ** np.arange(-80, 200)])
    if log_height(grid[-1:])[0] > 0:
        raise DataError(
            "A mean time whose logarithm is below 1e60 is expected.", "Found a greater one.", "Take a lighter tail."
        )
    for _ in range(6):
        heights = log_height(grid)
        inside = np.flatnonzero(heights > heights.max() - DROP)
        low, high = grid[max(inside[0] - 1, 0)], grid[min(inside[-1] + 1, len(grid) - 1)]
        grid = np.linspace(low, high, 257)
    return float(low), float(high)
