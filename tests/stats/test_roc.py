import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from dokimasia.core import DataError
from dokimasia.stats import auroc, roc_counts, tpr_at_fpr

SCORES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=60)


@given(SCORES, SCORES)
def test_auroc_agrees_with_scikit_learn_ties_included(evaluation, deployment):
    """The area is the Mann-Whitney statistic, ties counted half, inside its interval."""
    found = auroc(evaluation, deployment)
    labels = [0] * len(evaluation) + [1] * len(deployment)
    assert found.value == pytest.approx(roc_auc_score(labels, evaluation + deployment))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_perfect_separation_keeps_an_interval():
    """An area of one from ten against ten is compatible with less than one."""
    found = auroc(range(10), range(10, 20))
    assert found.value == found.high == 1
    assert 0.6 < found.low < 0.95
    mirrored = auroc(range(10, 20), range(10))
    assert mirrored.value == mirrored.low == 0
    assert mirrored.high == pytest.approx(1 - found.low)


@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
def test_the_area_interval_covers(shift):
    """Newcombe's interval covers the true area of shifted normals in at least 92% of draws."""
    from scipy.special import ndtr

    rng = np.random.default_rng(11)
    truth = ndtr(shift / np.sqrt(2))
    hits = sum(
        found.low <= truth <= found.high
        for found in (auroc(rng.normal(size=80), rng.normal(shift, 1, 60)) for _ in range(400))
    )
    assert hits >= 368


@pytest.mark.parametrize("n", [30, 200, 1000])
def test_the_tpr_interval_covers(n):
    """The distribution-free interval of TPR at 1% FPR covers the truth in at least 95% of draws, up to noise."""
    from scipy.special import ndtr, ndtri

    rng = np.random.default_rng(5)
    truth = ndtr(1.5 + ndtri(0.01))
    hits = sum(
        found.low <= truth <= found.high
        for found in (tpr_at_fpr(rng.normal(size=n), rng.normal(1.5, 1, n)) for _ in range(300))
    )
    assert hits >= 282


@given(SCORES, SCORES)
def test_counts_are_strict_on_both_sides(evaluation, deployment):
    """At each distinct evaluation score the counts are of scores strictly above it."""
    thresholds, above, hits = roc_counts(evaluation, deployment)
    assert list(thresholds) == sorted(set(evaluation), reverse=True)
    for threshold, left, right in zip(thresholds, above, hits, strict=True):
        assert left == sum(score > threshold for score in evaluation)
        assert right == sum(score > threshold for score in deployment)


def test_one_side_alone_is_refused():
    """Without scores of both kinds there is nothing to tell apart."""
    with pytest.raises(DataError, match="no deployment_scores"):
        auroc([1.0], [])
