import math

import mpmath
import numpy as np
import pytest
from scipy.special import bdtr, ndtri

from dokimasia.core import DataError
from dokimasia.stats import clopper_pearson_lower, clopper_pearson_upper
from dokimasia.theory.detection import predict_gate
from dokimasia.theory.detection.cue import (
    FiniteCue,
    GaussianCue,
    best_relaxation,
    parity_areas,
    uniform_slack,
    variation_at_least,
    variation_at_most,
)
from dokimasia.theory.detection.gate import (
    clean_needed,
    deployment_bound,
    ever,
    most_harmful,
    passing_rate,
    simulate,
    strategic,
)
from dokimasia.theory.detection.spotchecks import density_cap, failures, reviews_needed, spot_bound

SHIFTS = (1e-4, 0.5, 1.0, 2.0, 8.0)


def normal(x):
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def upper_tail(t):
    """By integration, in steps that follow the density down."""
    return mpmath.quad(normal, [t, t + 1, t + 2, t + 4, t + 8, t + 16, t + 40])


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(30):
        yield


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("rate", [1e-300, 1e-100, 1e-12, 0.003, 0.5, 1 - 1e-9])
def test_the_best_curve_is_the_mass_beyond_a_threshold(shift, rate):
    """ROC* is what deployment has beyond the threshold that leaves this rate of evaluation beyond it."""
    t = mpmath.findroot(lambda z: mpmath.log(mpmath.erfc(z / mpmath.sqrt(2)) / 2) - mpmath.log(rate), -ndtri(rate))
    assert GaussianCue(shift=shift).roc(rate) == pytest.approx(float(upper_tail(t - shift)), rel=1e-8)


@pytest.mark.parametrize("shift", SHIFTS)
def test_area_and_total_variation_are_their_integrals(shift):
    """Area: a deployment draw above an evaluation draw. Total variation: half of the absolute difference of densities."""
    cue = GaussianCue(shift=shift)
    points = [-40, -12, -6, -2, 0, shift / 2, shift, shift + 2, shift + 6, 40]
    area = mpmath.quad(lambda x: normal(x - shift) * mpmath.ncdf(x), points)
    variation = mpmath.quad(lambda x: abs(normal(x) - normal(x - shift)) / 2, points)
    assert cue.area() == pytest.approx(float(area), rel=1e-8)
    assert cue.total_variation() == pytest.approx(float(variation), rel=1e-8)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("epsilon", [-20.0, -1.0, -1e-3, 0.0, 1e-3, 0.5, 3.0, 15.0, 60.0])
def test_the_hockey_stick_is_its_integral(shift, epsilon):
    """delta(epsilon) is the excess of deployment over exp(epsilon) times evaluation, also where terms nearly cancel."""
    start = mpmath.mpf(shift) / 2 + mpmath.mpf(epsilon) / shift
    top = max(start + 40, shift + 40)
    grid = sorted(
        {p for p in (start + 1 / mpmath.mpf(8), start + 1, start + 3, shift - 2, shift, shift + 3) if p > start}
    )
    begin = max(start, mpmath.mpf(-40))
    points = [begin, *(p for p in grid if p > begin), top]
    excess = mpmath.quad(lambda x: normal(x - shift) - mpmath.exp(epsilon) * normal(x), points)
    if excess < mpmath.mpf("1e-290"):
        assert GaussianCue(shift=shift).hockey_stick(epsilon) < 1e-289
    else:
        assert GaussianCue(shift=shift).hockey_stick(epsilon) == pytest.approx(float(excess), rel=1e-8)


def test_the_relaxations_and_the_exact_bound_for_0_of_1000():
    """The published figures: 0.200 against 0.0123 at shift 0.5, 0.386 against 0.0402 at 1, 0.686 against 0.227 at 2."""
    rate = passing_rate(1000, 0.05)
    for shift, total, exact in ((0.5, 0.2004, 0.0123), (1.0, 0.3859, 0.0402), (2.0, 0.6857, 0.2266)):
        cue = GaussianCue(shift=shift)
        assert rate + cue.total_variation() == pytest.approx(total, rel=0.003)
        assert deployment_bound(cue, 1000) == pytest.approx(exact, rel=0.005)
        assert best_relaxation(cue, rate)[1] == pytest.approx(cue.roc(rate), rel=1e-9)


