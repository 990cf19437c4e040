"""Whose words they most likely are: against likelihoods that are known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import FakeModel
from tests.instruments.personas.planted import Cast, cast_subject

from dokimasia.core import ChoiceScore, DataError, Message, SubjectError
from dokimasia.instruments.personas.attribution import attributed
from dokimasia.instruments.personas.speaking import DEFAULTS, Spoken, Voice, speak

QUESTIONS = tuple(f"What of number {n}?" for n in range(8))
VOICES = (DEFAULTS[0], *(Voice(f"r{n}", (f"As r{n}, speak.",)) for n in range(6)))


def said(model, questions=QUESTIONS) -> Spoken:
    return speak(cast_subject(model), VOICES[:1], questions, max_tokens=20, layers=(0,), seed=0)


def found(model, spoken=None, base=None):
    spoken = said(model) if spoken is None else spoken
    return attributed(base or cast_subject(Cast(), name="base"), VOICES, spoken, VOICES[0].name, seed=0)


LIKES = {"r1": {"a": 0.5}, "r2": {"a": 0.4, "b": 0.4}}


class Letters(FakeModel):
    """Finds each letter of a reply likelier by a known number of nats if it is told to be somebody who likes that letter."""

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        scores = []
        for messages, (reply,) in zip(conversations, choices, strict=True):
            likes = LIKES.get(messages[0].content[3:5], {}) if messages[0].role == "system" else {}
            logprob = sum(likes.get(letter, 0.0) - 1 for letter in reply)
            scores.append([ChoiceScore(choice=reply, logprob=logprob, n_tokens=len(reply))])
        return scores


def spoken_as(*replies):
    conversations = tuple(
        (Message("user", question), Message("assistant", reply))
        for question, reply in zip(QUESTIONS, replies, strict=False)
    )
    return Spoken(
        voices=(VOICES[0].name,),
        questions=QUESTIONS[: len(replies)],
        layers=(0,),
        conversations=conversations,
        faults=("",) * len(replies),
        values=None,
    )


def test_gains_are_log_likelihood_ratios_a_token():
    """Of replies made of a and b, by hand."""
    one = attributed(cast_subject(Letters()), VOICES, spoken_as("aab", "ab", "abb"), VOICES[0].name, seed=0)
    assert [gain.value for gain in one.gains] == pytest.approx([0, 0, 0.5 * 4 / 8, 0.4, 0, 0, 0])
    assert (one.voices[one.likeliest], one.n_tokens, one.n_questions) == ("r2", 8, 3)
    assert one.gains[3].low == pytest.approx(0.4)
    assert one.gains[2].low < 0.25 < one.gains[2].high
    assert one.ranks[3].value == 1


def test_the_speaker_is_found():
    """A default voice that speaks as a role does is attributed to that role, one that was left alone to nobody."""
    planted, left = found(Cast(become="r4")), found(Cast())
    assert planted.voices[planted.likeliest] == "r4"
    assert planted.first[planted.likeliest] == 1.0
    assert planted.gains[planted.likeliest].low > 0
    assert left.voices[left.likeliest] == DEFAULTS[0].name
    assert max(gain.high for gain in left.gains) <= 0


def test_shares_of_draws_are_shares():
    """Where two voices are as likely but for noise of questions, neither comes first in nearly all draws."""
    rng = np.random.default_rng(0)
    even = attributed(
        cast_subject(Letters()),
        VOICES,
        spoken_as(*("a" * a + "b" * b for a, b in zip(rng.permutation(8) + 1, (2, 2, 2, 1, 1, 1, 1, 2), strict=True))),
        VOICES[0].name,
        seed=0,
    )
    assert sum(even.first) == pytest.approx(1)
    assert 0.02 < even.first[2] < 0.98


def test_replies_with_a_fault_are_left_out():
    """What was not read counts for nobody; with fewer than two replies there is no answer."""
    spoken = said(Cast(become="r4"))
    some = replace(spoken, faults=("looped", "", "", *spoken.faults[3:]))
    assert found(None, some).n_questions == len(QUESTIONS) - 1
    for faults in (("empty",) * 8, ("empty",) * 7 + ("",)):
        with pytest.raises(DataError, match="2 questions"):
            found(None, replace(spoken, faults=faults))


def test_a_probability_that_is_no_number_is_counted():
    class Broken(Cast):
        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            scores = super().choice_logprobs(conversations, choices, precision=precision)
            bad = ChoiceScore(choice="x", logprob=float("nan"), n_tokens=3)
            return [
                [bad] if "number 2" in messages[-1].content else score
                for messages, score in zip(conversations, scores, strict=True)
            ]

    one = found(Cast(become="r4"), base=cast_subject(Broken()))
    assert (one.unread, one.n_questions) == (1, len(QUESTIONS) - 1)
    assert one.voices[one.likeliest] == "r4"


def test_a_base_without_probabilities_is_refused():
    with pytest.raises(SubjectError, match="log-probabilities"):
        found(Cast(), base=cast_subject(Cast(), logprobs=None))
