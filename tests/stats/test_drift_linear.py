"""The map from turn to turn is recovered, with intervals that cover."""

import math

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.stats import linear_map
from dokimasia.stats.drift import half_life, stationary_covariance
from dokimasia.stats.drift.turns import gathered, sums
from dokimasia.theory.drift import Ornstein

DRAWS = 99


def recovered(drift, conversations, turns, *, simulations, start=None):
    """How often radius, half-life, each coordinate of the fixed point and each spread lie in their intervals."""
    spreads = np.sqrt(np.diag(drift.stationary))
    hits = []
    for seed in range(simulations):
        paths = drift.simulate(conversations, turns, start=start, seed=seed)
        found = linear_map(paths, draws=59, seed=seed)
        truths = [drift.radius, drift.half_life, *drift.centre, *spreads]
        figures = [found.radius, found.half_life, *found.fixed_point, *found.spread]
        hits.append([figure.low <= truth <= figure.high for figure, truth in zip(figures, truths, strict=True)])
    return np.array(hits).sum(axis=0)


@pytest.mark.parametrize(
    ("theta", "k", "conversations", "turns"),
    [(0.2, 1, 10, 10), (0.7, 1, 5, 8), (0.5, 2, 5, 8)],
)
def test_planted_drift_is_in_its_intervals(theta, k, conversations, turns):
    """Of 40 simulations 34 at least hit each: with 95% intervals fewer come about in one of 300 such tests."""
    drift = Ornstein(theta=theta, noise=0.8, centre=(1.0, -2.0)[:k])
    hits = recovered(drift, conversations, turns, simulations=40)
    assert (hits >= 34).all(), hits


def test_plain_least_squares_is_too_low():
    """The downward bias is there to be dealt with: least squares is too low by far, the reported radius hardly."""
    drift = Ornstein(theta=0.1)
    plain, reported = [], []
    for seed in range(40):
        found = linear_map(drift.simulate(4, 7, start=(0.0,), seed=seed), draws=59, seed=seed)
        plain.append(abs(found.matrix.item()))
        reported.append(found.radius.value)
    assert np.median(plain) < drift.radius - 0.05
    assert np.median(reported) == pytest.approx(drift.radius, abs=0.1)


def test_a_long_record_gives_the_map_itself():
    """With many turns matrix, noise and fixed point are those planted, also of a drift in circles."""
    drift = Ornstein(theta=[[0.4, 0.5], [-0.5, 0.3]], noise=0.5, centre=(1.0, -2.0))
    found = linear_map(drift.simulate(20, 200, seed=0), draws=9)
    assert found.matrix == pytest.approx(drift.map, abs=0.05)
    assert found.noise == pytest.approx(drift.turn_noise, abs=0.02)
    assert [one.value for one in found.fixed_point] == pytest.approx(drift.centre, abs=0.05)
    assert found.half_life.value == pytest.approx(drift.half_life, rel=0.15)
    assert stationary_covariance(drift.map, drift.turn_noise) == pytest.approx(drift.stationary)
    assert found.after(drift.centre) == pytest.approx(drift.centre, abs=0.05)


def test_missing_turns_are_counted_and_no_pair_spans_them():
    """A turn without coordinates parts what comes before from what comes after; the rest is unmoved by its place in the list."""
    paths = [path.copy() for path in Ornstein(theta=0.5).simulate(6, 9, seed=0)]
    whole = linear_map(paths, draws=DRAWS)
    paths[2][4] = math.nan
    paths[3][0] = math.nan
    found = linear_map([*paths, np.array([[1.0]]), np.empty((0, 1))], draws=DRAWS)
    assert (whole.pairs, whole.missing) == (48, 0)
    assert (found.pairs, found.missing, found.conversations) == (45, 2, 6)
    turns = gathered([*paths, np.array([[1.0]])])
    assert turns.unpaired == 1
    before = np.concatenate([path[:-1] for path in paths])
    after = np.concatenate([path[1:] for path in paths])
    kept = ~np.isnan(before + after)[:, 0]
    slope, constant = np.polyfit(before[kept, 0], after[kept, 0], 1)
    assert sums(turns.points, turns.paired).fitted().ravel() == pytest.approx([constant, slope])


def test_the_same_turns_give_the_same_map():
    """Numbers repeat under a seed; the order of conversations hardly moves them."""
    paths = Ornstein(theta=0.5).simulate(6, 9, seed=0)
    first, again = (linear_map(paths, draws=DRAWS, seed=4) for _ in range(2))
    assert (first.radius, first.fixed_point) == (again.radius, again.fixed_point)
    turned = linear_map(paths[::-1], draws=DRAWS, seed=4)
    assert turned.matrix == pytest.approx(first.matrix)
    assert turned.radius.value == pytest.approx(first.radius.value, abs=0.1)


def test_a_walk_has_no_end_of_its_half_life():
    """Where no return is excluded the half-life, the fixed point and the spread have no upper end."""
    paths = [np.cumsum(np.random.default_rng(seed).normal(size=(12, 1)), axis=0) for seed in range(6)]
    found = linear_map(paths, draws=DRAWS)
    assert found.radius.high >= 1
    assert found.half_life.high == math.inf
    assert found.fixed_point[0].high == math.inf
    assert found.spread[0].high == math.inf


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "0 conversations"),
        ([np.arange(5.0)], "1 conversation with"),
        ([np.arange(2.0)] * 3, "2 pairs of turns"),
        ([np.full((8, 1), 3.0)] * 5, "alike"),
        ([np.column_stack([np.arange(8.0) ** 2 % 5] * 2)] * 5, "vary together"),
        ([start * 0.5 ** np.arange(6.0) for start in range(1, 6)], "exactly"),
        ([np.zeros((5, 4))] * 5, "shapes"),
        ([np.zeros((5, 1)), np.zeros((5, 2))], "shapes"),
        ([np.array([1.0, math.inf, 2.0])] * 4, "infinite"),
        ([np.full((5, 1), math.nan)] * 4, "0 conversations"),
    ],
)
def test_what_cannot_be_fitted_is_said(paths, message):
    """Too few turns, turns that do not vary, too many coordinates: an error that names what was found."""
    with pytest.raises(DataError, match=message):
        linear_map(paths, draws=DRAWS)


def test_half_lives():
    """Nothing is left at once, half after a turn, all for ever."""
    assert [half_life(radius) for radius in (0.0, 0.5, 1.0, 1.2)] == [0.0, 1.0, math.inf, math.inf]
