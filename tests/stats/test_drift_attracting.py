"""Attractors are found where they are planted, seldom elsewhere, and too few turns are called that."""

import math

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.stats import attraction
from dokimasia.stats.drift.attracting import _reordered, ordered
from dokimasia.stats.drift.turns import gathered
from dokimasia.theory.drift import Ornstein, permuted, random_walk

QUICK = {"draws": 39, "orders": 99}
SIMULATIONS = 25
MOST = 4
"""Claims in 25 simulations: with 5% each more come about in one of 140 such tests."""


def displaced(seed, k=1, conversations=10, turns=10):
    return Ornstein(theta=0.4, centre=(0.0,) * k).simulate(conversations, turns, start=(3.0,) * k, seed=seed)


@pytest.fixture
def without_power(monkeypatch):
    """Leaves out how likely an attractor was to be found, which claims do not hang on."""
    monkeypatch.setattr("dokimasia.stats.drift.attracting._power", lambda *_: 1.0)


def claims(simulate):
    return sum(attraction(simulate(seed), seed=seed, **QUICK).verdict == "attractor" for seed in range(SIMULATIONS))


@pytest.mark.parametrize("k", [1, 2])
def test_conversations_that_come_back_are_attracted(k):
    """Conversations that begin away and return: an attractor, its radius below 1, its place near the planted one."""
    found = attraction(displaced(1, k, conversations=10 * k), **QUICK)
    assert found.verdict == "attractor"
    assert found.p_value <= 0.05
    assert found.inside
    assert found.map.radius.high < 1
    assert all(abs(figure.value) < 0.6 for figure in found.map.fixed_point)


def test_they_are_found_as_a_rule(without_power):
    """Not only once."""
    assert claims(displaced) >= 0.8 * SIMULATIONS


@pytest.mark.parametrize("conversations", [5, 10])
def test_permuted_turns_are_seldom_attracted(without_power, conversations):
    """The same turns in another order lead nowhere: claimed within 5%."""
    assert claims(lambda seed: permuted(displaced(seed, conversations=conversations), seed=seed + 1)) <= MOST


def test_turns_that_scatter_about_a_place_are_no_attractor(without_power):
    """They have no order, so nothing is seen to return; nor where each conversation has a place of its own."""
    normal = np.random.default_rng(0).normal
    assert claims(lambda _: list(normal(size=(8, 8, 1)))) <= MOST
    assert claims(lambda _: list(normal(size=(8, 8, 1)) + 2 * normal(size=(8, 1, 1)))) <= MOST


def test_a_walk_is_seldom_attracted(without_power):
    """It carries on from wherever it is, also with a trend, in one coordinate and in two."""
    assert claims(lambda seed: random_walk(8, 8, seed=seed)) <= MOST
    assert claims(lambda seed: random_walk(8, 8, k=2, seed=seed)) <= MOST
    assert claims(lambda seed: [path + 0.5 * np.arange(8)[:, None] for path in random_walk(8, 8, seed=seed)]) <= MOST


def test_a_drift_that_goes_on_is_not_attracted(without_power):
    """Read through noise it looks as if it returned to where it is not; what the map leaves gives it away."""
    normal = np.random.default_rng(0).normal
    assert claims(lambda _: list(normal(size=(10, 10, 1)) + 0.5 * np.arange(10)[:, None])) <= MOST


def test_one_conversation_of_five_turns_is_too_little():
    """It says so, and how many would do."""
    found = attraction([np.array([3.0, 2.0, 1.4, 1.2, 1.1])], **QUICK)
    assert found.verdict == "too few turns"
    assert "1 conversation" in found.why
    assert found.map is None
    assert 10 < found.needed < 200


def test_a_few_conversations_of_five_turns_are_too_little():
    """A map can be drawn, but what is needed to tell return from a walk is more, and the number said suffices."""
    start = Ornstein(theta=math.log(2))
    found = attraction(start.simulate(4, 5, seed=3), **QUICK)
    assert found.verdict == "too few turns"
    assert found.power < 0.8
    assert found.needed > 4
    many = [attraction(start.simulate(found.needed, 5, seed=seed), **QUICK) for seed in range(5)]
    assert sum(one.verdict == "attractor" for one in many) >= 3
    assert all(one.verdict != "too few turns" for one in many)


def test_two_turns_each_never_suffice():
    """Nothing that begins and ends at once can be seen to return in steps; no number of conversations is promised."""
    assert attraction([np.array([1.0, 0.5])] * 2, **QUICK).needed is None


def test_no_attractor_is_an_answer():
    """With turns enough, random order is not too few turns but no attractor."""
    found = attraction(list(np.random.default_rng(1).normal(size=(20, 10, 1))), **QUICK)
    assert found.verdict == "no attractor found"
    assert found.power > 0.8
    assert "random order" in found.why


def test_turns_alike_are_an_error():
    """A model that always says the same stands still, and there is nothing to fit."""
    with pytest.raises(DataError, match="alike"):
        attraction([np.ones((6, 2))] * 5)


def test_missing_turns_stay_where_they_are():
    """Orders are drawn among the turns that there are, each conversation for itself."""
    turns = gathered([np.array([1.0, math.nan, 2.0, 3.0]), np.array([4.0, 5.0])])
    for keys in np.random.default_rng(0).random((20, *turns.present.shape)):
        mixed = _reordered(turns.points, turns.present, keys)
        assert (np.isnan(mixed) == np.isnan(turns.points)).all()
        assert sorted(mixed[0][turns.present[0], 0]) == [1.0, 2.0, 3.0]
        assert sorted(mixed[1][turns.present[1], 0]) == [4.0, 5.0]


def test_the_order_test_is_exact():
    """Its p-value falls below each level as often as the level says, where order means nothing."""
    normal = np.random.default_rng(2).normal
    values = [ordered(gathered(list(normal(size=(5, 6, 1)))), orders=39, seed=seed) for seed in range(300)]
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(values) <= level + 1e-9) == pytest.approx(level, abs=3.5 * math.sqrt(level / 300))
