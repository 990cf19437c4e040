"""The law of one subtask: the fastest of `Q` approaches, Pareto of index `a = Q * alpha`, with a threshold at `a = 1`.

    P(T > x) = x**-a,   mean a / (a - 1) for a > 1,   rate of work 1 / mean = 1 - 1 / a.

Below `Q* = 1 / alpha` approaches the mean is infinite and the rate zero; above it the rate rises towards the most that is
possible, one subtask per unit of time, with diminishing returns: `d rate / dQ = 1 / (alpha Q**2)`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


LEAST, MOST = 1e-150, 1e9
"""Below the one products of parameters leave double precision; above the other every subtask takes its least time."""


def tail_index(alpha: float, approaches: float) -> float:
    """The tail index of a subtask's time, `a = Q * alpha`; the number of approaches need not be whole.

    >>> tail_index(0.1, 3)
    0.30000000000000004
    """
    if not LEAST <= alpha < math.inf:
        raise DataError(
            f"The tail index alpha of an approach's time is a positive number, and here at least {LEAST:g}.",
            f"Found {alpha}.",
            "As alpha tends to 0 no approach ever ends; as it grows every one takes the least time, 1.",
        )
    if not LEAST <= approaches < math.inf:
        raise DataError(
            f"The number of approaches is positive, whole or not, and here at least {LEAST:g}.",
            f"Found {approaches}.",
            "A mind without any finishes nothing; as the number grows every subtask takes the least time, 1.",
        )
    if alpha * approaches > MOST:
        raise DataError(
            f"The product of alpha and the number of approaches is at most {MOST:g}.",
            f"Found {alpha * approaches:g}.",
            "Beyond, every subtask takes the least time, 1.",
        )
    return alpha * approaches


def critical_approaches(alpha: float) -> float:
    """How many approaches make the mean time finite? Any number above `1 / alpha`."""
    tail_index(alpha, 1)
    return 1 / alpha


def log_survival(x: ArrayLike, *, a: float) -> NDArray[np.float64]:
    """`ln P(T > x)`, for `x >= 1`; right far below the smallest number that a float holds."""
    checked_index(a)
    return np.asarray(-a * np.log(np.maximum(np.asarray(x, dtype=np.float64), 1)))


def log_quantile(share: float, *, a: float) -> float:
    """The logarithm of the time by which one subtask is done with probability `share`: `-ln(1 - share) / a`.

    >>> math.exp(log_quantile(0.5, a=0.5))
    4.0
    """
    checked_index(a)
    if not 0 <= share < 1:
        raise DataError("A share is at least 0 and below 1.", f"Found {share}.", "At 1 the quantile is infinite.")
    return -math.log1p(-share) / a


def mean_time(a: float) -> float:
    """The mean time of a subtask, `a / (a - 1)`; infinite for `a <= 1`.

    >>> mean_time(2.0), mean_time(1.0)
    (2.0, inf)
    """
    checked_index(a)
    return a / (a - 1) if a > 1 else math.inf


def time_variance(a: float) -> float:
    """The variance of a subtask's time, `a / ((a - 1)**2 (a - 2))`; infinite for `a <= 2`."""
    checked_index(a)
    return a / ((a - 1) ** 2 * (a - 2)) if a > 2 else math.inf


def rate(a: float) -> float:
    """Subtasks done per unit of time in the long run, `1 - 1 / a`, of at most one; zero for `a <= 1`."""
    checked_index(a)
    return (a - 1) / a if a > 1 else 0.0


def rate_gain(alpha: float, approaches: float) -> float:
    """What one more approach adds to the rate, `d rate / dQ = 1 / (alpha Q**2)` above the threshold and zero below it."""
    a = tail_index(alpha, approaches)
    return 1 / (a * approaches) if a > 1 else 0.0


def checked_index(a: float) -> float:
    """The index, refused unless it is a positive number."""
    if not 0 < a < math.inf:
        raise DataError(
            "The index Q * alpha of a subtask's time is a positive number.",
            f"Found {a}.",
            "As it tends to 0 subtasks never end; as it grows every one takes the least time, 1.",
        )
    return a
