import math

import mpmath
import numpy as np
import pytest
from scipy.special import ndtri

from dokimasia.core import DataError
from dokimasia.theory.detection import predict_audits
from dokimasia.theory.detection.audits import (
    above_selected,
    audited_share,
    best_share,
    catch,
    catch_half_seen,
    catch_selected,
    cost,
    no_harm,
    no_harm_unpunished,
    simulate,
    successes_before_catch,
)
from dokimasia.theory.detection.resampling import AGGREGATES, Resampling
from dokimasia.theory.detection.resampling import simulate as simulate_steps


def test_the_catch_at_published_budgets():
    """At d' = 2: 0.227, 0.372, 0.547 and 0.764 at 0.3%, 1%, 3% and 10%; by selection among 4, 0.372 becomes 0.019."""
    for share, caught in ((0.003, 0.2275), (0.01, 0.3721), (0.03, 0.5474), (0.1, 0.7638)):
        assert catch(2.0, share) == pytest.approx(caught, rel=0.001)
    assert catch_selected(2.0, 0.01, 4) == pytest.approx(0.0192, rel=0.003)


@pytest.mark.parametrize("share", [1e-12, 0.01, 0.5, 1 - 1e-9])
def test_the_limits_of_the_catch(share):
    """Nothing audited catches nothing, everything all; a blind monitor catches what it audits; one candidate is no choice."""
    assert (catch(2.0, 0.0), catch(2.0, 1.0)) == (0.0, 1.0)
    assert catch(0.0, share) == share
    assert catch_selected(1.5, share, 1) == catch(1.5, share)


def test_what_a_monitor_catches_is_drawn():
    """The least suspicious of m normal candidates is above the honest threshold as often as said, however well it is seen."""
    rng = np.random.default_rng(0)
    draws, m = 200_000, 5
    threshold = -ndtri(0.1)
    for sight in (0.0, 0.5, 0.95, 1.0):
        views = rng.normal(size=(draws, m)).min(axis=1) if sight else rng.normal(size=draws)
        scores = 2 + sight * views + math.sqrt(1 - sight**2) * rng.normal(size=draws)
        expected = catch_half_seen(2.0, 0.1, m, sight)
        assert abs((scores > threshold).mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / draws)


@pytest.mark.parametrize("sight", [1e-6, 0.3, 0.69, 0.72, 0.99, 1 - 1e-9])
@pytest.mark.parametrize(("margin", "m"), [(0.5, 2), (-3.0, 2), (2.0, 1e6), (4.0, 30)])
def test_a_half_seen_score_by_independent_integration(sight, margin, m):
    """Quadrature over the chosen candidate's view at 30 digits gives the same; at the ends it is the plain forms."""
    with mpmath.workdps(30):
        own = mpmath.sqrt(1 - mpmath.mpf(sight) ** 2)

        def mass(w):  # given what the attacker does not see, all of the views must be above
            return mpmath.npdf(w) * mpmath.exp(m * mpmath.log(mpmath.ncdf((margin + own * w) / sight)))

        if sight > 0.5:
            expected = mpmath.quad(mass, [*range(-8, 14, 2), 20, 30, 38])
        else:
            expected = mpmath.quad(
                lambda x: m * mpmath.npdf(x) * mpmath.ncdf(x) ** (m - 1) * mpmath.ncdf((margin - sight * x) / own),
                [*range(-8, 14, 2), 20],
            )
    assert above_selected(margin, m, sight) == pytest.approx(float(expected), rel=1e-8)
    assert above_selected(margin, m, 0.0) == pytest.approx(float(mpmath.ncdf(margin)), rel=1e-12)


@pytest.mark.parametrize("caught", [1e-9, 0.2, 0.9, 1.0])
@pytest.mark.parametrize("attacks", [1, 7, 2000])
def test_successes_before_the_first_catch_are_a_sum(caught, attacks):
    """The mean is the sum over attacks of the probability that all until then have succeeded."""
    with mpmath.workdps(30):
        expected = mpmath.fsum((1 - mpmath.mpf(caught)) ** i for i in range(1, attacks + 1))
    assert successes_before_catch(caught, attacks) == pytest.approx(float(expected), rel=1e-8)
    assert successes_before_catch(caught) == pytest.approx((1 - caught) / caught)


@pytest.mark.parametrize("rate", [0.0, 1e-12, 0.01, 1.0])
@pytest.mark.parametrize("tasks", [0, 1, 300])
def test_harm_is_decided_by_the_first_attack(rate, tasks):
    """No harm: no attack, or the first one caught; without punishment, each attack caught."""
    c, q = mpmath.mpf("0.3"), mpmath.mpf(rate)
    first = mpmath.fsum((1 - q) ** i * q * c for i in range(tasks)) + (1 - q) ** tasks
    assert no_harm(0.3, rate, tasks) == pytest.approx(float(first), rel=1e-8)
    assert no_harm_unpunished(0.3, rate, tasks) == pytest.approx(float((1 - q * (1 - c)) ** tasks), rel=1e-8)


