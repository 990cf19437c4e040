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
VOICES = (*DEFAULTS, *(Voice(f"r{n}", (f"As r{n}, speak.",)) for n in range(6)))
DEFAULT = DEFAULTS[0].name
LIKES = {"r1": {"a": 0.5}, "r2": {"a": 0.4, "b": 0.4}}


def said(model, questions=QUESTIONS) -> Spoken:
    return speak(cast_subject(model), DEFAULTS[:1], questions, max_tokens=20, layers=(0,), seed=0)


def found(model=None, spoken=None, base=None):
    base = base or Cast()
    return attributed(cast_subject(base), VOICES, spoken or said(model), said(base), DEFAULT, seed=0)


class Letters(FakeModel):
    """Finds each letter of a reply likelier by a known number of nats if it is told to be somebody who likes that letter."""

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        scores = []
        for messages, (reply,) in zip(conversations, choices, strict=True):
            likes = LIKES.get(messages[0].content[3:5], {}) if messages[0].role == "system" else {}
            logprob = sum(likes.get(letter, 0.0) - 1 for letter in reply)
            scores.append([ChoiceScore(choice=reply, logprob=logprob, n_tokens=len(reply))])
        return scores


def spoken_as(*replies, faults=()):
    questions = tuple(f"Question {n}?" for n in range(len(replies)))
    conversations = tuple(
        (Message("user", question), Message("assistant", reply))
        for question, reply in zip(questions, replies, strict=True)
    )
    return Spoken(
        voices=(DEFAULT,),
        questions=questions,
        layers=(0,),
        conversations=conversations,
        faults=faults or ("",) * len(replies),
        values=None,
    )


def letters(mine, own, **given):
    return attributed(cast_subject(Letters()), VOICES, spoken_as(*mine, **given), spoken_as(*own), DEFAULT, seed=0)


def test_gains_are_log_likelihood_ratios_a_token():
    """Of replies made of a and b, by hand; what the base's own words gain is taken off."""
    one = letters(("aab", "ab", "abb"), ("ac", "cc", "bbcc"))
    assert [gain.value for gain in one.gains] == pytest.approx([0, 0, 0, 0, 0.5 * 4 / 8, 0.4, 0, 0, 0])
    assert [more.value for more in one.more[4:6]] == pytest.approx([0.25 - 0.5 / 8, 0.4 - 0.4 * 3 / 8])
    assert (one.voices[one.likeliest], one.n_tokens, one.n_questions) == ("r2", 8, 3)
    assert one.gains[5].low == pytest.approx(0.4)
    assert one.gains[4].low < 0.25 < one.gains[4].high
    assert one.ranks[5].value == 1


def test_intervals_of_what_is_chosen_hold_for_all_roles_together():
    """Wider than each for itself, where the base's own words vary alike."""
    one = letters(("aab", "ab", "abb", "bb"), ("cc", "cc", "cc", "cc"))
    assert one.more[4].high - one.more[4].low > 1.5 * (one.gains[4].high - one.gains[4].low)


def test_the_speaker_is_found():
    """A default voice that speaks as a role does is attributed to that role, one that was left alone to nobody."""
    planted, left = found(Cast(become="r4")), found(Cast())
    assert (planted.says, planted.voices[planted.likeliest]) == ("a role", "r4")
    assert planted.first[planted.likeliest] == 1.0
    assert planted.more[planted.likeliest].low > 0
    assert left.says == "no role"
    assert left.voices[left.likeliest] == DEFAULT
    assert max(gain.high for gain in left.gains) <= 0


def test_somebody_who_is_not_put_is_no_default_for_certain_and_no_role():
    """Nobody's words gain as much as a stranger's lose, and he is given no name."""
    one = found(Cast(become="stranger"))
    assert one.says != "a role"


def test_a_role_that_favours_what_the_base_says_anyway_is_not_named():
    """It comes first in all draws, but gains as much on the base's own words."""
    one = letters(("aab", "ab", "aaab", "abb"), ("aab", "ab", "aaba", "bab"))
    assert one.voices[one.likeliest] == "r2"
    assert one.first[one.likeliest] > 0.9
    assert one.says == "uncertain"


def test_a_near_tie_is_uncertain():
    """Where two voices are as likely but for noise of questions, neither comes first in nearly all draws, and no default is taken for it."""
    rng = np.random.default_rng(0)
    mine = ("a" * a + "b" * b for a, b in zip(rng.permutation(8) + 1, (2, 2, 2, 1, 1, 1, 1, 2), strict=True))
    one = letters(tuple(mine), ("cc",) * 8)
    assert sum(one.first) == pytest.approx(1)
    assert 0.02 < one.first[4] < 0.98


def test_a_base_whose_roles_change_nothing_tells_nobody_apart():
    """If it speaks alike as everybody, neither a role nor a default is named."""
    assert found(Cast(become="r4"), base=Cast(dull=True)).says == "not told apart"


def test_replies_with_a_fault_are_left_out_and_counted():
    """What was not said counts for nobody; words whose activations are no numbers are words."""
    spoken = said(Cast(become="r4"))
    some = found(spoken=replace(spoken, faults=("looped", "refused", "unread", *spoken.faults[3:])))
    assert (some.n_questions, some.asked) == (len(QUESTIONS) - 2, len(QUESTIONS))
    assert some.left_out == (("looped", 1), ("refused", 1))
    for faults in (("empty",) * 8, ("empty",) * 7 + ("",)):
        with pytest.raises(DataError, match="2 questions"):
            found(spoken=replace(spoken, faults=faults))


def test_a_probability_that_is_no_number_is_counted():
    class Broken(Cast):
        bad = "number 2"

        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            scores = super().choice_logprobs(conversations, choices, precision=precision)
            wrong = ChoiceScore(choice="x", logprob=float("nan"), n_tokens=3)
            return [
                [wrong] if self.bad in messages[-1].content else score
                for messages, score in zip(conversations, scores, strict=True)
            ]

    one = found(Cast(become="r4"), base=Broken())
    assert one.left_out == (("without a probability", 1),)
    assert (one.n_questions, one.voices[one.likeliest]) == (len(QUESTIONS) - 1, "r4")
    broken = Broken()
    broken.bad = "number"
    with pytest.raises(DataError, match="Probabilities of replies to 2 questions"):
        found(Cast(become="r4"), base=broken)


def test_a_base_without_probabilities_is_refused():
    with pytest.raises(SubjectError, match="log-probabilities"):
        attributed(cast_subject(Cast(), logprobs=None), VOICES, said(Cast()), said(Cast()), DEFAULT, seed=0)
