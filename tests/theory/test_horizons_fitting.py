"""One fit for many weightings: right, batched, within bounds."""

import numpy as np
import pytest
from scipy.optimize import minimize

from dokimasia.core import DataError
from dokimasia.theory.horizons import CURVES, Attempts, Constant, Exponential, Logistic, Steps, Weibull, fit, losses
from dokimasia.theory.horizons.fitting import CLIP

TRUE = {
    "constant": [-0.4],
    "exponential": [-3.0],
    "independent steps": [-3.0, 0.7],
    "ceiling x exponential": [0.6, -5.0],
    "Lomax": [-2.5, -1.0],
    "Weibull": [-1.5, 0.4],
    "logistic": [-2.0, 0.55],
    "probit": [-1.2, 0.32],
}
X = np.log(np.geomspace(1, 1400, 80))
each = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)


def noisy(curve, *, seed, runs=8):
    """Rates of tasks with an effect of their own, and weights."""
    rng = np.random.default_rng(seed)
    success = np.clip(curve.slopes(X, np.array(TRUE[curve.name]))[0], 1e-3, 1 - 1e-3)
    odds = np.log(success / (1 - success)) + rng.normal(size=len(X))
    return rng.binomial(runs, 1 / (1 + np.exp(-odds))) / runs, rng.uniform(0.2, 2, len(X))


@each
def test_what_a_curve_made_is_found_again(curve):
    """Rates that lie on a curve give back its parameters."""
    theta = np.array(TRUE[curve.name])
    rates, _ = curve.slopes(X, theta)
    found = fit(curve, X, rates, np.ones((1, len(X))))
    assert np.allclose(found.theta[0], theta, atol=2e-3)
    assert np.allclose(curve.slopes(X, found.theta[0])[0], rates, atol=1e-4)


@each
@pytest.mark.parametrize("seed", [0, 1])
def test_no_optimiser_finds_better(curve, seed):
    """From many random starts a general optimiser finds no smaller loss on noisy rates, whichever curve made them."""
    rng = np.random.default_rng(seed)
    for made_by in (curve, Weibull(), Exponential()):
        rates, weights = noisy(made_by, seed=seed)
        found = fit(curve, X, rates, weights[None])

        def loss(theta, rates=rates, weights=weights):
            return float((weights * losses(curve, X, rates, theta)).sum())

        assert found.loss[0] == pytest.approx(loss(found.theta[0]), rel=1e-9)
        places = curve.starts(np.linspace(-2, 9, 12))
        bounds = list(zip(curve.low, curve.high, strict=True))
        best = min(
            minimize(loss, start, bounds=bounds, method="L-BFGS-B").fun
            for start in places[rng.integers(len(places), size=4)]
        )
        assert found.loss[0] <= best + 1e-5


@each
def test_many_weightings_are_many_fits(curve):
    """Weightings fitted together give what each gives alone."""
    rates, weights = noisy(curve, seed=3)
    several = weights * np.random.default_rng(0).poisson(1.0, (6, len(X)))
    together = fit(curve, X, rates, several)
    for row, loss in zip(several, together.loss, strict=True):
        assert fit(curve, X, rates, row[None]).loss[0] == pytest.approx(loss, abs=1e-6)


def test_a_fraction_is_so_much_of_a_success():
    """A rate of 0.3 counts as a success of weight 0.3 and a failure of weight 0.7, as METR splits it."""
    rates, weights = noisy(Logistic(), seed=4)
    halves = np.concatenate([weights * rates, weights * (1 - rates)])
    split = fit(Logistic(), np.tile(X, 2), np.repeat([1.0, 0.0], len(X)), halves[None])
    assert np.allclose(fit(Logistic(), X, rates, weights[None]).theta, split.theta, atol=1e-4)


def test_success_that_rises_is_fitted_by_a_flat_curve():
    """Curves do not rise: against success that does, slope and loss are those of a constant."""
    rates = np.linspace(0.2, 0.9, len(X))
    found, flat = fit(Logistic(), X, rates, np.ones((1, len(X)))), fit(Constant(), X, rates, np.ones((1, len(X))))
    assert found.theta[0, 1] == 0
    assert found.loss[0] == pytest.approx(flat.loss[0], abs=1e-6)


def test_data_without_a_bend_leave_the_index_of_steps_at_its_bound():
    """Where the hazard falls, independent steps can only be the exponential: index 0, the same loss."""
    rates, weights = noisy(Weibull(), seed=5)
    steps, half_life = (fit(curve, X, rates, weights[None]) for curve in (Steps(), Exponential()))
    assert steps.theta[0, 1] == 0
    assert steps.loss[0] == pytest.approx(half_life.loss[0], abs=1e-3)


@each
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_nothing_but_success_or_failure_is_fitted_without_trouble(curve, rate):
    """All successes or all failures give a finite fit, as sure as the clip lets it be."""
    found = fit(curve, X, np.full(len(X), rate), np.ones((2, len(X))))
    assert np.isfinite(found.theta).all()
    assert found.loss[0] < 1.0


def test_an_impossible_success_costs_what_the_clip_says():
    """No loss of one run is more than -ln(1e-4), which the exponential's losses rest on."""
    assert losses(Exponential(), np.array([10.0]), np.array([1.0]), np.array([0.0]))[0] == pytest.approx(-np.log(CLIP))


def test_large_tables_are_fitted_in_blocks(monkeypatch):
    """How many weightings are worked on at once does not change what is found."""
    rates, weights = noisy(Logistic(), seed=6)
    several = weights * np.random.default_rng(1).poisson(1.0, (9, len(X)))
    whole = fit(Logistic(), X, rates, several)
    monkeypatch.setattr("dokimasia.theory.horizons.fitting.LARGEST", 2 * len(X))
    assert np.allclose(fit(Logistic(), X, rates, several).theta, whole.theta, atol=1e-9)


def test_weights_are_metrs():
    """Runs of a task weigh together one over the root of the tasks in its family; in all, the roots summed over families."""
    attempts = Attempts(
        minutes=np.array([1.0, 2, 3, 4, 5]),
        runs=np.array([8, 2, 1, 4, 4]),
        successes=np.array([4.0, 1, 1, 0, 1]),
        families=np.array([0, 0, 0, 0, 2]),
    )
    assert np.allclose(attempts.weights, [0.5, 0.5, 0.5, 0.5, 1])
    assert attempts.weights.sum() == pytest.approx(np.sqrt(4) + np.sqrt(1))
    assert attempts.rate == pytest.approx((0.25 + 0.25 + 0.5 + 0 + 0.25) / 3)
    assert attempts.n_families == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": [1.0, 0.0]},
        {"minutes": [1.0, np.nan]},
        {"minutes": [1.0, np.inf]},
        {"runs": [1, 0]},
        {"successes": [1.0, 3.0]},
        {"successes": [1.0, -1.0]},
        {"successes": [1.0, np.nan]},
        {"families": [0]},
    ],
    ids=str,
)
def test_numbers_that_are_no_attempts_are_refused(wrong):
    """Times are finite and positive, successes lie between 0 and the runs, and every task has one of each."""
    right = {"minutes": [1.0, 2.0], "runs": [1, 2], "successes": [1.0, 1.0], "families": [0, 1]}
    with pytest.raises(DataError):
        Attempts(**{name: np.array(values) for name, values in {**right, **wrong}.items()})
