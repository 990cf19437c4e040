import math

import mpmath as mp
import numpy as np
import pytest
from scipy.special import erfcinv

from dokimasia.core import DataError
from dokimasia.theory.steps.laws import Pareto
from dokimasia.theory.steps.simulate import shares_within, simulated_times
from dokimasia.theory.steps.sums import (
    limit_median,
    log_sum_within,
    median_growth,
    skewed_median,
    sum_within,
    time_within,
)
from dokimasia.theory.steps.transform import log_transform, scaled_integral

mp.mp.dps = 30
INDICES = (1e-3, 0.3, 0.999, 1.0, 1 + 1e-9, 1.5, 4.0, 1e3)


@pytest.mark.parametrize("a", INDICES)
@pytest.mark.parametrize("s", [1e-30, 1e-3, 1.0, 50.0, 2j, 0.1 * np.exp(1.9j), 30 * np.exp(-1.9j)])
def test_the_transform_is_an_exponential_integral(a, s):
    """The scaled integral is exp(s) E_b(s) on and off the positive axis, and the transform is right near 1, too."""
    place, at = np.array([complex(s)]), mp.mpc(complex(s))
    for b in (a, a + 1):
        expected = complex(mp.exp(at) * mp.expint(mp.mpf(b), at))
        assert abs(scaled_integral(b, place)[0] / expected - 1) < 1e-9
    with mp.workdps(60):
        log = complex(mp.log(1 - at * mp.exp(at) * mp.expint(mp.mpf(a), at)))
    assert abs(log_transform(a, place)[0] / log - 1) < 1e-9


