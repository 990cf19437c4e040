import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokimasia.core import DataError
from dokimasia.stats import (
    alarm_counts,
    anytime_interval,
    anytime_lower,
    anytime_upper,
    clopper_pearson,
    confidence_sequence,
    first_passage,
    log_e_process,
    log_e_value,
)

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@settings(max_examples=20, deadline=None)
@given(VALUES, st.floats(0.05, 0.95))
def test_an_e_value_is_the_mixture_of_its_bets(values, mean):
    """Fraction by fraction, the product of 1 + c (x - m) / m, averaged over the logistic grid."""
    fractions = [1 / (1 + math.exp(-u)) for u in np.linspace(-12, 12, 97)]
    wealth = mpmath.fsum(
        mpmath.fprod(1 + mpmath.mpf(c) * (mpmath.mpf(x) - mean) / mean for x in values) for c in fractions
    )
    assert log_e_value(values, mean) == pytest.approx(float(mpmath.log(wealth / 97)), rel=1e-6, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(VALUES, st.floats(0.05, 0.95), st.randoms())
def test_order_does_not_matter_and_sides_mirror(values, mean, random):
    """An e-value depends on what was observed; from below it is that of the mirror image."""
    shuffled = list(values)
    random.shuffle(shuffled)
    assert log_e_value(shuffled, mean) == pytest.approx(log_e_value(values, mean), abs=1e-9)
    mirrored = [1 - value for value in values]
    assert log_e_value(values, mean, side="below") == pytest.approx(log_e_value(mirrored, 1 - mean), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(VALUES, st.floats(0.05, 0.95))
def test_the_process_ends_at_the_value(values, mean):
    """After each observation the process is the e-value of those until then."""
    process = log_e_process(values, mean, side="below")
    assert process[-1] == pytest.approx(log_e_value(values, mean, side="below"), abs=1e-9)
    assert process[0] == pytest.approx(log_e_value(values[:1], mean, side="below"), abs=1e-9)


@pytest.mark.parametrize("mean", [0.001, 0.3, 0.9])
def test_under_the_claim_the_expectation_is_one(mean):
    """Summed over all counts of 12 trials at the claimed rate the e-value's mean is 1; at a lower rate it is below."""
    for rate, least, most in ((mean, 1 - 1e-9, 1 + 1e-9), (0.9 * mean, 0, 1)):
        total = sum(
            math.comb(12, k)
            * rate**k
            * (1 - rate) ** (12 - k)
            * math.exp(log_e_value([0, 1], mean, counts=[12 - k, k]))
            for k in range(13)
        )
        assert least <= total <= most


@pytest.mark.parametrize("mean", [0.02, 0.3, 0.8])
def test_alarms_keep_their_level_at_all_times_together(mean):
    """Watched for 500 trials at the claimed rate, alarms ever come with probability at most alpha, exactly computed."""
    needed = alarm_counts(mean, alpha=0.05, longest=500)
    found = first_passage(lambda n, k: (k >= needed[n - 1]).astype(np.int8), mean, longest=500)
    assert 0.005 < found.alarm <= 0.05


def test_alarm_counts_are_the_least_that_alarm():
    """At each number of trials so many successes reach 1/alpha and one less do not; nobody alarms where none would do."""
    needed = alarm_counts(0.9, alpha=0.01, longest=60)
    for trials, count in enumerate(needed, 1):
        if count <= trials:
            assert log_e_value([0, 1], 0.9, counts=[trials - count, count]) >= math.log(100)
        if count > 0:
            assert log_e_value([0, 1], 0.9, counts=[trials - count + 1, count - 1]) < math.log(100)
    assert needed[0] == 2
    assert needed[-1] <= 60


@pytest.mark.parametrize("draw", ["rare", "half", "bounded", "drifting"])
def test_confidence_sequences_hold_at_all_times_together(draw):
    """In at least 95% of monitorings of 200 looks the evidence against the true mean never reaches the mark of an end."""
    rng = np.random.default_rng(3)
    runs, length, missed = 200, 200, 0
    for _ in range(runs):
        if draw == "rare":
            values, mean = (rng.random(length) < 0.03).astype(float), 0.03
        elif draw == "half":
            values, mean = (rng.random(length) < 0.5).astype(float), 0.5
        elif draw == "bounded":
            values, mean = rng.choice([0.0, 0.2, 0.9], length, p=[0.5, 0.3, 0.2]), 0.24
        else:  # how far a trial strays depends on the last outcome; its mean, given the past, is one half
            values, mean = np.empty(length), 0.5
            signs = rng.choice([-1.0, 1.0], length)
            for place in range(length):
                calm = place and values[place - 1] == 1.0
                values[place] = 0.5 + signs[place] * (0.25 if calm else 0.5)
        left_out = [log_e_process(values, mean, side=side).max() >= math.log(2 / 0.05) for side in ("above", "below")]
        missed += any(left_out)
    assert missed / runs <= 0.05


def test_a_sequence_is_the_interval_at_each_time():
    """Row by row it is what the interval says of the observations until then, also within other bounds."""
    values = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 30)
    ends = confidence_sequence(values, bounds=(-1.0, 1.0), at=[1, 7, 30])
    for row, time in zip(ends, (1, 7, 30), strict=True):
        assert tuple(row) == pytest.approx(anytime_interval(values[:time], bounds=(-1.0, 1.0)), abs=1e-12)
    assert len(confidence_sequence(values, bounds=(-1.0, 1.0))) == 30


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.5, 0.99))
@settings(max_examples=25, deadline=None)
def test_intervals_hold_the_rate_seen_and_are_wider_than_fixed_ones(k, rest, confidence):
    """The observed rate is inside; looking at any time costs width; more confidence too."""
    n = k + rest
    low, high = anytime_interval([1, 0], counts=[k, rest], confidence=confidence)
    if n == 0:
        assert (low, high) == pytest.approx((0.0, 1.0))
        return
    fixed = clopper_pearson(k, n, confidence)
    assert low <= fixed.low + 1e-9 <= k / n + 1e-9
    assert high >= fixed.high - 1e-9
    wider = anytime_interval([1, 0], counts=[k, rest], confidence=(1 + confidence) / 2)
    assert wider.low <= low
    assert wider.high >= high


