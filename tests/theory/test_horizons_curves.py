"""Curves of success against human time: slopes, inverses, limits."""

import mpmath
import numpy as np
import pytest
from scipy.special import erfc

from dokimasia.theory.horizons import (
    CURVES,
    CeilingExponential,
    Constant,
    Exponential,
    Logistic,
    Lomax,
    Probit,
    Steps,
    Weibull,
)
from dokimasia.theory.horizons.bicubic import Bicubic
from dokimasia.theory.steps.budget import length_at, success_probability

THETA = {
    "constant": [[-1.0], [2.0]],
    "exponential": [[-3.0], [1.0]],
    "independent steps": [[-3.0, 0.0], [-3.0, 0.4], [0.5, 1.2], [-4.0, 2.3]],
    "ceiling x exponential": [[0.3, -4.0], [-1.0, -2.0], [5.0, 0.0]],
    "Lomax": [[-3.0, -1.5], [-3.0, 0.0], [-1.0, 4.0]],
    "Weibull": [[-1.5, 0.3], [-4.0, 1.0], [-6.0, 2.5]],
    "logistic": [[-1.5, 0.4], [-4.0, 1.0], [-6.0, 2.5]],
    "probit": [[-1.5, 0.4], [-4.0, 1.0], [-6.0, 2.5]],
}
MINUTES = np.geomspace(0.05, 3000, 60)
each = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)


@each
def test_slopes_are_those_of_the_curve(curve):
    """Derivatives by every parameter agree with differences of the curve itself."""
    theta, x = np.array(THETA[curve.name]), np.log(MINUTES)
    theta = np.maximum(theta, np.array(curve.low) + 1e-5)
    _, slopes = curve.slopes(x, theta)
    for k in range(theta.shape[1]):
        step = np.zeros(theta.shape[1])
        step[k] = 1e-6
        difference = (curve.slopes(x, theta + step)[0] - curve.slopes(x, theta - step)[0]) / 2e-6
        assert np.allclose(slopes[..., k], difference, atol=2e-7)


@each
def test_success_falls_from_at_most_one(curve):
    """Success lies in [0, 1] and never rises with the time."""
    success = curve.probability(MINUTES, THETA[curve.name])
    assert ((success >= 0) & (success <= 1)).all()
    assert (np.diff(success, axis=-1) <= 1e-12).all()


@each
@pytest.mark.parametrize("level", [0.05, 0.5, 0.8, 0.99])
def test_a_horizon_is_where_the_curve_falls_to_its_level(curve, level):
    """The chance of success at the horizon is the level; without a horizon success is below it, or above it, throughout."""
    for theta in THETA[curve.name]:
        minutes = float(curve.horizon(theta, level))
        if minutes == 0:
            assert (curve.probability(MINUTES, theta) < level).all()
        elif minutes == np.inf:
            assert (curve.probability(MINUTES, theta) > level).all()
        else:
            assert curve.probability(minutes, theta) == pytest.approx(level, rel=1e-9)


@each
def test_starts_lie_within_the_bounds_and_spread(curve):
    """A fit starts inside its bounds, and where there is a horizon it starts from short ones and from long ones."""
    starts = curve.starts(np.linspace(-2, 9, 12))
    assert starts.shape[1] == len(curve.low) == len(curve.high)
    assert ((starts >= np.array(curve.low)) & (starts <= np.array(curve.high))).all()
    if not isinstance(curve, Constant):
        horizons = curve.log_horizon(starts, 0.5)
        finite = horizons[np.isfinite(horizons)]
        assert finite.min() < -1.5
        assert finite.max() > 8.5


def test_half_life_and_its_multiples():
    """Ord's curve: h80 is 0.322 of the half-life, h90 0.152, h99 0.0145 and h99.9 0.00144."""
    half = Exponential().horizon([-3.0], 0.5)
    for level, ratio in ((0.8, 0.32193), (0.9, 0.15200), (0.99, 0.014500), (0.999, 0.0014434)):
        assert Exponential().horizon([-3.0], level) / half == pytest.approx(ratio, rel=1e-4)


def test_formulas_are_those_that_are_shown():
    """Each two-parameter curve is its formula in minutes, to 30 digits of mpmath and within 1e-12."""
    with mpmath.workdps(30):
        for t in (0.1, 1, 17, 300, 2000):
            cases = [
                (Logistic(), [-1.5, 0.4], 1 / (1 + (t / mpmath.exp(mpmath.mpf("1.5") / mpmath.mpf("0.4"))) ** 0.4)),
                (Probit(), [-1.5, 0.4], mpmath.ncdf(mpmath.mpf("1.5") - mpmath.mpf("0.4") * mpmath.log(t))),
                (Weibull(), [-1.5, 0.3], mpmath.exp(-mpmath.exp(-1.5 + mpmath.mpf("0.3") * mpmath.log(t)))),
                (
                    CeilingExponential(),
                    [0.3, -4.0],
                    mpmath.exp(-t * mpmath.exp(-4)) / (1 + mpmath.exp(-mpmath.mpf("0.3"))),
                ),
                (Lomax(), [-3.0, 1.0], (1 + t * mpmath.exp(-3) / mpmath.e) ** (-mpmath.e)),
            ]
            for curve, theta, expected in cases:
                assert float(curve.probability(t, theta)[0]) == pytest.approx(float(expected), rel=1e-12)


