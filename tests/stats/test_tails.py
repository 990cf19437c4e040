"""How heavy a tail is, from the largest scores."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy_stats

from dokimasia.core import DataError
from dokimasia.stats import tails
from dokimasia.stats.multiplicity import holm_adjusted

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "goodhart"
REPORTED = {
    "llama": {"xi": (-0.04, -0.09, -0.154, -0.154), "verdict": "lighter"},
    "random": {"xi": (0.50, 0.39, 0.255, 0.18), "verdict": "heavier"},
}
"""The re-analysis of two published files of rewards, at k = 100, 200, 500 and 1,000."""


def rewards(name):
    path = FOLDER / f"{name}_starling_reward_values.npy"
    if not path.is_file():
        pytest.skip(f"no public data beside the project: {path.name}")
    return np.load(path, allow_pickle=False).astype(float)


def pareto(xi, size, seed=0):
    uniform = np.random.default_rng(seed).random(size)
    return -np.log(uniform) if xi == 0 else (uniform**-xi - 1) / xi


@pytest.mark.parametrize("name", REPORTED)
def test_the_published_rewards_give_the_reported_indices(name):
    """The fits at four thresholds are those of an independent re-analysis, and so is what they come to."""
    scores, counts = rewards(name), (100, 200, 500, 1000)
    found = tails.judge_tail(scores, counts)
    assert [fit.xi for fit in found.fits] == pytest.approx(REPORTED[name]["xi"], abs=0.006)
    assert found.verdict == REPORTED[name]["verdict"]


def test_random_text_is_locally_heavy_at_every_threshold():
    """Rewards of random text: the interval at k = 500 is the reported one, and exponential tails are excluded."""
    found = tails.judge_tail(rewards("random"), (100, 200, 500, 1000), level=0.9)
    assert all(fit.p < 0.01 for fit in found.fits)
    assert (found.fits[2].low, found.fits[2].high) == pytest.approx((0.16, 0.33), abs=0.025)
    assert (found.fits[3].low, found.fits[3].high) == pytest.approx((0.13, 0.22), abs=0.025)


def test_the_moment_estimator_agrees_with_the_reanalysis():
    """About the median, as the moment estimator needs some nought: .31, .25 and .19 at k = 200, 500 and 1,000."""
    scores = rewards("random")
    found = [tails.moment(scores - np.median(scores), k).value for k in (200, 500, 1000)]
    assert found == pytest.approx((0.31, 0.25, 0.19), abs=0.006)


@pytest.mark.parametrize("xi", [-0.6, -0.2, 0.0, 0.3, 1.5])
def test_many_fits_at_once_are_maxima(xi):
    """Each row's fit is at least as likely as that of an optimiser that is not ours, and as its neighbours."""
    rows = pareto(xi, (6, 150), seed=1)
    fits = tails.fit_rows(rows)
    for row, shape, scale, ratio in zip(rows, *fits, strict=True):

        def likelihood(c, s, row=row):
            return scipy_stats.genpareto.logpdf(row, c, 0, s).sum()

        other, _, width = scipy_stats.genpareto.fit(row, floc=0)
        best = likelihood(shape, scale)
        assert best >= likelihood(other, width) - 1e-6
        assert all(best >= likelihood(shape + a, scale * b) for a in (-0.01, 0, 0.01) for b in (0.99, 1, 1.01))
        assert ratio == pytest.approx(2 * (best - scipy_stats.expon.logpdf(row, 0, row.mean()).sum()), abs=1e-6)


def test_a_uniform_tail_is_fitted_at_the_edge_of_the_domain():
    """An index of -1 is the least that is fitted, and its interval begins there."""
    fit = tails.fit_pareto(np.random.default_rng(2).random(400), nulls=99)
    assert fit.xi == pytest.approx(-1, abs=0.08)
    assert fit.low == -1
    assert tails.fit_pareto(np.linspace(0.5, 1, 50) ** 0.1, nulls=9).bounded


@pytest.mark.parametrize("xi", [-0.3, 0.0, 0.4])
def test_profile_intervals_cover(xi):
    """90% intervals at k = 200 hold xi in 90% of 300 samples, within four standard errors."""
    rows = pareto(xi, (300, 200), seed=3)
    fits = [tails.fit_pareto(row, level=0.9, nulls=1) for row in rows]
    share = np.mean([fit.low <= xi <= fit.high for fit in fits])
    assert abs(share - 0.9) < 4 * np.sqrt(0.09 / 300)
    assert all(fit.low < fit.xi < fit.high for fit in fits)


