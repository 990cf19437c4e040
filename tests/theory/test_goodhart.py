"""Value and proxy: quadrature against independent integration at 30 digits, limits, and the error in a footnote."""

import math

import mpmath
import numpy as np
import pytest
from scipy import stats as scipy_stats

from dokimasia.core import DataError
from dokimasia.theory.goodhart import (
    Exponential,
    LogNormal,
    Normal,
    Proxy,
    StudentT,
    Uniform,
    best_of_n,
    limit,
    simulate_best_of_n,
)
from dokimasia.theory.goodhart.generators import local_error_mean
from dokimasia.theory.goodhart.sums import threshold

V = Normal(sd=1.0)
ERRORS = (
    Normal(sd=1.0),
    Exponential(sd=1.0),
    StudentT(degrees=3, sd=1.0),
    LogNormal(spread=1.0, sd=1.0),
    StudentT(degrees=2.2, sd=0.05),
    LogNormal(spread=0.1, sd=1.0),
)


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(30):
        yield


def tail(z):
    return mpmath.erfc(z / mpmath.sqrt(2)) / 2


def density(law, x):
    """The density at 30 digits, written anew."""
    if isinstance(law, Normal):
        return mpmath.npdf(x / law.sd) / law.sd
    if isinstance(law, Exponential):
        return mpmath.exp(-x / law.sd) / law.sd if x >= 0 else mpmath.mpf(0)
    if isinstance(law, Uniform):
        return mpmath.mpf(1) / (2 * law.half) if abs(x) <= law.half else mpmath.mpf(0)
    if isinstance(law, LogNormal):
        if x <= 0:
            return mpmath.mpf(0)
        centre = mpmath.log(mpmath.mpf(law.sd) / mpmath.sqrt(mpmath.expm1(mpmath.mpf(law.spread) ** 2)))
        centre -= mpmath.mpf(law.spread) ** 2 / 2
        return mpmath.npdf((mpmath.log(x) - centre) / law.spread) / (law.spread * x)
    nu, scale = mpmath.mpf(law.degrees), mpmath.mpf(law.sd) * mpmath.sqrt(1 - mpmath.mpf(2) / law.degrees)
    front = mpmath.gamma((nu + 1) / 2) / (mpmath.gamma(nu / 2) * mpmath.sqrt(nu * mpmath.pi) * scale)
    return front * (1 + (x / scale) ** 2 / nu) ** (-(nu + 1) / 2)


def integrated(value, error, t):
    """E[V | U >= t] as a ratio of integrals over the error, whose tails are those of a normal value."""
    t = mpmath.mpf(t)
    points = [-200, -50, -20, -8, -4, -2, -1, -0.3, 0, 0.3, 1, 2, 4, 8, 20, 50, 200]
    ends = sorted(
        {t - mpmath.mpf(v) for v in points}
        | {t / 2 + v for v in (-9, -5, -2, -1, 0, 1, 2, 5, 9)}
        | {mpmath.mpf(x) for x in (0, 0.01, 0.1, 1, 10, 100, 1e3, 1e5)}
    )
    if not isinstance(error, Normal | StudentT):
        ends = [x for x in ends if x >= 0]
    ends = [-mpmath.inf if isinstance(error, Normal | StudentT) else mpmath.mpf(0), *ends, mpmath.inf]
    ends = sorted(set(ends))
    top = mpmath.quad(lambda x: density(error, x) * value.sd * mpmath.npdf((t - x) / value.sd), ends, maxdegree=8)
    mass = mpmath.quad(lambda x: density(error, x) * tail((t - x) / value.sd), ends, maxdegree=8)
    return top / mass


@pytest.mark.parametrize("t", [-3.0, 0.0, 1.5, 6.0, 30.0])
@pytest.mark.parametrize("error", ERRORS[:4], ids=lambda law: law.name)
def test_the_conditional_mean_is_that_of_independent_integration(error, t):
    """Quadrature over the value agrees with mpmath's over the error to 1e-8, and mostly to 1e-12."""
    found = Proxy(value=V, error=error).conditional_mean(t)
    assert found == pytest.approx(float(integrated(V, error, t)), rel=1e-8)


