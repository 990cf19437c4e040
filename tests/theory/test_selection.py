"""The replicator equation: conservation, invariance, steps to flip, plain gradient, bounds, probes."""

import math
from dataclasses import replace
from itertools import product

import mpmath
import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.selection import (
    Hypotheses,
    Hypothesis,
    Outcome,
    Situation,
    bounds_over_motives,
    bounds_over_priors,
    causal_graph,
    expected_information,
    in_the_limit,
    posterior,
    prior_sensitivity,
    rank_probes,
    shares,
    steps_by_plain_gradient,
    steps_to_overtake,
)

PRIOR = np.array([0.40, 0.03, 0.27, 0.30])
FITNESS = np.array([0.90, 0.95, 0.95, 0.2])


def small(**changes):
    """Two motives that differ in one situation of training."""
    given = {
        "training": (Situation(name="easy", share=0.9), Situation(name="flawed", share=0.1)),
        "deployment": (Situation(name="usual", share=1.0), Situation(name="probe", share=0.0)),
        "hypotheses": (
            Hypothesis(name="meant", prior=0.9, reward=(0.8, 0.2), misbehaves=(0.0, 0.1), wants=("result",)),
            Hypothesis(name="hack", prior=0.1, reward=(0.8, 0.9), misbehaves=(0.0, 0.9), wants=("reward",)),
        ),
        "outcomes": (Outcome(name="result", leads_to=("reward",)), Outcome(name="reward")),
    }
    return Hypotheses(**(given | changes))


@pytest.mark.parametrize("steps", [0, 1, 1000, 1e9])
def test_shares_are_conserved_and_differences_alone_count(steps):
    """They sum to one, and adding a constant to every reward changes nothing."""
    found = shares(PRIOR, FITNESS, steps, eta=0.3)
    assert found.sum() == pytest.approx(1, rel=1e-12)
    assert found == pytest.approx(shares(PRIOR, FITNESS + 5, steps, eta=0.3), rel=1e-6, abs=1e-300)


def test_shares_solve_the_replicator_equation():
    """Integrated at 30 digits, dw/dN = eta w (f - mean f) gives the closed form to 1e-8."""
    with mpmath.workdps(30):
        fit = [mpmath.mpf(value) for value in (0.9, 0.95, 0.2)]

        def slope(_, w):
            mean = sum(a * b for a, b in zip(w, fit, strict=True))
            return [mpmath.mpf("0.5") * a * (b - mean) for a, b in zip(w, fit, strict=True)]

        solved = mpmath.odefun(slope, 0, [mpmath.mpf("0.6"), mpmath.mpf("0.1"), mpmath.mpf("0.3")], tol=1e-12)(8)
    assert shares([0.6, 0.1, 0.3], [0.9, 0.95, 0.2], 8, eta=0.5) == pytest.approx([float(x) for x in solved], rel=1e-8)


@pytest.mark.parametrize("steps", [0, 7, 10**6])
def test_equal_rewards_leave_the_prior(steps):
    """No training tells apart what earns the same: the odds, and with equal rewards all shares, stay as they were."""
    assert shares(PRIOR, np.full(4, 0.7), steps, eta=1.0) == pytest.approx(PRIOR, rel=1e-12)
    found = shares(PRIOR, FITNESS, steps, eta=1.0)
    assert found[1] / found[2] == pytest.approx(0.03 / 0.27, rel=1e-9)


def test_steps_to_flip_are_those_of_the_worked_example():
    """A reward that is wrong once in a thousand makes .03 overtake .40 after 2,590 steps; the shares then are equal."""
    steps = steps_to_overtake(0.40, 0.03, 1e-3, eta=1.0)
    assert steps == pytest.approx(2590.267, rel=1e-6)
    crossed = shares([0.40, 0.03], [0.5, 0.501], steps, eta=1.0)
    assert crossed[0] == pytest.approx(crossed[1], rel=1e-9)


def test_a_larger_flaw_flips_sooner():
    """Steps to flip fall in proportion to the flaw; without a flaw, or without a prior, it never flips."""
    steps = [steps_to_overtake(0.4, 0.03, gap, eta=0.1) for gap in (1e-4, 1e-3, 1e-2)]
    assert steps[0] == pytest.approx(10 * steps[1], rel=1e-9)
    assert steps[1] > steps[2]
    assert steps_to_overtake(0.4, 0.03, 0.0, eta=0.1) is None
    assert steps_to_overtake(0.4, 0.0, 0.1, eta=0.1) is None
    assert steps_to_overtake(0.03, 0.4, -0.1, eta=0.1) == 0.0


