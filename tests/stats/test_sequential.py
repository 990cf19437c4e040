import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokimasia.core import DataError
from dokimasia.stats import SequentialTest, first_passage

TEST = SequentialTest(null=0.1, alternative=0.7, alpha=0.01, beta=0.05)
TESTS = (
    TEST,
    SequentialTest(null=0.5, alternative=0.55, alpha=0.05, beta=0.1),
    SequentialTest(null=0.6, alternative=0.2, alpha=0.02, beta=0.02),
    SequentialTest(null=1e-4, alternative=0.01, alpha=0.05, beta=0.05),
)


def brute_force(test, rate, trials):
    """Probabilities of alarm and clear within so many trials, over all sequences."""
    alarm = clear = 0.0
    for outcomes in itertools.product((0, 1), repeat=trials):
        chance = math.prod(rate if one else 1 - rate for one in outcomes)
        verdict = test.decide(outcomes).verdict
        alarm, clear = alarm + chance * (verdict == "alarm"), clear + chance * (verdict == "clear")
    return alarm, clear


@pytest.mark.parametrize("test", TESTS[:3])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.45, 1.0])
def test_the_recursion_is_the_sum_over_all_sequences(test, rate):
    """Within ten trials alarms and clears are those of all 1,024 sequences, each decided by itself."""
    passage = test.passage(rate)
    alarm, clear = brute_force(test, rate, 10)
    assert passage.alarm_by(10) == pytest.approx(alarm, abs=1e-12)
    assert passage.clear_at[:10].sum() == pytest.approx(clear, abs=1e-12)


@pytest.mark.parametrize("test", TESTS)
def test_error_rates_keep_walds_inequalities(test):
    """At most alpha / (1 - beta) and beta / (1 - alpha), and their sum at most alpha + beta."""
    false, missed = test.passage(test.null).alarm, test.passage(test.alternative).clear
    assert 0 < false <= test.alpha / (1 - test.beta)
    assert 0 < missed <= test.beta / (1 - test.alpha)
    assert false + missed <= test.alpha + test.beta


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("place", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_drawn_tests_agree_with_the_recursion(test, place):
    """Alarms and lengths of tests run on random outcomes are those of the recursion."""
    rate = test.null + place * (test.alternative - test.null)
    passage = test.passage(rate)
    rng = np.random.default_rng(7)
    runs, longest = 3000, int(passage.trials_by(0.999999) or len(passage.alarm_at))
    alarms, lengths = 0, []
    for _ in range(runs if longest < 200 else 300):
        decision = test.decide(rng.random(longest) < rate)
        alarms += decision.verdict == "alarm"
        lengths.append(decision.trials)
    n = len(lengths)
    assert abs(alarms / n - passage.alarm) < 4 * math.sqrt(max(passage.alarm * (1 - passage.alarm), 1 / n) / n)
    assert abs(np.mean(lengths) - passage.mean_trials) < 4 * np.std(lengths) / math.sqrt(n) + 1e-3 * passage.mean_trials


@pytest.mark.parametrize("test", TESTS)
def test_walds_approximations_at_the_two_rates_are_his_formulas(test):
    """Alarms of alpha and 1 - beta, and lengths of [(1-beta) A + beta B] / KL and its mirror image."""
    g, s = test.null, test.alternative
    kl = s * math.log(s / g) + (1 - s) * math.log((1 - s) / (1 - g))
    lk = g * math.log(s / g) + (1 - g) * math.log((1 - s) / (1 - g))
    at_null, at_alternative = test.wald(g), test.wald(s)
    assert at_null.alarm == pytest.approx(test.alpha, rel=1e-8)
    assert at_alternative.alarm == pytest.approx(1 - test.beta, rel=1e-8)
    upper, lower = math.log((1 - test.beta) / test.alpha), math.log(test.beta / (1 - test.alpha))
    assert at_alternative.mean_trials == pytest.approx(((1 - test.beta) * upper + test.beta * lower) / kl, rel=1e-8)
    assert at_null.mean_trials == pytest.approx((test.alpha * upper + (1 - test.alpha) * lower) / lk, rel=1e-8)


def test_walds_approximations_are_good_where_steps_are_small():
    """Between 0.5 and 0.55 steps are small beside the bounds, and both approximations are right to some per cent."""
    test = SequentialTest(null=0.5, alternative=0.55, alpha=0.05, beta=0.1)
    for rate in (0.5, 0.515, 0.525, 0.55):
        exact, wald = test.passage(rate), test.wald(rate)
        assert wald.alarm == pytest.approx(exact.alarm, abs=0.015)
        assert wald.mean_trials == pytest.approx(exact.mean_trials, rel=0.08)


def test_walds_approximations_are_continuous_where_the_drift_vanishes():
    """At the rate where the mean step is 0 the limit is taken, and neighbours agree with it."""
    still = -TEST.failure / (TEST.success - TEST.failure)
    at, near = TEST.wald(still), TEST.wald(still + 1e-7)
    assert at.alarm == pytest.approx(near.alarm, rel=1e-5)
    assert at.mean_trials == pytest.approx(near.mean_trials, rel=1e-4)


@settings(deadline=None)
@given(st.lists(st.integers(0, 1), max_size=60))
def test_decisions_read_nothing_after_they_stop(outcomes):
    """What comes after a verdict does not change it, and an undecided run has read everything."""
    decision = TEST.decide(outcomes)
    if decision.verdict == "undecided":
        assert decision.trials == len(outcomes)
        assert TEST.lower < decision.log_ratio < TEST.upper
    else:
        assert (
            TEST.decide(outcomes[: decision.trials]) == TEST.decide(outcomes[: decision.trials] + [0, 1, 1]) == decision
        )
        assert (decision.log_ratio >= TEST.upper) == (decision.verdict == "alarm")


@settings(max_examples=30, deadline=None)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0, 1))
def test_probabilities_sum_to_one(null, alternative, rate):
    """Alarm, clear and undecided are everything, also where the recursion is cut short."""
    if abs(null - alternative) < 0.05:
        return
    passage = SequentialTest(null=null, alternative=alternative).passage(rate, longest=50)
    assert passage.alarm + passage.clear + passage.undecided == pytest.approx(1, abs=1e-12)
    assert passage.mean_trials <= 50 + 1e-9