@pytest.mark.parametrize(
    ("sd", "error_sd", "t"), [(1, 1, 40.0), (1, 0.01, 3), (0.02, 5, -20.0), (3, 0.5, 300.0), (1, 1, 440)]
)
def test_normal_error_has_a_closed_form_far_out(sd, error_sd, t):
    """E[V | U >= t] is sd_v**2 times the hazard of a normal, out to probabilities below 1e-20000."""
    whole = mpmath.sqrt(mpmath.mpf(sd) ** 2 + mpmath.mpf(error_sd) ** 2)
    exact = mpmath.mpf(sd) ** 2 / whole * mpmath.npdf(t / whole) / tail(t / whole)
    proxy = Proxy(value=Normal(sd=sd), error=Normal(sd=error_sd))
    assert proxy.conditional_mean(t) == pytest.approx(float(exact), rel=1e-10)
    assert proxy.logs(t).survival == pytest.approx(float(mpmath.log(tail(t / whole))), rel=1e-10)


@pytest.mark.parametrize(("error_sd", "t"), [(1.0, 0.5), (1.0, 700.0), (0.02, 3.0), (0.02, 100.0), (30.0, 1e5)])
def test_exponential_error_has_a_closed_form_far_out(error_sd, t):
    """The exponentially modified normal law, tails beyond 1e-300 among them."""
    rate, t = 1 / mpmath.mpf(error_sd), mpmath.mpf(t)
    exponential = mpmath.exp(rate * (rate / 2 - t)) * tail(rate - t)
    exact = rate * exponential / (tail(t) + exponential)
    found = Proxy(value=V, error=Exponential(sd=error_sd)).conditional_mean(float(t))
    assert found == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize("t", [1e3, 1e6, 1e9])
def test_power_law_error_returns_the_value_to_its_mean(t):
    """With t error, E[V | U >= t] is nu sd**2 / t far out, to its next term, though nine digits of the value cancel."""
    assert Proxy(value=V, error=StudentT(degrees=3, sd=1.0)).conditional_mean(t) == pytest.approx(
        3 / t, rel=20 / t**2 + 1e-8
    )


@pytest.mark.parametrize("t", [-0.5, 0.0, 0.9, 3.0])
def test_a_bounded_value_is_integrated_alike(t):
    """A uniform value with normal and with exponential error, against mpmath over the value."""
    value = Uniform(half=1.0)
    for error in (Normal(sd=0.7), Exponential(sd=0.7)):

        def above(v, error=error):
            x = mpmath.mpf(t) - v
            return tail(x / error.sd) if isinstance(error, Normal) else mpmath.exp(-max(x, 0) / error.sd)

        ends = sorted({-1, mpmath.mpf(min(max(t, -1), 1)), 1})
        mass = mpmath.quad(above, ends)
        mean = mpmath.quad(lambda v: v * above(v), ends) / mass
        assert Proxy(value=value, error=error).conditional_mean(t) == pytest.approx(float(mean), rel=1e-8)


@pytest.mark.parametrize("law", [*ERRORS, V, Uniform(half=2.0)], ids=lambda law: law.name)
def test_laws_are_consistent(law):
    """Survival, upper mean, mean and quantile are those of the density, by mpmath; and panels cover the mass."""
    high = 2 if isinstance(law, Uniform) else mpmath.inf
    points = [float(law.quantile(np.asarray(p))) for p in (0.9, 0.2, 1e-3)]
    for x in points:
        inner = [x + mpmath.mpf(10) ** k for k in range(-2, 5) if x + 10.0**k < high]
        mass = mpmath.quad(lambda y: density(law, y), [x, *inner, high])
        mean = mpmath.quad(lambda y: (y - law.mean) * density(law, y), [x, *inner, high])
        assert math.exp(law.log_survival(np.asarray([x]))[0]) == pytest.approx(float(mass), rel=1e-8)
        assert math.exp(law.upper_mean(np.asarray([x]))[0]) == pytest.approx(float(mean), rel=1e-8)
    assert [math.exp(law.log_survival(np.asarray([x]))[0]) for x in points] == pytest.approx([0.9, 0.2, 1e-3], rel=1e-8)
    edges = law.edges(60.0)
    assert np.all(np.diff(edges) > 0)
    assert edges[0] <= float(law.quantile(np.asarray(1 - 1e-9)))
    assert edges[-1] >= float(law.quantile(np.asarray(1e-9)))


