import math

import mpmath as mp
import pytest

from dokimasia.core import DataError
from dokimasia.theory.steps.budget import length_at
from dokimasia.theory.steps.horizon import doubling_approaches, horizon, limit_horizon
from dokimasia.theory.steps.laws import Pareto
from dokimasia.theory.steps.proportional import critical_index, decay_rate, log_miss
from dokimasia.theory.steps.simulate import shares_within, simulated_times
from dokimasia.theory.steps.sums import log_sum_within, sum_within

mp.mp.dps = 30


def test_the_horizon_is_exponential_in_the_number_of_approaches():
    """For alpha = 0.1 and a budget of 1e6 the limit law gives 2.7, 10.7, 41, 151, 538 and 1818 for 1 to 6 approaches."""
    found = [limit_horizon(1e6, a=0.1 * approaches) for approaches in range(1, 7)]
    assert found == pytest.approx([2.742, 10.68, 40.71, 150.9, 538.2, 1818], rel=1e-3)


@pytest.mark.parametrize("a", [0.2, 0.5, 0.8])
def test_the_horizon_grows_like_a_power_of_the_budget(a):
    """n50 is z B**a / Gamma(1 - a), and the exact one tends to it."""
    expected = length_at(0.5, a=a) * 1e12**a / math.gamma(1 - a)
    assert limit_horizon(1e12, a=a) == pytest.approx(expected, rel=1e-12)
    assert horizon(1e12, a=a) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("a", "share"), [(0.3, 0.5), (0.3, 0.99), (1.0, 0.5), (1.5, 0.01), (20.0, 0.5)])
def test_exact_horizons_undo_exact_probabilities(a, share):
    """The sum of as many subtasks as the horizon is within the budget with its share, on both sides of the threshold."""
    assert log_sum_within(1e5, horizon(1e5, a=a, share=share), a=a) == pytest.approx(math.log(share), rel=1e-7)


def test_above_the_threshold_the_horizon_is_the_rate_times_the_budget():
    """At index 3 the horizon of a budget of 1e9 is two thirds of it, and no index brings more than the budget."""
    assert horizon(1e9, a=3.0) == pytest.approx(2e9 / 3, rel=1e-4)
    assert limit_horizon(1e9, a=3.0) == pytest.approx(2e9 / 3)
    assert horizon(1e9, a=1e3) < 1e9
    assert horizon(1e12, a=1.0) == pytest.approx(limit_horizon(1e12, a=1.0), rel=0.1)


def test_doubling_takes_half_an_approach_at_a_million():
    """The step is ln 2 / (alpha ln B), which is what twice the horizon takes to leading order."""
    step = doubling_approaches(0.1, 1e6)
    assert step == pytest.approx(math.log(2) / (0.1 * math.log(1e6)))
    far = doubling_approaches(0.1, 1e100)
    ratio = limit_horizon(1e100, a=0.1 * (2 + far)) / limit_horizon(1e100, a=0.2)
    assert ratio == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(
    ("budget", "a", "share"), [(1.0, 0.5, 0.5), (math.inf, 0.5, 0.5), (10.0, 0.5, 0), (1e13, 2.0, 0.5)]
)
def test_budgets_and_shares_outside_the_domain_are_refused(budget, a, share):
    """A budget of one least time, or without a limit, has no horizon to tell; nor has certainty."""
    with pytest.raises(DataError):
        horizon(budget, a=a, share=share)


def cramer(kappa, a):
    """The rate function by mpmath, at the root of the tilted mean."""
    k, index = mp.mpf(kappa), mp.mpf(a)

    def excess(log_s):
        s = mp.exp(log_s)
        return mp.expint(index, s) / mp.expint(index + 1, s) - k

    low, high = mp.mpf(-80), -mp.log(k - 1)
    for _ in range(110):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    s = mp.exp(low)
    return -s * k - mp.log(index * mp.expint(index + 1, s))


@pytest.mark.parametrize(
    ("kappa", "a"),
    [
        (1.01, 1e-6),
        (2.0, 0.1),
        (50.0, 0.7),
        (2.0, 1.0),
        (1.5, 1.5),
        (2.99, 1.5),
        (1.9999, 2.0),
        (1.33332, 4.0),
        (1.05, 20.0),
    ],
)
def test_the_decay_of_success_is_cramers(kappa, a):
    """The rate agrees with the supremum of -s kappa - ln(a E_{a+1}(s)), close to the threshold and far from it."""
    assert decay_rate(kappa, a=a) == pytest.approx(float(cramer(kappa, a)), rel=1e-8)


@pytest.mark.parametrize(("kappa", "a"), [(2.0, 0.5), (2.0, 1.2), (1.2, 3.0)])
def test_success_decays_at_that_rate(kappa, a):
    """Per subtask, the exact logarithm of success tends to minus the rate."""
    n = 100_000
    assert -log_sum_within(kappa * n, n, a=a) / n == pytest.approx(decay_rate(kappa, a=a), rel=0.01)


def test_a_budget_in_proportion_has_a_sharp_threshold():
    """At twice the least time the threshold is Q alpha = 2: long tasks fail just below it and succeed just above."""
    assert critical_index(2.0) == 2.0
    assert sum_within(2e6, 1e6, a=1.97) < 1e-3
    assert sum_within(2e6, 1e6, a=2.03) > 0.99
    assert decay_rate(2.0, a=2.0) == decay_rate(2.0, a=5.0) == 0.0


def test_above_the_threshold_one_long_subtask_is_what_fails():
    """At index 1.5, six times the least time and 1000 subtasks, failure is 0.0061, exactly, by the tail and simulated."""
    tail = math.exp(log_miss(1000, 6.0, a=1.5))
    assert tail == pytest.approx(1000**-0.5 * 3**-1.5)
    assert tail == pytest.approx(0.0061, abs=5e-5)
    exact = 1 - sum_within(6000.0, 1000, a=1.5)
    assert exact == pytest.approx(tail, rel=0.01)
    counts, total = shares_within((6000.0,), simulated_times(Pareto(alpha=0.5), 3.0, 1000, 20_000, seed=5))
    assert abs(1 - counts[0] / total - exact) < 4 * math.sqrt(exact / total)
    assert 1 - sum_within(6e6, 1e6, a=1.5) == pytest.approx(math.exp(log_miss(1e6, 6.0, a=1.5)), rel=0.02)
    assert log_miss(1e9, 6.0, a=50.0) < math.log(1e-300)


@pytest.mark.parametrize("kappa", [1.0, 0.5, math.inf, math.nan])
def test_budgets_in_proportion_outside_the_domain_are_refused(kappa):
    """A budget of the least time and below is never enough, and the message says so."""
    with pytest.raises(DataError, match="nothing is ever finished"):
        critical_index(kappa)


def test_failing_by_one_subtask_needs_a_budget_above_the_mean():
    """Below the mean time failure is the rule, and the tail says nothing."""
    with pytest.raises(DataError, match="above the mean time, 3"):
        log_miss(1000, 2.0, a=1.5)
