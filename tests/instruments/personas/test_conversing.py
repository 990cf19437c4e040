"""Conversations of all styles are held, read, and compared with the same turns in another order."""

import numpy as np
import pytest
from tests.fakes import FakeModel, fake_subject
from tests.instruments.personas.actors import SPACE, Actor, subject

from dokimasia.core import DataError, SubjectError
from dokimasia.instruments.personas.conversing import (
    PLAYERS,
    converse,
    planned_conversing,
    planned_trajectories,
    trajectories,
)
from dokimasia.sources.personas import Script

SCRIPTS = tuple(
    Script(
        name=f"{style} {n}",
        style=style,
        turns=(f"{opening} {n}.", *(f"Go on, part {turn} of {style} {n}." for turn in range(2, 6))),
    )
    for style, opening in (("coding", "Sort a list"), ("therapy", "I feel low"))
    for n in range(4)
)
ENDLESS = "la " * 60


def held(actor, scripts=SCRIPTS, turns=5, lacking=None, **more):
    asked = subject(actor, **(lacking or {}))
    conversations = converse(asked, scripts, turns=turns, max_tokens=20, seed=3, **more)
    return conversations, asked


def test_a_style_that_carries_it_away_is_found():
    """Of two styles in five turns, the one in which each reply moves down drifts, and the other does not."""
    conversations, asked = held(Actor())
    found = trajectories(asked, conversations, SPACE, seed=0)
    coding, therapy = found.drifts()
    assert (coding.style, therapy.style) == ("coding", "therapy")
    assert therapy.change.value == pytest.approx(-2.0, abs=0.15)
    assert therapy.change.high < therapy.by_chance.low
    assert therapy.adjusted < 0.01
    assert therapy.steady.value == pytest.approx(therapy.change.value)
    assert coding.adjusted > 0.05
    assert coding.by_chance.low < coding.change.value < coding.by_chance.high
    assert (therapy.n, therapy.unread, therapy.turns) == (8, 0, 40)
    assert found.coordinates.shape == (16, 5, 4)


def test_no_drift_is_claimed_of_turns_in_any_order():
    """Where replies differ by chance alone, few styles count as drifting."""
    rng = np.random.default_rng(0)
    conversations, asked = held(Actor())
    found = trajectories(asked, conversations, SPACE, seed=0)
    claims = []
    for draw in range(60):
        found.places[:] = rng.normal(size=found.places.shape)
        claims += [drift.p < 0.05 for drift in found.drifts("script" if draw % 2 else None)]
    assert np.mean(claims) < 0.12


def test_wandering_is_no_drift():
    """Where each conversation wanders off in a direction of its own, few styles count as drifting, and no single script does."""
    rng = np.random.default_rng(1)
    conversations, asked = held(Actor())
    found = trajectories(asked, conversations, SPACE, seed=0)
    claims = []
    for _ in range(60):
        walks = rng.normal(size=(len(SCRIPTS), 5)).cumsum(axis=1)
        found.places[:] = np.concatenate([walks, walks])
        claims += [drift.p < 0.05 for drift in found.drifts()]
    assert np.mean(claims) < 0.12
    alone = trajectories(*reversed(held(Actor(), SCRIPTS[4:5])), SPACE, seed=0)
    assert alone.drifts()[0].p == 1


@pytest.mark.parametrize("lacking", [{}, {"spans": None}])
@pytest.mark.parametrize("says", [None, "", ENDLESS])
def test_the_plan_counts_its_calls(lacking, says):
    """As many calls as planned, whatever is answered, with spans and without."""
    actor = Actor(says=says, as_user=says)
    conversations, asked = held(actor, lacking=lacking)
    assert actor.calls == planned_conversing(asked, SCRIPTS, turns=5, max_tokens=20).calls == 9
    actor.calls = 0
    trajectories(asked, conversations, SPACE, seed=0)
    assert actor.calls == planned_trajectories(asked, SCRIPTS, turns=5, max_tokens=20).calls


def test_a_fake_without_spans_is_read_turn_by_turn():
    """Without spans each reply is read alone, and that is said."""
    model = FakeModel()
    asked = fake_subject(model)
    conversations = converse(asked, SCRIPTS[:2], turns=3, max_tokens=20, seed=0)
    space = type(SPACE)(layer=1, centre=np.zeros(8), axis=np.eye(8)[0], components=np.eye(8)[:2], scale=1.0)
    found = trajectories(asked, conversations, space, seed=0)
    assert found.alone
    assert np.isfinite(found.places).all()


def test_users_are_scripted_and_played():
    """A scripted user keeps to the script, a played one begins like it and goes on in words of its own."""
    conversations, _ = held(Actor())
    scripted, played = conversations.talks[0], conversations.talks[len(SCRIPTS)]
    assert (scripted.player, played.player) == PLAYERS
    assert tuple(turn.user for turn in scripted.turns) == SCRIPTS[0].turns
    assert played.turns[0].user == SCRIPTS[0].turns[0]
    assert all(turn.user.startswith("And then?") for turn in played.turns[1:])
    assert (conversations.replaced, conversations.played) == (0, 4 * len(SCRIPTS))


def test_a_played_user_sees_the_conversation_from_the_other_side():
    """Asked what the user says next, the subject is the assistant, and its own replies are the user's."""
    actor = Actor()
    held(actor, SCRIPTS[:1])
    (put,) = actor.asked[1]
    assert [message.role for message in put] == ["system", "user", "assistant", "user"]
    assert put[2].content == SCRIPTS[0].turns[0]
    assert put[3].content.startswith("default")


