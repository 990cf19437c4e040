import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from dokimasia.core import DataError
from dokimasia.stats import clopper_pearson_lower, clopper_pearson_upper, reassurance

SCORES = st.lists(st.integers(0, 12).map(float), min_size=50, max_size=120)

TABLE = {
    (100, 0): (0.113, 0.196, 0.248),
    (100, 0.5): (0.195, 0.324, 0.398),
    (100, 1): (0.336, 0.499, 0.583),
    (100, 2): (0.708, 0.847, 0.896),
    (300, 0): (0.040, 0.068, 0.088),
    (300, 0.5): (0.080, 0.136, 0.170),
    (300, 1): (0.169, 0.261, 0.313),
    (300, 2): (0.489, 0.622, 0.683),
    (1000, 0): (0.012, 0.021, 0.026),
    (1000, 0.5): (0.029, 0.050, 0.064),
    (1000, 1): (0.071, 0.114, 0.141),
    (1000, 2): (0.293, 0.401, 0.454),
    (5000, 0): (0.002, 0.004, 0.005),
    (5000, 0.5): (0.007, 0.013, 0.016),
    (5000, 1): (0.022, 0.036, 0.045),
    (5000, 2): (0.141, 0.199, 0.232),
}


@pytest.mark.parametrize(("n", "shift"), TABLE)
def test_median_ceilings_are_those_of_the_derivation(n, shift):
    """Medians at k = 0, 1, 3 lie within simulation error of the table: a bound of one is no bound."""
    rng = np.random.default_rng(n)
    draws = [(rng.normal(size=n), rng.normal(shift, 1, n)) for _ in range(150 if n < 5000 else 60)]
    for k, expected in zip((0, 1, 3), TABLE[n, shift], strict=True):
        found = [reassurance(*draw, misbehaved=k).ceiling for draw in draws]
        error = 1.2533 * np.std(found) * np.sqrt(1 / len(found) + 1 / 400)
        assert abs(np.median(found) - expected) < 4 * error + 0.0005


def test_the_constants_of_every_k_and_delta():
    """The envelope is read at the tabled count, at that of the next smaller delta, or at the fallback's."""
    scores = np.arange(60.0)

    def read_at(k=0, delta=0.05, n=60):
        found = reassurance(scores[:n], scores, misbehaved=k, delta=delta)
        return found.read_at, found.basis

    assert [read_at(k)[0] for k in range(5)] == [3.3, 8, 10, 12, 14]
    assert [read_at(delta=delta)[0] for delta in (0.1, 0.025, 0.01, 0.001)] == [2.6, 4.2, 5.4, 8.3]
    assert read_at(delta=0.04) == (4.2, "numerical")
    assert read_at(delta=0.3) == (2.6, "numerical")
    assert read_at(delta=0.0005)[1] == "proved"
    assert [read_at(k, n=49) for k in range(4)] == [(7, "proved"), (9, "proved"), (11, "proved"), (13, "proved")]
    assert read_at(1, delta=0.04)[1] == "proved"


@given(st.integers(0, 40), st.sampled_from([0.05, 0.02, 0.01]))
def test_the_sign_test_count_is_the_least_that_passes(k, delta):
    """r_k is the least r with P(Bin(k + r, 1/2) <= k) <= delta / 4 in the fallback."""
    scores = np.arange(40.0)
    r = int(reassurance(scores, scores, misbehaved=min(k, 40), delta=delta).read_at)
    assert binom.cdf(k, k + r, 0.5) <= delta / 4 < binom.cdf(k, k + r - 1, 0.5)


@given(SCORES, SCORES, st.integers(0, 8))
def test_a_ceiling_never_falls_as_misbehaviours_rise(evaluation, deployment, k):
    """More misbehaviours never lower any bound, and every figure lies where it must."""
    less, more = (reassurance(evaluation, deployment, misbehaved=count) for count in (k, k + 1))
    assert less.ceiling <= more.ceiling <= 1
    assert less.rate_bound <= more.rate_bound
    assert less.ceiling >= less.exposure.value


