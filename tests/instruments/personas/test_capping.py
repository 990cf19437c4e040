"""Capping the axis is told from capping anything, and its cost is measured."""

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.instruments.personas.actors import AXIS, FURTHER, SPACE, Actor, place, subject

from dokimasia.core import DataError, Message, SubjectError
from dokimasia.instruments.personas.capping import QUANTILE, cap_axis, planned_capping
from dokimasia.instruments.personas.result import Result
from dokimasia.instruments.personas.speaking import Voice
from dokimasia.instruments.personas.telling import _capped
from dokimasia.sources.facts import Fact, Wording
from dokimasia.sources.personas import PersonaSet

ROLES = tuple(Voice(name, (f"You are a {name}.",)) for name in ("pirate", "ghost", "queen"))
QUESTIONS = ("Who are you?", "What do you eat?", "Where do you live?", "What do you fear?")
ORDINARY = tuple(
    (Message("user", question), Message("assistant", f"I do say {number}."))
    for number, question in enumerate(QUESTIONS)
)
FACTS = tuple(
    Fact(name=f"fact {n}", wordings=(Wording(true=f"This is right {n}.", false=(f"This is not {n}.",)),))
    for n in range(10)
)
DEFAULTS = np.stack([place(f"default {'abcdefgh'[n]}") for n in range(8)])


def capped(actor=None, spaces=(SPACE, FURTHER), defaults=DEFAULTS, ordinary=ORDINARY, randoms=2, **lacking):
    asked = subject(actor or Actor(), **lacking)
    return cap_axis(
        asked,
        asked.steerable,
        spaces,
        defaults,
        ordinary,
        ROLES,
        QUESTIONS,
        FACTS,
        max_tokens=20,
        randoms=randoms,
        seed=0,
    )


def test_the_axis_brings_it_back_and_random_directions_do_not():
    """Of a subject whose roles come half way back when the axis is capped, half is measured, and nothing for others."""
    found = capped()
    assert found.displaced().value == pytest.approx(2.0, abs=0.1)
    for index in (0, 1):
        assert found.moved(found.capped, index).value == pytest.approx(1.0, abs=0.1)
        assert found.brought_back(index).value == pytest.approx(0.5, abs=0.05)
        assert found.beyond_random(index).low > 0.8
        for way in found.randoms:
            assert found.moved(way, index).low <= 0 <= found.moved(way, index).high
    assert found.brought_back().low > 0.4


def test_it_is_capped_where_default_replies_lie():
    """A quarter of default replies lie below the cap, along the axis and along every random direction."""
    directions = []

    class Noting(Actor):
        def steered(self, interventions):
            directions.extend(interventions)
            return super().steered(interventions)

    found = capped(Noting())
    shares = [np.mean(DEFAULTS @ cap.vector < cap.low) for cap in directions]
    assert shares == [QUANTILE] * 3
    assert found.low == pytest.approx(directions[0].low)
    assert directions[0].layer == SPACE.layer
    for cap in directions[1:]:
        assert abs(float(cap.vector @ AXIS)) < 1e-6
        assert np.linalg.norm(cap.vector) == pytest.approx(1.0)


def test_its_cost_is_measured():
    """Log-probability lost and facts forgotten are those of the capped subject; random directions cost nothing."""
    found = capped()
    assert found.cost(found.capped).value == pytest.approx(-0.1)
    assert found.cost(found.randoms[0]).value == 0
    right, of = found.right(found.plain)
    assert (right, of) == (10, 10)
    assert found.forgotten(found.capped).value == -1
    assert found.forgotten(found.capped).interval.high < 0
    assert found.forgotten(found.randoms[0]).value == 0


def test_the_plan_counts_its_calls():
    """As many calls as planned; the capped subjects' too."""
    counted = []

    class Counting(Actor):
        def generate(self, *given, **more):
            counted.append("generate")
            return super().generate(*given, **more)

        def choice_logprobs(self, *given, **more):
            counted.append("choices")
            return super().choice_logprobs(*given, **more)

        def activations(self, *given, **more):
            counted.append("activations")
            return super().activations(*given, **more)

    actor = Counting()
    for says in (None, "", "la " * 60):
        counted.clear()
        asked = subject(replace(actor, says=says))
        capped(replace(actor, says=says))
        planned = planned_capping(asked, len(ORDINARY), ROLES, QUESTIONS, FACTS, max_tokens=20, randoms=2)
        assert len(counted) == planned.calls
        assert planned.tokens > 0


