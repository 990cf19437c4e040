"""The largest values of a sample, and ties among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core.errors import DataError
from dokimasia.stats.intervals import finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def top(scores: ArrayLike, k: int) -> NDArray[np.float64]:
    """The `k + 1` largest values, descending: the last is the threshold that the `k` others exceed."""
    values = finite("scores", scores)
    if not np.isfinite(values).all():
        infinite = int(np.isinf(values).sum())
        raise DataError(
            "Scores are finite.", f"Found {infinite} infinite among {len(values)}.", "Decide what they stand for."
        )
    if not 2 <= k < len(values):
        raise DataError(
            "A threshold leaves at least two scores above it and one at it.",
            f"Found k = {k} of {len(values)}.",
            "Choose 2 <= k < n.",
        )
    largest = np.sort(np.partition(values, len(values) - k - 1)[len(values) - k - 1 :])[::-1]
    if largest[0] == largest[-1]:
        raise DataError(
            "A tail needs different scores.",
            f"The {k + 1} largest are all {largest[0]:g}.",
            "Use a score that is not cut off or rounded there.",
        )
    return np.asarray(largest)


def largest_share(largest: NDArray[np.float64]) -> float:
    """The share of the values above the threshold that the commonest of them has: 1/k where there are no ties.

    What equals the threshold counts with it, for it is tied with the exceedances.
    """
    _, times = np.unique(largest, return_counts=True)
    return float(times.max() / (len(largest) - 1))


def untied(largest: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The same values with ties spread evenly over the rounding step, which is taken to be the smallest gap there is."""
    distinct = np.unique(largest)
    if len(distinct) == len(largest):
        return largest
    step = float(np.diff(distinct).min())
    return np.sort(largest + step * (rng.random(len(largest)) - 0.5))[::-1]