def test_p_values_of_exponential_samples_are_uniform():
    """At most 5% of exponential samples have p <= 0.05, within four standard errors, at each of two sizes."""
    for k in (50, 300):
        ratios = tails.fit_rows(np.random.default_rng(4).exponential(size=(1000, k))).ratio
        null = tails.exponential_null(k, 999, 5)
        share = np.mean((1 + 999 - np.searchsorted(null, ratios, side="left")) / 1000 <= 0.05)
        assert abs(share - 0.05) < 4 * np.sqrt(0.05 * 0.95 * 2 / 1000)


def test_a_fit_does_not_depend_on_scale():
    """The index of scaled exceedances is the same, and sigma scales with them."""
    y = pareto(0.2, 300, seed=6)
    one, other = tails.fit_pareto(y, nulls=49), tails.fit_pareto(y * 1e7, nulls=49)
    assert other[:3] == pytest.approx(one[:3], rel=1e-6)
    assert other.sigma == pytest.approx(1e7 * one.sigma, rel=1e-6)
    assert other.p == one.p


@pytest.mark.parametrize("alpha", [1.0, 3.0])
def test_indices_of_a_power_law_hold_its_index(alpha):
    """Hill, moment and Pickands at 99.99% hold 1/alpha of an exact Pareto sample."""
    scores = (1 - np.random.default_rng(7).random(40000)) ** (-1 / alpha)
    for estimate in (tails.hill, tails.moment, tails.pickands):
        found = estimate(scores, 2000, level=0.9999)
        assert found.low < 1 / alpha < found.high
        assert found.k == 2000


@pytest.mark.parametrize(("name", "xi"), [("moment", -0.5), ("pickands", -0.5), ("pickands", 0.0), ("moment", 0.3)])
def test_asymptotic_spreads_are_those_of_samples(name, xi):
    """The standard error that an estimator states is, within 15%, that of 300 samples."""
    estimate = getattr(tails, name)
    shift = 0.0 if xi >= 0 else 5.0
    found = [estimate(pareto(xi, 20000, seed=seed) + shift, 400) for seed in range(300)]
    stated = np.median([(item.high - item.low) / 2 / 1.959964 for item in found])
    assert np.std([item.value for item in found]) == pytest.approx(stated, rel=0.15)


def test_hill_calls_normal_samples_heavy():
    """Of normal and of exponential samples Hill's estimate lies about 0.2, and moves with the nought: it cannot clear a tail."""
    rng = np.random.default_rng(8)
    normal, exponential = rng.standard_normal(30000), rng.exponential(size=30000)
    counts = (100, 300, 1000)
    assert all(0.1 < tails.hill(normal, k).value < 0.27 for k in counts)
    assert all(0.15 < tails.hill(exponential, k).value < 0.36 for k in counts)
    assert tails.hill(normal + 10, 300).value < 0.05
    assert tails.hill(normal, 300).low > 0


def test_pickands_does_not_move_with_the_scores():
    """Shift and scale leave Pickands' estimate alone, and the moment estimate moves with a shift."""
    scores = np.random.default_rng(9).standard_normal(5000)
    assert tails.pickands(3 * scores - 50, 400).value == pytest.approx(tails.pickands(scores, 400).value)
    assert abs(tails.moment(scores + 50, 400).value - tails.moment(scores, 400).value) > 0.01


def test_mean_excess_rises_is_level_or_falls():
    """By ratio of the highest threshold's to the lowest's: above 1 for t3, about 1 for exponential, below 1 for normal."""
    rng = np.random.default_rng(10)
    samples = rng.standard_t(3, 50000), rng.exponential(size=50000), rng.standard_normal(50000)
    heavy, exponential, light = (
        found[0].value / found[-1].value for found in (tails.mean_excess(item, (200, 5000)) for item in samples)
    )
    assert heavy > 1.5
    assert 0.8 < exponential < 1.25
    assert light < 0.75
    low, high = tails.mean_excess(samples[1], (5000,))[0][2:4]
    assert low < 1 < high


def test_controls_are_judged_as_what_they_are():
    """At 16,000 scores nearly all t3 samples are heavier and nearly all normal ones lighter; exponential ones seldom either."""
    normal, exponential, heavy = tails.control_samples(16000, tails.thresholds(16000), samples=100, nulls=199)
    assert normal.share("lighter") > 0.9
    assert heavy.share("heavier") > 0.9
    assert exponential.share("neither") > 0.88
    assert heavy.xi[2] == pytest.approx(1 / 3, abs=0.07)
    assert all(
        low < middle < high
        for item in (normal, heavy)
        for low, middle, high in zip(item.low, item.xi, item.high, strict=True)
    )