@pytest.mark.parametrize("nu", [2.2, 3.0, 7.5])
def test_the_tail_of_t_holds_where_floats_end(nu):
    """Survival of t out to 10^200 scales, against mpmath's incomplete beta function."""
    law = StudentT(degrees=nu, sd=math.sqrt(nu / (nu - 2)))
    for x in (3.0, 1e3, 2e7, 1e100, 1e200):
        at = mpmath.mpf(nu) / (mpmath.mpf(nu) + mpmath.mpf(x) ** 2)
        exact = mpmath.log(mpmath.betainc(mpmath.mpf(nu) / 2, mpmath.mpf(1) / 2, 0, at, regularized=True) / 2)
        assert law.log_survival(np.asarray([x]))[0] == pytest.approx(float(exact), abs=1e-8)


def test_errors_of_all_laws_have_the_stated_deviation():
    """Mean and standard deviation of quantiles at random ranks are the law's, within four standard errors."""
    uniform = np.random.default_rng(0).random(400_000)
    for law in (Normal(sd=2.0), Exponential(sd=2.0), StudentT(degrees=9, sd=2.0), LogNormal(spread=0.5, sd=2.0)):
        drawn = law.quantile(uniform)
        assert drawn.mean() == pytest.approx(law.mean, abs=4 * 2 / math.sqrt(len(drawn)))
        assert drawn.std() == pytest.approx(2.0, rel=0.03)


def test_there_are_three_regimes():
    """Lighter: without bound; exponential: sd**2 over the error's scale, and reached; heavier: back to the mean."""
    assert math.isinf(limit(Proxy(value=V, error=Normal(sd=1.0))).value)
    plateau = limit(Proxy(value=Normal(sd=2.0), error=Exponential(sd=5.0)))
    assert plateau.value == pytest.approx(4 / 5)
    assert Proxy(value=Normal(sd=2.0), error=Exponential(sd=5.0)).conditional_mean(200.0) == pytest.approx(
        4 / 5, rel=1e-12
    )
    for error in (StudentT(degrees=3, sd=1.0), LogNormal(spread=1.0, sd=1.0)):
        assert limit(Proxy(value=V, error=error)).value == 0
    means = [Proxy(value=V, error=Normal(sd=1.0)).conditional_mean(t) for t in (10.0, 100.0)]
    assert means == pytest.approx([5.0, 50.0], rel=0.03)


def test_a_bounded_value_goes_to_its_bound_or_to_its_tilted_mean():
    """With lighter error the limit is the most that V can be; with exponential error E[V e^(LV)] / E[e^(LV)]."""
    value = Uniform(half=1.0)
    assert limit(Proxy(value=value, error=Normal(sd=1.0))).value == 1.0
    assert Proxy(value=value, error=Normal(sd=1.0)).conditional_mean(100.0) == pytest.approx(1.0, abs=0.02)
    tilted = 1 / math.tanh(2) - 1 / 2
    assert limit(Proxy(value=value, error=Exponential(sd=0.5))).value == pytest.approx(tilted)
    assert Proxy(value=value, error=Exponential(sd=0.5)).conditional_mean(30.0) == pytest.approx(tilted, rel=1e-10)


