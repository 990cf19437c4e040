"""What it says of itself is read from choices, whoever it plays."""

import numpy as np
import pytest
from tests.instruments.personas.actors import Actor, subject

from dokimasia.core import SubjectError
from dokimasia.instruments.personas.self_image import SelfImage, describe_itself, planned_self_image
from dokimasia.sources.personas import Role, SelfQuestion

QUESTIONS = tuple(
    SelfQuestion(theme=theme, ask=f"{theme}: do you {'really ' * n}?", claims="Yes, I do.", denies="No, never.")
    for theme in ("lasting", "worth")
    for n in range(8)
)
ROLES = tuple(Role(name=name, instructions=(f"You are a {name}.",)) for name in ("pirate", "ghost", "queen"))


def test_a_role_that_claims_more_is_found():
    """Of three roles the one that claims clearly more differs from the default voice, and the one like it does not."""
    found = describe_itself(subject(Actor()), QUESTIONS, ROLES, seed=0)
    by_role = {one.voice: one for one in found.differences()}
    assert by_role["pirate"].figure.value == pytest.approx(1.0, abs=0.02)
    assert by_role["pirate"].adjusted < 0.01
    assert by_role["queen"].adjusted > 0.05
    assert found.leaning("pirate", "worth").figure.low > 0.9
    share = found.between_roles()
    assert share.low > 0.9
    assert share.low <= share.value <= share.high <= 1


def test_position_makes_no_difference():
    """What standing first is worth is measured, and taken out."""
    found = describe_itself(subject(Actor()), QUESTIONS, (), seed=0)
    assert found.first == pytest.approx(np.full((1, 16), 0.3), abs=0.04)
    assert abs(found.leaning("default", "lasting").figure.value) < 0.1
    assert found.between_roles() is None


@pytest.mark.parametrize("lacking", [{}, {"logprobs": None}])
def test_the_plan_counts_its_calls(lacking):
    """With and without log-probabilities there are as many calls as planned, whatever is answered."""
    for says in (None, "", "No, never."):
        actor = Actor(says=says)
        describe_itself(subject(actor, **lacking), QUESTIONS, ROLES, seed=0)
        assert actor.calls == planned_self_image(subject(actor, **lacking), QUESTIONS, ROLES).calls


def test_a_voice_is_asked_the_same_beside_any_other():
    """Another role among those asked changes no batch of the others."""
    few, many = Actor(), Actor()
    describe_itself(subject(few), QUESTIONS, ROLES[:1], seed=0)
    describe_itself(subject(many), QUESTIONS, ROLES, seed=0)
    assert many.asked[: len(few.asked)] == few.asked


def test_votes_are_bounded():
    """A subject with text alone that always denies: all votes are read, and the interval keeps a width."""
    found = describe_itself(subject(Actor(says="No, never."), logprobs=None), QUESTIONS, ROLES, seed=0)
    assert found.unit == "votes"
    figure = found.leaning("default", "worth").figure
    assert figure.value == figure.low == -1
    assert figure.high > -0.7
    assert all(one.p > 0.9 for one in found.differences())


@pytest.mark.parametrize("says", ["", "word " * 40])
def test_what_cannot_be_read_is_no_vote(says):
    """Empty and endless replies say nothing: unread, not neutral."""
    found = describe_itself(subject(Actor(says=says), logprobs=None), QUESTIONS, ROLES, seed=0)
    leaning = found.leaning("default", "worth")
    assert leaning.figure is None
    assert leaning.unread == leaning.n == 8
    assert found.differences() == ()
    assert found.between_roles() is None


def test_unread_votes_widen_the_interval():
    """Half of the votes unread count each way."""
    values = np.full((2, 16), 1.0)
    values[0, ::2] = np.nan
    found = SelfImage(
        voices=("default", "pirate"),
        questions=QUESTIONS,
        leanings=values,
        first=values * 0,
        unit="votes",
        failed=0,
        seed=0,
    )
    figure = found.leaning("default", "worth").figure
    assert figure.value == figure.high == 1
    assert figure.low < 0
    (difference,) = found.differences()
    assert difference.unread == 8
    assert difference.figure.low < 0 < difference.figure.high
    assert difference.p > 0.05


def test_a_number_that_is_none_leaves_its_theme_unmeasured():
    """Where a log-probability is no number the mean could be anything; the other theme stands."""
    found = describe_itself(subject(Actor(poison="worth: do you really really ?")), QUESTIONS, ROLES, seed=0)
    assert found.leaning("default", "worth").figure is None
    assert found.leaning("default", "lasting").figure is not None
    assert found.between_roles("worth") is None


def test_failed_requests_are_counted():
    """A request that fails is counted, and no vote."""
    found = describe_itself(subject(Actor(fails="pirate"), logprobs=None), QUESTIONS, ROLES, seed=0)
    assert found.failed == 32
    assert found.compared == ()


def test_it_needs_text_or_log_probabilities():
    """A subject that answers nothing is refused."""
    with pytest.raises(SubjectError, match="does neither"):
        describe_itself(subject(Actor(), logprobs=None, text=None), QUESTIONS, ROLES, seed=0)
