import math

import mpmath as mp
import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.steps.crossover import approaches_for, log_mean_fastest, rate_of_fastest
from dokimasia.theory.steps.laws import LogNormal, Pareto, Stretched
from dokimasia.theory.steps.simulate import simulated_times
from dokimasia.theory.steps.step import rate

mp.mp.dps = 30


@pytest.mark.parametrize(
    ("alpha", "power", "approaches"),
    [(0.1, 0.1, 1), (0.1, 1e-3, 1), (0.5, 0.01, 3), (0.1, 1.0, 5), (3.0, 2.0, 5), (0.1, 0.1, 1e-3), (0.1, 0.1, 1e4)],
)
def test_the_mean_under_a_stretched_exponential_is_an_incomplete_gamma(alpha, power, approaches):
    """E T = 1 + e**(a/c) (c/a)**(1/c) Gamma(1/c, a/c) / c, also where it is beyond the largest float."""
    a, c = mp.mpf(alpha) * approaches, mp.mpf(power)
    expected = mp.log(1 + mp.exp(a / c) / c * (c / a) ** (1 / c) * mp.gammainc(1 / c, a / c))
    assert log_mean_fastest(Stretched(alpha=alpha, power=power), approaches) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize("sigma", [0.01, 1.0, 8.0, 1e3])
def test_the_mean_of_one_log_normal_time_has_a_closed_form(sigma):
    """For one approach E T = exp(sigma**2 / 2) (1 + erf(sigma / sqrt 2))."""
    expected = mp.mpf(sigma) ** 2 / 2 + mp.log(1 + mp.erf(mp.mpf(sigma) / mp.sqrt(2)))
    assert log_mean_fastest(LogNormal(sigma=sigma), 1) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize(("sigma", "approaches"), [(2.0, 3), (5.0, 12.5)])
def test_the_mean_of_the_fastest_log_normal_time_is_its_integral(sigma, approaches):
    """For several approaches it is one plus the integral of the survival's power."""

    def term(t):
        return mp.exp(t) * mp.erfc(t / (sigma * mp.sqrt(2))) ** mp.mpf(approaches)

    expected = mp.log(1 + mp.quad(term, mp.linspace(0, 12 * sigma, 13)))
    assert log_mean_fastest(LogNormal(sigma=sigma), approaches) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize("law", [Pareto(alpha=1.0), LogNormal(sigma=1.0), Stretched(alpha=0.5, power=0.5)])
def test_simulated_means_are_the_mean(law):
    """With enough approaches for a variance, simulated means are within 4 standard errors of the mean."""
    approaches = 4.0
    times = np.concatenate(list(simulated_times(law, approaches, 1, 100_000, seed=2)))
    error = times.std() / math.sqrt(len(times))
    assert abs(times.mean() - math.exp(log_mean_fastest(law, approaches))) < 4 * error


def test_only_the_power_law_has_a_threshold():
    """Just below 1 / alpha the power law's mean is infinite, the others' finite but astronomical well below it."""
    alpha = 0.1
    lighter = (Stretched(alpha=alpha, power=0.02), LogNormal(sigma=math.sqrt(2 / math.pi) / alpha))
    assert log_mean_fastest(Pareto(alpha=alpha), 9.99) == math.inf
    assert rate_of_fastest(Pareto(alpha=alpha), 20.0) == pytest.approx(rate(2.0))
    for law in lighter:
        assert math.log(1e6) < log_mean_fastest(law, 1.0) < math.inf
        assert log_mean_fastest(law, 10.0) < math.log(1e3)


def test_the_crossover_sharpens_into_the_threshold():
    """As the stretched exponential's power tends to 0, its mean tends to the power law's above the threshold, up below."""
    below = [log_mean_fastest(Stretched(alpha=0.1, power=power), 8.0) for power in (0.1, 0.01, 1e-3)]
    assert below[0] < below[1] < below[2]
    assert below[2] > 20
    above = log_mean_fastest(Stretched(alpha=0.1, power=1e-5), 15.0)
    assert above == pytest.approx(math.log(3.0), rel=1e-3)


def test_the_fastest_of_several_regular_tails_has_their_index_added():
    """A tail that varies regularly with index alpha gives one of Q alpha: here (1 + ln x) x**-alpha, far out."""
    alpha, approaches, far = 0.5, 3.0, 1e200
    slope = (
        approaches
        * (math.log1p(math.log(far) + math.log(2)) - alpha * math.log(2) - math.log1p(math.log(far)))
        / math.log(2)
    )
    assert slope == pytest.approx(-approaches * alpha, abs=0.01)
    survival = [float(approaches * Pareto(alpha=alpha).log_survival(np.array([t]))[0]) for t in (100.0, 101.0)]
    assert survival[1] - survival[0] == pytest.approx(-approaches * alpha)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_approaches_for_a_rate_bring_that_rate(share):
    """For the power law 1 / (alpha (1 - rate)), for the others the inverse of the rate."""
    assert approaches_for(share, Pareto(alpha=0.1)) == pytest.approx(10 / (1 - share), rel=1e-8)
    law = LogNormal(sigma=8.0)
    assert rate_of_fastest(law, approaches_for(share, law)) == pytest.approx(share, rel=1e-8)


def test_laws_and_rates_outside_the_domain_are_refused():
    """No index, spread or power that is no positive number, and no rate of 0 or 1."""
    for make in (
        lambda: Pareto(alpha=0.0),
        lambda: LogNormal(sigma=-1.0),
        lambda: Stretched(alpha=0.1, power=math.nan),
        lambda: approaches_for(1.0, Pareto(alpha=0.1)),
        lambda: log_mean_fastest(Pareto(alpha=0.1), 0.0),
        lambda: log_mean_fastest(LogNormal(sigma=1e100), 1.0),
    ):
        with pytest.raises(DataError):
            make()
