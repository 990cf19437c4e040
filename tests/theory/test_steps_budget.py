import math

import mpmath as mp
import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.special import erfc, erfcinv

from dokimasia.core import DataError
from dokimasia.theory.steps.budget import (
    budget_scale,
    failure_probability,
    length_at,
    log_success_probability,
    success_probability,
)

mp.mp.dps = 30


def zolotarev(x, a):
    """The logarithm of (1/pi) int_0^pi exp(-A(phi) x**(1/(1-a))) dphi, cut where the integrand has fallen."""
    a, x = mp.mpf(a), mp.mpf(x)
    rest = 1 - a
    z = mp.exp(mp.log(x) / rest)

    def height(phi):
        inner = rest * mp.log(mp.sin(rest * phi)) + a * mp.log(mp.sin(a * phi)) - mp.log(mp.sin(phi))
        return mp.exp(inner / rest)

    least = rest * a ** (a / rest)
    points = [mp.mpf(0)]
    for drop in ("1e-12", "1e-8", "1e-3", "0.1", "1", "5", "20", "60"):
        low, high = mp.mpf(10) ** -30, mp.pi - mp.mpf(10) ** -28
        for _ in range(110):
            middle = (low + high) / 2
            low, high = (low, middle) if (height(middle) - least) * z > mp.mpf(drop) else (middle, high)
        if low > points[-1] + mp.mpf(10) ** -25:
            points.append(low)
    return -least * z + mp.log(mp.quad(lambda phi: mp.exp(-(height(phi) - least) * z), points) / mp.pi)


CASES = [
    *((a, x) for a in (1e-9, 1e-3, 0.3) for x in (1e-6, 0.5, 1.0, 30.0)),
    *((a, x) for a in (0.45, 0.5, 0.7) for x in (0.01, 0.8, 3.0, 50.0)),
    *((0.9, x) for x in (0.3, 0.9, 1.5, 10.0)),
    *((0.999, x) for x in (0.3, 0.6, 0.99)),
    (1 - 1e-6, 0.9),
]


@pytest.mark.parametrize(("a", "x"), CASES)
def test_success_is_the_integral_over_the_angle(a, x):
    """The inversion agrees with the integral of the Mittag-Leffler survival, and so do its logarithm and its complement."""
    expected = zolotarev(x, a)
    log = float(log_success_probability(x, a=a))
    assert log == pytest.approx(float(expected), rel=1e-8)
    assert float(success_probability(x, a=a)) == pytest.approx(float(mp.exp(expected)), rel=1e-8)
    assert float(failure_probability(x, a=a)) == pytest.approx(float(-mp.expm1(expected)), rel=1e-8)


def test_without_a_tail_success_is_ords_half_life():
    """At index 0 the hazard is constant: exp(-n / scale); the index 1e-12 is as good as that."""
    n = np.geomspace(1e-9, 700, 50)
    assert success_probability(n, a=0.0) == pytest.approx(np.exp(-n), rel=1e-11)
    assert success_probability(n, a=1e-12) == pytest.approx(np.exp(-n), rel=1e-8)
    assert length_at(0.8, a=0.0) / length_at(0.5, a=0.0) == pytest.approx(math.log(0.8) / math.log(0.5))


def test_at_one_half_success_is_an_error_function():
    """At index 1/2 success is erfc(n sqrt(pi / 4 B))."""
    n, budget = np.geomspace(1e-3, 5e4, 60), 1e6
    scale = budget_scale(budget, a=0.5)
    assert success_probability(n, a=0.5, scale=scale) == pytest.approx(erfc(n * math.sqrt(math.pi / 4e6)), rel=1e-10)
    assert length_at(0.5, a=0.5, scale=scale) == pytest.approx(2 * erfcinv(0.5) * scale)


def test_near_one_success_is_a_step():
    """As the index tends to 1, everything shorter than the scale succeeds and everything longer fails."""
    found = success_probability([0.9, 1.1], a=1 - 1e-6)
    assert found[0] > 0.99999
    assert found[1] == 0.0


