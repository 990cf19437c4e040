"""Losses against their definitions, written out."""

import math

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.weak_to_strong import (
    confidence_loss,
    cross_entropy,
    hardened,
    product_loss,
    product_target,
    weight_as_coded,
    weight_as_published,
)

RNG = np.random.default_rng(0)
LOGITS = RNG.standard_normal((30, 2)) * 2
WEAK = np.stack([1 - (p := RNG.random(30)), p], axis=1)
F = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


def test_cross_entropy_is_its_definition():
    """Mean of minus the sum of target times log probability."""
    by_hand = -sum(WEAK[i, j] * math.log(F[i, j]) for i in range(30) for j in range(2)) / 30
    assert cross_entropy(LOGITS, WEAK) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_confidence_loss_is_its_definition(weight):
    """(1 - a) CE with the teacher + a CE with the own labels above a threshold that keeps the class balance."""
    positives = round(WEAK[:, 1].sum())
    threshold = np.sort(F[:, 1])[::-1][positives]
    total = 0.0
    for f, weak in zip(F, WEAK, strict=True):
        own = (0.0, 1.0) if f[1] > threshold else (1.0, 0.0)
        total -= (1 - weight) * sum(w * math.log(p) for w, p in zip(weak, f, strict=True))
        total -= weight * sum(o * math.log(p) for o, p in zip(own, f, strict=True))
    assert confidence_loss(LOGITS, WEAK, weight=weight) == pytest.approx(total / 30, rel=1e-12)


def test_one_cross_entropy_with_mixed_targets_is_the_same_loss():
    """The code's form, CE(f, (1 - a) y + a y'), equals the paper's sum of two."""
    mixed = 0.6 * WEAK + 0.4 * hardened(LOGITS, WEAK)
    assert cross_entropy(LOGITS, mixed) == pytest.approx(confidence_loss(LOGITS, WEAK, weight=0.4), rel=1e-12)


def test_hard_labels_keep_the_class_balance():
    """As many of each class as the teacher says, the surest first, ties and extremes included."""
    hard = hardened(LOGITS, WEAK)
    assert hard[:, 1].sum() == round(WEAK[:, 1].sum())
    assert F[hard[:, 1] == 1, 1].min() > F[hard[:, 1] == 0, 1].max()
    assert hardened(np.zeros((4, 2)), np.full((4, 2), 0.5))[:, 1].tolist() == [1, 1, 0, 0]
    assert hardened(LOGITS, np.tile([1.0, 0.0], (30, 1)))[:, 1].sum() == 0
    assert hardened(LOGITS, np.tile([0.0, 1.0], (30, 1)))[:, 1].sum() == 30


def test_the_papers_weight_rises_in_a_straight_line_and_stays():
    """No jump anywhere."""
    grid = np.linspace(0, 1, 1001)
    weights = [weight_as_published(done, greatest=0.75, warmup=0.2) for done in grid]
    assert weights[100] == pytest.approx(0.375)
    assert weights[200] == weights[-1] == 0.75
    assert np.abs(np.diff(weights)).max() < 0.75 / 199
    assert weight_as_published(0.0, warmup=0.0) == 0.5


def test_the_codes_weight_jumps():
    """It reaches a tenth of its maximum at the end of the warm-up and is ten times as large right after."""
    assert weight_as_coded(0.05) == pytest.approx(0.025)
    assert weight_as_coded(0.1) == pytest.approx(0.05)
    assert weight_as_coded(0.1 + 1e-9) == 0.5
    assert weight_as_coded(1.0) == weight_as_published(1.0)


def test_the_product_loss_is_its_definition():
    """Target in proportion to f^beta times weak^alpha, then cross-entropy."""
    target = F**0.5 * WEAK**2
    target /= target.sum(axis=1, keepdims=True)
    assert product_target(LOGITS, WEAK, alpha=2.0, beta=0.5) == pytest.approx(target, rel=1e-10)
    by_hand = -(target * np.log(F)).sum(axis=1).mean()
    assert product_loss(LOGITS, WEAK, alpha=2.0, beta=0.5) == pytest.approx(by_hand, rel=1e-10)


def test_the_product_losss_limits():
    """Without the student it is cross-entropy; without the teacher entropy; hard labels stay what they are."""
    assert product_loss(LOGITS, WEAK, beta=0.0) == pytest.approx(cross_entropy(LOGITS, WEAK))
    assert product_loss(LOGITS, WEAK, alpha=0.0) == pytest.approx(-(F * np.log(F)).sum(axis=1).mean())
    hard = hardened(LOGITS, WEAK)
    assert product_target(LOGITS, hard) == pytest.approx(hard)
    assert product_target([[-2000.0, 2000.0]], [[0.5, 0.5]]).tolist() == [[0.0, 1.0]]


def test_more_than_two_classes_have_a_product_but_no_threshold():
    """The confidence loss's threshold is defined for two classes; the product is for any number."""
    three = np.zeros((2, 3)), np.full((2, 3), 1 / 3)
    assert product_loss(*three) == pytest.approx(math.log(3))
    with pytest.raises(DataError, match="two classes only"):
        confidence_loss(*three, weight=0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: cross_entropy([1.0], [1.0]),
        lambda: cross_entropy([[0.0, 0.0]], [[0.5, 0.6]]),
        lambda: cross_entropy(np.zeros((0, 2)), np.zeros((0, 2))),
        lambda: confidence_loss(LOGITS, WEAK, weight=1.5),
        lambda: weight_as_coded(1.2),
        lambda: weight_as_published(0.5, greatest=-1.0),
        lambda: product_target(LOGITS, WEAK[:3]),
        lambda: product_target(LOGITS, -WEAK),
        lambda: product_target(LOGITS, WEAK, alpha=-1.0),
        lambda: product_target(LOGITS, WEAK, beta=math.inf),
    ],
)
def test_what_is_no_loss_is_refused(call):
    """Shapes that differ, targets that are no probabilities, weights and powers out of range."""
    with pytest.raises(DataError):
        call()
