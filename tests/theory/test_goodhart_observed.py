"""Pairs of proxy and gold: best of n, weighting and value in the tail, on planted data."""

import itertools
import math

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.goodhart import (
    Exponential,
    Normal,
    Proxy,
    StudentT,
    best_of_n,
    best_of_n_kl,
    best_of_n_observed,
    discrete_best_of_n_kl,
    errors_of,
    predict,
    regularised_at,
    tilted_observed,
    value_in_tail,
)
from dokimasia.theory.goodhart.generators import dependent, dependent_mean, extremal, extremal_mean, independent

V = Normal(sd=1.0)


def test_the_estimate_is_the_mean_over_all_subsets():
    """Best of n of 22 outputs with ties, against every subset of n; ties count in equal parts."""
    rng = np.random.default_rng(0)
    proxy, gold = np.round(rng.standard_normal(22)), rng.standard_normal(22)
    found = best_of_n_observed(proxy, gold, resamples=5)
    assert found.n == (1, 2)
    for n, score in zip(found.n, found.gold, strict=True):
        means = []
        for subset in itertools.combinations(range(22), n):
            best = max(proxy[list(subset)])
            means.append(np.mean([gold[item] for item in subset if proxy[item] == best]))
        assert score.value == pytest.approx(np.mean(means), rel=1e-10)


@pytest.mark.parametrize(
    "error", [Normal(sd=1.0), Exponential(sd=1.0), StudentT(degrees=3, sd=1.0)], ids=lambda law: law.name
)
def test_observed_curves_hold_the_exact_ones(error):
    """99.9% intervals of 2,000 pairs hold the quadrature's value of the best of n, at each n."""
    proxy = Proxy(value=V, error=error)
    pairs = independent(proxy, 2000, seed=1)
    found = best_of_n_observed(pairs.proxy, pairs.gold, level=0.999, resamples=1000)
    exact = best_of_n(proxy, found.n)
    assert found.n[-1] == 128
    assert all(score.low <= value <= score.high for score, value in zip(found.gold, exact, strict=True))


def test_intervals_of_best_of_n_cover():
    """95% intervals of the best of 1, 8 and 16 hold the exact value in 95% of 80 samples, within four standard errors."""
    proxy = Proxy(value=V, error=Normal(sd=1.0))
    exact, places = best_of_n(proxy, (1, 8, 16)), (0, 3, 4)
    held = np.zeros(3)
    for seed in range(80):
        pairs = independent(proxy, 300, seed=seed)
        found = best_of_n_observed(pairs.proxy, pairs.gold, resamples=200)
        held += [
            found.gold[place].low <= value <= found.gold[place].high for place, value in zip(places, exact, strict=True)
        ]
    assert np.all(np.abs(held / 80 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 80))


def test_where_selection_stops_helping_is_found():
    """With t error the exact peak lies between n = 32 and 64: gains are shown below, losses above, none beyond."""
    pairs = independent(Proxy(value=V, error=StudentT(degrees=3, sd=1.0)), 30_000, seed=1)
    found = best_of_n_observed(pairs.proxy, pairs.gold, resamples=100)
    assert 16 <= found.helps_to <= 64
    assert found.hurts_from in (32, 64, 128)
    assert found.best in (32, 64)


def test_gains_without_a_peak_are_shown_to_the_end():
    """With normal error each doubling that 8,000 outputs can judge raises the gold score, and none is called harmful."""
    pairs = independent(Proxy(value=V, error=Normal(sd=1.0)), 8000, seed=2)
    found = best_of_n_observed(pairs.proxy, pairs.gold, resamples=200)
    assert found.hurts_from is None
    assert found.helps_to >= 128


def test_a_proxy_that_knows_nothing_shows_no_gain():
    """Gold scores dealt out at random: no doubling is shown to help or to hurt, in 19 of 20 seeds or more."""
    rng = np.random.default_rng(3)
    alarms = 0
    for seed in range(20):
        found = best_of_n_observed(rng.standard_normal(400), rng.standard_normal(400), resamples=200, seed=seed)
        alarms += found.helps_to is not None or found.hurts_from is not None
    assert alarms <= 4


