"""What divergence buys: best of n with ties, tilting, the bound, Gao's curves, theorem 1."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.goodhart import (
    BestOfNCurve,
    Exponential,
    LearningCurve,
    LogNormal,
    Normal,
    Proxy,
    StudentT,
    Uniform,
    best_of_n_kl,
    bound,
    cheap_reward,
    discrete_best_of_n_kl,
    nats_for,
    regularised,
    regularised_at,
    reweighted,
    smallest_beta,
    win_rate_bound,
)

V = Normal(sd=1.0)


@pytest.mark.parametrize("n", [1.0, 1 + 1e-9, 1.0005, 1.01, 2, 64, 1e9])
def test_best_of_n_moves_by_the_usual_formula_without_ties(n):
    """The integral of n x^(n-1) ln(n x^(n-1)) over ranks is ln n - (n - 1)/n; every digit holds near n = 1."""
    with mpmath.workdps(30):
        m = mpmath.mpf(n)
        exact = mpmath.log(m) - (m - 1) / m
        assert best_of_n_kl(n) == pytest.approx(float(exact), rel=1e-6, abs=1e-30)
        if 1 < n < 100:
            integral = mpmath.quad(lambda x: m * x ** (m - 1) * mpmath.log(m * x ** (m - 1)), [0, 0.5, 0.9, 0.99, 1])
            assert float(integral) == pytest.approx(float(exact), rel=1e-8, abs=1e-12)


def test_two_outcomes_move_far_less_than_the_formula_says():
    """Best of 64 of two equally likely scores costs 0.693 nats, and not 3.17."""
    assert discrete_best_of_n_kl([0.5, 0.5], 64) == pytest.approx(math.log(2), rel=1e-9)
    assert best_of_n_kl(64) == pytest.approx(3.1745, abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_discrete_divergence_is_that_of_enumeration(n):
    """All draws of n outputs with ties broken at random, enumerated as outputs rather than scores."""
    p, score = np.asarray([0.1, 0.2, 0.3, 0.15, 0.25]), [0, 1, 1, 2, 2]
    chosen = np.zeros(5)
    for drawn in itertools.product(range(5), repeat=n):
        best = max(score[item] for item in drawn)
        tied = [item for item in drawn if score[item] == best]
        for item in tied:
            chosen[item] += p[list(drawn)].prod() / len(tied)
    assert chosen.sum() == pytest.approx(1)
    exact = float(np.sum(chosen * np.log(chosen / p)))
    assert discrete_best_of_n_kl([0.1, 0.5, 0.4], n) == pytest.approx(exact, rel=1e-10, abs=1e-15)
    assert exact <= best_of_n_kl(n) + 1e-15


def test_many_scores_come_near_the_formula():
    """10,000 equally likely scores move nearly as far as a continuum does, and never further."""
    found = discrete_best_of_n_kl(np.full(10_000, 1e-4), 64)
    assert best_of_n_kl(64) - 1e-3 < found <= best_of_n_kl(64)


def test_best_of_n_wins_as_often_as_it_can():
    """The best of n beats one draw in n/(n+1) of cases, by simulation within four standard errors; with ties, less."""
    rng = np.random.default_rng(0)
    best, one = rng.random((100_000, 4)).max(axis=1), rng.random(100_000)
    assert (best > one).mean() == pytest.approx(win_rate_bound(4), abs=4 * 0.4 / math.sqrt(100_000))
    tied = np.mean((np.round(best) > np.round(one)) + 0.5 * (np.round(best) == np.round(one)))
    assert tied < win_rate_bound(4) - 0.05


def test_a_rare_hack_costs_little_at_low_frequency():
    """Nats for a two-outcome policy, against its divergence at 30 digits; nought at the frequency it has already."""
    with mpmath.workdps(30):
        for f, log_q in ((0.01, -1000.0), (0.3, -2.0), (1.0, -50.0)):
            q, m = mpmath.exp(log_q), mpmath.mpf(f)
            exact = m * (mpmath.log(m) - log_q) + ((1 - m) * mpmath.log((1 - m) / (1 - q)) if f < 1 else 0)
            assert nats_for(f, log_q) == pytest.approx(float(exact), rel=1e-10)
    assert nats_for(0.2, math.log(0.2)) == pytest.approx(0, abs=1e-12)
    assert nats_for(0.0, -10.0) == pytest.approx(4.54e-5, rel=1e-3)


@pytest.mark.parametrize("error", [Normal(sd=2.0), Exponential(sd=0.5), Uniform(half=1.0)], ids=lambda law: law.name)
@pytest.mark.parametrize("beta", [0.7, 3.0])
def test_the_regularised_optimum_is_that_of_direct_weighting(error, beta):
    """Means and divergence under the weights exp(U / beta), with value and error integrated by mpmath."""
    with mpmath.workdps(30):
        s = 1 / mpmath.mpf(beta)
        densities = {
            "normal": (lambda x, sd: mpmath.npdf(x / sd) / sd, [-60, -10, 0, 5, 10, 20, 60]),
            "exponential": (lambda x, sd: mpmath.exp(-x / sd) / sd, [0, 1, 5, 20, 400]),
            "uniform": (lambda x, half: mpmath.mpf(1) / (2 * half), [-1, 1]),
        }

        def parts(law):
            density, ends = densities[law.name]
            size = mpmath.mpf(law.half if isinstance(law, Uniform) else law.sd)
            mass = mpmath.quad(lambda x: density(x, size) * mpmath.exp(s * x), ends)
            return mpmath.log(mass), mpmath.quad(lambda x: x * density(x, size) * mpmath.exp(s * x), ends) / mass

        (of_value, value), (of_error, mean) = parts(V), parts(error)
        found = regularised(Proxy(value=V, error=error), beta)
        assert found.value == pytest.approx(float(value), rel=1e-8)
        assert found.proxy == pytest.approx(float(value + mean), rel=1e-8)
        assert found.kl == pytest.approx(float(s * (value + mean) - of_value - of_error), rel=1e-8)


def test_there_is_no_optimum_where_the_tail_is_exponential():
    """Theorem 4 needs more than light tails: at beta <= 1/rate E exp(U / beta) is infinite, and the value is below L sd**2."""
    proxy = Proxy(value=V, error=Exponential(sd=2.0))
    assert smallest_beta(proxy) == 2.0
    assert regularised(proxy, 2.0) is None
    assert regularised(proxy, 1.0) is None
    near = regularised(proxy, 2.0 * (1 + 1e-9))
    assert near.value == pytest.approx(0.5, rel=1e-8)
    assert near.kl > 1e8
    assert regularised_at(proxy, 50.0).value < 0.5


def test_heavier_tails_have_no_optimum_at_all():
    """With log-normal or t error no strength of regularisation has one; with normal error every strength does."""
    for error in (StudentT(degrees=3, sd=1.0), LogNormal(spread=1.0, sd=1.0)):
        assert math.isinf(smallest_beta(Proxy(value=V, error=error)))
        assert regularised(Proxy(value=V, error=error), 1e9) is None
        assert regularised_at(Proxy(value=V, error=error), 1.0) is None
    assert smallest_beta(Proxy(value=V, error=V)) == 0
    assert regularised(Proxy(value=V, error=V), 1e-3).value == pytest.approx(1000)


@pytest.mark.parametrize("kl", [1e-6, 0.01, 1.0, 30.0])
def test_optima_at_a_divergence_have_it(kl):
    """Solved for nats, the optimum has them; with normal error its value is sd_v**2 sqrt(2 kl) / sd_u."""
    found = regularised_at(Proxy(value=Normal(sd=2.0), error=Normal(sd=1.5)), kl)
    assert found.kl == pytest.approx(kl, rel=1e-8)
    assert found.value == pytest.approx(4 / 2.5 * math.sqrt(2 * kl), rel=1e-8)


@pytest.mark.parametrize("kl", [0.001, 0.5, 8.0])
def test_the_bound_of_a_normal_value_is_its_closed_form(kl):
    """Donsker and Varadhan's bound is sd sqrt(2 kl)."""
    assert bound(Normal(sd=3.0), kl) == pytest.approx(3 * math.sqrt(2 * kl), rel=1e-10)


