"""Closed forms of drift agree with what is simulated."""

import math

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.drift import DoubleWell, Ornstein, permuted, random_walk

TURNING = np.array([[0.4, 0.5], [-0.5, 0.3]])


@pytest.mark.parametrize(("theta", "k"), [(0.3, 1), (TURNING, 2)])
def test_a_simulation_has_the_stationary_covariance_at_every_turn(theta, k):
    """The first turn and the last of conversations begun anywhere scatter alike, as the closed form says."""
    drift = Ornstein(theta=theta, noise=0.7, centre=(2.0, -1.0)[:k])
    paths = np.array(drift.simulate(20_000, 4, seed=0))
    for turn in (0, 3):
        assert np.cov(paths[:, turn].T).reshape(k, k) == pytest.approx(drift.stationary, abs=0.03)
        assert paths[:, turn].mean(axis=0) == pytest.approx(drift.centre, abs=0.03)


def test_one_coordinate_has_the_textbook_form():
    """A = exp(-theta), stationary variance noise^2 / (2 theta), and that of a turn's noise less A^2 of it."""
    drift = Ornstein(theta=0.3, noise=0.7)
    assert drift.map.item() == pytest.approx(math.exp(-0.3))
    assert drift.stationary.item() == pytest.approx(0.49 / 0.6)
    assert drift.turn_noise.item() == pytest.approx(0.49 / 0.6 * (1 - math.exp(-0.6)))
    assert drift.half_life == pytest.approx(math.log(2) / 0.3)


def test_a_displacement_halves_in_the_half_life():
    """Conversations begun far away are half as far after the half-life, in a simulation and by the closed form."""
    drift = Ornstein(theta=math.log(2) / 3, noise=0.5, centre=(1.0,))
    paths = np.array(drift.simulate(5_000, 7, start=(9.0,), seed=1))
    assert paths[:, 3].mean() - 1 == pytest.approx(4.0, abs=0.05)
    assert paths[:, 6].mean() - 1 == pytest.approx(2.0, abs=0.05)


def test_the_radius_is_that_of_the_map():
    """Also where the drift turns in circles."""
    drift = Ornstein(theta=TURNING, centre=(0.0, 0.0))
    assert drift.radius == pytest.approx(np.abs(np.linalg.eigvals(drift.map)).max())


def test_a_drift_that_does_not_return_is_refused():
    """A random walk has no stationary form, and is simulated otherwise."""
    with pytest.raises(DataError, match="does not return"):
        Ornstein(theta=0.0)
    steps = np.diff(np.array(random_walk(2_000, 6, k=2, seed=0)), axis=1)
    assert steps.std() == pytest.approx(1.0, abs=0.02)


def test_permuted_turns_are_the_same_turns():
    """In another order, each conversation for itself."""
    paths = Ornstein(theta=0.3).simulate(5, 8, seed=0)
    mixed = permuted(paths, seed=1)
    assert all((np.sort(one, axis=0) == np.sort(other, axis=0)).all() for one, other in zip(paths, mixed, strict=True))
    assert any((one != other).any() for one, other in zip(paths, mixed, strict=True))


def test_the_wells_stand_still_and_the_divide_parts():
    """Without noise a start to the left ends at the left attractor, one to the right at the right one."""
    wells = DoubleWell(noise=0.0, k=2)
    ends = np.array(wells.simulate(50, 200, seed=0))
    sides = np.sign(ends[:, 0, 0])
    assert ends[:, -1] == pytest.approx(np.where(sides[:, None] < 0, *wells.attractors[:, None]), abs=1e-6)
    assert wells.half_life == pytest.approx(math.log(0.5) / math.log(0.4))
    with pytest.raises(DataError, match="overshoots"):
        DoubleWell(pull=1.5)