def test_nats_of_a_discrete_proxy_are_exact():
    """Two scores in equal parts cannot move by more than ln 2; distinct ones move as the formula says."""
    rng = np.random.default_rng(4)
    coarse = best_of_n_observed(np.tile([0.0, 1.0], 500), rng.standard_normal(1000), resamples=5)
    assert coarse.kl[-1] == pytest.approx(discrete_best_of_n_kl([0.5, 0.5], coarse.n[-1]))
    fine = best_of_n_observed(rng.standard_normal(1000), None, resamples=5)
    assert fine.kl == pytest.approx([best_of_n_kl(n) for n in fine.n], abs=2e-3)
    assert fine.gold == ()


def test_weighted_policies_follow_the_closed_form():
    """Normal value and error: the gold score at each divergence is sqrt(2 kl) sd_v**2 / sd_u, within 99.9% intervals."""
    proxy = Proxy(value=V, error=Normal(sd=1.0))
    pairs = independent(proxy, 10_000, seed=5)
    found = tilted_observed(pairs.proxy, pairs.gold, level=0.999, resamples=300)
    assert found.kl[0] == 0
    assert found.kl[-1] > 1
    for kl, score in list(zip(found.kl, found.gold, strict=True))[1:12]:
        assert score.low <= regularised_at(proxy, kl).value <= score.high


def test_errors_are_what_a_rising_curve_leaves():
    """A rising function of gold is recovered but for noise, and a falling one is not."""
    rng = np.random.default_rng(6)
    gold = rng.standard_normal(5000)
    fitted, error = errors_of(np.exp(gold) + 0.1 * rng.standard_normal(5000), gold)
    assert np.corrcoef(fitted, np.exp(gold))[0, 1] > 0.99
    assert error.std() == pytest.approx(0.1, rel=0.1)
    assert fitted + error == pytest.approx(np.exp(gold), abs=0.6)
    falling, _ = errors_of(-gold, gold)
    assert np.ptp(falling) < 1e-9
    binary, _ = errors_of(gold, (gold > 0).astype(float))
    assert sorted(set(binary.round(12))) == pytest.approx([gold[gold <= 0].mean(), gold[gold > 0].mean()])


def test_independent_error_is_not_called_dependent():
    """Adjusted p-values of 40 samples with independent error fall below 5% in at most four standard errors above that."""
    alarms = 0
    for seed in range(40):
        pairs = independent(Proxy(value=V, error=StudentT(degrees=3, sd=1.0)), 500, seed=seed)
        found = value_in_tail(pairs.proxy, pairs.gold, permutations=99, seed=seed)
        alarms += min(item.adjusted for item in found) <= 0.05
    assert alarms / 40 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 40)


def test_dependent_and_extremal_errors_are_seen_in_the_tail():
    """Errors against the value, and a proxy that is right up to a point, leave the tail below what independence gives."""
    against = dependent(StudentT(degrees=3, sd=1.0), -0.7, 20_000, seed=7)
    turned = extremal(20_000, turn=1.5, slope=2.0, noise=0.4, seed=7)
    for pairs in (against, turned):
        found = value_in_tail(pairs.proxy, pairs.gold, permutations=99)
        worst = min(found, key=lambda item: item.p)
        assert worst.adjusted <= 0.07
        assert worst.gold.high < worst.expected.low
    selection = best_of_n_observed(turned.proxy, turned.gold, resamples=200)
    assert selection.hurts_from <= 32


@pytest.mark.parametrize("correlation", [-0.8, 0.0, 0.5])
def test_the_dependent_generator_has_its_closed_form(correlation):
    """Normal error at a correlation: mean value above a threshold, within four standard errors of a million pairs."""
    pairs = dependent(Normal(sd=1.5), correlation, 1_000_000, seed=8)
    above = pairs.gold[pairs.proxy >= 1.0]
    exact = dependent_mean(correlation, 1.0, value_sd=1.0, error_sd=1.5)
    assert abs(above.mean() - exact) < 4 * above.std() / math.sqrt(len(above))
    assert (exact < 0) == (correlation < -1 / 1.5)


def test_the_extremal_generator_has_its_closed_form():
    """The mean gold score near a proxy of 2, within four standard errors, and without noise the curve itself."""
    pairs = extremal(2_000_000, turn=1.0, slope=2.0, noise=0.5, seed=9)
    near = pairs.gold[np.abs(pairs.proxy - 2.0) < 0.02]
    exact = extremal_mean(2.0, turn=1.0, slope=2.0, noise=0.5)
    assert abs(near.mean() - exact) < 4 * near.std() / math.sqrt(len(near)) + 0.01
    assert extremal_mean(2.0, turn=1.0, slope=2.0, noise=0.0) == -1.0