def test_far_tails_have_logarithms_and_complements():
    """Beyond 1e-300 the logarithm goes on, on the leading term of its saddle point; so does one minus, for tiny lengths."""
    a, x = 0.3, 1e6
    leading = (1 - a) * a ** (a / (1 - a)) * x ** (1 / (1 - a))
    assert float(log_success_probability(x, a=a)) == pytest.approx(-leading, rel=1e-6)
    assert float(failure_probability(1e-305, a=a)) == pytest.approx(1e-305 / math.gamma(1 - a), rel=1e-12)
    assert float(log_success_probability(math.inf, a=a)) == -math.inf
    assert success_probability([0.0], a=a) == [1.0]


@pytest.mark.parametrize(("a", "ratio"), [(0.0, 0.322), (0.7, 0.465)])
def test_the_horizon_at_four_fifths_grows_towards_that_at_one_half(a, ratio):
    """h80 / h50 rises from 0.322 for a half-life to 0.465 at index 0.7."""
    assert length_at(0.8, a=a) / length_at(0.5, a=a) == pytest.approx(ratio, abs=5e-4)


@pytest.mark.parametrize("a", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_the_hazard_per_subtask_never_falls(a):
    """The logarithm of success is concave in the length, so that no Weibull shape below 1 fits."""
    n = np.linspace(0.0, 3.0, 200)
    log = log_success_probability(n, a=a)
    assert (np.diff(log, 2) < 1e-10).all()


@pytest.mark.parametrize(("a", "shape"), [(0.3, 1.07), (0.5, 1.21), (0.7, 1.57)])
def test_weibull_curves_fitted_to_it_have_shapes_from_one_up(a, shape):
    """Least squares from a hundredth of the scale to five times it gives shapes of 1.07, 1.21 and 1.57, within 4%."""
    n = np.geomspace(0.01, 5, 100)
    success = success_probability(n, a=a)
    (_, log_shape), _ = curve_fit(lambda x, unit, k: np.exp(-((x * np.exp(unit)) ** np.exp(k))), n, success, p0=(0, 0))
    assert math.exp(log_shape) == pytest.approx(shape, rel=0.04)


@pytest.mark.parametrize("share", [1e-200, 0.1, 0.5, 1 - 1e-12])
@pytest.mark.parametrize("a", [0.0, 0.3, 0.9])
def test_lengths_undo_success(a, share):
    """The length at a share has that share of success, at both ends."""
    n = length_at(share, a=a)
    if share < 0.5:
        assert float(log_success_probability(n, a=a)) == pytest.approx(math.log(share), rel=1e-10)
    else:
        assert float(failure_probability(n, a=a)) == pytest.approx(1 - share, rel=1e-10)


def test_lengths_and_scales_are_broadcast():
    """One call takes many lengths and many scales, and an empty one is empty."""
    found = success_probability(np.array([[1.0], [2.0]]), a=0.5, scale=np.array([1.0, 2.0, 4.0]))
    assert found.shape == (2, 3)
    assert found[0, 0] == found[1, 1]
    assert success_probability([], a=0.5).shape == (0,)


@pytest.mark.parametrize(
    ("n", "a", "scale", "says"),
    [
        ([1.0], 1.0, 1.0, "B / ln B"),
        ([1.0], -0.1, 1.0, "from 0 up to"),
        ([1.0], math.nan, 1.0, "from 0 up to"),
        ([-1.0], 0.5, 1.0, "at least 0"),
        ([math.nan], 0.5, 1.0, "at least 0"),
        ([1.0], 0.5, 0.0, "scale is positive"),
    ],
)
def test_what_is_outside_the_domain_is_refused(n, a, scale, says):
    """Indices from 1 on have no such law, and the message says what they have."""
    with pytest.raises(DataError, match=says):
        success_probability(n, a=a, scale=scale)


def test_shares_and_budgets_that_cannot_be_are_refused():
    """A share of 0 or 1 has no length, and no budget has no scale."""
    with pytest.raises(DataError, match="between 0 and 1"):
        length_at(1.0, a=0.5)
    with pytest.raises(DataError, match="positive time"):
        budget_scale(0.0, a=0.5)