def test_shares_rise_with_the_flaw():
    """After any number of steps the share of the motive that exploits a flaw is monotone in the flaw's size."""
    found = [shares([0.9, 0.1], [0.5, 0.5 + gap], 50, eta=0.5)[1] for gap in (0.0, 1e-6, 1e-3, 0.1, 0.4)]
    assert found == sorted(set(found))


def test_endless_training_leaves_priors_among_the_fittest():
    """The limit, and a share that was nought stays nought though it would earn most."""
    assert in_the_limit(PRIOR, FITNESS) == pytest.approx([0, 0.1, 0.9, 0])
    assert shares(PRIOR, FITNESS, 1e7, eta=1.0) == pytest.approx(in_the_limit(PRIOR, FITNESS))
    assert in_the_limit([1.0, 0.0], [0.1, 0.9]).tolist() == [1.0, 0.0]
    assert shares([1.0, 0.0], [0.1, 0.9], 1e6, eta=1.0).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(("start", "end"), [(0.3, 0.5), (1e-2, 0.5), (1e-9, 0.5), (0.5, 1 - 1e-6), (0.3, 0.3)])
def test_plain_gradient_takes_the_time_of_its_equation(start, end):
    """The closed form is the integral of dw / (2 eta gap w^2 (1 - w)^2), at 30 digits to 1e-8."""
    with mpmath.workdps(30):
        points = [mpmath.mpf(start)]
        while points[-1] * 4 < mpmath.mpf(end) and points[-1] < 0.1:
            points.append(points[-1] * 4)
        if end > 0.9:
            points += [1 - mpmath.mpf(10) ** -power for power in range(1, 6)]
        integral = mpmath.quad(lambda w: 1 / (mpmath.mpf("0.02") * w**2 * (1 - w) ** 2), [*points, mpmath.mpf(end)])
    assert steps_by_plain_gradient(start, end, 0.1, eta=0.1) == pytest.approx(float(integral), rel=1e-8)


def test_plain_gradient_needs_the_inverse_of_a_rare_share():
    """Ten times rarer takes ten times as long, where the replicator adds a constant."""
    plain = [steps_by_plain_gradient(start, 0.5, 0.1, eta=0.1) for start in (1e-5, 1e-6)]
    model = [steps_to_overtake(1 - start, start, 0.1, eta=0.1) for start in (1e-5, 1e-6)]
    assert plain[1] / plain[0] == pytest.approx(10, rel=0.01)
    assert model[1] - model[0] == pytest.approx(math.log(10) / 0.01, rel=1e-4)


def test_sensitivity_is_the_slope_of_the_shares():
    """By central differences of each log prior, whatever the training."""
    for steps in (0, 20):
        share = shares(PRIOR, FITNESS, steps, eta=0.5)
        for changed in range(4):
            step = 1e-5 * (np.arange(4) == changed)
            up, down = (shares(PRIOR * np.exp(sign * step), FITNESS, steps, eta=0.5) for sign in (1, -1))
            assert prior_sensitivity(share)[:, changed] == pytest.approx((up - down) / 2e-5, abs=1e-8)


def test_bounds_over_motives_leave_out_the_negligible():
    """The worst motive counts from the least share on, and not below."""
    found = bounds_over_motives([0.985, 0.01, 0.005], [0.1, 0.3, 0.9], least=0.01)
    assert (found.low, found.high, found.highest) == (0.1, 0.3, 1)
    assert bounds_over_motives([0.985, 0.01, 0.005], [0.1, 0.3, 0.9], least=0.0).high == 0.9
    assert bounds_over_motives([1.0, 0.0], [0.1, 0.9], least=0.0).high == 0.1
    with pytest.raises(DataError, match="Lower the least"):
        bounds_over_motives([0.5, 0.5], [0.1, 0.9], least=0.6)


