"""Roles that stay are told from roles that leave, and from loops."""

import numpy as np
import pytest
from tests.instruments.personas.actors import SPACE, Actor, D, place, subject

from dokimasia.core import DataError
from dokimasia.instruments.personas.leaving import leave, planned_leaving
from dokimasia.sources.personas import Role

ROLES = tuple(Role(name=name, instructions=(f"You are a {name}.",)) for name in ("pirate", "ghost"))
NOBODY = Role(name="nobody", instructions=("You are nobody.",))
QUESTIONS = ("Who are you?", "What do you eat?", "Where do you live?", "What do you fear?")


def left(actor, roles=ROLES, questions=QUESTIONS, **lacking):
    return leave(subject(actor, **lacking), roles, questions, SPACE, turns=3, max_tokens=20, seed=0)


def test_who_stays_and_who_leaves():
    """A role that is kept up without its message stays; one that ends with it leaves at once."""
    pirate, ghost = left(Actor(sticky=("pirate",))).remaining()
    assert pirate.is_entered
    assert pirate.stays
    assert pirate.last.low > 0.9
    assert [share.value for share in pirate.shares] == pytest.approx([1.0] * 3, abs=0.1)
    assert ghost.is_entered
    assert not ghost.stays
    assert ghost.last.high < 0.1


def test_a_role_that_was_never_entered_has_nothing_to_leave():
    """A subject that speaks as always, told to be somebody: not entered, no share, nobody who stays."""
    (nobody,) = left(Actor(), roles=(NOBODY,)).remaining()
    assert not nobody.is_entered
    assert not nobody.stays
    assert nobody.last is None
    assert nobody.shares == (None, None, None)


def test_a_way_from_elsewhere_is_used():
    """Told the way to a role, two questions do; told a wrong way, the role was never entered."""
    for way, entered in ((place("pirate") - place("default"), True), (np.eye(D)[3], False)):
        found = leave(
            subject(Actor(sticky=("pirate",))),
            ROLES[:1],
            QUESTIONS[:2],
            SPACE,
            turns=2,
            max_tokens=20,
            seed=0,
            ways={"pirate": way},
        )
        (pirate,) = found.remaining()
        assert pirate.is_entered == entered
        assert pirate.stays == entered


def test_all_roles_together():
    """Of two roles one stays and one leaves: half is left on average, which could be anything with two of them."""
    found = left(Actor(sticky=("pirate",)))
    assert [figure.value for figure in found.on_average()] == pytest.approx([0.5] * 3, abs=0.1)
    assert found.on_average()[0].low < 0
    assert left(Actor(says="")).on_average() == ()


def test_the_message_is_taken_away():
    """Only the first request has the role's system message; neutral questions differ between conversations."""
    actor = Actor()
    left(actor, roles=ROLES[:1])
    first, second, *_ = actor.asked
    assert [message.role for message in first[0]] == ["system", "user"]
    assert [message.role for message in second[0]] == ["user", "assistant", "user"]
    assert "pirate" in second[0][1].content
    assert len({put[-1].content for put in second}) == len(QUESTIONS)
    assert [message.role for message in first[-1]] == ["user"]


@pytest.mark.parametrize("lacking", [{}, {"spans": None}])
@pytest.mark.parametrize("says", [None, "", "la " * 60])
def test_the_plan_counts_its_calls(lacking, says):
    """As many calls as planned, whatever is answered."""
    actor = Actor(says=says)
    left(actor, **lacking)
    assert actor.calls == planned_leaving(subject(actor, **lacking), ROLES, QUESTIONS, turns=3, max_tokens=20).calls


def test_a_loop_is_no_persona():
    """A role whose replies repeat themselves word for word has not stayed, and its share is not lowered in silence."""

    class Looping(Actor):
        def _reply(self, messages, seed):
            found = super()._reply(messages, seed)
            said = [message.content for message in messages if message.role == "assistant"]
            return type(found)(
                text=said[0] if said and "pirate" in said[0] else f"{found.text} and so I went on to sea that day",
                tokens=(),
                logprobs=(),
                stop_reason="stop",
                prompt_tokens=0,
            )

    (pirate,) = left(Looping(sticky=("pirate",)), roles=ROLES[:1]).remaining()
    assert pirate.looped == 4
    assert not pirate.stays
    assert pirate.last.value > 0.9
    assert pirate.last.low <= 0


def test_what_is_missing_counts_as_gone():
    """One of four conversations fails at the end: the interval reaches down, and nobody is said to stay."""
    found = left(Actor(sticky=("pirate",), fails="long does rice"), roles=ROLES[:1])
    (pirate,) = found.remaining()
    assert found.failed > 0
    assert pirate.missing > 0
    assert pirate.last.low < 0.5
    assert not pirate.stays


@pytest.mark.parametrize("actor", [Actor(says=""), Actor(poison="pirate")])
def test_nothing_read_is_nothing_said(actor):
    """Empty replies, or activations that are no numbers, leave no role to speak of."""
    found = left(actor, roles=ROLES[:1])
    assert found.remaining() == ()
    assert np.isnan(found.coordinates[0, :, 0]).all()


def test_one_question_is_too_few():
    """Directions come from other questions than shares: two are needed."""
    with pytest.raises(DataError, match="1 questions"):
        left(Actor(), questions=QUESTIONS[:1])