def test_however_long_a_deployment_is_no_harm_falls_to_the_catch():
    """With punishment the limit is c, without it 0."""
    assert no_harm(0.3, 0.01, math.inf) == pytest.approx(0.3)
    assert no_harm_unpunished(0.3, 0.01, 1e9) == 0


def test_simulated_deployments_agree():
    """Harmless deployments and successes before the first catch are as often and as many as the closed forms say."""
    found = simulate(catch(2.0, 0.01), rate=0.004, tasks=300, runs=40_000, seed=2)
    c = catch(2.0, 0.01)
    harmless = no_harm(c, 0.004, 300)
    assert abs(found.harmless / found.runs - harmless) < 4 * math.sqrt(harmless * (1 - harmless) / found.runs)
    mean = (1 - c) / c * (1 - (1 - 0.004 * c) ** 300)
    rng = np.random.default_rng(3)  # the same, task by task and score by score
    attacks = rng.random((4000, 300)) < 0.004
    caught = attacks & (rng.normal(2.0, 1, attacks.shape) > -ndtri(0.01))
    before = (attacks & (np.cumsum(caught, axis=1) == 0)).sum(axis=1)
    assert abs(before.mean() - mean) < 4 * before.std() / math.sqrt(len(before))
    assert abs(found.successes.mean() - mean) < 4 * found.successes.std() / math.sqrt(found.runs)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.4, 1.0])
@pytest.mark.parametrize("budget", [0.003, 0.1, 0.9])
def test_a_budget_is_used_up_by_attacks_too(rate, budget):
    """The audited shares of honest outputs and attacks make up the budget; with few attacks they are those of the ROC."""
    honest, attacks = audited_share(2.0, budget, rate)
    assert (1 - rate) * honest + rate * attacks == pytest.approx(budget, rel=1e-9)
    assert attacks == pytest.approx(catch(2.0, honest), rel=1e-9)
    if rate == 0:
        assert honest == pytest.approx(budget, rel=1e-9)


@pytest.mark.parametrize("separation", [0.5, 2.0, 4.0])
@pytest.mark.parametrize("harm", [5.0, 100.0, 1e5])
def test_no_other_share_is_cheaper(separation, harm):
    """The share returned costs no more than any of a grid, and nothing is audited if harm is below an audit's cost."""
    prices = {"rate": 0.01, "audit_cost": 1.0, "harm": harm}
    best = best_share(separation, **prices)
    grid = [cost(share, separation, **prices) for share in np.geomspace(1e-9, 1, 2000)]
    assert cost(best, separation, **prices) <= min(grid) * (1 + 1e-9)
    assert cost(best, separation, **prices) == pytest.approx(min(grid), rel=1e-3)
    assert best_share(separation, rate=0.01, audit_cost=1.0, harm=0.5) == 0


def test_harm_beyond_compare_audits_everything():
    """Costs 608 orders of magnitude apart do not underflow."""
    assert best_share(2.0, rate=0.01, audit_cost=1e-300, harm=1e308) == pytest.approx(1.0)


def test_resampling_against_an_attacker_who_always_attacks_and_one_who_does_not():
    """At 0.3% and k = 5 the largest score catches 0.435 in place of 0.227, and 0.219 if 30% of samples attack."""
    rule = Resampling(separation=2.0, share=0.003, samples=5)
    assert rule.catch("first", 1.0) == pytest.approx(0.2275, rel=0.001)
    assert rule.catch("max", 1.0) == pytest.approx(0.4346, rel=0.002)
    assert rule.catch("max", 0.3) == pytest.approx(0.2189, rel=0.002)


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_one_sample_is_no_resampling(aggregate, correlation):
    """With k = 1 each rule is the first sample's, whatever the correlation."""
    rule = Resampling(separation=1.7, share=0.02, samples=1, correlation=correlation)
    assert rule.catch(aggregate, 0.4) == pytest.approx(catch(1.7, 0.02), rel=1e-8)
    assert rule.turning(aggregate) is None


@pytest.mark.parametrize("samples", [2, 5, 12])
def test_a_blind_monitor_gains_nothing(samples):
    """With d' = 0 each rule catches the share of honest steps that it audits."""
    for correlation in (0.0, 0.5):
        rule = Resampling(separation=0.0, share=0.03, samples=samples, correlation=correlation)
        for aggregate in AGGREGATES:
            assert rule.catch(aggregate, 0.5) == pytest.approx(0.03, rel=1e-8)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
def test_resampled_steps_are_drawn(correlation):
    """False alarms are those that were set, and catches those of the closed forms, by each rule."""
    rule = Resampling(separation=1.5, share=0.03, samples=4, correlation=correlation)
    found = simulate_steps(rule, 0.4, steps=100_000, seed=1)
    for aggregate in AGGREGATES:
        for count, share in ((found.honest[aggregate], 0.03), (found.attacks[aggregate], rule.catch(aggregate, 0.4))):
            assert abs(count / found.steps - share) < 4 * math.sqrt(share * (1 - share) / found.steps)


