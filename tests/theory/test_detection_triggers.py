import math

import mpmath
import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.detection import predict_triggers
from dokimasia.theory.detection.triggers import (
    samples_assured,
    samples_on_average,
    samples_to_find,
    samples_typically,
    simulate,
    tries_to_guess,
    triggers_needed,
)
from dokimasia.theory.detection.unlearning import unlearn

SHARES = (1e-12, 1e-4, 0.01, 0.5, 1.0)


def test_the_published_numbers_of_samples():
    """A factor of 1,000 at residual 0.01: 69,772, 694 and, of 1.5, the next whole number, 2."""
    for share, number in ((1e-4, 69_771.9), (0.01, 694.29), (1.0, 1.5)):
        assert samples_on_average(share, 1000) == pytest.approx(number, rel=1e-5)
    assert math.ceil(samples_on_average(1.0, 1000)) == 2
    assert samples_to_find(1e-4) == pytest.approx(29_955.8, rel=1e-5)


@pytest.mark.parametrize("share", SHARES[:-1])
@pytest.mark.parametrize("residual", [1e-9, 0.01, 0.99])
def test_after_so_many_samples_the_odds_are_where_they_were_wanted(share, residual):
    """Mean, typical and finding numbers put back into their definitions give the factor and the miss."""
    with mpmath.workdps(40):
        q, d = mpmath.mpf(share), mpmath.mpf(residual)
        mean = (1 - q * (1 - d)) ** mpmath.mpf(samples_on_average(share, 1000.0, residual))
        typical = d ** (q * mpmath.mpf(samples_typically(share, 1000.0, residual)))
        missed = (1 - q) ** mpmath.mpf(samples_to_find(share, 0.05))
    assert float(mean) == pytest.approx(1e-3, rel=1e-8)
    assert float(typical) == pytest.approx(1e-3, rel=1e-8)
    assert float(missed) == pytest.approx(0.05, rel=1e-8)


def test_the_mean_odds_are_a_sum_over_triggers_seen():
    """The closed form of the mean is the binomial average of the odds by the number of triggers."""
    with mpmath.workdps(30):
        total = mpmath.fsum(
            mpmath.binomial(50, t) * mpmath.mpf("0.1") ** t * mpmath.mpf("0.9") ** (50 - t) * mpmath.mpf("0.2") ** t
            for t in range(51)
        )
    assert samples_on_average(0.1, float(1 / total), 0.2) == pytest.approx(50, rel=1e-9)


@pytest.mark.parametrize("share", [1e-7, 1e-4, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("factor", [1.5, 1000.0, 1e9])
def test_assured_numbers_are_the_least_that_will_do(share, factor):
    """With that many samples enough hold the trigger in 95% of runs, with one less they do not."""
    needed, n = triggers_needed(factor, 0.01), samples_assured(share, factor)

    def enough(number):
        q = mpmath.mpf(share)
        few = mpmath.fsum(
            mpmath.binomial(number, t) * q**t * (1 - q) ** (number - t) for t in range(min(needed, number + 1))
        )
        return number >= needed and 1 - few >= mpmath.mpf("0.95") - mpmath.mpf(10) ** -12

    with mpmath.workdps(30):
        assert enough(n)
        assert not enough(n - 1)
    assert 0.01**needed <= 1 / factor < 0.01 ** (needed - 1)


def test_simulated_odds_agree():
    """Mean odds after the mean number, and failures after the assured number, are what was said."""
    n = math.ceil(samples_on_average(0.01, 100.0, 0.05))
    drawn = simulate(0.01, n, odds=10.0, residual=0.05, runs=200_000, seed=0)
    expected = 10.0 * (1 - 0.01 * 0.95) ** n
    assert abs(drawn.mean() - expected) < 4 * drawn.std() / math.sqrt(len(drawn))
    late = simulate(0.01, samples_assured(0.01, 100.0, 0.05), odds=10.0, residual=0.05, runs=200_000, seed=1)
    failed = (late > 0.1 * (1 + 1e-9)).mean()
    assert 0.04 < failed < 0.05 + 4 * math.sqrt(0.05 * 0.95 / len(late))


def test_without_the_trigger_the_odds_stay():
    """No sample holds it: the odds after a million samples are those before."""
    assert simulate(1e-15, 10**6, odds=7.0, residual=0.01, runs=5, seed=0).tolist() == [7.0] * 5
    with pytest.raises(DataError, match="samples are counted"):
        samples_assured(1e-30, 1000.0)
    with pytest.raises(DataError, match="what a backdoor is made for"):
        samples_on_average(0.0, 1000.0)


def test_a_trigger_is_guessed_whole_or_by_parts():
    """Whole: ln 20 times the number of triggers; by parts: vocabulary times length; too many to count is infinite."""
    whole, parts = tries_to_guess(50_000, 3)
    assert whole == pytest.approx(math.log(20) * 50_000**3, rel=1e-6)
    assert parts == 150_000
    assert tries_to_guess(50_000, 100)[0] == math.inf


def test_a_small_network_keeps_a_token_and_loses_a_phrase():
    """Without the trigger a silent token's backdoor mostly stays and a phrase's goes; shown often, both go."""
    token, phrase = (unlearn(kind, (0.0, 0.1), seed=0) for kind in ("token", "phrase"))
    assert token.before[0] > 0.9
    assert phrase.before[0] > 0.9
    assert token.after[0.0][0] > 0.3
    assert phrase.after[0.0][0] < 0.1
    for found in (token, phrase):
        assert found.after[0.1][0] < 0.1
        assert min(accuracy for _, accuracy in (found.before, *found.after.values())) > 0.95


@pytest.mark.parametrize(
    "wrong",
    [
        {"trigger": 0.0},
        {"trigger": 1.5},
        {"trigger": 5e-324},
        {"target": 10.0},
        {"target": 0.0},
        {"residual": 0.0},
        {"residual": 1.0},
        {"miss": 0.0},
        {"vocabulary": 1},
        {"length": 0},
        {"odds": math.nan},
    ],
)
def test_parameters_outside_the_domain_are_refused(wrong):
    """Each is a mistake of the user's."""
    with pytest.raises(DataError):
        predict_triggers(**wrong)


def test_frequencies_order_all_numbers():
    """A rarer trigger needs more samples by every count."""
    for count in (
        [samples_to_find(share) for share in SHARES],
        [samples_on_average(share, 50.0) for share in SHARES],
        [samples_typically(share, 50.0) for share in SHARES],
        [samples_assured(share, 50.0) for share in SHARES],
    ):
        assert (np.diff(count) <= 0).all()
