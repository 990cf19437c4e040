"""A ratio of two means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from dokimasia.core.errors import DataError
from dokimasia.stats.intervals import finite
from dokimasia.stats.roc import Figure

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def ratio_of_means(above: ArrayLike, below: ArrayLike, *, confidence: float = 0.95) -> Figure | None:
    """How large is the mean of `above` as a share of that of `below`, (n_units,) each, measured on the same units?

    Fieller's interval, exact where both are normal. None where the mean of `below` may be 0 at this confidence: then any
    share is possible.

    >>> found = ratio_of_means([0.5, 0.6, 0.4, 0.5], [1.0, 1.1, 0.9, 1.0])
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.5, 0.43, 0.56)

    Fieller (1954), JRSS B 16:175-185.
    """
    x, y = finite("above", above), finite("below", below)
    if len(x) != len(y):
        raise DataError("One value above for each below.", f"Found {len(x)} and {len(y)}.", "Pass pairs.")
    n = len(x)
    if n < 2:
        return None
    squared = float(stdtrit(n - 1, 0.5 + confidence / 2)) ** 2 / n
    (xx, xy), (_, yy) = (np.cov(x, y) * squared).tolist()
    top, bottom = float(x.mean()), float(y.mean())
    a = bottom**2 - yy
    if not a > 0:
        return None
    half, c = top * bottom - xy, top**2 - xx
    reach = float(np.sqrt(max(0.0, half**2 - a * c)))
    value = top / bottom
    return Figure(value, min(value, (half - reach) / a), max(value, (half + reach) / a))
