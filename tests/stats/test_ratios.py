"""Ratios of means keep their promise."""

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.stats.ratios import ratio_of_means


def test_the_interval_covers_as_often_as_it_says():
    """Of pairs that vary together, few of them, 95% intervals cover the true share 95% of the time."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(1500):
        below = 3 + rng.normal(size=5)
        found = ratio_of_means(0.4 * below + 0.3 * rng.normal(size=5), below)
        covered.append(found is None or found.low <= 0.4 <= found.high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_nothing_is_a_share_of_what_may_be_zero():
    """Where the mean below may be zero, or there is one unit only, no share is given."""
    assert ratio_of_means([1.0, 2.0, 3.0], [1.0, -1.0, 0.5]) is None
    assert ratio_of_means([1.0], [2.0]) is None


def test_pairs_are_needed():
    """Unequal numbers of values are refused."""
    with pytest.raises(DataError, match="Found 2 and 1"):
        ratio_of_means([1.0, 2.0], [1.0])