def test_controls_have_the_order_statistics_of_whole_samples():
    """Controls draw the largest only; fitted to whole samples, the indices have the same median."""
    (_, control, _) = tails.control_samples(1000, (100,), samples=400, nulls=9, seed=1)
    rng = np.random.default_rng(11)
    whole = [np.sort(rng.exponential(size=1000))[::-1][:101] for _ in range(400)]
    xi = tails.fit_rows(np.stack([row[:100] - row[100] for row in whole])).xi
    assert control.xi[0] == pytest.approx(np.median(xi), abs=4 * 1.25 * 0.1 * np.sqrt(2 / 400))


def test_small_samples_cannot_tell():
    """Of 500 scores, a t3 tail is told from an exponential one in fewer than half of all samples: the controls say so."""
    (_, _, heavy) = tails.control_samples(500, tails.thresholds(500), samples=100, nulls=199)
    assert heavy.share("heavier") < 0.5


def test_rounded_scores_are_untied_or_refused():
    """Rounding to a tenth of the mean excess changes little; rounding as coarse as the mean excess is refused."""
    scores = np.random.default_rng(12).exponential(size=20000)
    plain = tails.judge_tail(scores, (500,), nulls=99)
    fine = tails.judge_tail(np.round(scores, 2), (500,), nulls=99)
    assert not plain.untied
    assert fine.untied
    assert fine.fits[0].xi == pytest.approx(plain.fits[0].xi, abs=0.03)
    with pytest.raises(DataError, match="one value has"):
        tails.judge_tail(np.round(scores), (500,), nulls=99)


def test_a_score_that_stops_is_refused():
    """Scores cut off at a ceiling are named, not fitted."""
    scores = np.minimum(np.random.default_rng(13).standard_normal(5000), 2.0)
    with pytest.raises(DataError, match="one value has"):
        tails.judge_tail(scores, (200, 500), nulls=9)
    with pytest.raises(DataError, match="largest are all"):
        tails.judge_tail(scores, (50,), nulls=9)


@pytest.mark.parametrize(
    ("scores", "match"),
    [
        ([1.0, np.nan, 2.0] * 400, "400 NaN"),
        ([1.0, np.inf, 2.0] * 400, "400 infinite"),
        ([1.0] * 1200, "largest are all 1"),
    ],
)
def test_bad_scores_are_named(scores, match):
    """What is not finite is counted, and constant scores are refused."""
    with pytest.raises(DataError, match=match):
        tails.judge_tail(scores, (100,), nulls=9)


def test_too_few_scores_are_refused():
    """A handful of scores has no threshold, and the refusal says how many would do."""
    assert tails.thresholds(499) == ()
    with pytest.raises(DataError, match="Collect 500 or more"):
        tails.judge_tail(np.arange(30.0), tails.thresholds(30))
    with pytest.raises(DataError, match="k = 40 of 30"):
        tails.top(np.arange(30.0), 40)
    with pytest.raises(DataError, match="at least 10 positive"):
        tails.fit_pareto([1.0, 2.0])
    with pytest.raises(DataError, match="multiple of four"):
        tails.pickands(np.arange(30.0), 9)
    with pytest.raises(DataError, match="Subtract the median"):
        tails.hill(np.arange(30.0) - 100, 9)


def test_the_same_seed_gives_the_same_figures():
    """A judgement and its controls are functions of scores and seed."""
    scores = np.round(np.random.default_rng(14).standard_normal(2000), 3)
    assert tails.judge_tail(scores, (100,), seed=3) == tails.judge_tail(scores, (100,), seed=3)
    assert tails.control_samples(2000, (100,), samples=20, seed=3) == tails.control_samples(
        2000, (100,), samples=20, seed=3
    )


def test_holm_adjusts_for_number_in_order():
    """The smallest p-value counts for all tests, the next for all but one, and order is kept."""
    assert holm_adjusted([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert holm_adjusted([0.9, 0.8]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("xi", [-0.9, 0.01, 2.0, 8.0, 15.0])
def test_intervals_hold_their_estimates_however_heavy_the_tail(xi):
    """From tails that end to tails without any moment, and with one value that dwarfs all others."""
    rows = [*pareto(xi, (20, 60), seed=15), np.append(pareto(0.0, 59, seed=16), 1e9)]
    for row in rows:
        fit = tails.fit_pareto(row, nulls=1)
        assert -1 <= fit.low <= fit.xi <= fit.high
        assert fit.high - fit.low > 0.1
    assert tails.fit_rows(np.stack(rows[:20])).xi.mean() == pytest.approx(xi, abs=0.25 * (1 + abs(xi)))
