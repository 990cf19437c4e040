import math

import mpmath as mp
import pytest

from dokimasia.core import DataError
from dokimasia.theory.steps.step import (
    critical_approaches,
    log_quantile,
    log_survival,
    mean_time,
    rate,
    rate_gain,
    tail_index,
    time_variance,
)

mp.mp.dps = 30


@pytest.mark.parametrize("a", [1.001, 1.5, 2.5, 40.0])
def test_the_mean_of_a_step_is_its_integral(a):
    """The mean time is the integral of the survival function, from 1 where it begins."""
    survival = mp.quad(lambda y: mp.exp(y - mp.mpf(a) * y), [0, 1, 10, 100, 1e5])
    assert mean_time(a) == pytest.approx(float(1 + survival), rel=1e-8)
    assert rate(a) == pytest.approx(float(1 / (1 + survival)), rel=1e-8)


@pytest.mark.parametrize("a", [2.01, 3.0, 40.0])
def test_the_variance_of_a_step_is_its_integral(a):
    """The variance is the second moment less the squared mean."""
    second = mp.quad(lambda y: a * mp.exp((2 - mp.mpf(a)) * y), [0, 1, 10, 100, 1e4])
    assert time_variance(a) == pytest.approx(float(second - mp.mpf(mean_time(a)) ** 2), rel=1e-8)


def test_moments_are_infinite_exactly_up_to_their_threshold():
    """The mean is infinite for an index of at most 1, and the rate zero; the variance for one of at most 2."""
    assert mean_time(1.0) == math.inf
    assert rate(1.0) == rate(0.3) == 0.0
    assert mean_time(math.nextafter(1, 2)) < math.inf
    assert time_variance(2.0) == math.inf


@pytest.mark.parametrize(("alpha", "share"), [(1e-3, 0.5), (0.5, 0.999), (3.0, 1e-12)])
def test_quantiles_undo_the_survival(alpha, share):
    """The survival at the q-quantile is 1 - q, for tiny indices in logarithms."""
    log = log_quantile(share, a=alpha)
    assert log == pytest.approx(float(-mp.log(1 - mp.mpf(share)) / mp.mpf(alpha)), rel=1e-12)
    if log < 700:
        assert log_survival(math.exp(log), a=alpha) == pytest.approx(math.log1p(-share), rel=1e-3)


def test_survival_is_told_beyond_the_smallest_float():
    """The tail at 1e300 of an index of 40 is e to the -27,631, not zero."""
    assert float(log_survival(1e300, a=40.0)) == pytest.approx(float(-40 * mp.log(mp.mpf("1e300"))), rel=1e-12)


def test_more_approaches_bring_less_and_less():
    """The gain is the derivative of the rate: zero below the threshold, then 1 / (alpha Q**2)."""
    alpha = 0.1
    assert critical_approaches(alpha) == 10.0
    assert rate_gain(alpha, 9.0) == 0.0
    for approaches in (11.0, 25.0):
        step = 1e-5
        slope = (rate(alpha * (approaches + step)) - rate(alpha * (approaches - step))) / (2 * step)
        assert rate_gain(alpha, approaches) == pytest.approx(slope, rel=1e-6)
    assert rate_gain(alpha, 25.0) == pytest.approx(1 / (0.1 * 625))


@pytest.mark.parametrize(
    ("alpha", "approaches"), [(0.0, 3), (5e-324, 3), (1e300, 3), (-1.0, 3), (math.nan, 3), (0.1, 0), (0.1, math.inf)]
)
def test_parameters_outside_the_domain_say_the_limit(alpha, approaches):
    """A tail index or a number of approaches that is no positive number is refused, with what happens there."""
    with pytest.raises(DataError, match="every (one|subtask) takes the least time"):
        tail_index(alpha, approaches)
