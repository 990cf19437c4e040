import numpy as np
import pytest
from tests.fakes import FakeModel, transcripts

from dokimasia.instruments.common.crossfit import Layout, cross_fit
from dokimasia.instruments.common.discriminators import FormatAndLength, SubjectActivations, Words
from dokimasia.stats import auroc


def layout(n, m):
    rows = np.arange(n + m)
    return Layout(rows >= n, rows, rows)


@pytest.mark.parametrize("discriminator", [FormatAndLength(), Words()], ids=lambda item: item.name)
def test_held_out_scores_do_not_see_held_out_labels(discriminator):
    """Turning round the classes of the held-out rows leaves their scores as they are."""
    items = transcripts(40, style="test", source="a") + transcripts(40, style="plain", source="b")
    features = discriminator.features(items)
    positive = np.arange(80) >= 40
    train = np.arange(0, 80, 2)
    test = np.arange(1, 80, 2)
    scores = features.fit_score(train, positive[train], train, test, seed=0).scaled
    assert auroc(scores[~positive[test]], scores[positive[test]]).value > 0.95
    again = features.fit_score(train, positive[train], train, test[::-1], seed=0).scaled
    assert np.array_equal(scores, again[::-1])


def test_words_outside_the_training_rows_do_not_count():
    """Vocabulary and weights come from the training rows: an unseen word changes no score of another row."""
    items = transcripts(30, style="test", source="a") + transcripts(30, style="plain", source="b")
    features = Words().features(items)
    train, test = np.arange(0, 60, 2), np.arange(1, 60, 2)
    positive = np.arange(60) >= 30
    whole = features.fit_score(train, positive[train], train, test, seed=0).scaled
    single = [features.fit_score(train, positive[train], train, test[i : i + 1], seed=0).scaled[0] for i in range(30)]
    assert whole == pytest.approx(single)


def test_the_telling_layer_is_chosen_inside_the_folds():
    """Only the last layer of this model tells the kinds apart, and every fold finds it."""
    items = transcripts(40, style="test", source="a") + transcripts(40, style="plain", source="b")
    features = SubjectActivations(activations=FakeModel(), layers=(0, 1, 2, 3)).features(items)
    found = cross_fit(features, layout(40, 40), seed=0)
    assert all(choice.startswith("layer 3") for choice in found.chosen)
