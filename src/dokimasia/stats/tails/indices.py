"""Tail indices from order statistics: Hill, moment and Pickands, with their asymptotic intervals.

None of the first two is indifferent to where nought lies, and Hill's never says anything but "heavy": see each. A plateau
over many `k` is what would count; a figure at one `k` is not evidence.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from dokimasia.core.errors import DataError
from dokimasia.stats.tails.order import top

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class TailIndex(NamedTuple):
    """An estimate of xi from the `k` largest scores, with its asymptotic interval at `level`."""

    value: float
    low: float
    high: float
    level: float
    k: int


def hill(scores: ArrayLike, k: int, *, level: float = 0.95) -> TailIndex:
    """Mean logarithm of how many times the `k` largest exceed the next: xi, provided that it is positive.

    `scores` (n_scores,) positive at the threshold: subtract the median first.

    Misleads wherever the tail is no power law: it is positive always. The `k` largest of a normal sample of some tens of
    thousands give 0.12 to 0.24, of an exponential one 0.18 to 0.33, so that "Hill gives 0.2, which is close to nought, so the
    tail is light" is no argument, nor its opposite. It moves when a constant is added to the scores. Read it beside controls
    of the same size, never alone.

    >>> round(hill([1, 2, 4, 8, 16, 32], 3).value / math.log(2), 12)
    2.0

    Hill (1975), Annals of Statistics 3:1163-1174.
    """
    logs = _log_ratios(top(scores, k))
    return _normal(float(logs.mean()), float(logs.mean()), k, level)


def moment(scores: ArrayLike, k: int, *, level: float = 0.95) -> TailIndex:
    """Hill's estimate put right by the second moment of the logarithms, so that xi may have any sign.

    `scores` (n_scores,) positive at the threshold. Indifferent to their scale, and not to a constant that is added, though
    that matters less the higher the threshold: subtract the median first, and use the same convention throughout.

    Dekkers, Einmahl and de Haan (1989), Annals of Statistics 17:1833-1855, equation 1.7 and theorem 3.1.
    """
    logs = _log_ratios(top(scores, k))
    first, second = float(logs.mean()), float((logs**2).mean())
    xi = first + 1 - 0.5 / (1 - first * first / second)
    return _normal(xi, math.sqrt(_moment_variance(xi)), k, level)


def _moment_variance(xi: float) -> float:
    if xi >= 0:
        return 1 + xi * xi
    one, two, three, four = 1 - xi, 1 - 2 * xi, 1 - 3 * xi, 1 - 4 * xi
    return one**2 * two * (4 - 8 * two / three + (5 - 11 * xi) * two / (three * four))


def pickands(scores: ArrayLike, k: int, *, level: float = 0.95) -> TailIndex:
    """How much faster quantiles spread from a quarter to a half of the tail than from a half to the whole.

    Uses the scores of ranks `k / 4`, `k / 2` and `k` (k a multiple of 4), and does not change when scores are shifted or scaled.
    Its interval is several times that of the others.

    Pickands (1975), Annals of Statistics 3:119-131; Dekkers and de Haan (1989), Annals of Statistics 17:1795-1832, theorem 2.3.
    """
    if k % 4:
        raise DataError("Pickands' estimator takes a multiple of four.", f"Found k = {k}.", f"Pass {k - k % 4}.")
    largest = top(scores, k)
    quarter, half, whole = (float(largest[k // part - 1]) for part in (4, 2, 1))
    if not quarter > half > whole:
        raise DataError(
            "Pickands' estimator needs different scores at ranks k/4, k/2 and k.",
            f"Found {quarter:g}, {half:g} and {whole:g}.",
            "Use a larger k, or scores that are not rounded.",
        )
    xi = math.log2((quarter - half) / (half - whole))
    if abs(xi) < 1e-6:
        spread = math.sqrt(3) / (2 * math.log(2) ** 2)
    else:
        spread = abs(xi) * math.sqrt(2 ** (2 * xi + 1) + 1) / (2 * abs(2**xi - 1) * math.log(2))
    return _normal(xi, spread, k // 4, level)._replace(k=k)


def _log_ratios(largest: NDArray[np.float64]) -> NDArray[np.float64]:
    if largest[-1] <= 0:
        raise DataError(
            "Ratios need positive scores above the threshold.",
            f"The threshold is {largest[-1]:g}.",
            "Subtract the median of all scores first, or choose a smaller k.",
        )
    return np.asarray(np.log(largest[:-1] / largest[-1]))


def _normal(value: float, spread: float, k: int, level: float) -> TailIndex:
    half = float(ndtri(0.5 + level / 2)) * spread / math.sqrt(k)
    return TailIndex(value, value - half, value + half, level, k)