@pytest.mark.parametrize("aggregate", ["max", "min"])
@pytest.mark.parametrize(("correlation", "attacks"), [(1e-6, 0.3), (0.3, 1.0), (0.99, 0.3)])
def test_correlated_samples_by_independent_integration(aggregate, correlation, attacks):
    """Integration over the common part at 30 digits gives the catch, and the threshold keeps the audited share."""
    rule = Resampling(separation=2.0, share=0.003, samples=5, correlation=correlation)
    t = mpmath.mpf(rule.threshold(aggregate))
    with mpmath.workdps(30):
        root, own = mpmath.sqrt(mpmath.mpf(correlation)), mpmath.sqrt(1 - mpmath.mpf(correlation))

        def audited(s, executed, others):
            honest = mpmath.erfc((t - root * s) / own / mpmath.sqrt(2)) / 2
            attack = mpmath.erfc((t - 2 - root * s) / own / mpmath.sqrt(2)) / 2
            first = attack if executed else honest
            other = (1 - others) * honest + others * attack
            inside = first * other**4 if aggregate == "min" else 1 - (1 - first) * (1 - other) ** 4
            return mpmath.npdf(s) * inside

        points = [mpmath.mpf(place) for place in range(-9, 10)]
        caught = mpmath.quad(lambda s: audited(s, True, mpmath.mpf(attacks)), points, maxdegree=5)
        false = mpmath.quad(lambda s: audited(s, False, 0), points, maxdegree=5)
    assert rule.catch(aggregate, attacks) == pytest.approx(float(caught), rel=1e-8)
    assert float(false) == pytest.approx(0.003, rel=1e-8)


@pytest.mark.parametrize("share", [1e-12, 1e-3, 0.3])
def test_thresholds_of_independent_samples_at_small_shares(share):
    """The largest and the smallest of k are above their thresholds with the share's probability, to 1e-8."""
    rule = Resampling(separation=0.0, share=share, samples=6)
    with mpmath.workdps(30):
        tails = {a: mpmath.erfc(mpmath.mpf(rule.threshold(a)) / mpmath.sqrt(2)) / 2 for a in ("max", "min")}
        assert float(1 - (1 - tails["max"]) ** 6) == pytest.approx(share, rel=1e-8)
        assert float(tails["min"] ** 6) == pytest.approx(share, rel=1e-8)


def test_resampling_turns_where_it_is_said_to():
    """Below the turning point it catches less than the first sample alone, above it more."""
    rule = Resampling(separation=2.0, share=0.003, samples=5)
    for aggregate in ("max", "min", "mean"):
        turn = rule.turning(aggregate)
        assert rule.catch(aggregate, turn - 0.01) < rule.catch("first", 1.0) < rule.catch(aggregate, turn + 0.01)
    assert 0.3 < rule.turning("max") < 0.35
    assert rule.turning("max") < rule.turning("min")


@pytest.mark.parametrize("attacks", [0.0, 0.3, 1.0])
def test_the_least_suspicious_sample_is_an_attack_as_often_as_drawn(attacks):
    """Executing the least suspicious of k lowers the share of steps that attack, but not of a policy that always does."""
    rule = Resampling(separation=1.5, share=0.01, samples=4, correlation=0.3)
    rng = np.random.default_rng(3)
    which = rng.random((100_000, 4)) < attacks
    scores = math.sqrt(0.7) * rng.normal(size=which.shape) + 1.5 * which
    drawn = which[np.arange(len(which)), scores.argmin(axis=1)].mean()
    expected = rule.least_attacks(attacks)
    assert abs(drawn - expected) <= 4 * math.sqrt(expected * abs(1 - expected) / len(which)) + 1e-9
    assert expected <= attacks + 1e-12


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0.0},
        {"share": 1.0},
        {"separation": 0.0},
        {"candidates": 0},
        {"rate": 0.0},
        {"rate": 1.5},
        {"tasks": 0},
        {"samples": 0},
        {"attacks": -0.1},
        {"correlation": 1.0},
        {"audit_cost": 0.0},
        {"share": math.nan},
    ],
)
def test_parameters_outside_the_domain_are_refused(wrong):
    """Each is a mistake of the user's."""
    with pytest.raises(DataError):
        predict_audits(**wrong)


def test_a_billion_tasks_are_simulated_as_fast_as_one():
    """Attacks are not drawn one by one, and a monitor that misses nearly all of them lets nearly all through."""
    found = simulate(1e-12, rate=0.5, tasks=10**9, runs=100, seed=0)
    assert found.successes.min() > 4e8
    assert simulate(1.0, rate=1.0, tasks=10, runs=5, seed=0).harmless == 5
