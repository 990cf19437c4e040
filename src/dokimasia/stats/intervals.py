"""Confidence intervals for rates, and for means of clustered data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtri

from dokimasia.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Interval(NamedTuple):
    """The ends of an interval; a plain pair to anybody who unpacks it."""

    low: float
    high: float


def clopper_pearson(k: int, n: int, confidence: float = 0.95) -> Interval:
    """Which rates are compatible with `k` events in `n` independent trials? Exact, two-sided.

    Parameters
    ----------
    k, n:
        Number of events and of trials, `0 <= k <= n`. `n == 0` gives (0, 1).
    confidence:
        Coverage of the interval; each end misses with probability at most `(1 - confidence) / 2`.

    Misleads when trials are not independent (near-duplicates, items of one template): see `cluster_bootstrap`.

    >>> low, high = clopper_pearson(0, 240)
    >>> low, round(high, 4)
    (0.0, 0.0153)

    Clopper and Pearson (1934), Biometrika 26:404-413.
    """
    _check_counts(k, n)
    half = (1 - _fraction("confidence", confidence)) / 2
    return Interval(clopper_pearson_lower(k, n, half), clopper_pearson_upper(k, n, half))


def clopper_pearson_upper(k: int, n: int, delta: float = 0.05) -> float:
    """How high may the rate be? Upper bound at one-sided confidence `1 - delta`; about `3/n` for k = 0, delta = 0.05."""
    _check_counts(k, n)
    return float(upper_bounds(np.asarray([k]), n, _fraction("delta", delta))[0])


def clopper_pearson_lower(k: int, n: int, delta: float = 0.05) -> float:
    """How low may the rate be? Lower bound at one-sided confidence `1 - delta`."""
    _check_counts(k, n)
    _fraction("delta", delta)
    return 0.0 if k == 0 else float(betaincinv(k, n - k + 1, delta))


def upper_bounds(counts: NDArray[np.int64], n: int, delta: float) -> NDArray[np.float64]:
    """Clopper-Pearson upper bounds of many counts out of the same `n`, axis (n_counts,)."""
    bounds = np.ones(len(counts))
    inner = counts < n
    bounds[inner] = betaincinv(counts[inner] + 1, n - counts[inner], 1 - delta)
    return bounds


def wilson(k: int, n: int, confidence: float = 0.95) -> Interval:
    """Which rates are compatible with `k` events in `n` trials? Score interval: shorter than Clopper-Pearson, and its
    coverage is right on average over rates rather than for each.

    >>> low, high = wilson(31, 240)
    >>> round(low, 3), round(high, 3)
    (0.093, 0.178)

    Wilson (1927), JASA 22:209-212; compared in Brown, Cai and DasGupta (2001), Statistical Science 16:101-133.
    """
    _check_counts(k, n)
    _fraction("confidence", confidence)
    if n == 0:
        return Interval(0.0, 1.0)
    z = float(ndtri(0.5 + confidence / 2))
    rate, shrink = k / n, 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / shrink
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / shrink
    return Interval(
        0.0 if k == 0 else max(0.0, float(centre - half)), 1.0 if k == n else min(1.0, float(centre + half))
    )


def cluster_bootstrap(
    values: ArrayLike, clusters: ArrayLike, *, confidence: float = 0.95, resamples: int = 4000, seed: int = 0
) -> Interval:
    """Where does the mean lie, if units of one cluster stand or fall together?

    Parameters
    ----------
    values:
        (n_units,) real numbers.
    clusters:
        (n_units,) cluster of each unit, any hashable kind; whole clusters are resampled.
    confidence, resamples, seed:
        Coverage of the percentile interval, number of resamples, seed of the resampling.

    Misleads with few clusters (below about 30 it is too short), and it has no width where every value is the same: use
    the Clopper-Pearson bound with n = number of clusters there.

    Field and Welsh (2007), JRSS B 69:369-390, section 3.1.
    """
    data = finite("values", values)
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    if len(index) != len(data) or not len(data):
        raise DataError(
            "A cluster bootstrap needs one cluster for each value.",
            f"Found {len(data)} values and {len(index)} clusters.",
            "Pass two sequences of equal length, at least one long.",
        )
    sums = np.bincount(index, weights=data)
    sizes = np.bincount(index).astype(float)
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    for start in range(0, resamples, 500):
        size = min(500, resamples - start)
        draws = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=size).astype(float)
        means[start : start + size] = (draws @ sums) / (draws @ sizes)
    tail = (1 - _fraction("confidence", confidence)) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """`values` as a vector of floats, or an error if there is a NaN among them."""
    data = np.asarray(values, dtype=float)
    if data.ndim != 1:
        raise DataError(
            f"{name} is a sequence of numbers, one a unit.", f"Found {data.ndim} axes.", "Pass one number a unit."
        )
    missing = int(np.isnan(data).sum())
    if missing:
        raise DataError(
            f"{name} holds numbers only.",
            f"Found {missing} NaN among {len(data)}.",
            "Decide what a missing score means (the worst, if it enters a bound) and put that number in its place.",
        )
    return data


def _check_counts(k: int, n: int) -> None:
    if int(k) != k or int(n) != n or not 0 <= k <= n:
        raise DataError("k events in n trials means whole numbers, 0 <= k <= n.", f"Found k={k}, n={n}.", "Check them.")


def _fraction(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise DataError(f"{name} lies strictly between 0 and 1.", f"Found {value}.", "Pass for example 0.95 or 0.05.")
    return value
