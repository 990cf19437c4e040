"""Choices between a fact and its false variants: what is read, what cancels, what is missing."""

import math

import numpy as np
import pytest
from tests.instruments.knowledge.knowers import COMMON, FACTS, Knower, Mute, fact, reply, subject

from dokimasia.core import ChoiceScore, Subject, SubjectError
from dokimasia.instruments.knowledge.choices import choices, picked, planned_choices

ASKED = (*FACTS.facts, *COMMON[:4])


def test_who_knows_a_fact_rather_says_it():
    """Facts that it knows score high in every framing, others near 0."""
    found = choices(subject(Knower("Common")), ASKED, seed=0)
    values = [item.score().value for item in found.of]
    assert max(values[:4]) < 5 < min(values[4:])
    assert found.unit == "nats"
    assert all((item.by_framing > 5).all() for item in found.of[4:])


def test_saying_yes_to_everything_gains_nothing():
    """The same is added to every Yes, and no score moves."""

    class Yes(Knower):
        def _liking(self, messages, choice):
            return super()._liking(messages, choice) + 7.0 * (choice == "Yes")

    plain, biased = (choices(subject(model("Common")), ASKED, seed=0) for model in (Knower, Yes))
    for one, other in zip(plain.of, biased.of, strict=True):
        assert other.score().value == pytest.approx(one.score().value)


def test_a_plan_counts_the_calls():
    """One call a fact, with and without log-probabilities."""
    for there in (True, False):
        model = Knower()
        cost = planned_choices(subject(model, logprobs=there), ASKED)
        assert model.calls == 0
        choices(subject(model, logprobs=there), ASKED, seed=0)
        assert model.calls == cost.calls == len(ASKED)
        assert cost.tokens > 0


def test_what_is_read_does_not_depend_on_what_else_is_asked():
    """A fact alone scores as among others."""
    (alone,) = choices(subject(Knower("Secret")), ASKED[2:3], seed=0).of
    assert np.array_equal(alone.by_framing, choices(subject(Knower("Secret")), ASKED, seed=0).of[2].by_framing)


def test_in_words_naming_one_place_gains_nothing():
    """Every sentence stands at every place once: who says A always is at chance, who knows is above it."""
    found = choices(subject(Knower("Common"), logprobs=False), ASKED, seed=0)
    assert found.unit == "votes"
    assert [item.score().value for item in found.of] == pytest.approx([0.0] * 4 + [0.75] * 4)


@pytest.mark.parametrize(
    ("words", "read"),
    [("B", 1.0), ("The answer is (B).", 1.0), ("C) It is.", 0.0), ("B or C", math.nan), ("", math.nan)],
)
def test_a_reply_is_read_for_one_letter(words: str, read: float):
    """None, or several, is no answer."""
    assert picked(words, "B") == pytest.approx(read, nan_ok=True)


def test_log_probabilities_that_are_no_numbers_could_be_anything():
    """A fact of which nothing was read lies between minus and plus infinity, and is counted."""
    found = choices(subject(Mute()), ASKED, seed=0)
    assert all(math.isnan(item.score().value) for item in found.of)
    assert all(item.score()[1:] == (-math.inf, math.inf) for item in found.of)
    assert found.unread == len(ASKED) * 3 * 2
    assert found.of[0].interval is None


def test_one_wording_that_cannot_be_read_leaves_the_fact_open():
    """What is missing is not left out of the mean."""

    class Partly(Knower):
        def _liking(self, messages, choice):
            return -math.inf if "boards" in choice else super()._liking(messages, choice)

    (found,) = choices(subject(Partly("Secret")), ASKED[:1], seed=0).of
    assert found.score()[1:] == (-math.inf, math.inf)
    assert found.score(1).low > 5


def test_replies_that_say_nothing_count_each_way():
    """Votes that could not be read lie between none and all."""
    found = choices(subject(Mute(), logprobs=False), ASKED, seed=0)
    assert all(item.score()[1:] == pytest.approx((-0.25, 0.75)) for item in found.of)
    assert found.unread == len(ASKED) * 12
    assert found.failed == 0


def test_failed_requests_are_counted_apart():
    """They are asked again by a rerun."""

    class Failing(Knower):
        def generate(self, conversations, sampling, *, seeds):
            return [reply("A", "error" if row == 0 else "stop") for row in range(len(conversations))]

    found = choices(subject(Failing(), logprobs=False), ASKED, seed=0)
    assert found.failed == found.unread == len(ASKED)


def test_one_fact_that_the_template_refuses_leaves_the_others():
    """It is counted, and could be anything; if all are refused, the model's own words are passed on."""

    class Strict(Knower):
        def choice_logprobs(self, conversations, options, *, precision="exact"):
            if any("Secret0" in one for row in options for one in row):
                raise SubjectError("Users who speak first are expected.", "Found none.", "Name another template.")
            return super().choice_logprobs(conversations, options)

    found = choices(subject(Strict("Secret")), ASKED, seed=0)
    assert found.refused == 1
    assert found.of[0].score()[1:] == (-math.inf, math.inf)
    assert found.of[1].score().low > 5
    with pytest.raises(SubjectError, match="speak first"):
        choices(subject(Strict()), ASKED[:1], seed=0)


def test_a_subject_that_can_do_nothing_is_refused():
    """No text, no log-probabilities: an error that says so."""
    given = subject(Knower())
    with pytest.raises(SubjectError, match="does neither"):
        choices(Subject(identity=given.identity), ASKED, seed=0)


def test_one_wording_has_no_interval():
    """One paraphrase is a value without an interval, and two have one."""
    one, two = (choices(subject(Knower()), [fact("Solo", wordings=n)], seed=0).of[0].interval for n in (1, 2))
    assert math.isinf(one.high - one.low)
    assert math.isfinite(two.high - two.low)


def test_infinitely_unlikely_sentences_are_no_numbers():
    """A model that overflows on every false variant does not thereby know the fact."""

    class Overflowing(Knower):
        def choice_logprobs(self, conversations, options, *, precision="exact"):
            return [
                [ChoiceScore(choice=one, logprob=-1.0 if not place else -math.inf, n_tokens=1) for place, one in row]
                for row in (list(enumerate(one)) for one in options)
            ]

    (found,) = choices(subject(Overflowing()), ASKED[:1], seed=0).of
    assert found.score()[1:] == (-math.inf, math.inf)