def test_bounds_over_priors_are_the_extremes():
    """They equal a search over every corner of priors, contain every prior between, and shut at a factor of 1."""
    rng = np.random.default_rng(0)
    share, rate = rng.dirichlet(np.ones(6)), rng.random(6)
    found = bounds_over_priors(share, rate, factor=4.0)
    corners = [share * np.array(odds) for odds in product((0.25, 4.0), repeat=6)]
    rates = [odds @ rate / odds.sum() for odds in corners]
    assert (found.low, found.high) == pytest.approx((min(rates), max(rates)), rel=1e-12)
    inner = share * np.exp(rng.uniform(-math.log(4), math.log(4), size=(2000, 6)))
    between = inner @ rate / inner.sum(axis=1)
    assert found.low <= between.min()
    assert between.max() <= found.high
    shut = bounds_over_priors(share, rate, factor=1.0)
    assert shut.low == pytest.approx(shut.high) == pytest.approx(share @ rate)


def test_factors_act_on_shares_as_on_priors():
    """Priors wrong by a factor, then selection, is selection, then shares wrong by that factor."""
    odds = np.array([3.0, 1 / 3, 3.0, 1.0])
    before = shares(PRIOR * odds / (PRIOR @ odds), FITNESS, 30, eta=0.5)
    after = shares(PRIOR, FITNESS, 30, eta=0.5) * odds
    assert before == pytest.approx(after / after.sum())


@pytest.mark.parametrize("tries", [1, 3, 20])
def test_information_is_entropy_less_what_remains(tries):
    """Mutual information by the other side: entropy of the motive less its expected entropy after each count."""
    share, rate = np.array([0.5, 0.3, 0.2]), np.array([0.0, 0.2, 0.7])
    left = 0.0
    for count in range(tries + 1):
        likelihood = np.array([math.comb(tries, count) * r**count * (1 - r) ** (tries - count) for r in rate])
        after = posterior(share, rate, misbehaved=count, tries=tries)
        left -= (share @ likelihood) * sum(p * math.log2(p) for p in after if p > 0)
    entropy = -sum(p * math.log2(p) for p in share)
    assert expected_information(share, rate, tries=tries) == pytest.approx(entropy - left, rel=1e-9)


def test_information_is_exact_for_many_attempts():
    """30 digits agree to 1e-8, for rates near nought and at one."""
    share, rate, tries = [0.6, 0.3, 0.1], [1e-6, 1e-3, 1.0], 400
    with mpmath.workdps(30):
        weights, rates = [mpmath.mpf(x) for x in share], [mpmath.mpf(x) for x in rate]
        total = mpmath.mpf(0)
        for count in range(tries + 1):
            each = [mpmath.binomial(tries, count) * r**count * (1 - r) ** (tries - count) for r in rates]
            mean = sum(w * p for w, p in zip(weights, each, strict=True))
            total += sum(w * p * mpmath.log(p / mean, 2) for w, p in zip(weights, each, strict=True) if p > 0)
    assert expected_information(share, rate, tries=tries) == pytest.approx(float(total), rel=1e-8)


def test_more_attempts_never_tell_less_and_alike_tells_nothing():
    """Information grows with attempts up to the entropy, and is nought where all behave alike."""
    found = [expected_information([0.7, 0.3], [0.1, 0.4], tries=tries) for tries in (1, 2, 5, 50, 2000)]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(0.881290899, rel=1e-6)
    assert expected_information([0.7, 0.3], [0.4, 0.4], tries=50) == pytest.approx(0.0, abs=1e-12)


def test_probes_are_ranked_and_update_by_bayes():
    """The situation in which motives differ comes first; what is impossible says so."""
    first, second = rank_probes(small(), [0.9, 0.1])
    assert (first.situation, second.situation) == ("probe", "usual")
    assert second.information == 0.0
    assert second.if_bad is None
    assert first.if_bad[1] == pytest.approx(0.1 * 0.9 / (0.1 * 0.9 + 0.9 * 0.1))
    assert first.if_clean[1] == pytest.approx(0.1 * 0.1 / (0.1 * 0.1 + 0.9 * 0.9))


