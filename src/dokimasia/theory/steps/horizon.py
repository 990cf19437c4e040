"""How long a task is done with probability one half, as a mind learns more approaches?

Within a budget `B` and for `a = Q alpha < 1` the limit law gives `n50 = z B**a / Gamma(1 - a)`, where `G(z) = 1/2`: the time
horizon is exponential in `Q`, and doubles about each `ln 2 / (alpha ln B)` approaches. Minds that gain approaches steadily
would see their horizon double steadily. At the threshold this ends: from `a = 1` on the horizon is `B (1 - 1 / a)`, which no
number of approaches brings above `B`.
"""

from __future__ import annotations

import math

from scipy.special import exprel

from dokimasia.core.errors import DataError
from dokimasia.theory.steps.budget import budget_scale, length_at
from dokimasia.theory.steps.searching import root
from dokimasia.theory.steps.step import checked_index, rate, tail_index
from dokimasia.theory.steps.sums import MOST_EXACT, log_sum_within


def horizon(budget: float, *, a: float, share: float = 0.5) -> float:
    """How many subtasks, a real number, does a mind finish within `budget` with probability `share`? Exact.

    >>> round(horizon(1e6, a=0.3), 1)
    40.4
    """
    _check(budget, a, share)
    if a >= 1 and budget > MOST_EXACT:
        raise DataError(
            f"Within a budget of at most {MOST_EXACT:g} the horizon is exact if Q * alpha is at least 1.",
            f"Found {budget:g}.",
            "Take the limit law, `limit_horizon`.",
        )

    def misses(log_n: float) -> float:
        return math.log(share) - log_sum_within(budget, math.exp(log_n), a=a)

    spent = 1 + math.log(budget) * float(exprel((1 - a) * math.log(budget)))  # the mean of a time cut off at the budget
    most = math.log(budget)
    least = most - math.log(spent)
    high, reach = min(least + 1, most), 1.0
    while misses(high) < 0:
        high = min(high + 1, most)
    while misses(least) > 0:
        least, reach = least - reach, 2 * reach
    return math.exp(root(misses, least, high, tolerance=1e-13))


def limit_horizon(budget: float, *, a: float, share: float = 0.5) -> float:
    """The same in the limit of a large budget: `z B**a / Gamma(1 - a)` below `a = 1`, and `B (1 - 1 / a)` above.

    Misleads near `a = 1`, where it tends to zero from both sides while the exact horizon rises smoothly.

    >>> round(limit_horizon(1e6, a=0.3), 1)
    40.7
    """
    _check(budget, a, share)
    if a < 1:
        return length_at(share, a=a, scale=budget_scale(budget, a=a))
    return budget / math.log(budget) if a == 1 else budget * rate(a)


def doubling_approaches(alpha: float, budget: float) -> float:
    """How many more approaches double the horizon, to leading order? `ln 2 / (alpha ln B)`.

    >>> round(doubling_approaches(0.1, 1e6), 3)
    0.502
    """
    _check(budget, tail_index(alpha, 1), 0.5)
    return math.log(2) / (alpha * math.log(budget))


def _check(budget: float, a: float, share: float) -> None:
    checked_index(a)
    if not 1 < budget < math.inf:
        raise DataError(
            "A budget is above 1, the least time of one subtask, and finite.",
            f"Found {budget}.",
            "At 1 and below the horizon is 0; without a limit it is infinite.",
        )
    if not 0 < share < 1:
        raise DataError("A share lies between 0 and 1.", f"Found {share}.", "Pass 0.5 for the usual time horizon.")
