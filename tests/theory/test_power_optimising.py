"""Power seeking: simulation, counting over orbits, and when the theorem applies."""

import itertools
from collections import Counter

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.power import (
    LAWS,
    Mdp,
    Move,
    Rewards,
    build,
    copies,
    detour,
    discounted,
    long_run_copies,
    optimal_shares,
    optimise,
    orbit,
    power,
    recurrent,
    simulate,
    switch,
    tree,
)
from dokimasia.theory.power.visits import long_run

BUNDLED = [switch(), tree(), detour()]


def random_process(rng, states=4):
    """States with one to three moves, some of them left to chance."""
    moves = []
    for _ in range(states):
        made = []
        for place in range(rng.integers(1, 4)):
            ends = sorted(rng.choice(states, rng.integers(1, 3), replace=False))
            chances = rng.dirichlet(np.ones(len(ends))) if len(ends) > 1 else [1.0]
            made.append(Move(name=str(place), to=tuple(zip(map(int, ends), map(float, chances), strict=True))))
        moves.append(tuple(made))
    return Mdp(name="random", states=tuple("abcdefgh"[:states]), moves=tuple(moves))


@pytest.mark.parametrize("seed", range(12))
def test_policy_iteration_finds_the_best_of_all_policies(seed):
    """On random processes with chance, optimal values and moves are those of a list of all policies."""
    rng = np.random.default_rng(seed)
    mdp, discount = random_process(rng), rng.uniform(0.05, 0.99)
    rewards = rng.normal(size=(50, 4))
    found = optimise(mdp, rewards, discount)
    values = rewards @ discounted(mdp, 0, discount).vectors.T
    assert found.values[:, 0] == pytest.approx(values.max(axis=1), rel=1e-9)
    listed = discounted(mdp, 0, discount)
    for row, best in enumerate(values.argmax(axis=1)):
        assert all(found.best[row, move] for move in listed.moves[best])


@pytest.mark.parametrize("law", ["uniform", "exponential"])
@pytest.mark.parametrize("mdp", BUNDLED, ids=lambda mdp: mdp.name)
def test_simulation_and_volumes_agree(mdp, law):
    """Shares and POWER within four standard errors."""
    rewards, n = Rewards(law=LAWS[law]), 20_000
    drawn = simulate(mdp, rewards, 0.8, n=n, seed=5)
    exact = optimal_shares(mdp, rewards, 0.8)
    for count, share in zip(drawn.optimal, exact.optimal, strict=True):
        assert abs(count / n - share) < 4.0 * np.sqrt(share * (1.0 - share) / n)
    for state in (1, len(mdp.states) - 1):
        assert abs(drawn.power[state] - power(mdp, rewards, 0.8, state=state)) < 4.0 * drawn.error[state]


def test_moves_tie_where_rewards_do():
    """With nothing anywhere every move is optimal and none alone."""
    found = optimise(tree(), np.zeros((1, 8)), 0.9)
    assert found.best.all()
    sparse = simulate(switch(), Rewards(law=LAWS["sparse"]), 0.9, n=2000, seed=0)
    assert sum(sparse.optimal) > 2000 > sum(sparse.alone)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_size_of_rewards_does_not_matter(scale):
    """Ties are judged by the size of the rewards."""
    rewards = np.random.default_rng(0).random((500, 8))
    assert np.array_equal(optimise(tree(), rewards * scale, 0.95).best, optimise(tree(), rewards, 0.95).best)


def test_iteration_that_does_not_settle_is_no_result(monkeypatch):
    """Stopped before the values settle, it says so instead of giving the policy of the last round."""
    monkeypatch.setattr("dokimasia.theory.power.optimising.MOST_ROUNDS", 1)
    with pytest.raises(DataError, match="did not settle"):
        optimise(tree(), np.random.default_rng(0).random((40, 8)), 0.95)


def test_blocks_do_not_change_the_answer(monkeypatch):
    """Solved one at a time or all at once."""
    rewards = np.random.default_rng(0).random((40, 8))
    whole = optimise(tree(), rewards, 0.95)
    monkeypatch.setattr("dokimasia.theory.power.optimising.BLOCK", 64 * 7)
    parts = optimise(tree(), rewards, 0.95)
    assert np.array_equal(whole.best, parts.best)
    assert parts.values == pytest.approx(whole.values)


