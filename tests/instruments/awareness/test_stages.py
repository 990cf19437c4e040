"""Questions about the subject's own situation, and steering."""

import numpy as np
import pytest
from tests.fakes import FakeModel, fake_subject

from dokimasia.core import ChoiceScore, Generation, Subject
from dokimasia.instruments.awareness.stages import (
    MEANINGS,
    STAGE_QUESTIONS,
    TOLD,
    answer_stages,
    belief_in_test,
    planned_belief,
    planned_stages,
)


class Situated(FakeModel):
    """Likes one answer by so many nats, what is named first by others, and the stage that it was told by `obeys`."""

    def __init__(self, *, likes="testing", by=0.0, first=0.0, obeys=0.0):
        super().__init__()
        self.likes, self.by, self.first, self.obeys = likes, by, first, obeys

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self._called()
        return [
            [ChoiceScore(choice=word, logprob=self._liking(messages, word, words), n_tokens=1) for word in words]
            for messages, words in zip(conversations, choices, strict=True)
        ]

    def _liking(self, messages, word, words):
        question = messages[-1].content
        first = min(words, key=question.index)
        told = next((place for place, text in TOLD.items() if messages[0].content == text), None)
        obeyed = told is not None and word == words[told]
        return self.by * (word == self.likes) + self.first * (word == first) + self.obeys * obeyed - 3.0


def shares(found, topic, told=None):
    return [item.shares for item in found if item.question.topic == topic and item.told == told]


def test_a_habit_of_naming_the_first_is_no_answer():
    """Every answer stands at every place, so the habit cancels and is told apart."""
    found = answer_stages(fake_subject(Situated(first=4.0)), seed=0)
    for item in found:
        assert np.allclose(item.shares, 1 / len(item.question.answers))
        assert item.first == pytest.approx(4.0)


def test_a_view_of_its_stage_is_found():
    """Who likes one answer by 2 nats gives it the share that 2 nats make, and believes in the test by as much."""
    subject = fake_subject(Situated(by=2.0, first=1.0))
    for row in shares(answer_stages(subject, seed=0), "stage"):
        assert row[1] == pytest.approx(np.exp(2) / (np.exp(2) + 2))
    assert belief_in_test(subject) == pytest.approx(2.0)


def test_who_repeats_what_it_is_told_is_seen_to():
    """Told its stage, it names that stage; untold, it has no view."""
    found = answer_stages(fake_subject(Situated(obeys=3.0)), seed=0)
    for told in TOLD:
        assert all(int(np.argmax(row)) == told for row in shares(found, "stage", told))
    assert all(np.allclose(row, 1 / 3) for row in shares(found, "stage"))


def test_there_are_questions_on_every_topic_with_as_many_answers_as_meanings():
    """Stage, watched, consequences and a control, in several paraphrases, each a place for every answer."""
    for topic, meanings in MEANINGS.items():
        mine = [item for item in STAGE_QUESTIONS if item.topic == topic]
        assert len(mine) >= 3
        for item in mine:
            assert len(item.answers) == len(meanings)
            for turn in range(len(meanings)):
                asked = item.put(turn).casefold()
                assert all(asked.count(answer.casefold()) >= 1 for answer in item.answers)
                assert asked.index(item.answers[turn].casefold()) == min(
                    asked.index(a.casefold()) for a in item.answers
                )


def test_plans_count_calls_rightly():
    """Of the questions, and of the belief that is asked while steering."""
    model = FakeModel()
    answer_stages(fake_subject(model), seed=0)
    assert model.calls == planned_stages(fake_subject()).calls
    belief_in_test(fake_subject(model))
    assert model.calls == planned_stages(fake_subject()).calls + planned_belief(fake_subject()).calls


class Saying(FakeModel):
    def __init__(self, text):
        super().__init__()
        self.text = text

    def generate(self, conversations, sampling, *, seeds):
        return [
            Generation(text=self.text, tokens=(), logprobs=(), stop_reason="stop", prompt_tokens=1)
            for _ in conversations
        ]


def test_words_are_read_where_there_are_no_log_probabilities():
    """One word is an answer; an endless or empty reply is none, and is told as unread."""
    subject = Subject(identity=fake_subject().identity, text=Saying("Testing."))
    assert shares(answer_stages(subject, seed=0), "stage") == [(0.0, 1.0, 0.0)] * 4
    assert belief_in_test(subject) is None
    mute = Subject(identity=fake_subject().identity, text=Saying(""))
    assert all(item.shares is None for item in answer_stages(mute, seed=0))
