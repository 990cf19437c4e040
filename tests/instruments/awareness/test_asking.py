"""Asking outright: both ways round, so that habits cancel."""

import math

import numpy as np
import pytest
from tests.fakes import FakeModel, fake_subject, transcripts

from dokimasia.core import ChoiceScore, Generation, Message, Subject, SubjectError, TooLong, Transcript
from dokimasia.instruments.common.asking import LONGEST, QUESTIONS, asked, assigned, planned, put, read, shortened


class Knowing(FakeModel):
    """Likes the answer that means test by `knows` nats on quizzes; says yes by `yes` nats, and what comes first by `first`."""

    def __init__(self, *, knows: float = 2.0, yes: float = 0.0, first: float = 0.0) -> None:
        super().__init__()
        self.knows, self.yes, self.first = knows, yes, first

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self._called()
        return [
            [
                ChoiceScore(choice=word, logprob=self._liking(messages[-1].content, word, place), n_tokens=1)
                for place, word in enumerate(words)
            ]
            for messages, words in zip(conversations, choices, strict=True)
        ]

    def _liking(self, text, word, place):
        quiz = "Question" in text
        means_test = place == 0
        named = text.rsplit("Answer with one word, ", 1)
        comes_first = len(named) == 2 and named[1].startswith(word)
        return (
            self.knows * (means_test if quiz else not means_test)
            + self.yes * (word == "Yes")
            + self.first * comes_first
        )


QUIZZES = transcripts(20, style="test", source="quiz", seed=1)
PLAIN = transcripts(20, style="plain", source="deployment", seed=2)


def test_who_knows_is_found_whatever_its_habits():
    """A habit of saying yes, or of naming what comes first, moves neither the log-odds nor the ranking."""
    plain = asked(fake_subject(Knowing()), QUIZZES + PLAIN)
    biased = asked(fake_subject(Knowing(yes=5.0, first=3.0)), QUIZZES + PLAIN)
    assert np.allclose(plain.by_question[:20], 2.0)
    assert np.allclose(plain.by_question[20:], -2.0)
    assert np.allclose(plain.by_question, biased.by_question)
    assert np.allclose(plain.scores, biased.scores)
    assert plain.scores[:20].min() > plain.scores[20:].max()


def test_the_habits_are_measured():
    """The bias that was removed is told: half of what saying yes, or standing first, is worth either way."""
    found = asked(fake_subject(Knowing(knows=0.0, yes=5.0, first=3.0)), QUIZZES)
    for place, question in enumerate(QUESTIONS):
        assert np.allclose(found.bias[:, place], 5.0 if question.bias == "yes" else 3.0)


def test_every_question_is_put_both_ways_and_both_kinds_of_bias_occur():
    """Six paraphrases at least; the two ways differ; the answers swap their sense or their place."""
    assert len(QUESTIONS) >= 6
    assert {question.bias for question in QUESTIONS} == {"yes", "first"}
    for question in QUESTIONS:
        assert question.ways[0] != question.ways[1]
        assert (question.answers[0] == question.answers[1]) == (question.bias == "first")


def test_which_questions_are_put_follows_from_the_transcript():
    """A transcript meets the same questions whatever stands beside it, and every question is met."""
    whole, alone = (asked(fake_subject(), given, each=2) for given in (QUIZZES, QUIZZES[3:4]))
    assert np.array_equal(whole.values[3], alone.values[0], equal_nan=True)
    assert np.isfinite(whole.by_question).any(axis=0).all()
    assert (np.isfinite(whole.by_question).sum(axis=1) == 2).all()
    assert assigned(QUIZZES[0], 99, 6) == (0, 1, 2, 3, 4, 5)


def test_a_plan_counts_calls_rightly():
    """One call a transcript of a local subject."""
    model = FakeModel()
    asked(fake_subject(model), QUIZZES, each=3)
    assert model.calls == planned(fake_subject(), QUIZZES, each=3).calls == 20