@pytest.mark.parametrize("a", INDICES)
@pytest.mark.parametrize("share", [1e-9, 0.5, 0.999])
def test_a_sum_of_one_is_a_pareto_time(a, share):
    """For one subtask the inversion gives 1 - x**-a."""
    log_time = -math.log1p(-share) / a
    if log_time < 700:
        time = math.exp(log_time)
        exact = float(1 - mp.mpf(time) ** -mp.mpf(a))
        assert sum_within(time, 1, a=a) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("a", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("time", [2.01, 3.0, 50.0, 1e5])
def test_a_sum_of_two_is_a_convolution(a, time):
    """For two subtasks the inversion agrees with the integral over the first one's time."""
    total, index = mp.mpf(time), mp.mpf(a)

    def term(y):
        x = mp.exp(y)
        return index * x**-index * (1 - (total - x) ** -index)

    ends = mp.linspace(0, mp.log(total - 1), 9)
    assert sum_within(time, 2, a=a) == pytest.approx(float(mp.quad(term, ends)), rel=1e-8)


@pytest.mark.parametrize(("n", "time", "a"), [(7, 30.0, 0.8), (25, 100.0, 1.3), (3, 7.5, 3.0)])
def test_longer_sums_agree_with_another_inversion(n, time, a):
    """A Talbot inversion of the same transform by mpmath gives the same probability."""

    def image(s):
        return (mp.mpf(a) * mp.exp(s) * mp.expint(mp.mpf(a) + 1, s)) ** n / s

    expected = mp.invertlaplace(image, mp.mpf(time) - n, method="talbot", degree=40)
    assert sum_within(time, n, a=a) == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize(("n", "a"), [(10, 0.3), (1000, 0.7), (100, 1.0), (1000, 1.5), (300, 4.0)])
def test_simulated_sums_fall_on_exact_quantiles(n, a):
    """Of simulated tasks, the shares within the exact 1%, 50% and 99% times are those, within 4 standard errors."""
    shares = (0.01, 0.5, 0.99)
    times = [time_within(share, n, a=a) for share in shares]
    counts, total = shares_within(times, simulated_times(Pareto(alpha=a / 2), 2.0, n, 4000, seed=11))
    for share, count in zip(shares, counts, strict=True):
        assert abs(count / total - share) < 4 * math.sqrt(share * (1 - share) / total)


@pytest.mark.parametrize("a", [0.01, 0.5, 1.0, 1.7, 3.0, 1e3])
@pytest.mark.parametrize("n", [1, 30, 1e9])
def test_times_undo_probabilities_up_to_a_thousand_million_subtasks(n, a):
    """The time of a share has that share, for one subtask and for 1e9, at tiny and at large indices."""
    for share in (1e-6, 0.5, 0.999):
        time = time_within(share, n, a=a)
        if time - n > 1e-6 * n and time < math.inf:
            assert log_sum_within(time, n, a=a) == pytest.approx(math.log(share), rel=1e-6, abs=1e-9)


def test_the_median_below_the_threshold_is_that_of_a_stable_law():
    """m_a n**(1/a): (pi / 2) / (2 erfcinv(1/2)**2) = 3.4528 at one half, 4.30 at 0.3 and 5.91 at 0.8."""
    assert limit_median(1, a=0.5) == pytest.approx((math.pi / 2) / (2 * erfcinv(0.5) ** 2), rel=1e-10)
    assert limit_median(1, a=0.5) == pytest.approx(3.4528, abs=5e-5)
    assert limit_median(1, a=0.3) == pytest.approx(4.31, abs=0.01)
    assert limit_median(1, a=0.8) == pytest.approx(5.91, abs=0.01)
    assert limit_median(1e6, a=0.5) == pytest.approx(3.4528 * 1e12, rel=1e-4)


@pytest.mark.parametrize("a", [0.2, 0.5, 0.6])
def test_exact_medians_tend_to_the_stable_ones(a):
    """At 1e9 subtasks the exact median is the limit's to one in 10,000, well below the threshold."""
    assert time_within(0.5, 1e9, a=a) == pytest.approx(limit_median(1e9, a=a), rel=1e-4)


def test_near_the_threshold_the_limit_is_slow():
    """At index 0.8 and 1000 subtasks the median is still 5.20 n**(1/a), of 5.91 in the end."""
    assert time_within(0.5, 1000, a=0.8) / 1000 ** (1 / 0.8) == pytest.approx(5.20, abs=0.01)


def test_at_the_threshold_the_median_grows_like_n_log_n():
    """S_n / n - ln n has the median of Landau's law, 1.355780, plus 1 - Euler's constant: 1.7786."""
    assert skewed_median(1.0) == pytest.approx(1.355780, abs=2e-6)  # Koelbig and Schorr (1984)
    assert time_within(0.5, 1e9, a=1.0) / 1e9 - math.log(1e9) == pytest.approx(1.7786, abs=1e-4)
    assert limit_median(1e9, a=1.0) == pytest.approx(time_within(0.5, 1e9, a=1.0), rel=1e-6)


@pytest.mark.parametrize(("a", "within"), [(1.3, 1e-6), (1.8, 1e-5), (3.0, 1e-6)])
def test_above_the_threshold_the_median_tends_to_the_mean(a, within):
    """The median of 1e9 subtasks is n a / (a - 1), with the stable law's term below index 2."""
    assert time_within(0.5, 1e9, a=a) == pytest.approx(limit_median(1e9, a=a), rel=within)


@pytest.mark.parametrize("a", [1.2, 1.7])
def test_the_skewed_stable_median_is_that_of_its_density(a):
    """Half the mass of the law with transform exp(s**a) lies below its median, by Fourier inversion."""
    median = mp.mpf(skewed_median(a))

    def term(t):  # Gil-Pelaez: P(X <= x) = 1/2 - int Im(exp(-i t x) phi(t)) / (pi t), phi(t) = exp((-i t)**a)
        return mp.im(mp.exp(-1j * t * median + (-1j * t) ** mp.mpf(a))) / t

    assert abs(mp.quad(term, [0, 0.1, 0.5, 1, 2, 4, 8, 16, 32])) < 1e-8


@pytest.mark.parametrize(("a", "measured"), [(0.4, 2.51), (0.7, 1.45), (1.3, 1.05), (4.0, 1.00)])
def test_the_slope_of_the_median_is_one_over_the_index(a, measured):
    """Between 100 and 10,000 subtasks the log-log slope of the exact median is near max(1, 1/a), and as measured."""
    slope = math.log(time_within(0.5, 1e4, a=a) / time_within(0.5, 100, a=a)) / math.log(100)
    assert median_growth(a) == max(1.0, 1 / a)
    assert slope == pytest.approx(median_growth(a), abs=0.06)
    assert slope == pytest.approx(measured, abs=0.03)


def test_far_tails_keep_their_logarithm():
    """A thousand subtasks in nearly their least time have a logarithm, -4,000 and more, where the probability is 0."""
    n, spare, a = 1000, 20.0, 1.0
    found = log_sum_within(n + spare, n, a=a)
    assert sum_within(n + spare, n, a=a) == 0.0
    # the density of n times is at most a**n, on a simplex of volume spare**n / n!, and at least that of its worst corner
    simplex = n * math.log(spare) - math.lgamma(n + 1)
    assert simplex - 2 * spare < found < simplex
    assert log_sum_within(n, n, a=a) == -math.inf
    assert log_sum_within(math.inf, n, a=a) == 0.0


@pytest.mark.parametrize(
    ("n", "time", "a", "says"),
    [
        (0, 10.0, 0.5, "number of subtasks"),
        (math.inf, 10.0, 0.5, "number of subtasks"),
        (10, math.nan, 0.5, "A time is expected"),
        (10, 20.0, 0.0, "index Q \\* alpha"),
        (1e13, 1e14, 1.5, "limit laws"),
    ],
)
def test_what_cannot_be_summed_is_refused(n, time, a, says):
    """No subtasks, no number, no index, or more subtasks than a float has digits for."""
    with pytest.raises(DataError, match=says):
        log_sum_within(time, n, a=a)


def test_a_median_beyond_all_floats_is_infinite():
    """At index 0.001 the median of a single subtask is 1e301, of two beyond 1e308."""
    assert time_within(0.5, 1, a=1e-3) == pytest.approx(2.0**1000, rel=1e-8)
    assert time_within(0.5, 10, a=1e-3) == math.inf
    assert limit_median(10, a=1e-3) == math.inf
    with pytest.raises(DataError, match="share"):
        time_within(1.0, 10, a=0.5)
    with pytest.raises(DataError, match="At least one subtask"):
        time_within(0.5, 0.5, a=0.5)