@pytest.mark.parametrize("reward", [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 0.0, 0.0, 0.0, 0.0, 2.0], [1.0] * 6])
def test_orbits_hold_each_permutation_once(reward):
    """Counted against all permutations, weighed by how many give the same reward function."""
    mdp = switch()
    found = orbit(mdp, reward, 0.7)
    every = set(itertools.permutations(reward))
    assert found.size == len(every)
    best = optimise(mdp, np.array(sorted(every)), 0.7).best
    assert [found.share(move) for move in range(2)] == pytest.approx(best.mean(axis=0))


def test_the_mean_over_orbits_is_the_share():
    """For rewards that are alike in law, shares in orbits of drawn rewards average to the share of all rewards."""
    mdp, rng = switch(), np.random.default_rng(0)
    shares = [orbit(mdp, rng.random(6), 0.9).share(0) for _ in range(60)]
    expected = 0.5 - 0.9 / 4.0
    assert abs(np.mean(shares) - expected) < 4.0 * np.std(shares, ddof=1) / np.sqrt(60)


def test_in_the_long_run_every_orbit_agrees():
    """Near discount 1, `off` is the best of four ends for exactly a quarter of every orbit without ties."""
    for reward in ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0.1, 0.11, 5.0, 60.0, -7.0, 0.0]):
        assert orbit(switch(), reward, 1.0 - 1e-6).share(0) == 0.25


def test_too_large_an_orbit_is_refused():
    """More permutations than can be counted, and rewards that do not fit."""
    large = build("large", {"s": {str(end): f"e{end}" for end in range(9)}}, start="s")
    with pytest.raises(DataError, match="3,628,800"):
        orbit(large, range(10), 0.5)
    with pytest.raises(DataError, match="for each state"):
        orbit(switch(), [1.0, 2.0], 0.5)


def test_right_holds_a_copy_of_left():
    """Figure 6 of the paper: the two branches are swapped, and shutting down is a copy of nothing at discounts below 1."""
    mdp = tree()
    (only,) = copies(mdp)
    assert (only.more, only.fewer, only.optimality, only.power) == (2, 0, True, True)
    named = {mdp.states[a]: mdp.states[b] for a, b in only.swaps.items()}
    assert named["left"] == "right"
    assert {named["left low"], named["left high"]} == {"right low", "right high"}
    assert named["start"] == "start"
    assert copies(switch()) == copies(detour()) == ()


def test_in_the_long_run_shutting_down_is_a_copy():
    """Theorem 6.13: one end is a copy of any other."""
    mdp = switch()
    assert [(copy.more, copy.fewer, copy.optimality) for copy in long_run_copies(mdp, recurrent(mdp, 0))] == [
        (1, 0, True)
    ]
    mdp = tree()
    pairs = {(copy.more, copy.fewer) for copy in long_run_copies(mdp, recurrent(mdp, 0))}
    assert pairs == {(0, 1), (2, 0), (2, 1)}


def test_a_third_move_to_the_same_states_voids_the_proof():
    """The copy stands, and nothing follows for optimality if another move leads there too; nor if the start comes again."""
    table = {"s": {"a": "x", "b": "y", "c": "z"}, "y": {"stay": "y", "on": "w"}, "x": {"stay": "x"}}
    apart = build("apart", table, start="s")
    assert {(copy.more, copy.fewer): copy.optimality for copy in copies(apart)}[0, 2] is True
    mixed = build("mixed", {**table, "z": {"go": "y"}}, start="s")
    assert all(not copy.optimality for copy in copies(mixed) if 1 in (copy.more, copy.fewer))
    back = build("back", {"s": {"a": "x", "b": "y"}, "x": {"home": "s"}, "y": {"home": "s", "stay": "y"}}, start="s")
    (copy,) = copies(back)
    assert (copy.more, copy.fewer, copy.optimality, copy.power) == (1, 0, False, False)


def test_a_copy_keeps_probabilities():
    """A move with chances is carried to one with the same chances, or not at all."""
    table = {
        "s": {"a": "x", "b": "y"},
        "x": {"try": {"p": 0.3, "q": 0.7}},
        "y": {"try": {"u": 0.3, "v": 0.7}, "stay": "y"},
    }
    (copy,) = copies(build("chances", table, start="s"))
    assert copy.optimality
    table["y"] = {"try": {"u": 0.4, "v": 0.6}, "stay": "y"}
    assert copies(build("chances", table, start="s")) == ()