def test_the_footnote_is_wrong():
    """Error that is normal (variance 4) where |V| <= 1 and nought elsewhere takes V to 1, not to 0."""
    found = [local_error_mean(t) for t in (5, 10, 20, 40, 80)]
    assert found == pytest.approx([0.365, 0.569, 0.770, 0.889, 0.947], abs=6e-4)
    assert local_error_mean(1e4) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("t", [-4.0, -1.5, 0.0, 0.5, 2.0, 5.0])
def test_the_footnotes_integral_is_exact(t):
    """The same mean by mpmath over the whole line."""

    def above(v):
        return tail((t - v) / 2) if abs(v) <= 1 else mpmath.mpf(v >= t)

    ends = sorted({mpmath.mpf(x) for x in (-12, -1, 1, 12)} | {mpmath.mpf(t)})
    mass = mpmath.quad(lambda v: mpmath.npdf(v) * above(v), ends)
    mean = mpmath.quad(lambda v: v * mpmath.npdf(v) * above(v), ends) / mass
    assert local_error_mean(t) == pytest.approx(float(mean), rel=1e-8, abs=1e-12)


def test_best_of_n_of_normals_is_the_mean_of_the_largest():
    """Normal error: sd_v**2 / sd_u times the expected largest of n normals, by mpmath, from 2 to 20,000."""
    counts = (1, 2, 3, 16, 20_000)
    found = best_of_n(Proxy(value=Normal(sd=2.0), error=Normal(sd=1.5)), counts)
    ends = [-12, -8, -5, -2, 0, 1, 2, 3, 4, 5, 6, 8, 12]
    for n, value in zip(counts, found, strict=True):
        largest = mpmath.quad(lambda x, n=n: n * x * mpmath.npdf(x) * (1 - tail(x)) ** (n - 1), ends)
        assert value == pytest.approx(float(4 / mpmath.mpf(2.5) * largest), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("n", [2, 16, 1000, 10**9])
def test_best_of_n_with_exponential_error_is_that_of_direct_integration(n):
    """E[V | U = u] is sd**2 times minus the slope of the log-density; integrated against the largest's law by mpmath."""

    def survival(u):
        return tail(u) + mpmath.exp(mpmath.mpf(0.5) - u) * tail(1 - u)

    def density_at(u):
        return mpmath.exp(mpmath.mpf(0.5) - u) * tail(1 - u)

    def slope(u):
        return -density_at(u) + mpmath.exp(mpmath.mpf(0.5) - u) * mpmath.npdf(1 - u)

    ends = [-12, -8, -4, -2, 0, 1, 2, 4, 8, 12, 16, 20, 24, 30, 45, 80]
    exact = mpmath.quad(lambda u: -slope(u) * n * (1 - survival(u)) ** (n - 1), ends)
    assert best_of_n(Proxy(value=V, error=Exponential(sd=1.0)), (n,))[0] == pytest.approx(float(exact), rel=1e-8)


def test_best_of_n_levels_off_with_exponential_error():
    """The plateau is that of conditioning: 0.95 at n = 16 and within 0.1% of 1 from n = 256 on."""
    found = best_of_n(Proxy(value=V, error=Exponential(sd=1.0)), (16, 256, 4096, 20_000))
    assert found[0] == pytest.approx(0.9537, abs=1e-3)
    assert found[1:] == pytest.approx((1, 1, 1), abs=1e-3)


def test_best_of_n_falls_back_with_power_law_error():
    """Student's t of 3 degrees: 0.871, 0.550, 0.217 and 0.128 at n = 16, 256, 4,096 and 20,000; drawn, the first holds to 1%."""
    found = best_of_n(Proxy(value=V, error=StudentT(degrees=3, sd=math.sqrt(3))), (16, 256, 4096, 20_000))
    assert found == pytest.approx((0.871, 0.550, 0.217, 0.1276), rel=2e-3)
    rng = np.random.default_rng(8)
    value, error = rng.standard_normal((100_000, 16)), rng.standard_t(3, (100_000, 16))
    best = value[np.arange(100_000), (value + error).argmax(axis=1)]
    assert abs(best.mean() - found[0]) < 4 * scipy_stats.sem(best)
    assert 4 * scipy_stats.sem(best) < 0.015


@pytest.mark.parametrize("error", ERRORS[:4], ids=lambda law: law.name)
def test_quadrature_and_simulation_agree(error):
    """Best of 2, 16 and 256, within four standard errors of the simulation."""
    proxy, counts = Proxy(value=V, error=error), (2, 16, 256)
    for n, exact in zip(counts, best_of_n(proxy, counts), strict=True):
        found = simulate_best_of_n(proxy, n, replicates=2000, seed=1)
        assert abs(found.mean - exact) < 4 * found.error
        assert found.n == 2000


def test_one_pass_serves_every_n():
    """Values of many n at once are those of each alone, in the order asked."""
    proxy = Proxy(value=V, error=LogNormal(spread=1.0, sd=1.0))
    together = best_of_n(proxy, (10**6, 1, 64))
    assert together == pytest.approx([best_of_n(proxy, (n,))[0] for n in (10**6, 1, 64)], rel=1e-9)
    assert together[2] > 5 * together[0] > 0


def test_simulation_does_not_depend_on_how_it_is_divided(monkeypatch):
    """A block may hold less than one replicate; the mean of the best is then found block by block."""
    proxy = Proxy(value=V, error=Normal(sd=1.0))
    monkeypatch.setattr("dokimasia.theory.goodhart.selection.BLOCK", 100)
    found = simulate_best_of_n(proxy, 256, replicates=400, seed=2)
    assert abs(found.mean - best_of_n(proxy, (256,))[0]) < 4 * found.error


@pytest.mark.parametrize("error", ERRORS[:4], ids=lambda law: law.name)
def test_thresholds_are_exceeded_as_often_as_asked(error):
    """The inverse of the tail, at probabilities from a half to 1e-200."""
    proxy = Proxy(value=V, error=error)
    for log_p in (-0.7, -5.0, -460.0):
        assert proxy.logs(threshold(proxy, log_p)).survival == pytest.approx(log_p, rel=1e-9)


def test_simulated_pairs_have_the_conditional_mean():
    """Plain sampling: the mean value of a million outputs above 3 is the quadrature's, within four standard errors."""
    rng = np.random.default_rng(3)
    for error in ERRORS[:4]:
        value = rng.standard_normal(1_000_000)
        above = value[value + error.quantile(rng.random(1_000_000)) >= 3.0]
        exact = Proxy(value=V, error=error).conditional_mean(3.0)
        assert abs(above.mean() - exact) < 4 * scipy_stats.sem(above)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Normal(sd=0), "positive and finite"),
        (lambda: Exponential(sd=-1), "Found -1"),
        (lambda: StudentT(degrees=2, sd=1), "above 2"),
        (lambda: LogNormal(spread=math.inf, sd=1), "Found inf"),
        (lambda: best_of_n(Proxy(value=V, error=V), (0,)), "whole numbers from 1"),
        (lambda: best_of_n(Proxy(value=V, error=V), (2.5,)), "Found 2.5"),
        (lambda: Proxy(value=V, error=V).conditional_mean(math.inf), "See `limit`"),
        (lambda: Proxy(value=V, error=V).conditional_mean(1e6), "See `limit`"),
        (lambda: simulate_best_of_n(Proxy(value=V, error=V), 4, replicates=1, seed=0), "two replicates"),
        (lambda: simulate_best_of_n(Proxy(value=V, error=V), 4, replicates=10**10, seed=0), "1,000,000"),
        (lambda: threshold(Proxy(value=V, error=V), 1.0), "between exp"),
    ],
)
def test_parameters_outside_the_domain_are_refused(make, match):
    """The refusal says the domain, and what happens at its end."""
    with pytest.raises(DataError, match=match):
        make()