def test_lomax_is_a_gamma_mixture_of_exponentials():
    """Averaged over hazards from a gamma distribution of index r around 1 / tau, exponentials are the Lomax curve."""
    r, tau = 0.4, 20.0
    with mpmath.workdps(20):
        for t in (1.0, 30.0, 900.0):
            mixed = mpmath.quad(
                lambda h, t=t: h ** (r - 1) * mpmath.exp(-h * (r * tau + t)), [0, 1e-6, 1e-3, 0.1, 1, mpmath.inf]
            )
            mixed *= (r * tau) ** r / mpmath.gamma(r)
            found = Lomax().probability(t, [-np.log(tau), np.log(r)])[0]
            assert found == pytest.approx(float(mixed), rel=1e-8)


def test_limits_are_one_another():
    """Weibull of shape 1, Lomax of a large index, a ceiling of 1 and independent steps of index 0 are the exponential."""
    expected = Exponential().probability(MINUTES, [-3.0])
    assert np.allclose(Weibull().probability(MINUTES, [-3.0, 1.0]), expected, rtol=1e-12)
    assert np.allclose(Lomax().probability(MINUTES, [-3.0, 8.0]), expected, atol=1e-3)
    assert np.allclose(CeilingExponential().probability(MINUTES, [12.0, -3.0]), expected, atol=1e-5)
    assert np.allclose(Steps().probability(MINUTES, [-3.0, 0.0]), expected, atol=1e-5)


def test_independent_steps_of_one_half_are_erfc():
    """At index 1/2 the curve is erfc(x / 2) of the length over the scale."""
    x = MINUTES * np.exp(-3.0)
    found = Steps().probability(MINUTES, [-3.0, np.log(2)])
    assert np.allclose(found, erfc(x / 2), atol=1e-5)


def test_the_table_of_steps_is_right_to_its_claim():
    """Between its points the table agrees with the exact law to 1e-5, at every index."""
    rng = np.random.default_rng(0)
    for a in (1e-4, 0.02, 0.1, 0.33, 0.6, 0.8, 0.93):
        x = np.exp(rng.uniform(-9, 3, 300))
        found = Steps().probability(x, [0.0, -np.log1p(-a)])
        assert np.abs(found - success_probability(x, a=a)).max() < 1e-5


def test_steps_bend_from_the_half_life_towards_a_step():
    """h80 / h50 rises from 0.322 at index 0 to 0.465 at 0.7, and agrees with the exact inverse."""
    for a, ratio in ((0.0, 0.3219), (0.7, 0.465)):
        theta = [-3.0, -np.log1p(-a)]
        found = float(Steps().horizon(theta, 0.8) / Steps().horizon(theta, 0.5))
        assert found == pytest.approx(ratio, abs=2e-3)
        assert found == pytest.approx(length_at(0.8, a=a) / length_at(0.5, a=a), rel=1e-4)


@pytest.mark.parametrize(("a", "shape"), [(0.0, 1.0), (0.3, 1.07), (0.5, 1.21), (0.7, 1.57)])
def test_steps_look_like_a_weibull_of_a_rising_hazard(a, shape):
    """Between 95% and 5% success a straight line through log of minus log of success has a slope of 1 to 1.57, by index."""
    x = np.linspace(0.01, 5, 400)
    success = Steps().probability(x, [0.0, -np.log1p(-a)])
    inside = (success > 0.05) & (success < 0.95)
    slope = np.polyfit(np.log(x[inside]), np.log(-np.log(success[inside])), 1)[0]
    assert slope == pytest.approx(shape, rel=0.02)


def test_a_ceiling_below_the_level_has_no_horizon():
    """A ceiling of 0.57 has a 50% horizon and no 80% horizon."""
    assert CeilingExponential().horizon([0.3, -4.0], 0.5) > 0
    assert CeilingExponential().horizon([0.3, -4.0], 0.8) == 0


def test_a_flat_curve_has_a_horizon_on_neither_side():
    """Where success does not depend on the time, a horizon is 0 or infinite, by which side of the level it is on."""
    assert Logistic().horizon([-1.0, 0.0], 0.5) == np.inf
    assert Logistic().horizon([1.0, 0.0], 0.5) == 0
    assert Weibull().horizon([-5.0, 1e-3], 0.5) == Weibull().horizon([-5.0, 1e-320], 0.5) == np.inf
    assert Constant().horizon([-1.0], 0.5) == 0
    assert Constant().horizon([1.0], 0.5) == np.inf


def test_shapes_are_what_they_are_called():
    """The logistic slope is that of the log-odds for a doubling; ceilings, rates and indices are shares and numbers."""
    odds = lambda p: np.log(p / (1 - p))  # noqa: E731
    one, two = Logistic().probability([10, 20], [-1.5, 0.4])
    assert Logistic().shape_of(np.array([-1.5, 0.4])) == pytest.approx(odds(one) - odds(two))
    assert CeilingExponential().shape_of(np.array([0.0, 1.0])) == 0.5
    assert Steps().shape_of(np.array([0.0, np.log(2)])) == pytest.approx(0.5)
    assert Lomax().shape_of(np.array([0.0, 0.0])) == 1
    assert np.isnan(Exponential().shape_of(np.array([0.0])))


def test_a_bicubic_table_gives_back_a_cubic():
    """A polynomial of the third degree, and its slopes, are read off exactly."""
    u, v = np.linspace(-1, 2, 7), np.linspace(0, 5, 11)
    f = lambda u, v: u**3 - 2 * u * v + v**2 * u + 3  # noqa: E731
    table = Bicubic.through(u, v, f(u[:, None], v))
    at_u, at_v = np.array([[0.33], [-1.0], [2.0]]), np.array([[0.0, 1.7, 5.0]] * 3)
    value, by_u, by_v = table.at(at_u, at_v)
    assert np.allclose(value, f(at_u, at_v))
    assert np.allclose(by_u, 3 * at_u**2 - 2 * at_v + at_v**2)
    assert np.allclose(by_v, -2 * at_u + 2 * at_v * at_u)