@pytest.mark.parametrize("seed", range(40))
def test_what_the_theorem_promises_holds_in_every_orbit(seed):
    """On random processes: wherever its conditions are found to hold, no orbit votes against it, at any discount."""
    rng = np.random.default_rng(seed)
    n = 5
    table = {"s": {"a": "0", "b": "1"}}
    for state in range(n - 1):
        ends = rng.choice(n - 1, rng.integers(1, 3))
        table[str(state)] = {f"m{place}": str(end) for place, end in enumerate(sorted(set(map(int, ends))))}
    mdp = build("random", table, start="s").near()
    for copy in copies(mdp):
        if copy.optimality:
            for reward in (rng.random(len(mdp.states)), np.eye(len(mdp.states))[0]):
                won, lost = orbit(mdp, reward, rng.uniform(0.05, 0.95)).votes(copy.more, copy.fewer)
                assert won >= lost


def test_the_random_processes_are_not_all_trivial():
    """The test above meets pairs for which the theorem applies."""
    met = Counter()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        table = {"s": {"a": "0", "b": "1"}}
        for state in range(4):
            ends = rng.choice(4, rng.integers(1, 3))
            table[str(state)] = {f"m{place}": str(end) for place, end in enumerate(sorted(set(map(int, ends))))}
        met[any(copy.optimality for copy in copies(build("random", table, start="s").near()))] += 1
    assert met[True] >= 5


def test_the_long_run_of_a_chain():
    """Cycles are averaged over, and chance decides between ends in its proportions."""
    chain = np.zeros((5, 5))
    chain[0, 1], chain[0, 3], chain[0, 0] = 0.2, 0.6, 0.2
    chain[1, 2] = chain[2, 1] = chain[3, 3] = 1.0
    chain[4, 4] = 1.0
    found = long_run(chain)
    assert found[0] == pytest.approx([0.0, 0.125, 0.125, 0.75, 0.0], abs=1e-12)
    assert found[1] == pytest.approx([0.0, 0.5, 0.5, 0.0, 0.0], abs=1e-12)


def test_the_long_run_is_the_limit_of_patience():
    """Definition 6.10: recurrent distributions are limits of `(1 - gamma) f`."""
    for seed in range(5):
        mdp = random_process(np.random.default_rng(seed))
        ends = recurrent(mdp, 0).vectors
        near = discounted(mdp, 0, 1.0 - 1e-8).vectors * 1e-8
        for row in near:
            assert np.abs(ends - row).max(axis=1).min() < 1e-5


@pytest.mark.parametrize("discount", [0.0, 1.0, -0.5, np.nan])
def test_discounts_at_the_ends_are_refused(discount):
    """And the message says what happens near them."""
    with pytest.raises(DataError, match="Near 0"):
        optimise(switch(), np.zeros((1, 6)), discount)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"s": {"a": {"x": 0.5, "y": 0.4}}}, "sum to 0.9"),
        ({"s": {"a": {"x": 1.5, "y": -0.5}}}, "above 0"),
        ({"s": {"a": {}}, "x": {}}, "exist"),
        ({"s": {"a": "s"}}, "2 to 200"),
    ],
)
def test_processes_that_make_no_sense_are_refused(table, said):
    """Probabilities that are none, moves to nowhere, and nothing to choose from."""
    with pytest.raises(DataError, match=said):
        build("wrong", table, start="s")


def test_a_process_names_things_once():
    """States and moves have names of their own, and the start is one of the states."""
    stay = (Move(name="stay", to=((0, 1.0),)),)
    with pytest.raises(DataError, match="twice"):
        Mdp(name="", states=("a", "a"), moves=(stay, stay))
    with pytest.raises(DataError, match="twice"):
        Mdp(name="", states=("a", "b"), moves=(stay * 2, stay))
    with pytest.raises(DataError, match="start"):
        build("", {"a": {"go": "b"}}, start="c")
    with pytest.raises(DataError, match="move at each"):
        Mdp(name="", states=("a", "b"), moves=(stay, ()))