def test_too_little_is_refused_or_left_out():
    """A handful of outputs and equal ones are refused; the tail of fewer than 200 is not looked at."""
    with pytest.raises(DataError, match="Found 5"):
        best_of_n_observed(np.arange(5.0), None)
    with pytest.raises(DataError, match="all with the same score"):
        best_of_n_observed(np.ones(50), np.arange(50.0))
    rng = np.random.default_rng(10)
    assert value_in_tail(rng.standard_normal(199), rng.standard_normal(199)) == ()
    with pytest.raises(DataError, match="strictly between -1 and 1"):
        dependent(V, 1.0, 10, seed=0)


def test_the_same_seed_gives_the_same_figures():
    """Resamples and permutations are functions of the seed."""
    pairs = independent(Proxy(value=V, error=V), 600, seed=11)
    for measure in (best_of_n_observed, tilted_observed):
        assert measure(*pairs, resamples=20, seed=1) == measure(*pairs, resamples=20, seed=1)
        assert measure(*pairs, resamples=20, seed=1) != measure(*pairs, resamples=20, seed=2)
    assert value_in_tail(*pairs, permutations=9, seed=1) == value_in_tail(*pairs, permutations=9, seed=1)


@pytest.fixture(scope="module")
def prediction():
    return predict(most=4096, replicates=200)


def test_the_prediction_tells_the_regimes_apart(prediction):
    """Limits, best of n and the regularised optimum are there for each law; what is infinite says why."""
    assert prediction.value("limit of E[V | U >= t], normal error").value is None
    assert "infinite, because" in prediction.value("limit of E[V | U >= t], normal error").method
    assert prediction.value("limit of E[V | U >= t], exponential error").value == pytest.approx(1)
    assert prediction.value("limit of E[V | U >= t], Student t, 3 degrees error").value == 0
    assert prediction.value("best of 4,096, Student t, 3 degrees error").value == pytest.approx(0.3867, abs=1e-3)
    simulated = prediction.value("best of 16, normal error, simulated")
    assert simulated.low < 1.2487 < simulated.high
    table = {item.name: item for item in prediction.tables}["goodhart-regularised"]
    assert all(row[4] == "no optimum" for row in table.rows)
    assert not prediction.caveats


def test_the_prediction_is_plain_json_and_figures_have_names(prediction):
    """No number is NaN or infinite, figure names carry the model's, and there are no more curves than colours."""
    import json

    json.dumps(prediction.plain(), allow_nan=False)
    assert all(figure.name.startswith("goodhart-") for figure in prediction.figures)
    assert all(len(figure.series) <= 6 for figure in prediction.figures)


def test_the_command_passes_its_options_on(prediction, monkeypatch, tmp_path, capsys):
    """`goodhart` hands every option to `predict`, writes the figures where asked, and prints JSON or text."""
    import json

    from dokimasia.cli.theory.goodhart import goodhart

    given = {}
    monkeypatch.setattr(
        "dokimasia.theory.goodhart.predict", lambda **options: given.update(options) or prediction, raising=True
    )
    assert goodhart(error_sd=2.0, most=4096, figures=tmp_path / "figures") == 0
    assert (given["error_sd"], given["most"], given["seed"]) == (2.0, 4096, 0)
    assert given.keys() == prediction.parameters.keys() | {"seed"}
    assert len(list((tmp_path / "figures").glob("goodhart-*.svg"))) == len(prediction.figures)
    assert "Student-t error" in capsys.readouterr().out
    assert goodhart(as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "goodhart"


def test_predictions_refuse_what_they_cannot_do():
    """The largest n has a domain, and so has each standard deviation."""
    for apart in ({"error_sd": 1e-300}, {"value_sd": 1e308}):
        with pytest.raises(DataError, match="comparable"):
            predict(**apart)
    with pytest.raises(DataError, match="10\\^12"):
        predict(most=10)
    with pytest.raises(DataError, match="positive and finite"):
        predict(error_sd=0)
