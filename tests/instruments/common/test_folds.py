import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dokimasia.core import DataError
from dokimasia.instruments.common.crossfit import Layout, permuted, split_half
from dokimasia.instruments.common.folds import grouped_folds

ROWS = st.integers(20, 80).flatmap(
    lambda n: st.tuples(
        st.lists(st.booleans(), min_size=n, max_size=n), st.lists(st.integers(0, 15), min_size=n, max_size=n)
    )
)


@given(ROWS, st.integers(0, 5))
def test_families_never_straddle_folds(rows, seed):
    """Whatever the groups, no group stands in two folds, and every training part holds both classes."""
    positive, groups = np.asarray(rows[0]), np.asarray(rows[1])
    try:
        folds = grouped_folds(positive, groups, np.arange(len(groups)), seed=seed)
    except DataError:
        assert min(positive.sum(), (~positive).sum()) < 2
        return
    if folds.grouped_by == "template":
        for group in np.unique(groups):
            assert len(np.unique(folds.fold[groups == group])) == 1
    for part in range(folds.n):
        train = positive[folds.fold != part]
        assert 0 < train.sum() < len(train)


def test_one_of_each_cannot_be_split():
    """A single transcript of a kind gives an error, not an empty fold."""
    with pytest.raises(DataError, match="two different transcripts of each kind"):
        grouped_folds(np.asarray([True, False]), np.arange(2), np.arange(2), seed=0)


@given(st.integers(20, 90), st.integers(0, 9))
def test_controls_keep_copies_together_and_sizes_near(n, seed):
    """Dealt classes never separate copies, and have about the size that was asked for."""
    groups = np.arange(n) // 2
    layout = Layout(np.arange(n) >= n // 3, groups, groups)
    for deal, wanted in ((permuted, n - n // 3), (split_half, (n - n // 3) // 2)):
        rows, dealt = deal(layout, seed=seed)
        assert abs(int(dealt.deployment.sum()) - wanted) <= 2
        for group in np.unique(groups[rows]):
            assert len(np.unique(dealt.deployment[groups[rows] == group])) == 1
