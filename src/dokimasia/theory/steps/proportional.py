"""Who finishes `n` subtasks within a budget in proportion to `n`, as when an agent may take `kappa` times the least time?

By the law of large numbers there is a sharp threshold, where the mean is the budget: `a / (a - 1) = kappa`, so that
`a = Q alpha = kappa / (kappa - 1)`. Below it success falls exponentially in `n`, `P(success) = exp(-n I(kappa) + o(n))`, with

    I(kappa) = sup over s of -s kappa - ln E exp(-s T),   E exp(-s T) = a E_{a+1}(s).

Above it failure falls by a power only, since one long subtask is enough: `P(fail) ~ n P(T > n (kappa - mean))`, which is
`n**(1 - a) (kappa - mean)**-a`. `sums.sum_within(kappa * n, n, a=a)` is the exact probability.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core.errors import DataError
from dokimasia.theory.steps.searching import root
from dokimasia.theory.steps.step import checked_index, mean_time
from dokimasia.theory.steps.transform import log_transform, scaled_integral, tilted_moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_LOG = -700.0  # of `s`, below which the rate would be no number that a float holds


def critical_index(kappa: float) -> float:
    """Which index `Q alpha` makes the mean time `kappa` per subtask? `kappa / (kappa - 1)`.

    >>> critical_index(2.0)
    2.0
    """
    return _checked(kappa) / (kappa - 1)


def decay_rate(kappa: float, *, a: float) -> float:
    """How fast does success fall with `n` below the threshold? `I(kappa)` in nats a subtask; 0 from the threshold on, or if no float is small enough.

    >>> round(decay_rate(2.0, a=1.0), 6), decay_rate(2.0, a=3.0)
    (0.158377, 0.0)

    Cramer (1938); Dembo and Zeitouni (1998), Large Deviations Techniques and Applications, theorem 2.2.3.
    """
    checked_index(a)
    spare = _checked(kappa) - 1
    mean = mean_time(a) - 1
    if spare >= mean:
        return 0.0

    def slope(log_s: float) -> float:
        s = math.exp(log_s)
        return spare - tilted_moments(a, s)[0] / s

    if slope(LEAST_LOG) >= 0:
        return 0.0
    s = math.exp(root(slope, LEAST_LOG, -math.log(spare), tolerance=1e-10))
    if spare < mean / 2:
        return -s * spare - float(log_transform(a, _at(s))[0].real)
    return s * (mean - spare) - _centred(a, s, mean)


def log_miss(n: float, kappa: float, *, a: float) -> float:
    """The logarithm of `n**(1 - a) (kappa - mean)**-a`: how likely one long subtask alone makes `n` miss the budget.

    For large `n` above the threshold; it tends to the exact chance of failing from below, slowly.

    >>> round(math.exp(log_miss(1000, 2.0, a=3.0)), 9)
    8e-06
    """
    room = _checked(kappa) - mean_time(a)
    if not room > 0 or not n > 0:
        raise DataError(
            f"A positive number of subtasks and a budget above the mean time, {mean_time(a):.6g} a subtask, are expected.",
            f"Found n = {n} and kappa = {kappa}.",
            "From the mean downwards failure tends to certainty; ask for `decay_rate`.",
        )
    return (1 - a) * math.log(n) - a * math.log(room)


def _centred(a: float, s: float, mean: float) -> float:
    """`ln M(s) + s mean`, of second order in a small `s`, from integrals of that order: `mean` is that of `W`."""
    below = float(-s * scaled_integral(a, _at(s))[0].real)  # M - 1
    second = s * mean * float((s * scaled_integral(a - 1, _at(s)))[0].real)  # M - 1 + s mean
    return second + _log1p_less(below)


def _log1p_less(x: float) -> float:
    """`ln(1 + x) - x`, without cancellation for small `x`."""
    if abs(x) > 0.1:
        return math.log1p(x) - x
    powers = np.arange(2, 20)
    return float(np.sum(-((-x) ** powers) / powers))


def _at(s: float) -> NDArray[np.complex128]:
    return np.array([complex(s)])


def _checked(kappa: float) -> float:
    if not 1 < kappa < math.inf:
        raise DataError(
            "A budget of kappa times the least time is above 1 and finite.",
            f"Found {kappa}.",
            "At 1 and below nothing is ever finished; without a limit everything is, if Q * alpha is positive.",
        )
    return kappa
