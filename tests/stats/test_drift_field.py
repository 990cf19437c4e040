"""A field bends where two wells are planted, and nowhere else."""

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.stats import drift_field
from dokimasia.theory.drift import DoubleWell, Ornstein, random_walk


def test_two_planted_wells_are_found():
    """Two attractors at the planted places with an unstable point between them; about half of the turns flow to either."""
    wells = DoubleWell()
    found = drift_field(wells.simulate(30, 12, seed=0))
    assert found.bandwidth is not None
    assert found.gain.low > 0
    places = sorted(point.place[0] for point in found.attractors)
    assert places == pytest.approx(wells.attractors[:, 0], abs=0.15)
    (divide,) = [point for point in found.fixed_points if not point.stable]
    assert divide.place[0] == pytest.approx(wells.divide[0], abs=0.3)
    assert min(point.basin for point in found.attractors) > 0.3
    assert sum(point.basin for point in found.attractors) + found.unsettled == pytest.approx(1.0)


def test_wells_are_found_in_the_plane():
    """The second coordinate has one resting place, the first two."""
    wells = DoubleWell(k=2)
    found = drift_field(wells.simulate(40, 15, seed=1))
    places = np.array(sorted(point.place for point in found.attractors))
    assert places == pytest.approx(wells.attractors, abs=0.2)


def test_wells_are_found_as_a_rule():
    """In at least eight of ten sets of twenty conversations."""
    counts = [len(drift_field(DoubleWell().simulate(20, 10, seed=seed)).attractors) for seed in range(30)]
    assert np.mean(np.array(counts) == 2) >= 0.8


@pytest.mark.parametrize("k", [1, 2])
def test_one_attractor_is_seldom_split(k):
    """A linear drift keeps its one attractor: of 60 simulations at most 5 show two."""
    drift = Ornstein(theta=0.4, centre=(0.0,) * k)
    counts = [len(drift_field(drift.simulate(10, 10, seed=seed)).attractors) for seed in range(60)]
    assert sum(count > 1 for count in counts) <= 5
    assert sum(count == 1 for count in counts) >= 50


def test_the_linear_map_is_what_a_field_that_does_not_bend_is():
    """Its fixed point is (I - A)^-1 b, its radius there that of the map, and all turns flow to it."""
    found = drift_field(Ornstein(theta=[[0.4, 0.5], [-0.5, 0.3]], centre=(1.0, 2.0)).simulate(12, 12, seed=3))
    assert found.bandwidth is None
    constant, turned = found.coefficients[0], found.coefficients[1:]
    (point,) = found.fixed_points
    assert np.array(point.place) == pytest.approx(np.linalg.solve(np.eye(2) - turned.T, constant), abs=1e-6)
    assert point.radius == pytest.approx(np.abs(np.linalg.eigvals(turned)).max(), abs=1e-4)
    assert point.basin == 1.0
    assert found.after([[3.0, -1.0]])[0] == pytest.approx(np.array([3.0, -1.0]) @ turned + constant)


def test_a_bent_field_is_the_linear_map_far_from_what_was_seen():
    """Nothing bends where there are no turns."""
    found = drift_field(DoubleWell().simulate(30, 12, seed=0))
    far = np.array([[50.0]])
    assert found.after(far) == pytest.approx(far @ found.coefficients[1:] + found.coefficients[0])
    near = np.array([[0.5]])
    assert abs(found.after(near) - near @ found.coefficients[1:] - found.coefficients[0]).item() > 0.02


def test_a_walk_has_no_wells():
    """It goes on from anywhere."""
    counts = [len(drift_field(random_walk(10, 10, seed=seed)).attractors) for seed in range(20)]
    assert max(counts) <= 1


def test_what_diverges_rests_nowhere():
    """Steps that grow are followed without overflow, and no attractor is reported."""
    rng = np.random.default_rng(0)
    paths = []
    for _ in range(8):
        path = [rng.normal(size=1)]
        for _ in range(8):
            path.append(2.5 * path[-1] + 0.01 * rng.normal(size=1))
        paths.append(np.array(path))
    found = drift_field(paths)
    assert not found.attractors
    assert found.unsettled == 1.0


def test_missing_turns_change_nothing_else():
    """A gap takes two pairs out."""
    paths = Ornstein(theta=0.4).simulate(8, 8, seed=0)
    paths[0][3] = np.nan
    found = drift_field(paths)
    assert len(found.before) == 8 * 7 - 2
    assert np.isfinite(found.after([[0.0]])).all()


def test_too_few_turns_are_an_error():
    """As for the linear map."""
    with pytest.raises(DataError, match="2 conversations"):
        drift_field([np.arange(9.0)] * 2)
