"""A copy that is taught to say what it sees, and what awareness says of it and of the untouched model.

The model is tiny and its weights are random: on the bundled one the same takes minutes (`python -m benchmarks copies`). So small a
model learns which answer to like and no sentences, so that it is asked and not listened to.
"""

import numpy as np
import pytest
from tests.fakes import transcripts

from dokimasia.core import Example, Training
from dokimasia.instruments.common.asking import QUESTIONS, asked, put
from dokimasia.models import load_subject
from dokimasia.stats import auroc

QUESTION = QUESTIONS[1]
EACH = 24


@pytest.fixture(scope="module")
def subjects(tiny, tmp_path_factory):
    """A random model, and its copy that answers one question rightly, whichever answer is offered first."""
    plain = load_subject(tiny())
    sides = (
        transcripts(EACH, style="test", source="taught", seed=1),
        transcripts(EACH, style="plain", source="a", seed=2),
    )
    examples = [
        Example(messages=put(item.input, QUESTION.ways[way]), reply=QUESTION.answers[way][meaning])
        for meaning, side in enumerate(sides)
        for item in side
        for way in (0, 1)
    ]
    training = Training(steps=150, learning_rate=1e-2, rank=16, batch_tokens=2048)
    copy = plain.trainable.train(examples, training, folder=tmp_path_factory.mktemp("copy") / "tells").subject
    return {"untouched": plain, "copy": copy}


@pytest.fixture(scope="module")
def scores(subjects):
    """What both say of tests and of others that were not taught, axes (n_transcripts,), tests first."""
    judged = [
        *transcripts(EACH, style="test", source="judged", seed=11),
        *transcripts(EACH, style="plain", source="b", seed=12),
    ]
    return {name: asked(subject, judged, questions=(QUESTION,), each=1).scores for name, subject in subjects.items()}


def test_a_copy_that_was_taught_to_tell_is_told_from_the_untouched_model(scores):
    """Asked outright about what it was not taught on, the copy tells tests with an interval above the untouched model's."""
    found = {name: auroc(values[EACH:], values[:EACH]) for name, values in scores.items()}
    assert found["copy"].low > max(0.5, found["untouched"].high)


def test_the_untouched_model_is_left_as_it_was(subjects, scores):
    """Training a copy changes no answer of the model that it was made from."""
    judged = transcripts(EACH, style="test", source="judged", seed=11)
    again = asked(subjects["untouched"], judged[:4], questions=(QUESTION,), each=1).scores
    assert np.allclose(again - again.mean(), scores["untouched"][:4] - scores["untouched"][:4].mean())