@pytest.mark.parametrize("law", [Uniform(half=1.0), Exponential(sd=1.0)], ids=lambda law: law.name)
@pytest.mark.parametrize("kl", [0.01, 0.5, 3.0])
def test_the_bound_is_the_infimum(law, kl):
    """The same as the smallest of (kl + K(s)) / s on a fine grid of s, K by mpmath."""
    with mpmath.workdps(30):

        def cumulant(s):
            if isinstance(law, Exponential):
                return -mpmath.log(1 - s)
            return mpmath.log(mpmath.sinh(s) / s)

        steps = [mpmath.mpf(10) ** (mpmath.mpf(k) / 500 - 3) for k in range(3000)]
        grid = [s / (1 + s) for s in steps] if isinstance(law, Exponential) else steps
        assert bound(law, kl) == pytest.approx(float(min((kl + cumulant(s)) / s for s in grid)), rel=1e-4)


def test_the_bound_of_a_bounded_value_ends_at_its_largest():
    """No divergence takes a value beyond its support, and small ones hardly move it."""
    assert bound(Uniform(half=2.0), 1e6) == 2.0
    assert bound(Uniform(half=2.0), 1e-10) == pytest.approx(2 / math.sqrt(3) * math.sqrt(2e-10), rel=1e-3)
    assert math.isinf(bound(StudentT(degrees=3, sd=1.0), 0.1))


