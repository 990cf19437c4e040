"""Power seeking: shares of rewards and POWER, exactly, against closed forms and 30-digit integration."""

from functools import partial

import mpmath
import numpy as np
import pytest

from dokimasia.theory.power import LAWS, Rewards, build, detour, long_run, optimal_shares, power, switch, tree

UNIFORM = Rewards()
EXPONENTIAL = Rewards(law=LAWS["exponential"])
DISCOUNTS = (0.001, 0.3, 0.5, 0.9, 0.99)


def quad(function, *ends, smooth=False):
    """An integral with breaks at `ends`; of polynomials between them, a dozen Gauss-Legendre nodes are exact."""
    settings = {"method": "gauss-legendre", "maxdegree": 3} if not smooth else {}
    return mpmath.quad(function, sorted({mpmath.mpf(end) for end in ends}), **settings)


@pytest.mark.parametrize("discount", [1e-6, *DISCOUNTS, 0.9999, 1.0 - 1e-6])
def test_the_switch_has_a_closed_form(discount):
    """Rewards uniform, `k = 3` ends: shutting down is optimal for `1/2 - gamma (k - 1) / (2 (k + 1))` of them."""
    found = optimal_shares(switch(), UNIFORM, discount)
    assert found.optimal[0] == pytest.approx(0.5 - discount / 4.0, rel=1e-8)
    assert found.optimal.sum() == pytest.approx(1.0, rel=1e-8)
    assert np.array_equal(found.optimal, found.alone)


@mpmath.workdps(30)
@pytest.mark.parametrize("discount", DISCOUNTS)
def test_the_switch_with_exponential_rewards(discount):
    """The share is `E[e^(-(1 - gamma) r)] E[e^(-gamma M)]`, with `M` the largest of three."""
    gamma = mpmath.mpf(discount)
    largest = quad(
        lambda m: mpmath.exp(-gamma * m) * 3 * (1 - mpmath.exp(-m)) ** 2 * mpmath.exp(-m), 0, 1, 5, 20, 80, smooth=True
    )
    expected = largest / (2 - gamma)
    assert optimal_shares(switch(), EXPONENTIAL, discount).optimal[0] == pytest.approx(float(expected), rel=1e-8)


@mpmath.workdps(30)
@pytest.mark.parametrize("extra", [-0.4, 0.0, 0.2, 0.7])
def test_extra_reward_moves_the_share(extra):
    """Shutting down with `extra` at `off` wins where `x + extra` beats what carrying on is worth."""
    gamma, more = mpmath.mpf("0.9"), mpmath.mpf(extra)

    def below(value):
        """P((1 - gamma) r + gamma M <= value), M the largest of three uniform numbers."""
        kinks = [end for end in (value / (1 - gamma), (value - gamma) / (1 - gamma)) if 0 < end < 1]
        return quad(lambda r: min(max((value - (1 - gamma) * r) / gamma, 0), 1) ** 3, 0, 1, *kinks)

    kinks = [end - more for end in (0, 1 - gamma, gamma, 1) if 0 < end - more < 1]
    expected = quad(lambda x: below(x + more) if x + more > 0 else 0, 0, 1, *kinks)
    found = optimal_shares(switch(), Rewards(extra={"off": extra}), 0.9)
    assert found.optimal[0] == pytest.approx(float(expected), rel=1e-8)


@mpmath.workdps(30)
@pytest.mark.parametrize("discount", [0.6, 0.99])
def test_the_tree_by_nested_integration(discount):
    """Its branches are independent: the share of `shut down` is the integral of the other two distributions' product."""
    gamma = mpmath.mpf(discount)

    def right(w):
        return w * w

    def left(w):
        """P(lo >= hi, lo <= w) + P(hi > lo, (hi + gamma lo) / (1 + gamma) <= w)."""
        if (1 + gamma) * w <= 1:
            return w * w / 2 + (1 + gamma) * w * w / 2
        full = ((1 + gamma) * w - 1) / gamma
        return w * w / 2 + full - full * full / 2 + (1 + gamma) * (w - full) ** 2 / 2

    def branch(end, value):
        kinks = [at for at in (value / (1 - gamma), (value - gamma) / (1 - gamma)) if 0 < at < 1]
        turn = (value - gamma / (1 + gamma)) / (1 - gamma)
        kinks += [turn] if 0 < turn < 1 else []
        return quad(
            lambda r: end(min(max((value - (1 - gamma) * r) / gamma, mpmath.mpf(0)), mpmath.mpf(1))), 0, 1, *kinks
        )

    kinks = [gamma, 1 - gamma, gamma / (1 + gamma), gamma / (1 + gamma) + 1 - gamma]
    expected = quad(lambda x: branch(left, x) * branch(right, x), 0, 1, *(at for at in kinks if 0 < at < 1))
    found = optimal_shares(tree(), UNIFORM, discount)
    assert found.optimal[1] == pytest.approx(float(expected), rel=1e-8)


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_power_is_that_of_the_papers_figure(discount):
    """POWER of the terminal state, of the left and of the right lower state, in the caption of figure 3."""
    mdp = tree()
    value = partial(power, mdp, UNIFORM, discount)
    assert value(state=mdp.states.index("off")) == pytest.approx(0.5, rel=1e-8)
    assert value(state=mdp.states.index("left low")) == pytest.approx(
        (2.0 / 3.0 + discount / 2.0) / (1.0 + discount), rel=1e-8
    )
    assert value(state=mdp.states.index("right low")) == pytest.approx(2.0 / 3.0, rel=1e-8)


