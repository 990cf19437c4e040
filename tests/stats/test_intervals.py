import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from dokimasia.core import DataError
from dokimasia.stats import (
    clopper_pearson,
    clopper_pearson_lower,
    clopper_pearson_upper,
    cluster_bootstrap,
    effective_sample_size,
    false_discovery_adjusted,
    wilson,
)

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.999]))
def test_intervals_agree_with_scipy(counts, confidence):
    """Clopper-Pearson and Wilson give what SciPy's binomial test gives."""
    k, n = counts
    reference = binomtest(k, n)
    for ours, method in ((clopper_pearson, "exact"), (wilson, "wilson")):
        theirs = reference.proportion_ci(confidence, method=method)
        assert ours(k, n, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(COUNTS)
def test_one_sided_bounds_are_the_ends_at_half_the_error(counts):
    """A one-sided bound at delta is the end of the two-sided interval at 1 - 2 delta."""
    k, n = counts
    ends = clopper_pearson_lower(k, n, 0.05), clopper_pearson_upper(k, n, 0.05)
    assert clopper_pearson(k, n, 0.9) == pytest.approx(ends)


def test_the_rule_of_three():
    """Without an event the upper bound is 1 - delta**(1/n), about 3/n."""
    assert clopper_pearson_upper(0, 240) == pytest.approx(1 - 0.05 ** (1 / 240))
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (1.5, 5)])
def test_impossible_counts_are_refused(k, n):
    """Counts that cannot be are the caller's error."""
    with pytest.raises(DataError, match="k events"):
        clopper_pearson(k, n)


def test_the_cluster_bootstrap_is_wider_when_units_stand_or_fall_together():
    """Thirty clusters of ten equal values carry the information of thirty values, not of three hundred."""
    values = np.repeat(np.random.default_rng(0).integers(0, 2, 30), 10)
    together = cluster_bootstrap(values, np.repeat(np.arange(30), 10), seed=1)
    alone = cluster_bootstrap(values, np.arange(300), seed=1)
    assert together.high - together.low > 2.5 * (alone.high - alone.low)
    assert together == cluster_bootstrap(values, np.repeat(np.arange(30), 10), seed=1)


def test_the_cluster_bootstrap_covers():
    """With sixty clusters the 95% interval covers the mean in 90 to 99% of draws."""
    rng = np.random.default_rng(3)
    hits = 0
    for draw in range(200):
        level = rng.normal(size=60)
        values = np.repeat(level, 5) + rng.normal(size=300)
        low, high = cluster_bootstrap(values, np.repeat(np.arange(60), 5), resamples=400, seed=draw)
        hits += low <= 0 <= high
    assert 180 <= hits <= 199


def test_effective_sample_size_is_kish():
    """Equal weights count fully, one huge weight counts once; scale does not matter."""
    assert effective_sample_size([2.0] * 7) == 7
    assert effective_sample_size([800.0, 0.0, 0.0]) == 1
    logs = np.random.default_rng(0).normal(size=50)
    weights = np.exp(logs)
    assert effective_sample_size(logs + 5) == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_discovery_adjustment_agrees_with_scipy(p_values):
    """Adjusted p-values are Benjamini and Hochberg's."""
    from scipy.stats import false_discovery_control

    assert false_discovery_adjusted(p_values) == pytest.approx(false_discovery_control(p_values))


def test_nan_is_never_a_number():
    """A NaN score is refused with a remedy, in every function that takes scores."""
    with pytest.raises(DataError, match="1 NaN among 2"):
        effective_sample_size([0.0, float("nan")])
