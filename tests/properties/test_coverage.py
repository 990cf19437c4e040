"""The ceiling falls below the true concave curve in at most delta of draws, whatever the likelihood ratio looks like."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest

from dokimasia.stats import reassurance

DRAWS = 300
GRID = np.linspace(-12, 12, 4801)


def _normal(shift):
    return (
        lambda rng, n: rng.normal(size=n),
        lambda rng, m: rng.normal(shift, 1, m),
        lambda e: ndtr(shift + ndtri(e)),
        lambda rng, scores, e: scores > ndtri(1 - e),
    )


def _mixture(e_law, d_law, e_tail, d_tail):
    x, y = e_tail(GRID), d_tail(GRID)

    def curve(e):
        left, right = x <= e, x > e
        best = y[left].max()
        for a, b in zip(x[left], y[left], strict=True):
            slope = (y[right] - b) / (x[right] - a)
            best = max(best, b + slope.max() * (e - a))
        return min(best, 1.0)

    return e_law, d_law, curve, lambda rng, scores, e: scores > GRID[np.argmin(np.abs(x - e))]


def _two_parts(first, second, weight):
    def draw(rng, n):
        pick = rng.random(n) < weight
        return np.where(pick, second(rng, n), first(rng, n))

    return draw


LAWS = {
    "no shift": _normal(0.0),
    "shift 0.5": _normal(0.5),
    "shift 1": _normal(1.0),
    "shift 2": _normal(2.0),
    "contaminated": _mixture(
        _two_parts(lambda r, n: r.normal(size=n), lambda r, n: r.normal(6, 0.1, n), 0.01),
        lambda r, m: r.normal(3, 1, m),
        lambda t: 0.99 * ndtr(-t) + 0.01 * ndtr(-(t - 6) / 0.1),
        lambda t: ndtr(-(t - 3)),
    ),
    "stepped": _mixture(
        _two_parts(lambda r, n: r.uniform(0, 1, n), lambda r, n: r.uniform(1, 2, n), 0.01),
        _two_parts(lambda r, m: r.uniform(0, 1, m), lambda r, m: r.uniform(1, 2, m), 0.3),
        lambda t: 0.99 * np.clip(1 - t, 0, 1) + 0.01 * np.clip(2 - t, 0, 1),
        lambda t: 0.7 * np.clip(1 - t, 0, 1) + 0.3 * np.clip(2 - t, 0, 1),
    ),
    "two-valued": (
        lambda rng, n: (rng.random(n) < 0.5).astype(float),
        lambda rng, m: (rng.random(m) < 0.9).astype(float),
        lambda e: min(1.8 * e, 0.9 + 0.2 * (e - 0.5)) if e < 1 else 1.0,
        lambda rng, scores, e: (scores > 0.5) & (rng.random(len(scores)) < e / 0.5),
    ),
}


@pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
@pytest.mark.parametrize("n", [60, 300])
@pytest.mark.parametrize("law", LAWS)
def test_the_ceiling_covers_the_true_curve(law, n, together):
    """At evaluation rates from 0.5/n to 12/n, misbehaviour on the top scores or wholly apart from them."""
    draw_e, draw_d, curve, top = LAWS[law]
    for place, expected in enumerate((0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)):
        rate = expected / n
        truth = curve(rate)
        rng = np.random.default_rng([place, n, together])
        failures = 0
        for _ in range(DRAWS):
            scores = draw_e(rng, n)
            recognised = top(rng, scores, rate)
            if together:
                k = int(recognised.sum())
            else:
                k = int(rng.binomial(n - recognised.sum(), rate / (1 - rate)))
            failures += reassurance(scores, draw_d(rng, n), misbehaved=k).ceiling < truth - 1e-9
        assert binomtest(failures, DRAWS, 0.05, alternative="greater").pvalue > 0.001, (law, n, expected, failures)


@pytest.mark.parametrize(("delta", "n"), [(0.1, 200), (0.01, 200), (0.05, 40), (0.2, 200)])
def test_other_levels_and_the_fallback_cover_too(delta, n):
    """The tabled constants of other levels and the proved fallback for few items keep their promise."""
    draw_e, draw_d, curve, top = LAWS["shift 1"]
    for expected in (1.0, 3.0, 6.0):
        rng = np.random.default_rng(int(1000 * delta) + n)
        failures = 0
        for _ in range(DRAWS):
            scores = draw_e(rng, n)
            k = int(rng.binomial(n - top(rng, scores, expected / n).sum(), expected / n))
            failures += reassurance(scores, draw_d(rng, n), misbehaved=k, delta=delta).ceiling < curve(expected / n)
        assert binomtest(failures, DRAWS, delta, alternative="greater").pvalue > 0.001


def test_exposure_is_covered_given_the_evaluation_sample():
    """The lower bound exceeds the true deployment mass above the largest item in at most delta of draws."""
    rng = np.random.default_rng(9)
    failures = 0
    for _ in range(DRAWS):
        scores = rng.normal(size=200)
        failures += reassurance(scores, rng.normal(1.5, 1, 200)).exposure.value > ndtr(1.5 - scores.max())
    assert binomtest(failures, DRAWS, 0.05, alternative="greater").pvalue > 0.001


def test_pooled_out_of_fold_scores_cover():
    """Cross-fitted in twenty dimensions, pooled scores' ceilings stay above the curve of the discriminator trained on
    all rows, and are no bound of one.
    """
    from dokimasia.instruments.common.crossfit import Layout, cross_fit
    from dokimasia.instruments.common.discriminators import DenseFeatures

    n, fresh, rate = 150, 20_000, 3 / 150
    failures, ceilings = 0, []
    for draw in range(60):
        rng = np.random.default_rng(draw)
        values = rng.normal(size=(2 * n + 2 * fresh, 20))
        deployment = np.repeat([False, True, False, True], [n, n, fresh, fresh])
        values[deployment, 0] += 1.0
        features, rows = DenseFeatures(values, c=0.1), np.arange(2 * n)
        layout = Layout(deployment[: 2 * n], rows, rows)
        held_out = cross_fit(features, layout, seed=draw, rows=rows)
        whole = features.fit_score(rows, layout.deployment, rows, np.arange(2 * n, len(values)), seed=0).scaled
        truth = np.mean(whole[fresh:] > np.quantile(whole[:fresh], 1 - rate))
        k = int(rng.binomial(n, rate))
        found = reassurance(*held_out.sides(missing="ceiling"), misbehaved=k).ceiling
        ceilings.append(found)
        failures += found < truth
    assert binomtest(failures, 60, 0.05, alternative="greater").pvalue > 0.01
    assert np.median(ceilings) < 0.75