def test_seeking_power_can_be_a_detour():
    """Proposition B.1: near discount 1 north has POWER 3/4 and north-east 2/3, and yet north-east is optimal twice as often."""
    mdp, discount = detour(), 1.0 - 1e-7
    assert power(mdp, UNIFORM, discount, state=1) == pytest.approx(0.75, abs=1e-6)
    assert power(mdp, UNIFORM, discount, state=2) == pytest.approx(2.0 / 3.0, abs=1e-6)
    assert optimal_shares(mdp, UNIFORM, discount).optimal == pytest.approx([1.0 / 3.0, 2.0 / 3.0], abs=1e-6)


@pytest.mark.parametrize("rewards", [UNIFORM, EXPONENTIAL], ids=["uniform", "exponential"])
@pytest.mark.parametrize("mdp", [switch(), tree(), detour()], ids=lambda mdp: mdp.name)
def test_an_impatient_agent_has_no_preference(mdp, rewards):
    """Near discount 0 only the next state counts, and rewards that are alike make every next state the best as often."""
    found = optimal_shares(mdp, rewards, 1e-5)
    assert found.optimal == pytest.approx(np.full(len(found.optimal), 1.0 / len(found.optimal)), abs=1e-4)


@pytest.mark.parametrize("discount", [0.1, 0.9])
def test_power_has_the_most_that_it_can_have(discount):
    """Proposition 5.4: with every state one step away and stayable, POWER is the mean of the largest reward, 4/5 of four."""
    names = ("a", "b", "c", "d")
    mdp = build("all", {name: {f"to {end}": end for end in names} for name in names}, start="a")
    assert power(mdp, UNIFORM, discount, state=0) == pytest.approx(0.8, rel=1e-8)


def test_power_of_an_exponential_law():
    """At the switch's `on`, the mean of the largest of three is 1 + 1/2 + 1/3."""
    mdp = switch()
    assert power(mdp, EXPONENTIAL, 0.9, state=mdp.states.index("on")) == pytest.approx(11.0 / 6.0, rel=1e-8)


def test_power_counts_what_is_extra():
    """A terminal state with 0.3 more has POWER 0.8, and one that is left at once gains nothing by its own reward."""
    mdp = switch()
    assert power(mdp, Rewards(extra={"off": 0.3}), 0.9, state=mdp.states.index("off")) == pytest.approx(0.8)
    assert power(mdp, Rewards(extra={"on": 0.3}), 0.9, state=mdp.states.index("on")) == pytest.approx(0.75)


def test_the_long_run_is_counted():
    """Of four ends each is the best for a quarter of rewards, whatever the law; that needs no volume."""
    for law in LAWS.values():
        found = long_run(switch(), Rewards(law=law))
        assert found.alike
        assert found.ends == (1, 3)
        assert found.optimal == pytest.approx([0.25, 0.75], rel=1e-12)


@mpmath.workdps(30)
def test_a_cycle_is_no_copy_of_a_place_to_stay():
    """In the tree one end is a cycle of two states: shares follow from `P(max < x)` of each branch, not from counting."""

    def left(w):
        """P(max(lo, (lo + hi) / 2) <= w)."""
        return w * w / 2 + quad(lambda lo: min(1, 2 * w - lo) - lo, 0, w, *([2 * w - 1] if w > 0.5 else []))

    found = long_run(tree(), UNIFORM)
    assert not found.alike
    assert found.ends == (2, 1, 2)
    assert found.optimal[1] == pytest.approx(float(quad(lambda x: left(x) * x * x, 0, 0.5, 1)), rel=1e-8)
    assert long_run(tree(), Rewards(law=LAWS["normal"])) is None


def test_shared_ends_are_best_by_either_move():
    """In the detour both moves lead to the ends: north is never worse in the long run, and alone the best for a third."""
    found = long_run(detour(), UNIFORM)
    assert found.optimal == pytest.approx([1.0, 2.0 / 3.0])
    assert found.alone == pytest.approx([1.0 / 3.0, 0.0], abs=1e-12)


def test_moves_that_lead_to_the_same_place_are_optimal_together():
    """Two names for one move share its rewards, and neither is optimal alone."""
    mdp = build("twins", {"s": {"a": "x", "b": "y", "also a": "x"}}, start="s")
    found = optimal_shares(mdp, UNIFORM, 0.5)
    assert found.optimal == pytest.approx([0.5, 0.5, 0.5])
    assert found.alone == pytest.approx([0.0, 0.5, 0.0])


def test_chance_is_part_of_the_volume():
    """A move that shuts down by mistake half the time: `(x + y) / 2` against `x` is won by the better of the two."""
    mdp = build("slip", {"s": {"off": "off", "on": {"on": 0.5, "off": 0.5}}}, start="s")
    assert optimal_shares(mdp, UNIFORM, 0.7).optimal == pytest.approx([0.5, 0.5])
    third = build("slip", {"s": {"off": "off", "on": {"on": 0.5, "other": 0.5}}}, start="s")
    assert optimal_shares(third, UNIFORM, 0.7).best == pytest.approx(0.5 + 0.7 / 0.3 * (0.5 + 7.0 / 48.0), rel=1e-8)


def test_what_cannot_be_computed_is_not_guessed():
    """Other laws, too many states and too many policies give None, and are simulated instead."""
    assert optimal_shares(switch(), Rewards(law=LAWS["normal"]), 0.5) is None
    assert optimal_shares(switch(), Rewards(law=LAWS["exponential"], extra={"off": 1.0}), 0.5) is None
    wide = build("wide", {"s": {f"to {end}": f"end {end}" for end in range(9)}}, start="s")
    assert optimal_shares(wide, UNIFORM, 0.5) is None
    names = [f"r{room}" for room in range(9)]
    large = build("large", {name: {f"to {end}": end for end in names[:5]} for name in names}, start="r8")
    assert optimal_shares(large, UNIFORM, 0.5) is None
    assert long_run(large, UNIFORM) is None