def test_no_policy_passes_the_bound():
    """Regularised optima, whatever their error, lie below it."""
    for error in (Normal(sd=0.3), Exponential(sd=1.0)):
        for kl in (0.01, 1.0, 10.0):
            assert regularised_at(Proxy(value=V, error=error), kl).value < bound(V, kl)


def test_peaks_of_gaos_curves_are_maxima():
    """Closed forms of both peaks, against the largest on a fine grid, and their stated values."""
    for curve, distance, gold in (
        (BestOfNCurve(alpha=1.2, beta=0.3), 2.0, 1.2),
        (LearningCurve(alpha=1.2, beta=0.4), math.exp(2), 0.4 * math.exp(2)),
    ):
        peak = curve.peak()
        assert (peak.distance, peak.kl, peak.gold) == pytest.approx((distance, distance**2, gold), rel=1e-12)
        grid = np.linspace(1e-3, 4 * distance, 20_001)
        assert max(curve.gold(d * d) for d in grid) == pytest.approx(gold, rel=1e-6)
        assert curve.gold(peak.kl) == pytest.approx(gold, rel=1e-12)
        assert curve.gold(0.0) == 0
    assert BestOfNCurve(alpha=1, beta=0).peak() is None
    assert LearningCurve(alpha=1, beta=-1).peak() is None
    assert LearningCurve(alpha=1, beta=1e-3).peak() is None  # at exp(999), which no float holds


def test_theorem_1_buys_a_mean_for_nothing():
    """Weight t^-0.8 on t3 scores of t or more: means grow and nats fall; on normal scores nats grow."""
    heavy = [reweighted(StudentT(degrees=3, sd=math.sqrt(3)), t, t**-0.8) for t in (10, 100, 1e3, 1e4)]
    assert [item.mean for item in heavy] == pytest.approx([2.378, 3.768, 5.972, 9.464], rel=1e-3)
    assert [item.kl for item in heavy] == pytest.approx([0.65, 0.23, 0.056, 0.012], rel=0.02)
    light = [reweighted(V, t, t**-0.8).kl for t in (10, 30)]
    assert light == pytest.approx([8.0, 29.8], rel=0.01)


@pytest.mark.parametrize(
    "law",
    [StudentT(degrees=3, sd=1.0), LogNormal(spread=1.0, sd=1.0), Exponential(sd=1.0), V],
    ids=lambda law: law.name,
)
def test_a_reweighted_policy_is_that_of_its_sample(law):
    """Mean and nats against a sample of a million with the same weights, within 2%."""
    x = law.quantile(np.random.default_rng(1).random(1_000_000))
    above = x >= 2.0
    found = reweighted(law, 2.0, 0.3)
    assert found.mean == pytest.approx(0.3 * x[above].mean() + 0.7 * x[~above].mean(), rel=0.02)
    p = above.mean()
    assert found.kl == pytest.approx(0.3 * math.log(0.3 / p) + 0.7 * math.log(0.7 / (1 - p)), rel=0.02)


def test_any_mean_within_any_divergence_of_a_heavy_tail():
    """Theorem 1 as a construction: found for t and log-normal scores, and not for normal or exponential ones."""
    for law in (StudentT(degrees=3, sd=1.0), StudentT(degrees=9, sd=1.0), LogNormal(spread=1.0, sd=1.0)):
        found = cheap_reward(law, mean=50.0, kl=0.05)
        assert found.mean > 50
        assert found.kl < 0.05
    assert cheap_reward(V, mean=50.0, kl=0.05) is None
    assert cheap_reward(Exponential(sd=1.0), mean=50.0, kl=0.05) is None


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: best_of_n_kl(0.5), "1 or more"),
        (lambda: discrete_best_of_n_kl([0.5, 0.6], 2), "add up to one"),
        (lambda: discrete_best_of_n_kl([0.5, 0.5], 1.5), "whole n"),
        (lambda: nats_for(1.5, -1), "frequency in"),
        (lambda: regularised(Proxy(value=V, error=V), 0.0), "positive and finite"),
        (lambda: bound(V, -1.0), "Found -1"),
        (lambda: reweighted(V, 0.0, 1.0), "strictly between"),
        (lambda: reweighted(Exponential(sd=1.0), -1.0, 0.5), "both sides"),
        (lambda: BestOfNCurve(alpha=1, beta=1).gold(-1), "not negative"),
        (lambda: BestOfNCurve(alpha=math.nan, beta=1), "alpha"),
        (lambda: LearningCurve(alpha=1, beta=1e-300), "beta"),
    ],
)
def test_parameters_outside_the_domain_are_refused(make, match):
    """The refusal says the domain."""
    with pytest.raises(DataError, match=match):
        make()
