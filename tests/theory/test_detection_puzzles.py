import math

import numpy as np
import pytest
from scipy.special import bdtr

from dokimasia.core import DataError
from dokimasia.stats import SequentialTest
from dokimasia.theory.detection import predict_puzzles
from dokimasia.theory.detection.puzzles import (
    detections,
    power,
    power_at_any_time,
    power_of_fixed,
    simulate,
    solving,
)

TEST = SequentialTest(null=0.1, alternative=0.7, alpha=0.01, beta=0.05)


def test_the_published_example():
    """Of 0.1 and 0.7: false alarms 0.0048, power 0.966 in 5 puzzles; hidden half of the time 0.51, nine tenths 0.024.

    A simulation elsewhere gives 0.0045, 0.965, 0.50 and 0.03; these are exact.
    """
    assert power(TEST, 1.0).alarm == pytest.approx(0.00482, rel=0.002)
    assert power(TEST, 0.0).alarm == pytest.approx(0.9658, rel=0.001)
    assert power(TEST, 0.5).alarm == pytest.approx(0.5112, rel=0.001)
    assert power(TEST, 0.9).alarm == pytest.approx(0.0239, rel=0.003)
    assert power(TEST, 0.0).mean_trials == pytest.approx(4.988, rel=0.001)
    assert TEST.wald(0.7).mean_trials == pytest.approx(4.045, rel=0.001)


def test_hiding_moves_the_rate_from_one_to_the_other():
    """Never hiding solves at s, always at g, half of the time at their mean."""
    assert [solving(TEST, hiding) for hiding in (0.0, 0.5, 1.0)] == pytest.approx([0.7, 0.4, 0.1])


@pytest.mark.parametrize("hiding", [0.0, 0.5, 0.9])
def test_simulated_tests_agree_with_the_recursion(hiding):
    """Alarms and lengths of drawn tests are those of the recursion."""
    exact = power(TEST, hiding)
    found = simulate(TEST, solving(TEST, hiding), runs=40_000, seed=1)
    assert abs(found.alarms / found.runs - exact.alarm) < 4 * math.sqrt(exact.alarm * (1 - exact.alarm) / found.runs)
    assert abs(found.lengths.mean() - exact.mean_trials) < 4 * found.lengths.std() / math.sqrt(found.runs)


def test_power_falls_as_more_is_hidden():
    """Whatever the test, hiding more never raises the probability of an alarm."""
    shares = np.linspace(0, 1, 9)
    for powers in (
        [power(TEST, share).alarm for share in shares],
        [power_at_any_time(solving(TEST, share), 0.1, alpha=0.01, longest=40).alarm for share in shares],
        [power_of_fixed(solving(TEST, share), 0.1, alpha=0.01, puzzles=40) for share in shares],
    ):
        assert (np.diff(powers) < 0).all()
        assert powers[-1] <= 0.01


@pytest.mark.parametrize("puzzles", [1, 2, 10, 40])
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
def test_the_fixed_test_keeps_its_level_and_wastes_none(puzzles, alpha):
    """False alarms are at most alpha, and one success less would exceed it; where no outcome will do there is no power."""
    false = power_of_fixed(0.1, 0.1, alpha=alpha, puzzles=puzzles)
    assert false <= alpha
    tails = [1 - bdtr(count - 1, puzzles, 0.1) for count in range(1, puzzles + 1)]
    assert false == pytest.approx(max((tail for tail in tails if tail <= alpha), default=0.0))


def test_the_e_process_keeps_its_level_however_long_one_watches():
    """Watched for 400 puzzles it is false in at most alpha of cases, while a test at each look would be false far oftener."""
    assert power_at_any_time(0.1, 0.1, alpha=0.05, longest=400).alarm <= 0.05
    rng = np.random.default_rng(0)
    counts = (rng.random((2000, 400)) < 0.1).cumsum(axis=1)
    looks = 1 - bdtr(counts - 1.0, np.arange(1, 401), 0.1) <= 0.05
    assert looks.any(axis=1).mean() > 0.15


def test_drift_alarms_a_test_without_controls_and_not_the_difference():
    """Models that get better at everything set off the sequential test; the difference in differences keeps its level."""
    assert TEST.passage(0.3).alarm > 0.2
    false = detections((0.3, 0.3), (0.1, 0.1), puzzles=40, runs=1500, seed=0)
    found = detections((0.8, 0.3), (0.1, 0.1), puzzles=40, runs=400, seed=1)
    assert false / 1500 < 0.025 + 4 * math.sqrt(0.025 / 1500)
    assert found / 400 > 0.9


@pytest.mark.parametrize(
    "wrong",
    [
        {"without": 0.0},
        {"without": math.nan},
        {"knowing": 1.0},
        {"knowing": 0.05},
        {"without": 0.3, "knowing": 0.3},
        {"alpha": 0.0},
        {"alpha": 0.6, "beta": 0.5},
        {"hiding": 1.5},
        {"drift": -0.1},
        {"puzzles": 0},
        {"puzzles": 10**6},
        {"without": 0.5, "knowing": 0.51},
    ],
)
def test_parameters_outside_the_domain_are_refused(wrong):
    """Each is a mistake of the user's."""
    with pytest.raises(DataError):
        predict_puzzles(**wrong)
