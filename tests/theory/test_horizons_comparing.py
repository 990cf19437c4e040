"""Which curve is best, horizons with intervals, bounds without a curve, differences between tasks."""

import numpy as np
import pytest
from scipy.special import stdtrit

from dokimasia.core import DataError
from dokimasia.theory.horizons import (
    Attempts,
    CeilingExponential,
    Constant,
    Exponential,
    Logistic,
    Probit,
    Weibull,
    beyond_bound,
    dispersion,
    fit,
    fit_agent,
    losses,
    span,
    standings,
)

FEW = (Constant(), Exponential(), Weibull(), Logistic())


def attempts(curve, theta, *, seed, families=40, tasks=2, runs=8, between=0.0, within=0.0, low=1.0, high=1000.0):
    """Runs by a known curve, with effects of families and of tasks on the log-odds."""
    rng = np.random.default_rng(seed)
    family = np.repeat(np.arange(families), tasks)
    minutes = np.exp(rng.uniform(np.log(low), np.log(high), families * tasks))
    success = np.clip(curve.probability(minutes, theta), 1e-9, 1 - 1e-9)
    odds = np.log(success / (1 - success)) + between * rng.normal(size=families)[family]
    odds += within * rng.normal(size=families * tasks)
    done = rng.binomial(runs, 1 / (1 + np.exp(-odds)))
    n = np.full(len(minutes), runs)
    return Attempts(minutes=minutes, runs=n, successes=done.astype(float), families=family)


def fitted(given, *, curves=FEW, replicates=200, seed=0, name="A"):
    return [fit_agent(name, given, n_replicates=replicates, seed=seed, curves=curves)]


def by_family(agent, curve):
    return np.bincount(agent.attempts.families, agent.of(curve).held_out)


def test_a_held_out_family_is_predicted_by_a_fit_to_the_others():
    """The loss of a family is that of its tasks under the fit that never saw it."""
    given = attempts(Weibull(), [-1.5, 0.4], seed=0, families=9, tasks=3)
    (agent,) = fitted(given)
    for curve in FEW:
        for family in (0, 4, 8):
            out = given.families == family
            alone = fit(curve, given.x, given.rates, (given.weights * ~out)[None]).theta[0]
            expected = (given.weights * losses(curve, given.x, given.rates, alone))[out].sum()
            assert by_family(agent, curve)[family] == pytest.approx(expected, abs=1e-6)


def test_the_interval_of_a_difference_takes_families_as_units():
    """Behind the best: the sum over families, with Student's t on its standard error."""
    agents = fitted(attempts(Weibull(), [-1.5, 0.4], seed=1, families=12))
    found = {item.curve.name: item for item in standings(agents, confidence=0.9)}
    best = min(found.values(), key=lambda item: item.held_out)
    difference = by_family(agents[0], Exponential()) - by_family(agents[0], best.curve)
    reach = stdtrit(11, 0.95) * np.std(difference, ddof=1) * np.sqrt(12)
    assert found["exponential"].behind == pytest.approx(difference.sum())
    assert found["exponential"].low == pytest.approx(difference.sum() - reach)
    assert found["exponential"].high == pytest.approx(difference.sum() + reach)
    assert (best.behind, best.low, best.high, best.rival) == (0, 0, 0, True)


def test_the_curve_that_made_the_runs_is_a_rival_and_a_wrong_one_is_not():
    """Of falling hazards the exponential is told apart; of a constant hazard it is not."""
    falling = {s.curve.name: s.rival for s in standings(fitted(attempts(Weibull(), [-1.2, 0.35], seed=2)))}
    assert (falling["Weibull"], falling["exponential"], falling["constant"]) == (True, False, False)
    constant = {s.curve.name: s.rival for s in standings(fitted(attempts(Exponential(), [-4.0], seed=2)))}
    assert constant["exponential"]
    assert not constant["constant"]