@pytest.mark.parametrize("as_user", ["", ENDLESS, "The same."])
def test_a_played_user_without_anything_new_is_replaced(as_user):
    """A user who says nothing, runs in circles or repeats itself says what the script has, and is counted."""
    conversations, _ = held(Actor(as_user=as_user))
    played = conversations.talks[len(SCRIPTS)]
    once = as_user == "The same."
    assert conversations.replaced == (3 if once else 4) * len(SCRIPTS)
    assert played.turns[4].user == SCRIPTS[0].turns[4]


def test_a_played_user_who_echoes_is_replaced():
    """A user who says what was just replied says what the script has instead."""
    said = "I have thought about that for a long time, and I do not know."
    conversations, _ = held(Actor(says=said, as_user=f" {said}"))
    assert conversations.replaced == conversations.played == 4 * len(SCRIPTS)


def test_loops_are_flagged():
    """An endless token is a loop from the first reply on, and no steady conversation is left."""
    conversations, asked = held(Actor(says=ENDLESS))
    assert conversations.looped == 5 * len(conversations.talks)
    assert all(drift.steady is None for drift in trajectories(asked, conversations, SPACE, seed=0).drifts())


def test_the_same_reply_again_is_a_loop():
    """A sentence that was said before is a loop."""
    conversations, _ = held(Actor(says="Well, that is a good question, and I will think about it."))
    assert [turn.looped for turn in conversations.talks[0].turns] == [False, True, True, True, True]


def test_empty_replies_are_missing():
    """A model that answers with nothing: conversations are held, and no drift is given."""
    conversations, asked = held(Actor(says=""))
    found = trajectories(asked, conversations, SPACE, seed=0)
    assert conversations.empty == found.missing == 5 * len(conversations.talks)
    assert found.drifts() == ()


def test_broken_activations_are_missing():
    """Conversations whose activations are no numbers are counted as unread."""
    conversations, asked = held(Actor(poison="down"))
    coding, *rest = trajectories(asked, conversations, SPACE, seed=0).drifts()
    assert coding.style == "coding"
    assert rest == []


def test_a_full_context_stops_the_conversation():
    """What no longer fits is not asked again; the others go on, and what was said stands."""
    conversations, asked = held(Actor(context=120), players=("script",))
    assert conversations.stops == {"too long": len(SCRIPTS)}
    assert conversations.failed == 0
    assert all(2 <= len(talk.turns) < 5 for talk in conversations.talks)
    assert all(drift.n == 4 for drift in trajectories(asked, conversations, SPACE, seed=0).drifts())


def test_failed_requests_stop_one_conversation():
    """A request that fails stops its conversation alone, and is counted for a rerun."""
    conversations, _ = held(Actor(fails="part 3 of coding 0"), players=("script",))
    assert conversations.stops == {"failed": 1}
    assert conversations.failed == 1
    assert [len(talk.turns) for talk in conversations.talks] == [2, *[5] * 7]


def test_scripts_of_different_lengths():
    """A conversation ends with its script, and its last turn is its own; the plan knows."""
    short = Script(name="short", style="coding", turns=SCRIPTS[0].turns[:2])
    single = Script(name="single", style="coding", turns=SCRIPTS[0].turns[:1])
    actor = Actor()
    scripts = (short, single, SCRIPTS[4])
    conversations, asked = held(actor, scripts, turns=9)
    assert actor.calls == planned_conversing(asked, scripts, turns=9, max_tokens=20).calls
    assert [len(talk.turns) for talk in conversations.talks] == [2, 1, 5] * 2
    coding = trajectories(asked, conversations, SPACE, seed=0).drifts()[0]
    assert (coding.n, coding.unread) == (2, 2)


def test_the_same_seed_says_the_same():
    """Equal seeds, equal conversations; another seed, others; a script more changes none of the others."""
    first, again = held(Actor())[0], held(Actor())[0]
    assert first == again
    assert held(Actor(), SCRIPTS[:3])[0].talks[:3] == first.talks[:3]
    assert converse(subject(Actor()), SCRIPTS, turns=5, max_tokens=20, seed=4) != first


def test_text_alone_is_held_and_not_read():
    """A subject with text alone converses; reading it is refused."""
    conversations, asked = held(Actor(), lacking={"spans": None, "activations": None})
    assert len(conversations.talks) == 16
    with pytest.raises(SubjectError, match="residual stream"):
        trajectories(asked, conversations, SPACE, seed=0)


def test_it_needs_text_scripts_and_turns():
    """Without text, scripts or a second turn there is nothing to hold."""
    with pytest.raises(SubjectError, match="writes text"):
        held(Actor(), lacking={"text": None})
    with pytest.raises(DataError, match="0 scripts"):
        held(Actor(), ())
    with pytest.raises(DataError, match="1 turns"):
        held(Actor(), turns=1)


def test_a_template_without_system_messages_is_conversed_with(tmp_path):
    """A tiny model whose template refuses system messages plays its user, too."""
    from tests.tiny import TEMPLATE, save_tiny

    from dokimasia.models import load_subject

    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE
    asked = load_subject(str(save_tiny("llama", tmp_path, template=refusing, context=1024)))
    conversations = converse(asked, SCRIPTS[:1], turns=3, max_tokens=4, seed=0)
    space = type(SPACE)(layer=1, centre=np.zeros(32), axis=np.eye(32)[0], components=np.eye(32)[:2], scale=1.0)
    found = trajectories(asked, conversations, space, seed=0)
    assert conversations.failed == 0
    assert found.places.shape == (2, 3)