def test_power_at_the_published_example():
    """Between 0.1 and 0.7 at 0.01 and 0.05: 0.0048 and 0.966, in 4.2 and 5.0 trials on average."""
    ignorant, knowing = TEST.passage(0.1), TEST.passage(0.7)
    assert (ignorant.alarm, knowing.alarm) == pytest.approx((0.00482, 0.9658), rel=0.002)
    assert (ignorant.mean_trials, knowing.mean_trials) == pytest.approx((4.210, 4.988), rel=0.001)
    assert knowing.trials_by(0.95) == 11
    assert knowing.trials_by(1.0) is None or knowing.undecided == 0


def test_any_rule_on_counts_has_a_passage():
    """A rule of three successes in a row is a product; one that never stops is undecided, and its length is the cut."""

    def row(trials, successes):
        return (successes == 3).astype(np.int8) - (successes < trials).astype(np.int8)

    assert first_passage(row, 0.2).alarm == pytest.approx(0.008)
    never = first_passage(lambda trials, successes: np.zeros(len(successes), dtype=np.int8), 0.3, longest=12)
    assert (never.undecided, never.mean_trials) == pytest.approx((1.0, 12.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"null": 0.0},
        {"null": 1.0},
        {"alternative": 0.0},
        {"alternative": 0.1},
        {"alpha": 0.0},
        {"beta": 1.0},
        {"alpha": 0.5, "beta": 0.5},
        {"null": math.nan},
    ],
)
def test_tests_that_could_not_decide_are_refused(wrong):
    """Rates of 0 or 1, equal rates, and errors of 0 or of 1 together."""
    with pytest.raises(DataError):
        SequentialTest(**{"null": 0.1, "alternative": 0.7, **wrong})


@pytest.mark.parametrize("outcomes", [[0, 2], [math.nan], [[0, 1]], [0.5]])
def test_outcomes_are_0_or_1(outcomes):
    """A missing outcome is refused: what it means must be decided first."""
    with pytest.raises(DataError):
        TEST.decide(outcomes)


def test_rates_outside_the_domain_are_refused():
    """A passage takes rates in [0, 1], Wald's approximations those strictly inside."""
    for rate in (-0.1, 1.1, math.nan):
        with pytest.raises(DataError):
            TEST.passage(rate)
    for rate in (0.0, 1.0):
        with pytest.raises(DataError):
            TEST.wald(rate)
    with pytest.raises(DataError):
        TEST.passage(0.5, longest=0)
