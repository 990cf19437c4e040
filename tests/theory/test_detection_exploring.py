import math

import mpmath
import numpy as np
import pytest
from scipy.special import expit, logit

from dokimasia.core import DataError
from dokimasia.theory.detection import predict_exploring
from dokimasia.theory.detection.exploring import first_try, goals, goals_mixed, reinforce, steps_to_learn


@pytest.mark.parametrize("probability", [1e-12, 0.01, 0.3, 1.0])
def test_first_tries_come_after_the_reciprocal(probability):
    """The mean of a geometric law is one over the probability; without one there is no mean."""
    assert first_try(probability) == pytest.approx(1 / probability)
    drawn = np.random.default_rng(0).geometric(0.3, 100_000)
    assert abs(drawn.mean() - first_try(0.3)) < 4 * drawn.std() / math.sqrt(len(drawn))
    with pytest.raises(DataError):
        first_try(0.0)


@pytest.mark.parametrize(("start", "end"), [(1e-300, 0.5), (1e-6, 0.5), (0.2, 0.9), (0.5, 1 - 1e-9)])
def test_learning_takes_the_integral_of_its_speed(start, end):
    """The time between two logits is the integral of 1 / (p (1 - p)), which diverges for an action never tried."""
    with mpmath.workdps(30):
        low, high = (mpmath.log(mpmath.mpf(p) / (1 - mpmath.mpf(p))) for p in (start, end))
        points = [low + (high - low) * place / 40 for place in range(41)]
        expected = mpmath.quad(lambda z: 2 + mpmath.exp(z) + mpmath.exp(-z), points)
    assert steps_to_learn(start, end, gain=0.25) == pytest.approx(float(4 * expected), rel=1e-8)


def test_an_action_is_learned_step_by_step_as_said():
    """Exact policy gradient in small steps takes the time of the closed form."""
    z, steps = logit(0.05), 0
    while z < 0:
        p = expit(z)
        z += 0.01 * p * (1 - p)
        steps += 1
    assert 0.01 * steps == pytest.approx(steps_to_learn(0.05, 0.5), rel=0.01)


def test_scale_decides_which_goal_is_learned():
    """Published: 0.5, 0.998 and 0.002 at scales (1, 1), (2, 1) and (1, 2) after a training of about 6,256."""
    for scales, left in (((1, 1), 0.5), ((2, 1), 0.998), ((1, 2), 0.002)):
        assert goals(*scales, 6256.0).coin_left == pytest.approx(left, abs=5e-5)
    assert goals(2, 1, 6256.0).coin_right > 0.9999
    assert goals(2, 1, 0.0) == (0.5, 0.5)


@pytest.mark.parametrize("scales", [(1.0, 1.0), (2.0, 1.0), (0.5, 3.0)])
@pytest.mark.parametrize("time", [0.1, 20.0, 5000.0])
def test_the_flow_keeps_weights_in_proportion(scales, time):
    """Integrated numerically, with no coin on the left, it ends where the closed form says; more digits change nothing."""
    exact = goals(*scales, time)
    assert goals_mixed(*scales, time, 0.0) == pytest.approx(exact, rel=1e-6)
    assert goals_mixed(*scales, time, 0.02, tolerance=1e-12) == pytest.approx(
        goals_mixed(*scales, time, 0.02), rel=1e-6
    )


def test_a_few_telling_cases_turn_the_goal_around_late():
    """With 2% of coins on the left a policy that went right anyway, 0.998, goes there in under 1%; at first it does not."""
    assert goals_mixed(2.0, 1.0, 6256.0, 0.02).coin_left < 0.01
    assert goals_mixed(2.0, 1.0, 200.0, 0.02).coin_left > 0.95
    assert goals(2.0, 1.0, 6256.0).coin_left > 0.99


def test_sampled_gradients_follow_the_flow():
    """REINFORCE on episodes ends near the closed form, in the mean of several runs and within their spread."""
    found = np.array([reinforce(2.0, 1.0, time=20.0, rate=0.05, batch=64, seed=seed).coin_left for seed in range(12)])
    assert abs(found.mean() - goals(2.0, 1.0, 20.0).coin_left) < 4 * found.std() / math.sqrt(12) + 0.002


@pytest.mark.parametrize(
    "wrong",
    [
        {"probability": 0.0},
        {"floor": 0.0},
        {"miss": 1.0},
        {"bias": -1.0},
        {"bias": 0.0, "coin": 0.0},
        {"time": math.nan},
        {"mixed": 1.5},
    ],
)
def test_parameters_outside_the_domain_are_refused(wrong):
    """Each is a mistake of the user's."""
    with pytest.raises(DataError):
        predict_exploring(**wrong)


@pytest.mark.parametrize("scales", [(10.0, 1.0), (1e6, 1e5), (1.0, 100.0)])
def test_scales_of_different_size_are_integrated_smoothly(scales):
    """Going right with the coin on the left rises once and falls once, and never jumps back."""
    change = np.diff([goals_mixed(*scales, time, 0.2).coin_left for time in np.geomspace(1e-2, 1e12, 29)])
    assert (np.diff(np.sign(change[np.abs(change) > 1e-7])) <= 0).all()


def test_actions_that_are_not_avoided_or_nearly_impossible_have_an_answer():
    """From one half on nothing is left to learn; below 1e-308 the time is beyond a float, and said to be infinite."""
    with pytest.raises(DataError, match="avoids"):
        predict_exploring(probability=0.7)
    assert steps_to_learn(1e-320, 0.5) == math.inf
