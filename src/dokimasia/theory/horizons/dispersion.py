"""Do tasks of one human time differ from one another by more than chance would make them?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.theory.horizons.comparing import AgentFits
from dokimasia.theory.horizons.curve import Curve
from dokimasia.theory.horizons.fitting import clipped
from dokimasia.theory.horizons.spans import FEWEST_FAMILIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dokimasia.theory.horizons.curve import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """Pearson's chi-squared between tasks over its degrees of freedom, `ratio`: 1 if runs are independent given the time.

    It grows with the number of runs a task. `correlation`, that of two runs of one task around the curve, does not: 0 if
    tasks of one time are equally hard, 1 if each is always or never done. Each has its interval.
    """

    ratio: float
    ratio_low: float
    ratio_high: float
    correlation: float
    correlation_low: float
    correlation_high: float
    n_tasks: int


def dispersion(agent: AgentFits, curve: Curve, *, confidence: float = 0.95) -> Dispersion | None:
    """How much do tasks differ around this curve? None where no task was run twice, or families are too few.

    The interval is that of fits to resampled families. A score that is a fraction varies less than a success or a failure
    does, so that fractions make both numbers too small.

    Pearson's statistic and the correlation by moments: Williams (1982), Applied Statistics 31:144-148.
    """
    attempts, fit = agent.attempts, agent.of(curve)
    spare = attempts.runs - 1
    free = len(attempts.runs) - len(curve.low)
    if not spare.any() or free < 1 or attempts.n_families < FEWEST_FAMILIES:
        return None
    times = agent.drawn
    enough = ((times > 0).sum(axis=1) > len(curve.low)) & ((times * spare).sum(axis=1) > 0)
    theta = np.concatenate([fit.theta[None], fit.replicates[enough]])
    ratio, correlation = _moments(curve, agent, theta, np.concatenate([np.ones((1, len(spare))), times[enough]]))
    tail = (1 - confidence) / 2
    (ratio_low, ratio_high), (low, high) = (np.quantile(item[1:], [tail, 1 - tail]) for item in (ratio, correlation))
    return Dispersion(
        ratio=float(ratio[0]),
        ratio_low=float(ratio_low),
        ratio_high=float(ratio_high),
        correlation=float(correlation[0]),
        correlation_low=float(low),
        correlation_high=float(high),
        n_tasks=len(spare),
    )


def _moments(curve: Curve, agent: AgentFits, theta: Floats, times: NDArray[np.float64]) -> tuple[Floats, Floats]:
    attempts = agent.attempts
    expected, _ = clipped(curve, attempts.x, theta)
    squares = attempts.runs * (attempts.rates - expected) ** 2 / (expected * (1 - expected))
    total, free = (times * squares).sum(axis=1), times.sum(axis=1) - len(curve.low)
    return total / free, np.minimum((total - free) / (times * (attempts.runs - 1)).sum(axis=1), 1.0)