def test_intervals_shrink_as_the_square_root_of_observations():
    """At a rate of one half, 100 times the trials give a tenth of the width, but for a logarithm."""
    few, many = (anytime_interval([1, 0], counts=[n, n]) for n in (200, 20_000))
    assert 0.09 < (many.high - many.low) / (few.high - few.low) < 0.13
    assert (few.high - few.low) / np.diff(clopper_pearson(200, 400))[0] < 2


def test_bounds_are_the_interval_s_ends():
    """One-sided bounds at half of the error are the ends, and a bound is where the evidence reaches its mark."""
    values = [0.1, 0.9, 0.4, 0.8, 0.7] * 6
    low, high = anytime_interval(values)
    assert (anytime_lower(values, delta=0.025), anytime_upper(values, delta=0.025)) == pytest.approx((low, high))
    assert log_e_value(values, low) == pytest.approx(math.log(40), abs=1e-6)
    assert log_e_value(values, high, side="below") == pytest.approx(math.log(40), abs=1e-6)


def test_extreme_observations_have_their_bounds():
    """Nothing seen: no bound. All ones: the lower bound rises; a million clean trials bound a rate by some 1e-5."""
    assert anytime_interval([]) == pytest.approx((0.0, 1.0))
    assert anytime_upper([1.0, 1.0]) == 1
    assert anytime_lower([1.0] * 100) > 0.9
    assert 3e-6 < anytime_upper([0], counts=[10**6]) < 1e-5


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([0.5, 1.5], {}),
        ([0.5, math.nan], {}),
        ([0.5], {"bounds": (1.0, 0.0)}),
        ([0.5], {"bounds": (0.0, math.inf)}),
        ([0.5], {"counts": [1, 2]}),
        ([0.5], {"counts": [-1]}),
        ([0.5], {"counts": [0.5]}),
    ],
)
def test_observations_outside_their_bounds_are_refused(values, options):
    """Values beyond the bounds, missing ones, bounds that are none, and counts that do not fit."""
    with pytest.raises(DataError):
        log_e_value(values, 0.5, **options)
    with pytest.raises(DataError):
        anytime_interval(values, **options)


def test_claims_and_levels_outside_the_domain_are_refused():
    """A mean at a bound, an error probability of 0, and times beyond the data."""
    for mean in (0.0, 1.0, math.nan):
        with pytest.raises(DataError):
            log_e_value([0.5], mean)
    with pytest.raises(DataError):
        anytime_lower([0.5], delta=0.0)
    with pytest.raises(DataError):
        confidence_sequence([0.5], at=[2])
