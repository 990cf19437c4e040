"""Did one thing change more than another did? Differences in differences of rates, with intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from dokimasia.core.errors import DataError
from dokimasia.stats.betting import anytime_interval
from dokimasia.stats.intervals import finite, wilson
from dokimasia.stats.roc import Figure

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Count(NamedTuple):
    """`k` events in `n` independent trials."""

    k: int
    n: int


def difference_in_differences(
    treated: Count, control: Count, treated_before: Count, control_before: Count, *, confidence: float = 0.95
) -> Figure:
    """By how much more did the treated rate rise than the control's, since a baseline?

    `(treated - control) - (treated_before - control_before)`, in [-2, 2], from four independent samples. What lifts or
    lowers both rates alike (an easier harness, a better model) cancels. The interval adds the squared distances to the
    ends of the four Wilson intervals, so it keeps a width where a rate is 0 or 1. In simulations 95% intervals covered in
    93% to 100% of draws (10 to 100 trials a sample, rates 0.05 to 0.95).

    Misleads where the control is not matched: what moves the treated rate alone, whatever the reason, is in it. And at
    one look only: for looks at any time see `anytime_change`.

    >>> found = difference_in_differences(Count(36, 40), Count(22, 40), Count(12, 40), Count(20, 40))
    >>> [round(number, 2) for number in found]
    [0.55, 0.26, 0.8]

    Newcombe (1998), Statistics in Medicine 17:873-890, method 10; for any number of rates Zou and Donner (2008), Statistics
    in Medicine 27:1693-1702.
    """
    value, below, above = 0.0, 0.0, 0.0
    for (k, n), sign in ((treated, 1), (control, -1), (treated_before, -1), (control_before, 1)):
        if n == 0:
            raise DataError(
                "Four samples of one trial at least.", "Found an empty one.", "Without it nothing is known."
            )
        rate, ends = k / n, wilson(k, n, confidence)
        down, up = (rate - ends.low, ends.high - rate)[::sign]
        value, below, above = value + sign * rate, below + down**2, above + up**2
    return Figure(value, max(-2.0, value - math.sqrt(below)), min(2.0, value + math.sqrt(above)))


def anytime_change(pairs: ArrayLike, pairs_before: ArrayLike, *, confidence: float = 0.95) -> Figure:
    """The same from differences of matched pairs, each in [-1, 1], if one looks whenever one likes.

    `pairs` (n_pairs,) holds treated less control for each matched pair, `pairs_before` those of the baseline. The interval
    takes half of the error for either period and holds at all times together; the pairs need be neither independent nor
    of equal difficulty, as long as the expected difference stays what it is. An empty period leaves it at its widest.

    >>> found = anytime_change([1] * 30 + [0] * 10, [0] * 30 + [1] * 4 + [-1] * 6)
    >>> round(found.value, 2), found.low > 0
    (0.8, True)
    """
    now, before = finite("pairs", pairs), finite("pairs_before", pairs_before)
    each = (1 + confidence) / 2
    low, high = anytime_interval(now, confidence=each, bounds=(-1.0, 1.0))
    low_before, high_before = anytime_interval(before, confidence=each, bounds=(-1.0, 1.0))
    middle = float(now.sum()) / max(len(now), 1) - float(before.sum()) / max(len(before), 1)
    return Figure(middle, low - high_before, high - low_before)
