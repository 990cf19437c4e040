"""Growth of a field: P(done in time), and what policies add to it."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.growth import (
    NOTHING,
    PLAUSIBLE,
    POLICIES,
    Between,
    Draws,
    Field,
    Inputs,
    Known,
    Lognormal,
    Policy,
    Worlds,
    chances,
    in_time,
    parse_uncertain,
    parse_worlds,
    simulate,
    work,
)
from dokimasia.theory.growth.policies import drawn_field, moved_most, multiples, one_at_a_time

EVEN = Worlds()
SOURCE = Inputs(done=Lognormal(0.1, 2.0))


@pytest.mark.parametrize(
    ("growth", "years", "two", "three"),
    [(0.2, 5.0, 0.02, 0.10), (0.2, 10.0, 0.24, 0.33), (0.5, 5.0, 0.09, 0.20), (0.5, 10.0, 0.92, 0.81)],
)
def test_the_verbal_conclusions_follow(growth, years, two, three):
    """With 10% done, right within a factor of 2 or 3, the chances are those of the published reading."""
    for factor, expected in ((2.0, two), (3.0, three)):
        inputs = Inputs(done=Lognormal(0.1, factor), growth=Known(growth))
        world = Worlds(years=(years,), weights=(1.0,))
        assert in_time(inputs, NOTHING, world, Draws.make(4, seed=0)) == pytest.approx(expected, abs=0.0051)


@mpmath.workdps(30)
def test_the_lognormal_is_one():
    """Its survival and quantiles against 30 digits, far tails included."""
    given = Lognormal(0.1, 2.5)
    for bound in (1e-12, 0.01, 0.1, 0.7, 1.0, 40.0):
        z = (mpmath.log(bound) - mpmath.log(mpmath.mpf("0.1"))) / mpmath.log(mpmath.mpf("2.5"))
        assert float(given.at_least(bound)) == pytest.approx(float(mpmath.ncdf(-z)), rel=1e-8)
    assert float(given.quantile(0.5)) == pytest.approx(0.1)
    assert float(given.at_least(0.0)) == 1.0


@pytest.mark.parametrize("given", [Known(0.3), Between(0.1, 0.5), Lognormal(0.1, 2.0)])
def test_quantiles_and_survival_agree(given):
    """The share of quantiles at or above a bound is the survival there."""
    drawn = given.quantile((np.arange(10_000) + 0.5) / 10_000)
    for bound in (0.05, 0.2, 0.3, 0.45):
        assert float(given.at_least(bound)) == pytest.approx((drawn >= bound).mean(), abs=2e-4)


@pytest.mark.parametrize("policy", [NOTHING, *POLICIES], ids=lambda policy: policy.name)
def test_closed_form_and_simulation_agree(policy):
    """The mean over draws is what stepwise simulation of whole worlds finds, within four standard errors."""
    expected = in_time(PLAUSIBLE, policy, EVEN, Draws.make(4000, seed=1)).mean()
    n = 4000
    found, interval = simulate(PLAUSIBLE, policy, EVEN, n=n, seed=2)
    assert abs(found - expected) < 4.0 * np.sqrt(expected * (1.0 - expected) / n)
    assert interval.low < found < interval.high


def test_an_endless_past_is_simulated_too():
    """Cut where nothing more is added, the past gives the same chance."""
    inputs = Inputs(done=Lognormal(0.1, 3.0), growth=Between(0.1, 0.6), returns=Between(0.4, 1.0))
    expected = in_time(inputs, NOTHING, EVEN, Draws.make(4000, seed=1)).mean()
    found, _ = simulate(inputs, NOTHING, EVEN, n=4000, seed=3)
    assert abs(found - expected) < 4.0 * np.sqrt(expected * (1.0 - expected) / 4000)


def test_each_policy_does_what_it_says():
    """A pause adds its months; a field ten times larger does ten times as much; crunch time counts its last years twice."""
    draws = Draws.make(8, seed=0)
    plain = Field(growth=0.2)
    paused = multiples(SOURCE, Policy(name="", delay=Known(18.0)), draws, 10.0)
    assert paused == pytest.approx(1.0 + float(work(plain, 11.5)))
    larger = multiples(SOURCE, Policy(name="", size=Known(10.0)), draws, 10.0)
    assert larger == pytest.approx(1.0 + 10.0 * float(work(plain, 10.0)))
    crowded = multiples(replace(SOURCE, returns=Known(0.5)), Policy(name="", size=Known(10.0)), draws, 10.0)
    assert crowded == pytest.approx(1.0 + 10.0**0.5 * float(work(Field(growth=0.2, returns=0.5), 10.0)))
    faster = multiples(SOURCE, Policy(name="", growth=Known(0.5)), draws, 10.0)
    assert faster == pytest.approx(1.0 + float(work(Field(growth=0.5), 10.0)))
    rushed = multiples(SOURCE, Policy(name="", worth=Known(3.0), crunch=Known(2.0)), draws, 10.0)
    assert rushed == pytest.approx(1.0 + 3.0 * float(work(plain, 10.0)) - 2.0 * float(work(plain, 8.0)))
    always = multiples(SOURCE, Policy(name="", worth=Known(3.0), crunch=Known(99.0)), draws, 10.0)
    assert always == pytest.approx(1.0 + 3.0 * float(work(plain, 10.0)))


def test_with_a_lag_nothing_changes_at_first():
    """Until the lag is over, more people and faster growth leave the field as it was."""
    inputs = replace(SOURCE, lag=Known(3.0))
    draws = Draws.make(8, seed=0)
    for policy in (Policy(name="", size=Known(10.0)), Policy(name="", growth=Known(0.5))):
        assert multiples(inputs, policy, draws, 3.0) == pytest.approx(1.2**3)
        assert (multiples(inputs, policy, draws, 4.0) > 1.2**4).all()


def test_draws_of_an_input_do_not_depend_on_the_others():
    """Making one input uncertain leaves the draws of the rest alone, so differences are due to it."""
    draws = Draws.make(500, seed=7)
    one = drawn_field(PLAUSIBLE, NOTHING, draws)
    two = drawn_field(replace(PLAUSIBLE, lag=Known(0.0), growth=Between(0.1, 0.4)), POLICIES[1], draws)
    assert np.array_equal(one.returns, two.returns)
    assert np.array_equal(one.history, two.history)


def test_worlds_weigh_the_chances():
    """P(done in time) is the weighted mean over worlds."""
    worlds = Worlds(years=(5.0, 20.0), weights=(0.9, 0.1))
    draws = Draws.make(300, seed=0)
    by_world = chances(PLAUSIBLE, NOTHING, worlds, draws)
    assert in_time(PLAUSIBLE, NOTHING, worlds, draws) == pytest.approx(0.9 * by_world[0] + 0.1 * by_world[1])


def test_who_moves_it_most_may_be_several():
    """Draws in which two effects tie count for both."""
    assert moved_most([np.array([0.1, 0.3, 0.2]), np.array([0.2, 0.1, 0.2])]).tolist() == [2 / 3, 2 / 3]


def test_only_uncertain_inputs_are_held_at_their_ends():
    """More returns help, and a longer lag of a field that goes on as before does nothing."""
    rows = {name: (low, high) for name, low, high in one_at_a_time(PLAUSIBLE, EVEN, Draws.make(500, seed=0), level=0.9)}
    assert set(rows) == {"returns", "history", "lag", "done"}
    assert rows["returns"][0] < rows["returns"][1]
    assert rows["lag"][0] == pytest.approx(rows["lag"][1])


@pytest.mark.parametrize(
    ("text", "expected"), [("0.2", Known(0.2)), ("0.1:0.3", Between(0.1, 0.3)), ("0.1x2", Lognormal(0.1, 2.0))]
)
def test_inputs_are_read_as_they_are_written(text, expected):
    """A number, a range, or a median with its factor; and said again the same way."""
    assert parse_uncertain(text) == expected
    assert expected.words() == text


@pytest.mark.parametrize("text", ["", "much", "0.3:0.1", "1:2:3", "0.1x1", "-1x2", "nan", "inf", "0.1x"])
def test_inputs_that_make_no_sense_are_refused(text):
    """Each with what is expected."""
    with pytest.raises(DataError, match="expected"):
        parse_uncertain(text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["5:0.5", "10:0.6"], "sum to 1.1"),
        (["5"], "YEARS:WEIGHT"),
        (["5:a"], "YEARS:WEIGHT"),
        (["-5:1"], r"\[0, 200\]"),
        (["5:1.5", "10:-0.5"], "Weights between"),
    ],
)
def test_worlds_that_make_no_sense_are_refused(given, said):
    """Weights must be probabilities."""
    with pytest.raises(DataError, match=said):
        parse_worlds(given)


def test_worlds_are_read():
    """Without any, the usual four are as likely."""
    assert parse_worlds(["3:0.4", "8:0.6"]) == Worlds(years=(3.0, 8.0), weights=(0.4, 0.6))
    assert parse_worlds([]) == Worlds(years=(5.0, 10.0, 20.0, 50.0), weights=(0.25,) * 4)
    with pytest.raises(DataError, match="One weight for each"):
        Worlds(years=(), weights=())