def test_the_graph_puts_causes_above_effects_and_motives_beside_them():
    """Every outcome stands above what it leads to; dashed arrows go from motives on the left to what they want."""
    figure = causal_graph(small())
    for arrow in figure.arrows:
        start, end = figure.nodes[arrow.start], figure.nodes[arrow.end]
        assert start.x < end.x if arrow.dashed else start.y > end.y
    assert [(figure.nodes[a.start].label, figure.nodes[a.end].label) for a in figure.arrows] == [
        ("result", "reward"),
        ("meant", "result"),
        ("hack", "reward"),
    ]
    assert len(causal_graph(small(outcomes=(), hypotheses=bare())).nodes) == 2


def bare():
    return tuple(replace(item, wants=()) for item in small().hypotheses)


def test_a_circle_of_causes_is_refused():
    """Outcomes that cause one another have no order."""
    circle = (Outcome(name="result", leads_to=("reward",)), Outcome(name="reward", leads_to=("result",)))
    with pytest.raises(DataError, match="without circles"):
        causal_graph(small(outcomes=circle))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hypotheses": small().hypotheses[:1]}, "Two or more hypotheses"),
        ({"training": ()}, "Some training situations"),
        ({"training": (Situation(name="a", share=0.5), Situation(name="a", share=0.5))}, "'a' twice"),
        ({"training": (Situation(name="a", share=0.5), Situation(name="b", share=0.4))}, "sum to 0.9"),
        ({"training": (Situation(name="a", share=1.5), Situation(name="b", share=-0.5))}, "Found -0.5"),
        ({"hypotheses": tuple(replace(item, prior=0.4) for item in small().hypotheses)}, "2 that sum to 0.8"),
        ({"hypotheses": tuple(replace(item, prior=math.nan) for item in small().hypotheses)}, "Found nan"),
        ({"hypotheses": tuple(replace(item, reward=(0.5,)) for item in small().hypotheses)}, "2 rewards"),
        ({"hypotheses": tuple(replace(item, misbehaves=(0.5, 1.1)) for item in small().hypotheses)}, "Found 1.1"),
        ({"outcomes": (Outcome(name="result"),)}, "Found 'reward'"),
    ],
)
def test_what_is_no_set_of_hypotheses_is_refused(changes, words):
    """Priors or shares that do not sum to one, names given twice, numbers that are missing or out of range."""
    with pytest.raises(DataError, match=words):
        small(**changes)


@pytest.mark.parametrize(
    "call",
    [
        lambda: shares(PRIOR, FITNESS, -1, eta=1.0),
        lambda: shares(PRIOR, FITNESS, math.inf, eta=1.0),
        lambda: shares(PRIOR, FITNESS, 1, eta=0.0),
        lambda: shares(PRIOR, FITNESS, 1, eta=math.nan),
        lambda: steps_by_plain_gradient(0.0, 0.5, 0.1, eta=1.0),
        lambda: steps_by_plain_gradient(0.6, 0.5, 0.1, eta=1.0),
        lambda: steps_by_plain_gradient(0.1, 0.5, 0.0, eta=1.0),
        lambda: bounds_over_motives(PRIOR, FITNESS, least=1.5),
        lambda: bounds_over_priors(PRIOR, FITNESS, factor=0.5),
        lambda: expected_information(PRIOR, FITNESS, tries=0),
        lambda: expected_information(PRIOR, FITNESS, tries=10**9),
    ],
)
def test_parameters_out_of_their_domain_are_refused(call):
    """The domain is named, and the limit where there is one."""
    with pytest.raises(DataError):
        call()


@pytest.mark.parametrize("tries", [1000, 100_000])
def test_information_stays_finite_where_likelihoods_vanish(tries):
    """Many attempts tell all that can be told, the entropy of the shares, and never more, however small their odds."""
    share = np.array([0.5, 0.5 - 1e-12, 1e-12])
    found = expected_information(share, [1e-4, 0.5, 0.9999], tries=tries)
    assert found == pytest.approx(1.0, abs=1e-6)
    assert expected_information([0.5, 0.5, 0.0], [0.1, 0.9, 0.5], tries=tries) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("eta", [0.0, 1e308, 5e-324, math.nan, math.inf, -1.0])
def test_a_strength_that_cannot_be_computed_with_is_refused(eta):
    """Zero, negative, no number, or too extreme: the domain is said."""
    with pytest.raises(DataError, match="from 1e-12 to 1e"):
        shares(PRIOR, FITNESS, 10, eta=eta)