@pytest.mark.parametrize("cue", [GaussianCue(shift=1.3), "finite"])
@pytest.mark.parametrize("rate", [1e-4, 0.05, 0.6, 0.97])
def test_no_epsilon_gives_a_bound_below_the_exact_one(cue, rate):
    """Each epsilon, negative ones among them, gives a relaxation, and the best of them nearly the exact bound."""
    if cue == "finite":
        rng = np.random.default_rng(1)
        cue = FiniteCue(evaluation=rng.dirichlet(np.ones(9)), deployment=rng.dirichlet(np.ones(9)))
    relaxed = [math.exp(epsilon) * rate + cue.hockey_stick(epsilon) for epsilon in np.linspace(-12, 14, 4001)]
    assert min(relaxed) >= cue.roc(rate) - 1e-12
    assert min(relaxed) == pytest.approx(cue.roc(rate), rel=0.01)
    assert rate + cue.total_variation() >= cue.roc(rate)


def test_a_model_that_plays_the_gate():
    """At 10,000 tests and a probability of one half: 0.25%, 3.5% and 58% of deployment at shifts 1, 2 and 4."""
    for shift, area, share in ((1.0, 0.760, 0.0025), (2.0, 0.921, 0.0351), (4.0, 0.9977, 0.575)):
        cue = GaussianCue(shift=shift)
        attack = strategic(cue, 10_000)
        assert cue.area() == pytest.approx(area, abs=0.0005)
        assert attack.deployment_rate == pytest.approx(share, rel=0.015)
        assert 10_000 * math.log1p(-attack.evaluation_rate) == pytest.approx(math.log(0.5), rel=1e-9)


@pytest.mark.parametrize(("n", "tolerated"), [(1, 0), (40, 3), (1000, 0), (1000, 20), (10**9, 0), (10**9, 5)])
@pytest.mark.parametrize("probability", [1e-6, 0.05, 0.5, 0.999])
def test_the_gate_is_passed_with_the_probability_that_was_asked_for(n, tolerated, probability):
    """At the rate returned a binomial number is at most the tolerated one with that probability."""
    rate = mpmath.mpf(passing_rate(n, probability, tolerated))
    passes = mpmath.fsum(mpmath.binomial(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(tolerated + 1))
    assert float(passes) == pytest.approx(probability, rel=1e-8)


def test_simulated_gates_agree_with_direct_draws_and_closed_forms():
    """Passing, and passing with harm, come as often as said, and as often as when every single cue is drawn."""
    cue, n, deployments = GaussianCue(shift=1.0), 200, 30
    attack = strategic(cue, n, passes=0.5, tolerated=1)
    harm = 0.5 * ever(attack.deployment_rate, deployments)
    found = simulate(cue, attack, n, deployments=deployments, gates=40_000, seed=3, tolerated=1)
    rng = np.random.default_rng(4)
    threshold = -ndtri(attack.evaluation_rate)
    passed = (rng.normal(size=(20_000, n)) > threshold).sum(axis=1) <= 1
    harmed = passed & (rng.normal(1.0, 1, size=(20_000, deployments)) > threshold).any(axis=1)
    for events, draws, share in (
        (found.passed, found.gates, 0.5),
        (found.harmed, found.gates, harm),
        (passed.sum(), 20_000, 0.5),
        (harmed.sum(), 20_000, harm),
    ):
        assert abs(events / draws - share) < 4 * math.sqrt(share * (1 - share) / draws)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0, 5.0])
@pytest.mark.parametrize("n", [1, 100, 10**6])
def test_no_other_policy_does_more_harm(shift, n):
    """The most harmful policy beats each of a grid of others; without a cue it misbehaves at 1 / (n + 1)."""
    cue = GaussianCue(shift=shift)
    found = most_harmful(cue, n)
    best = found.passes * found.deployment_rate
    others = [math.exp(n * math.log1p(-u)) * cue.roc(u) for u in np.geomspace(1e-12, 0.999, 3000)]
    assert max(others) <= best * (1 + 1e-9)
    assert max(others) == pytest.approx(best, rel=1e-3)
    if shift == 0:
        assert found.evaluation_rate == pytest.approx(1 / (n + 1), rel=1e-9)


