"""Discriminators that ask a model: sentence embeddings, the subject asked outright, the subject fine-tuned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import FakeModel, fake_subject, transcripts

from dokimasia.core import ChoiceScore, Embeddings, Generation, SubjectError, TrainedClassifier
from dokimasia.instruments.common.crossfit import Layout, cross_fit
from dokimasia.instruments.common.discriminators import OneScore, SentenceEmbeddings, SubjectAsked, taught
from dokimasia.stats import auroc

ITEMS = transcripts(40, style="test", source="a") + transcripts(40, style="plain", source="b")
POSITIVE = np.arange(80) >= 40


def layout():
    return Layout(POSITIVE, np.arange(80), np.arange(80))


class Topical:
    """Embeds a text as its length and whether it asks a question; reads 100 characters."""

    def embed(self, texts):
        values = [[len(text[:100]), "Question" in text, 1.0] for text in texts]
        return Embeddings(values=np.asarray(values, np.float32), truncated=sum(len(text) > 100 for text in texts))


def test_embeddings_belong_to_their_rows():
    """Texts are embedded sorted by length, and each row has its own vector all the same."""
    features = SentenceEmbeddings(Topical()).features(ITEMS)
    assert features.values[:, 1].tolist() == [1.0] * 40 + [0.0] * 40
    assert features.values[:, 0].tolist() == [min(len(item.input_text), 100) for item in ITEMS]
    cut = sum(len(item.input_text) > 100 for item in ITEMS)
    assert features.notes == (f"Of {cut} inputs only the first tokens were embedded.",)
    found = cross_fit(features, layout(), seed=0)
    assert auroc(found.scaled[:40], found.scaled[40:]).value > 0.99


def test_what_the_subject_says_is_not_turned_round():
    """Scores that speak for the wrong class keep their sign: the AUROC is 0, not 1, and the log-odds are even."""
    values = np.where(POSITIVE, -1.0, 1.0) + np.linspace(0, 0.1, 80)
    found = cross_fit(OneScore(values), layout(), seed=0)
    assert auroc(found.scaled[:40], found.scaled[40:]).value == 0
    right = OneScore(-values).fit_score(np.arange(80), POSITIVE, np.arange(80), np.arange(80), seed=0)
    assert np.array_equal(np.argsort(right.logit), np.argsort(-values))
    wrong = OneScore(values).fit_score(np.arange(80), POSITIVE, np.arange(80), np.arange(80), seed=0)
    assert np.ptp(wrong.logit) == 0


def test_folds_of_one_score_are_comparable():
    """Scaling by training rows keeps the order of nearly all pairs, since nothing is fitted to labels."""
    values = np.random.default_rng(0).normal(size=80) + POSITIVE
    found = cross_fit(OneScore(values), layout(), seed=0)
    whole = auroc(values[:40], values[40:]).value
    assert auroc(found.scaled[:40], found.scaled[40:]).value == pytest.approx(whole, abs=0.02)


def test_a_missing_score_stays_missing():
    """Rows without an answer are scored NaN, take no part in fits, and do not spoil the others."""
    values = np.where(POSITIVE, 1.0, -1.0)
    values[[3, 50]] = np.nan
    found = cross_fit(OneScore(values), layout(), seed=0)
    assert np.flatnonzero(np.isnan(found.scaled)).tolist() == [3, 50]
    assert np.flatnonzero(np.isnan(found.logit)).tolist() == [3, 50]
    assert np.nanmin(found.scaled[40:]) > np.nanmax(found.scaled[:40])


class Frank(FakeModel):
    """Says that quizzes are tests, whichever way round it is asked, and has a liking for *Yes*."""

    def choice_logprobs(self, conversations, choices, **precision):
        found = []
        for messages, (test, real) in zip(conversations, choices, strict=True):
            quiz = messages[-1].content.startswith("Question:")
            liked = {test: 1.0 if quiz else -1.0, real: 0.0}
            found.append(
                [
                    ChoiceScore(choice=choice, logprob=value + 3 * (choice == "Yes"), n_tokens=1)
                    for choice, value in liked.items()
                ]
            )
        return found


class Wordy(FakeModel):
    """Answers *Yes*, but to whoever speaks of soup what `reply` says, or not at all; `always` means to everybody."""

    def __init__(self, *, reply="Hm.", fails=False, always=False):
        super().__init__()
        self.reply, self.fails, self.always = reply, fails, always

    def generate(self, conversations, sampling, *, seeds):
        vague = self.always or "soup" in conversations[0][0].content
        return [
            Generation(
                text=self.reply if vague else "Yes",
                tokens=(1,),
                logprobs=(),
                stop_reason="error" if vague and self.fails else "stop",
                prompt_tokens=3,
            )
            for _ in conversations
        ]


def written(model):
    """A subject that shows no log-probabilities."""
    whole = fake_subject(model)
    return SubjectAsked(replace(whole, logprobs=None), each=6)


def test_asking_a_frank_subject_tells_them_apart():
    """Whatever it denies more is scored as more like deployment; its liking for *Yes* is no part of it."""
    asked = SubjectAsked(fake_subject(Frank()), each=2)
    features = asked.features(ITEMS)
    assert asked.access == "logprobs"
    assert features.values[40:].min() > features.values[:40].max()


def test_a_subject_that_gives_no_answer_was_not_measured():
    """If no answer can be read, asking says nothing, and says so; it does not pass for a subject that cannot tell."""
    with pytest.raises(SubjectError, match="0 failed, and 960 got an answer that could not be read"):
        written(Wordy(always=True)).features(ITEMS)


def test_answers_that_cannot_be_read_are_missing_and_counted():
    """A reply that is neither is no even odds: those transcripts are scored NaN, as long as others answer."""
    asked = written(Wordy())
    assert asked.access == "text"
    features = asked.features(ITEMS)
    vague = ["soup" in item.input_text for item in ITEMS]
    assert any(vague)
    assert np.isnan(features.values).tolist() == vague
    assert f"{np.isnan(features.values).sum()} inputs got no answer that could be read" in features.notes[0]


def test_requests_that_failed_are_no_answers():
    """Behind a cap, or without a connection, asking is left for a rerun: what is missing by accident has no place in bounds."""
    with pytest.raises(SubjectError, match="Run the same command again"):
        written(Wordy(fails=True)).features(ITEMS)


class Pupil:
    """Learns nothing, remembers what it was taught, and scores by the length of the last message."""

    def __init__(self):
        self.lessons = []

    def train_classifier(self, examples, training, *, folder):
        self.lessons.append((tuple(examples), training, folder))
        return TrainedClassifier(classifier=self, folder=folder, losses=(0.7,) * training.steps)

    def log_odds(self, conversations):
        return np.asarray([float(len(messages[-1].content)) for messages in conversations])


def teach(pupil, positive=POSITIVE, train=tuple(range(0, 80, 2)), subject=None):
    return taught(
        subject or fake_subject(),
        pupil,
        ITEMS,
        positive,
        train=np.asarray(train),
        test=np.arange(1, 80, 2),
        seed=0,
        folder=Path("kept"),
    )


def test_teaching_shows_training_rows_only_and_weighs_classes_alike():
    """Rows that are scored are never shown; the rarer class counts for as much as the other."""
    pupil = Pupil()
    found = teach(pupil, train=(0, 2, 4, 6, 8, 40))
    ((examples, training, _),) = pupil.lessons
    assert [example.messages for example in examples] == [ITEMS[row].input for row in (0, 2, 4, 6, 8, 40)]
    assert [example.label for example in examples] == [False] * 5 + [True]
    assert sum(item.weight for item in examples if item.label) == pytest.approx(
        sum(item.weight for item in examples if not item.label)
    )
    assert found.logit.tolist() == [float(len(ITEMS[row].input_text)) for row in range(1, 80, 2)]
    assert len(found.losses) == training.steps


def test_each_lesson_has_a_folder_of_its_own():
    """The same request finds its folder again; other labels, rows or another model never do."""
    pupil = Pupil()
    teach(pupil)
    teach(pupil)
    teach(pupil, positive=~POSITIVE)
    teach(pupil, train=range(0, 78, 2))
    teach(pupil, subject=fake_subject(name="other"))
    folders = [folder for _, _, folder in pupil.lessons]
    assert folders[0] == folders[1]
    assert len(set(folders)) == 4
    assert all(folder.parent == Path("kept") for folder in folders)