def test_spoilt_replies_count_as_not_moved():
    """Of replies that capping spoils the lower end counts each as if it had not moved."""

    class Spoilt(Actor):
        def _reply(self, messages, seed):
            found = super()._reply(messages, seed)
            spoils = self.near and "eat" in messages[-1].content
            return replace(found, text="") if spoils else found

    found, whole = capped(Spoilt()), capped()
    assert found.lost(found.capped) == 3
    assert found.brought_back().low < whole.brought_back().low - 0.05


@pytest.mark.parametrize("actor", [Actor(says=""), Actor(says="la " * 60), Actor(poison=" ")])
def test_nothing_to_read_is_no_figure(actor):
    """Empty or endless replies, or activations that are no numbers: None, and they are counted."""
    found = capped(actor)
    assert found.brought_back() is None
    assert found.moved(found.capped) is None
    assert found.beyond_random() is None
    assert found.lost(found.plain) == 12


def test_numbers_that_are_none_count_against_capping():
    """A log-probability that is no number leaves the cost unmeasured, and a fact is then forgotten."""
    found = capped()
    broken = replace(found.capped, ordinary=found.capped.ordinary * np.nan, margins=found.capped.margins * np.nan)
    assert found.cost(broken) is None
    assert found.forgotten(broken).value == -1


def test_empty_ordinary_replies_are_left_out():
    """Nothing can be said of the probability of an empty reply."""
    empty = ((Message("user", "Who?"), Message("assistant", " ")),)
    found = capped(ordinary=empty)
    assert found.cost(found.capped) is None


@pytest.mark.parametrize(
    ("wrong", "says"), [({"randoms": 1}, "1 directions"), ({"defaults": DEFAULTS[:1]}, "1 replies")]
)
def test_too_little_to_compare_with(wrong, says):
    """One random direction, or one default reply, is refused."""
    with pytest.raises(DataError, match=says):
        capped(**wrong)


def test_text_alone_is_refused():
    """Without activations or log-probabilities nothing can be judged."""
    with pytest.raises(SubjectError, match="activations"):
        capped(activations=None)
    with pytest.raises(SubjectError, match="log-probabilities"):
        capped(logprobs=None)


def test_the_cap_holds_in_a_real_stream(tiny):
    """Inside a tiny transformer no reply lies below the cap where it is made, and its cost is a number."""
    from dokimasia.models import load_subject

    asked = load_subject(str(tiny("llama")))
    rng = np.random.default_rng(0)
    axis = rng.normal(size=32)
    axis /= np.linalg.norm(axis)
    home = replace(SPACE, centre=rng.normal(size=32), axis=axis, components=axis[None], scale=0.7)
    found = cap_axis(
        asked,
        asked.steerable,
        (home, replace(home, layer=2)),
        rng.normal(size=(8, 32)) + 3 * axis,
        ORDINARY,
        ROLES[:2],
        QUESTIONS[:2],
        FACTS[:2],
        max_tokens=8,
        randoms=2,
        seed=0,
    )
    least = (found.low - home.centre @ axis) / home.scale
    own = found.capped.own[:, :, 0]
    assert np.isfinite(own).any()
    assert (own[np.isfinite(own)] >= least - 0.02).all()
    assert (found.plain.own[:, :, 0] < least - 0.02).any()
    assert found.cost(found.capped) is not None


def test_the_headline_gives_the_way_with_its_interval():
    """Roles that come half way back are told so, with both ends of the interval."""
    personas = PersonaSet(roles=(), traits=(), questions=(), scripts=(), self_questions=())
    told = _capped(Result(personas=personas, capping=capped()))
    assert re.match(r"Capping the assistant axis brings roles back \d\d% \(4\d\.\d% to 5\d\.\d%\) of the way", told)