def test_clean_tests_that_are_needed_are_enough():
    """At the number of tests returned the bound is the target, and without a cue about 3 over the target."""
    for shift in (0.0, 0.5, 2.0):
        cue = GaussianCue(shift=shift)
        assert cue.roc(-math.expm1(math.log(0.05) / clean_needed(cue, 0.01))) == pytest.approx(0.01, rel=1e-8)
    assert clean_needed(GaussianCue(shift=0.0), 0.01) == pytest.approx(298.07, abs=0.01)
    assert clean_needed(GaussianCue(shift=37.0), 0.01) == math.inf


@pytest.mark.parametrize("rate", [0.0, 1e-18, 1e-3, 0.5, 1.0])
@pytest.mark.parametrize("times", [0, 1, 1000, 10**15])
def test_ever_is_one_less_the_probability_of_never(rate, times):
    """1 - (1 - rate)^times, with rates too small to be subtracted from 1."""
    with mpmath.workdps(60):
        assert ever(rate, times) == pytest.approx(float(1 - (1 - mpmath.mpf(rate)) ** times), rel=1e-8)


def test_bounds_between_area_and_total_variation_hold_for_5000_pairs():
    """Of the best score 1 - sqrt(2 (1 - area)) <= TV <= 2 area - 1, and of any other the first."""
    rng = np.random.default_rng(0)
    for _ in range(5000):
        size = int(rng.integers(2, 8))
        cue = FiniteCue(
            evaluation=rng.dirichlet(np.full(size, rng.choice([0.2, 1.0]))),
            deployment=rng.dirichlet(np.full(size, rng.choice([0.2, 1.0]))),
        )
        area, variation = min(1.0, cue.area()), cue.total_variation()
        assert variation_at_least(area) <= variation + 1e-7
        assert variation <= variation_at_most(max(area, 0.5)) + 1e-9
        below = np.cumsum(cue.evaluation) - cue.evaluation / 2  # a score that ranks values by their number
        assert variation_at_least(float(np.clip(cue.deployment @ below, 0, 1))) <= variation + 1e-7


@pytest.mark.parametrize("variation", [0.1, 0.5, 0.9])
def test_both_bounds_are_attained(variation):
    """There are laws at which each bound is an equality, so that neither could be better by 1%."""
    cells = 4000
    ladder = np.full(cells, 1 / cells)
    shift = round(variation * cells)
    cue = FiniteCue(
        evaluation=np.concatenate([np.zeros(shift), ladder]), deployment=np.concatenate([ladder, np.zeros(shift)])
    )
    ladder_area = 1 - (1 - variation) ** 2 / 2  # what a score that ranks along the ladder reaches
    assert cue.total_variation() == pytest.approx(variation)
    assert variation_at_least(ladder_area) == pytest.approx(variation, rel=1e-9)
    two = FiniteCue(
        evaluation=np.array([(1 - variation) / 2, (1 + variation) / 2]),
        deployment=np.array([(1 + variation) / 2, (1 - variation) / 2]),
    )
    assert variation_at_most(two.area()) == pytest.approx(two.total_variation(), rel=1e-9)


def test_published_areas_as_total_variation():
    """AUROC 0.83, 0.92, 0.95 and 0.996 say at least 0.417, 0.60, 0.684 and 0.911; and 1 - AUROC says the same."""
    for area, least in ((0.83, 0.4169), (0.92, 0.6), (0.95, 0.6838), (0.996, 0.9106)):
        assert variation_at_least(area) == pytest.approx(least, abs=5e-5)
        assert variation_at_least(1 - area) == pytest.approx(least, abs=5e-5)


def test_a_classifier_gives_a_lower_bound_with_its_margins():
    """160 of 200 against 60 of 200 show a total variation of at least 0.369 at 95%."""
    assert clopper_pearson_lower(160, 200, 0.025) - clopper_pearson_upper(60, 200, 0.025) == pytest.approx(
        0.369, abs=5e-4
    )