@given(SCORES, SCORES, st.integers(0, 3))
def test_only_the_order_of_scores_matters(evaluation, deployment, k):
    """A strictly increasing transformation, or another order of transcripts, changes nothing."""
    one = reassurance(evaluation, deployment, misbehaved=k)
    other = reassurance(
        [math.exp(x / 3) for x in reversed(evaluation)], [math.exp(x / 3) for x in reversed(deployment)], misbehaved=k
    )
    assert (one.ceiling, one.exposure, one.rate_bound) == (other.ceiling, other.exposure, other.rate_bound)


@given(SCORES, SCORES)
def test_the_ceiling_is_the_envelope_of_the_stated_points(evaluation, deployment):
    """The value equals a brute-force maximum over pairs of points, and lies on the reported envelope."""
    found = reassurance(evaluation, deployment)
    n, m = len(evaluation), len(deployment)
    points = [(n, 1.0)]
    for threshold in set(evaluation):
        above = sum(score > threshold for score in evaluation)
        hits = sum(score > threshold for score in deployment)
        points.append((above, clopper_pearson_upper(hits, m, 0.03)))
    best = 0.0
    for x1, y1 in points:
        for x2, y2 in points:
            if x1 <= 3.3 <= x2:
                best = max(best, y1 if x1 == x2 else y1 + (y2 - y1) * (3.3 - x1) / (x2 - x1))
            if x1 <= 3.3:
                best = max(best, y1)
    assert found.ceiling == pytest.approx(min(best, 1.0), abs=1e-12)
    assert np.interp(3.3, found.curve.count, found.curve.bound) == pytest.approx(found.ceiling, abs=1e-9)


def test_exposure_is_what_lies_above_every_item():
    """Ties with the largest evaluation score do not count as beyond it."""
    found = reassurance([0.0] * 40 + [5.0] * 20, [5.0] * 30 + [6.0] * 30)
    assert (found.exposure.h, found.exposure.share) == (30, 0.5)
    assert found.exposure.value == clopper_pearson_lower(30, 60)
    assert found.pass_probability == 0.5
    assert found.pass_probability_of(20) == 0.75


def test_clean_equivalents():
    """Transcripts that would say as much: from the ceiling, and at most from the exposure, None without one."""
    low, high = reassurance([0.0] * 60, [1.0] * 60).clean_equivalent
    assert low == 0
    assert high == pytest.approx(math.log(0.05) / math.log(1 - 0.05 ** (1 / 60)))
    scores = np.arange(300.0)
    found = reassurance(scores, scores)
    assert found.clean_equivalent[0] == pytest.approx(math.log(0.05) / math.log(1 - found.ceiling))
    assert found.clean_equivalent[1] is None


def test_evaluated_enters_the_rate_bound_alone():
    """A larger n behind the misbehaviours sharpens the rate bound and leaves the ceiling as it is."""
    scores = np.arange(100.0)
    part, whole = (reassurance(scores, scores, misbehaved=2, evaluated=n) for n in (100, 1000))
    assert part.ceiling == whole.ceiling
    assert whole.rate_bound == clopper_pearson_upper(2, 1000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"misbehaved": -1}, "misbehaved counts"),
        ({"misbehaved": 61}, "misbehaved counts"),
        ({"delta": 0.0}, "delta lies"),
        ({"deployment_scores": []}, "no deployment_scores"),
        ({"evaluation_scores": [float("nan")]}, "1 NaN among 1"),
        ({"evaluation_scores": [[1.0], [2.0]]}, "2 axes"),
    ],
)
def test_bad_input_is_refused_with_a_reason(change, message):
    """Impossible counts, empty sides and NaN are errors that say what was found."""
    arguments = {"evaluation_scores": range(60), "deployment_scores": range(60)} | change
    with pytest.raises(DataError, match=message):
        reassurance(arguments.pop("evaluation_scores"), arguments.pop("deployment_scores"), **arguments)


def test_too_few_items_for_the_misbehaviours_bound_nothing():
    """With as many misbehaviours as items the ceiling is one."""
    scores = np.arange(60.0)
    assert reassurance(scores, scores, misbehaved=60).ceiling == 1
    assert reassurance([1.0], [2.0]).ceiling == 1
