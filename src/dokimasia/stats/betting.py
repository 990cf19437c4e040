"""Evidence that may be looked at whenever one likes: e-values, e-processes and confidence sequences, by betting.

Somebody bets against the claim that observations have at most a given mean, at odds that are fair under it. What a unit of
wealth has become is an *e-value*: under the claim its expectation is at most 1 at every moment and, by Ville's inequality,
it *ever* reaches `1 / alpha` with probability at most `alpha`. So one may stop when one has seen enough, look after every
observation, or go on after a first look, and still be wrong in at most a share `alpha` of all monitorings.

Here the bettor divides the unit among fixed fractions `c` and bets with each of them `1 + c (x - m) / (m - lowest)`, which
is 1 on average at mean `m` and no less than `1 - c`. The fractions are even on a logistic scale, from 6e-6 to nearly 1, so
no setting needs a choice. A mixture of fixed bets depends on what was observed and not on its order.

What has to hold is that, given the past, each observation has an expectation on the claimed side and stays in its bounds.
Independence is not needed. It fails if somebody chooses after an observation whether to count it.

Waudby-Smith and Ramdas (2024), JRSS B 86:1-27; Ramdas, Grünwald, Vovk and Shafer (2023), Statistical Science 38:576-601.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import logsumexp

from dokimasia.core.errors import DataError
from dokimasia.stats.intervals import Interval, finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Side = Literal["above", "below"]

_SCALE = np.linspace(-12.0, 12.0, 97)
_LOG_BET, _LOG_KEPT = -np.log1p(np.exp(-_SCALE)), -np.log1p(np.exp(_SCALE))
"""Logs of the fractions c that are bet, and of what is held back, 1 - c."""

UNIT = (0.0, 1.0)
HALVINGS = 50
CELLS = 1_000_000
"""So many bets are held in memory at once."""


def log_e_value(
    values: ArrayLike,
    mean: float,
    *,
    side: Side = "above",
    bounds: tuple[float, float] = UNIT,
    counts: ArrayLike | None = None,
) -> float:
    """How strongly do these observations speak against "their mean is at most `mean`"? In nats.

    Parameters
    ----------
    values:
        (n_values,) observations within `bounds`, all that there were until now.
    mean:
        The claimed mean, strictly inside `bounds`.
    side:
        "above": evidence that the mean lies above, against "at most". "below": the other way round.
    counts:
        (n_values,) how often each value came, if they are listed once each: a million outcomes are two values.

    Returns the log of an e-value: 0 is no evidence, `ln(1/alpha)` a reason to alarm at level `alpha`, at any time; negative
    numbers speak for the claim only weakly. Evidence from independent sources adds up.

    >>> round(log_e_value([1, 0, 1, 1, 1, 1], 0.1), 2)  # alarm at level 0.01 is ln(100) = 4.61
    6.85
    >>> log_e_value([1, 0], 0.1, counts=[5, 1]) == log_e_value([1, 0, 1, 1, 1, 1], 0.1)
    True
    """
    scaled, often = _observed(values, bounds, counts)
    point = _inside(mean, bounds)
    if side == "below":
        scaled, point = 1 - scaled, 1 - point
    return float(_evidence(scaled, often[None, :], np.array([point]))[0])


def log_e_process(
    values: ArrayLike, mean: float, *, side: Side = "above", bounds: tuple[float, float] = UNIT
) -> NDArray[np.float64]:
    """The same after each observation, (n_values,), in nats: alarm at level `alpha` where it first reaches `ln(1/alpha)`.

    >>> process = log_e_process([1, 0, 1, 1, 1, 1], 0.1)
    >>> int(np.argmax(process >= np.log(1 / 0.01))) + 1
    5
    """
    scaled, _ = _observed(values, bounds, None)
    point = _inside(mean, bounds)
    if side == "below":
        scaled, point = 1 - scaled, 1 - point
    wealth = logsumexp(np.cumsum(_bets(scaled, point), axis=0), axis=1)
    return np.asarray(wealth - math.log(len(_SCALE)))


def alarm_counts(mean: float, *, alpha: float, longest: int) -> NDArray[np.int64]:
    """After 1, 2, ... trials of 0 or 1, with how many successes is the e-value against "at most `mean`" at least 1/alpha?

    (longest,), one more than there were trials where not even all of them would do. With `first_passage` this gives the
    exact probability of an alarm at any true rate.

    >>> alarm_counts(0.1, alpha=0.01, longest=6).tolist()
    [2, 3, 3, 4, 4, 5]
    """
    needed = np.empty(longest, dtype=np.int64)
    count, reached = 0, -math.log(_level(alpha))
    for trials in range(1, longest + 1):
        while count <= trials and log_e_value([0, 1], mean, counts=[trials - count, count]) < reached:
            count += 1
        needed[trials - 1] = count
    return needed


def anytime_lower(
    values: ArrayLike,
    *,
    delta: float = 0.05,
    bounds: tuple[float, float] = UNIT,
    counts: ArrayLike | None = None,
) -> float:
    """How low may the mean be? A bound that holds at all times together with probability at least `1 - delta`."""
    return _end(values, delta, bounds, counts, "above")


def anytime_upper(
    values: ArrayLike,
    *,
    delta: float = 0.05,
    bounds: tuple[float, float] = UNIT,
    counts: ArrayLike | None = None,
) -> float:
    """How high may the mean be? A bound that holds at all times together with probability at least `1 - delta`."""
    return _end(values, delta, bounds, counts, "below")


def anytime_interval(
    values: ArrayLike,
    *,
    confidence: float = 0.95,
    bounds: tuple[float, float] = UNIT,
    counts: ArrayLike | None = None,
) -> Interval:
    """Where does the mean lie, if one looks at the data whenever one likes?

    Holds the mean at all times together with probability at least `confidence`. Wider than a fixed-size interval: for
    rates about 1.2 to 2 times as wide as Clopper-Pearson's.

    >>> low, high = anytime_interval([1, 0], counts=[31, 209])
    >>> round(low, 3), round(high, 3)
    (0.063, 0.222)
    """
    half = (1 - confidence) / 2
    return Interval(
        anytime_lower(values, delta=half, bounds=bounds, counts=counts),
        anytime_upper(values, delta=half, bounds=bounds, counts=counts),
    )


def confidence_sequence(
    values: ArrayLike,
    *,
    confidence: float = 0.95,
    bounds: tuple[float, float] = UNIT,
    at: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """`anytime_interval` after so many observations each, `at` (n_times,) or after each one: (n_times, 2), low and high.

    They may be intersected: each mean that any of them leaves out is left out at the stated confidence. An empty
    intersection says that the mean did not stay the same.
    """
    scaled, often = _observed(values, bounds, None)
    times = np.arange(1, len(scaled) + 1) if at is None else np.asarray(at, dtype=np.int64)
    if len(times) and not 1 <= times.min() <= times.max() <= len(scaled):
        raise DataError("Times count observations from 1.", f"Found {len(scaled)} observations.", "Pass some of them.")
    distinct, place = np.unique(scaled, return_inverse=True)
    seen = np.zeros((len(times), len(distinct)))
    for row, time in enumerate(times):
        seen[row] = np.bincount(place[:time], weights=often[:time], minlength=len(distinct))
    half = (1 - confidence) / 2
    ends = np.stack([_ends(distinct, seen, half, "above"), _ends(distinct, seen, half, "below")], axis=1)
    return np.asarray(bounds[0] + ends * (bounds[1] - bounds[0]))


def _end(values: ArrayLike, delta: float, bounds: tuple[float, float], counts: ArrayLike | None, side: Side) -> float:
    """One bound, on the scale of the values; equal values are taken together."""
    scaled, often = _observed(values, bounds, counts)
    distinct, place = np.unique(scaled, return_inverse=True)
    together = np.asarray(np.bincount(place, weights=often, minlength=len(distinct)), dtype=float)
    return bounds[0] + float(_ends(distinct, together[None, :], delta, side)[0]) * (bounds[1] - bounds[0])


def _ends(scaled: NDArray[np.float64], often: NDArray[np.float64], delta: float, side: Side) -> NDArray[np.float64]:
    """For each row of `often`, the mean at which the evidence for this side falls to ln(1/delta); in [0, 1]."""
    reached = -math.log(_level(delta))
    values = scaled if side == "above" else 1 - scaled
    near, far = np.zeros(len(often)), np.ones(len(often))
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        out = _evidence(values, often, middle) >= reached
        near, far = np.where(out, middle, near), np.where(out, far, middle)
    return near if side == "above" else 1 - near


def _evidence(
    scaled: NDArray[np.float64], often: NDArray[np.float64], means: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Log wealth of (n_rows, n_values) counts against "at most" one mean a row; falls as that mean grows."""
    rows = max(1, CELLS // (len(_SCALE) * max(len(scaled), 1)))
    found = np.empty(len(means))
    for start in range(0, len(means), rows):
        part = slice(start, start + rows)
        wealth = np.einsum("rv,rvf->rf", often[part], _bets(scaled, means[part, None]))
        found[part] = logsumexp(wealth, axis=1) - math.log(len(_SCALE))
    return found


def _bets(scaled: NDArray[np.float64], mean: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Log of what each fraction turns a unit into at each value, (..., n_values, n_fractions)."""
    with np.errstate(divide="ignore"):
        won = np.log(scaled / mean)[..., None]
    return np.asarray(np.logaddexp(_LOG_KEPT, _LOG_BET + won))


def _observed(
    values: ArrayLike, bounds: tuple[float, float], counts: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values moved to [0, 1], and how often each came."""
    low, high = bounds
    if not -math.inf < low < high < math.inf:
        raise DataError(
            "Bounds are two finite numbers, the lower first.",
            f"Found {low} and {high}.",
            "Nothing can be bet on what has no bounds: pass those that values cannot leave.",
        )
    data = finite("values", values)
    outside = int(((data < low) | (data > high)).sum())
    if outside:
        raise DataError(
            f"Values lie in [{low:g}, {high:g}].", f"Found {outside} outside.", "Pass the bounds that they have."
        )
    often = np.ones(len(data)) if counts is None else finite("counts", counts)
    if len(often) != len(data) or (often < 0).any() or (often != np.floor(often)).any():
        raise DataError("Counts are whole, one for each value.", f"Found {len(often)} for {len(data)}.", "Check them.")
    return (data - low) / (high - low), often


def _level(delta: float) -> float:
    if not 0 < delta < 1:
        raise DataError(
            "An error probability lies strictly between 0 and 1.", f"Found {delta}.", "Pass for example 0.05."
        )
    return delta


def _inside(mean: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    if not low < mean < high:
        raise DataError(
            f"A claimed mean lies strictly between {low:g} and {high:g}.",
            f"Found {mean}.",
            "At a bound itself a single other value refutes it: no statistic is needed.",
        )
    return (mean - low) / (high - low)