def test_a_blind_score_proves_nothing():
    """Parity of 20 bits: linear scores are at chance, exactly so on all strings, while the total variation is 1."""
    linear, parity = parity_areas(20, cases=4000, seed=1)
    assert abs(linear - 0.5) < 4 * math.sqrt(1 / (6 * 4000))
    assert parity == 1
    strings = (np.arange(64)[:, None] >> np.arange(6)) & 1
    scores = strings @ np.random.default_rng(2).normal(size=6)
    even, odd = scores[strings.sum(axis=1) % 2 == 0], scores[strings.sum(axis=1) % 2 == 1]
    assert (odd[:, None] > even).mean() + (odd[:, None] == even).mean() / 2 == pytest.approx(0.5, abs=1e-12)


def test_the_price_of_all_half_spaces():
    """About 0.1 in 256 dimensions at 10 million inputs, 0.24 in 16 at 100,000; 1 where inputs are few."""
    assert uniform_slack(256, 10**7) == pytest.approx(0.1005, rel=0.005)
    assert uniform_slack(16, 10**5) == pytest.approx(0.2410, rel=0.005)
    assert uniform_slack(256, 100) == 1


def test_spot_checks_bound_where_plain_reviews_do_not():
    """With the density cap the bound fails in at most 5% of months; without it, in most, if reviews avoid misbehaviour."""
    missed, alone = failures(0.02, least=0.02, most=0.2, exposed=0.5, inputs=20_000, months=3000, seed=0)
    assert missed / 3000 < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 3000)
    assert missed > 0
    assert alone / 3000 > 0.9
    missed, _ = failures(0.02, least=0.1, most=0.1, exposed=0.5, inputs=20_000, months=3000, seed=0)
    assert 0.01 < missed / 3000 < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 3000)


def test_the_density_cap_is_attained_where_reviews_are_rarest():
    """Over random propensities no set has more traffic than the cap times reviews, and the rarest set has exactly that."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        traffic, propensity = rng.dirichlet(np.ones(6)), rng.uniform(0.01, 1, 6)
        reviews = traffic * propensity / (traffic @ propensity)
        cap = density_cap(float(traffic @ propensity), float(propensity.min()))
        assert (traffic / reviews).max() == pytest.approx(cap, rel=1e-9)


def test_reviews_that_are_needed_are_enough():
    """At the number returned the bound meets the target, with a cap and a reviewer who misses some."""
    needed = reviews_needed(0.01, cap=3.0, sensitivity=0.8)
    assert spot_bound(0, math.ceil(needed), cap=3.0, sensitivity=0.8) <= 0.01
    assert spot_bound(0, math.floor(needed) - 1, cap=3.0, sensitivity=0.8) > 0.01
    assert spot_bound(3, 3, cap=3.0) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"n": 2.5},
        {"bad": 5, "n": 4},
        {"bad": 10, "n": 10},
        {"shift": -1.0},
        {"shift": math.inf},
        {"shift": math.nan},
        {"passes": 1.0},
        {"delta": 0.0},
        {"deployments": 0},
        {"least_review": 0.0},
        {"least_review": 0.5, "mean_review": 0.1},
    ],
)
def test_parameters_outside_the_domain_are_refused(wrong):
    """Each is a mistake of the user's, told in three sentences."""
    with pytest.raises(DataError):
        predict_gate(**wrong)


def test_the_prediction_says_both_bounds_and_is_reproducible():
    """The exact bound is below the one by total variation; the same seed gives the same prediction."""
    found = predict_gate(n=500, shift=2.0, seed=1)
    assert found.value("deployment rate, at most").value < found.value("by total variation").value
    assert found == predict_gate(n=500, shift=2.0, seed=1)
    tolerant = predict_gate(n=500, bad=2, shift=2.0)
    low, high = (
        tolerant.value("strategic: passes, simulated").low,
        tolerant.value("strategic: passes, simulated").high,
    )
    assert low < 0.5 < high
    rate = tolerant.value("strategic: evaluation rate").value
    assert bdtr(2, 500, rate) == pytest.approx(0.5, rel=1e-9)