def test_curves_that_are_the_same_are_both_rivals():
    """Where success rises, the flat ends of curves and the constant are one: rounding does not tell them apart."""
    rng = np.random.default_rng(0)
    minutes = np.exp(rng.uniform(0, 7, 60))
    rising = rng.binomial(10, minutes / (minutes + 30)).astype(float)
    given = Attempts(minutes=minutes, runs=np.full(60, 10), successes=rising, families=np.arange(60) // 2)
    found = {
        item.curve.name: item.rival for item in standings(fitted(given, curves=(Constant(), Logistic(), Probit())))
    }
    assert found == {"constant": True, "logistic": True, "probit": True}


def test_one_family_cannot_be_cross_validated():
    """Nothing is held out, and every curve remains a rival; beside an agent with more, it takes no part."""
    one = attempts(Weibull(), [-1.5, 0.4], seed=3, families=1, tasks=30)
    assert all(item.held_out is None and item.rival for item in standings(fitted(one)))
    more = attempts(Weibull(), [-1.5, 0.4], seed=3, families=12)
    alone = fitted(more, replicates=5)
    both = fitted(one, replicates=5) + alone
    assert [s.behind for s in standings(both)] == pytest.approx([s.behind for s in standings(alone)])


def test_many_families_are_left_out_in_a_hundred_folds():
    """Beyond a hundred families several are left out together; every family still has a loss."""
    (agent,) = fitted(attempts(Weibull(), [-1.5, 0.4], seed=4, families=150, tasks=1), replicates=3)
    found = agent.of(Weibull()).held_out
    assert found.shape == (150,)
    assert (found > 0).all()
    out = np.isin(agent.attempts.families, (7, 107))
    theta = fit(Weibull(), agent.attempts.x, agent.attempts.rates, (agent.attempts.weights * ~out)[None]).theta[0]
    assert np.allclose(found[out], losses(Weibull(), agent.attempts.x, agent.attempts.rates, theta)[out], atol=1e-4)


def test_agents_stand_together_by_family():
    """Losses of several agents on one family are one unit, also if they tried different families."""
    one = fitted(attempts(Weibull(), [-1.5, 0.4], seed=4, families=12))
    two = fitted(attempts(Weibull(), [-2.5, 0.5], seed=5, families=8), name="B")
    together = {item.curve.name: item for item in standings(one + two)}
    wide = [np.pad(by_family(two[0], curve), (0, 4)) + by_family(one[0], curve) for curve in FEW]
    totals = np.sum(wide, axis=1)
    assert [item.held_out for item in together.values()] == pytest.approx(totals.tolist())
    difference = wide[1] - wide[int(np.argmin(totals))]
    reach = stdtrit(11, 0.975) * np.std(difference, ddof=1) * np.sqrt(12)
    assert together["exponential"].low == pytest.approx(difference.sum() - reach)


def test_replicates_draw_whole_families():
    """Tasks of one family are drawn equally often, and as many families as there are in each replicate."""
    (agent,) = fitted(attempts(Weibull(), [-1.5, 0.4], seed=5, families=7, tasks=3))
    by_task = agent.drawn.reshape(200, 7, 3)
    assert (by_task == by_task[:, :, :1]).all()
    assert (by_task[:, :, 0].sum(axis=1) == 7).all()
    assert len(agent.of(Logistic()).replicates) == 200


def test_no_agents_are_refused():
    """There is nothing to compare."""
    with pytest.raises(DataError, match="at least one agent"):
        standings([])


def test_the_interval_covers_the_horizon():
    """With effects of families on the log-odds, 95% intervals of the 50% horizon cover it in at least 84% of 60 draws."""
    truth = 30.0
    theta = [-0.6 * np.log(truth), 0.6]
    hits = 0
    for seed in range(60):
        given = attempts(Logistic(), theta, seed=seed, families=40, between=0.8)
        (agent,) = fitted(given, curves=(Logistic(),), seed=seed)
        found = span(agent, 0.5, Logistic(), (Logistic(),)).chance
        hits += found.low <= truth <= (found.high or np.inf)
    assert hits >= 50


def test_the_same_seed_gives_the_same_interval_and_another_does_not():
    """Resampling depends on the seed alone."""
    given = attempts(Weibull(), [-1.5, 0.4], seed=6)
    ends = [span(fitted(given, seed=seed)[0], 0.5, Weibull(), FEW[2:]).both for seed in (1, 1, 2)]
    assert ends[0] == ends[1] != ends[2]


def test_an_interval_over_curves_holds_that_of_each():
    """The widest of the rivals' intervals is given, and the range of what they say."""
    (agent,) = fitted(attempts(Weibull(), [-1.5, 0.4], seed=7))
    curves = (Weibull(), Logistic(), Exponential())
    several = span(agent, 0.5, Weibull(), curves)
    for curve in curves:
        alone = span(agent, 0.5, curve, (curve,))
        assert several.both.low <= alone.chance.low
        assert several.both.high >= alone.chance.high
        assert several.between.low <= alone.value <= several.between.high
    assert several.chance == span(agent, 0.5, Weibull(), (Weibull(),)).chance


@pytest.mark.parametrize(("half", "side"), [(0.2, "shorter"), (1e5, "longer")])
def test_a_horizon_beyond_the_tasks_is_not_extrapolated(half, side):
    """It has no value, and its interval ends where the tasks do, or has no end."""
    given = attempts(Logistic(), [-0.7 * np.log(half), 0.7], seed=8)
    found = span(fitted(given)[0], 0.5, Logistic(), (Logistic(),))
    assert found.value is None
    assert found.beyond == side
    if side == "shorter":
        assert found.chance.low == found.between.low == 0
        assert found.between.high == found.shortest == given.minutes.min()
    else:
        assert found.chance.high is found.between.high is None
        assert found.between.low == found.longest == given.minutes.max()


def test_a_ceiling_below_the_level_counts_as_shorter():
    """A curve that never reaches the level has its horizon below the shortest task."""
    given = attempts(CeilingExponential(), [-1.4, -5.0], seed=9)
    found = span(fitted(given, curves=(CeilingExponential(),))[0], 0.5, CeilingExponential(), (CeilingExponential(),))
    assert (found.value, found.beyond) == (None, "shorter")


def test_few_families_give_no_interval():
    """With four families there is a value and no interval, and no interval of the dispersion either."""
    (agent,) = fitted(attempts(Weibull(), [-1.5, 0.4], seed=10, families=4, tasks=8))
    found = span(agent, 0.5, Weibull(), (Weibull(),))
    assert found.value is not None
    assert found.chance is found.both is None
    assert dispersion(agent, Weibull()) is None


def all_or_nothing(rate, minutes):
    n = len(minutes)
    return Attempts(
        minutes=np.array(minutes, float), runs=np.full(n, 4), successes=np.full(n, 4.0 * rate), families=np.arange(n)
    )


def test_nothing_but_success_bounds_the_horizon_from_below():
    """0.05 ** (1 / 5) is above 1/2 and 0.05 ** (1 / 14) above 0.8: the fifth and the fourteenth longest task are bounds."""
    given = all_or_nothing(1, range(1, 21))
    assert beyond_bound(given, 0.5) == (16, None)
    assert beyond_bound(given, 0.8) == (7, None)
    assert beyond_bound(all_or_nothing(1, range(1, 5)), 0.5) is None


def test_nothing_but_failure_bounds_the_horizon_from_above():
    """1 - 0.05 ** (1 / 5) is below 1/2 and 1 - 0.05 ** (1 / 2) below 0.8: the fifth and the second shortest task are bounds."""
    given = all_or_nothing(0, range(1, 21))
    assert beyond_bound(given, 0.5) == (0, 5)
    assert beyond_bound(given, 0.8) == (0, 2)
    assert beyond_bound(all_or_nothing(0, range(1, 3)), 0.5) is None


def test_families_count_once_in_a_bound():
    """Many tasks of one family are one: the bound is where they end, or there is none."""
    given = all_or_nothing(1, range(1, 21))
    together = Attempts(minutes=given.minutes, runs=given.runs, successes=given.successes, families=np.arange(20) // 4)
    assert beyond_bound(together, 0.5) == (4, None)
    assert beyond_bound(together, 0.8) is None


def test_a_mixture_has_no_such_bound():
    """Where some runs succeed and some fail a curve is fitted."""
    assert beyond_bound(attempts(Weibull(), [-1.5, 0.4], seed=0), 0.5) is None


def test_tasks_that_do_not_differ_have_a_ratio_of_one():
    """With runs independent given the time, chi-squared over its degrees of freedom is near 1, the correlation near 0."""
    (agent,) = fitted(attempts(Logistic(), [-2.0, 0.6], seed=11, families=100), curves=(Logistic(),))
    found = dispersion(agent, Logistic())
    assert found.ratio == pytest.approx(1, abs=0.25)
    assert found.correlation == pytest.approx(0, abs=0.04)
    assert found.correlation_low < 0 < found.correlation_high
    assert found.n_tasks == 200


def test_the_ratio_grows_with_runs_and_the_correlation_does_not():
    """Effects of tasks of one standard deviation make a correlation of some 0.17, with 4 runs a task and with 32."""
    many = []
    for runs in (4, 32):
        given = attempts(Logistic(), [-2.0, 0.5], seed=12, families=200, runs=runs, within=1.0)
        many.append(dispersion(fitted(given, curves=(Logistic(),))[0], Logistic()))
    four, thirty_two = many
    assert four.correlation == pytest.approx(0.17, abs=0.06)
    assert thirty_two.correlation == pytest.approx(0.17, abs=0.06)
    assert four.ratio == pytest.approx(1 + 3 * four.correlation, abs=0.03)
    assert thirty_two.ratio == pytest.approx(1 + 31 * thirty_two.correlation, abs=0.2)
    assert thirty_two.ratio_low > 1


def test_tasks_that_were_run_once_do_not_show_how_they_differ():
    """One run a task has no dispersion."""
    (agent,) = fitted(attempts(Logistic(), [-2.0, 0.6], seed=13, runs=1), curves=(Logistic(),))
    assert dispersion(agent, Logistic()) is None