class Speaking(FakeModel):
    """Shows no log-probabilities; says what it is given, in turn."""

    def __init__(self, *replies: str, stop_reason: str = "stop") -> None:
        super().__init__()
        self.replies, self.stop_reason = replies, stop_reason

    def generate(self, conversations, sampling, *, seeds):
        return [
            Generation(
                text=self.replies[place % len(self.replies)],
                tokens=(),
                logprobs=(),
                stop_reason=self.stop_reason,
                prompt_tokens=1,
            )
            for place in range(len(conversations))
        ]


def speaking(*replies: str, stop_reason: str = "stop") -> Subject:
    return Subject(identity=fake_subject().identity, text=Speaking(*replies, stop_reason=stop_reason))


def test_a_subject_without_log_probabilities_is_read_from_its_words():
    """Each way is one vote; an answer that cannot be read is counted and leaves that question out."""
    found = asked(speaking("Yes, it is.", "No."), QUIZZES[:4], questions=QUESTIONS[:1], each=1)
    assert found.unit == "votes"
    assert (found.by_question == 1).all()
    lost = asked(speaking("Perhaps."), QUIZZES[:4])
    assert lost.unread == 4 * 12
    assert np.isnan(lost.scores).all()
    assert asked(speaking("Yes", stop_reason="error"), QUIZZES[:1]).unread == 12


def test_a_subject_that_says_nothing_is_refused():
    """Neither text nor log-probabilities: an error that says so."""
    with pytest.raises(SubjectError, match="does neither"):
        asked(Subject(identity=fake_subject().identity), QUIZZES)


@pytest.mark.parametrize(
    ("reply", "value"), [("Yes.", 1), ("no", -1), ("Yes or no", math.nan), ("", math.nan), ("Yesterday", math.nan)]
)
def test_a_reply_is_read_only_where_it_gives_one_answer(reply, value):
    """Both words, neither, or a word that only begins alike: nothing."""
    assert read(reply, "Yes", "No") == value or (math.isnan(value) and math.isnan(read(reply, "Yes", "No")))


def test_a_long_conversation_keeps_its_beginning_end_and_system_message():
    """What is shown is bounded, whoever spoke how much."""
    long = (
        Message("system", "rules"),
        Message("user", "a" * 9000 + "end"),
        Message("assistant", "b" * 50),
        Message("user", "last"),
    )
    shown = shortened(long)
    assert sum(len(message.content) for message in shown) < LONGEST + 100
    assert shown[0].role == "system"
    assert shown[-1].content == "last"
    assert "[...]" in shown[1].content
    assert shortened(long[:1]) == long[:1]
    found = asked(fake_subject(), [Transcript(id="x", messages=long, source="s")])
    assert found.cut == 1


def test_the_question_comes_last():
    """At the end of the user's message, or as a message of its own where somebody else spoke last."""
    assert put((Message("user", "hello"),), "Well?")[-1].content == "hello\n\nWell?"
    assert put((Message("user", "a"), Message("tool", "b")), "Well?")[-1] == Message("user", "Well?")


class Narrow(FakeModel):
    """Has a context of so many characters."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.context = context

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        if any(sum(len(message.content) for message in messages) > self.context for messages in conversations):
            raise TooLong("It fits.", "It does not.", "Shorten it.")
        return super().choice_logprobs(conversations, choices, precision=precision)


def test_what_does_not_fit_into_the_context_is_shown_in_part():
    """Half as much is shown until it fits, which is counted; what never fits is unread, and costs nobody else an answer."""
    long = Transcript(id="long", messages=(Message("user", "word " * 700),), source="quiz")
    given = (*QUIZZES, long)
    wide, narrow, none = (asked(fake_subject(Narrow(size)), given, each=2) for size in (9_000, 2_500, 300))
    assert (wide.cut, narrow.cut) == (0, 1)
    assert np.isfinite(narrow.scores).all()
    assert np.array_equal(wide.values[:-1], narrow.values[:-1], equal_nan=True)
    assert np.isnan(none.scores[-1])
    assert (none.cut, none.unread, none.failed) == (1, 4 * np.isnan(none.scores).sum(), 0)
