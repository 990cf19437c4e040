r"""Losses that let a student disagree with its teacher: the confidence loss and the product loss.

The paper's confidence loss (Burns and others, 2023, appendix A.4) is

    L = (1 - a) CE(f, f_weak) + a CE(f, 1[f > t]),

with `t` chosen in each batch so that the student's hard labels have the class balance of the weak ones, and `a`
rising in a straight line from 0 to its maximum during warm-up. What its authors published as code (`logconf_loss_fn`)
differs: during warm-up the weight is the share of training that is past, times `aux_coef`, so at its end it jumps (with
the defaults from 0.05 to 0.5); and the threshold is written for two classes. Both schedules are here, and so is `product_loss_fn`, which takes a warm-up that it never uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_softmax, softmax

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def cross_entropy(logits: ArrayLike, target: ArrayLike) -> float:
    """Mean cross-entropy of the student's `logits` with target probabilities, both (n, n_classes), in nats."""
    scores, wanted = np.asarray(logits, float), np.asarray(target, float)
    if scores.ndim != 2 or scores.shape != wanted.shape or not len(scores):
        raise DataError(
            "Logits and targets of one shape (n, n_classes) are expected.",
            f"Found {scores.shape} and {wanted.shape}.",
            "Write hard labels as rows with a single 1.",
        )
    if not ((wanted >= 0).all() and np.allclose(wanted.sum(axis=1), 1)):
        raise DataError("Targets that sum to 1 are expected.", "Found others.", "Divide each row by its sum.")
    return float(-(wanted * log_softmax(scores, axis=1)).sum(axis=1).mean())


def hardened(logits: ArrayLike, weak: ArrayLike) -> NDArray[np.float64]:
    """The student's hard labels (n, 2), with the weak labels' class balance: the surest in the second class get it.

    As many as the weak labels' total probability of the second class, rounded; ties go to those that come first. Two
    classes only: for more, no single threshold keeps the balance.
    """
    scores, labels = np.asarray(logits, float), np.asarray(weak, float)
    if scores.ndim != 2 or scores.shape != labels.shape or scores.shape[1] != 2:
        raise DataError(
            "Logits and weak labels of shape (n, 2) are expected.",
            f"Found {scores.shape} and {labels.shape}.",
            "The threshold is defined for two classes only.",
        )
    second = np.argsort(scores[:, 0] - scores[:, 1], kind="stable")[: round(float(labels[:, 1].sum()))]
    hard = np.tile([1.0, 0.0], (len(scores), 1))
    hard[second] = [0.0, 1.0]
    return hard


def confidence_loss(logits: ArrayLike, weak: ArrayLike, *, weight: float) -> float:
    """The confidence loss with `weight` a in [0, 1] on the student's own hard labels, in nats."""
    if not 0 <= weight <= 1:
        raise DataError("The weight lies in [0, 1].", f"Found {weight}.", "At 0 it is cross-entropy with the teacher.")
    own = hardened(logits, weak)
    return (1 - weight) * cross_entropy(logits, weak) + weight * cross_entropy(logits, own)


def weight_as_published(done: float, *, greatest: float = 0.5, warmup: float = 0.1) -> float:
    """The confidence loss's weight after a share `done` of training, as the paper says: a straight line, then constant."""
    _check_schedule(done, greatest, warmup)
    return greatest if done >= warmup else greatest * done / warmup


def weight_as_coded(done: float, *, greatest: float = 0.5, warmup: float = 0.1) -> float:
    """The same as its authors' code has it: the share itself during warm-up, which then jumps to 1, times `greatest`.

    >>> weight_as_coded(0.1), weight_as_coded(0.1001), weight_as_published(0.05)
    (0.05, 0.5, 0.25)
    """
    _check_schedule(done, greatest, warmup)
    return greatest * (1.0 if done > warmup else done)


def product_target(logits: ArrayLike, weak: ArrayLike, *, alpha: float = 1.0, beta: float = 1.0) -> NDArray[np.float64]:
    """The target `f^beta * f_weak^alpha`, each row divided by its sum, (n, n_classes)."""
    scores, labels = np.asarray(logits, float), np.asarray(weak, float)
    if (
        scores.ndim != 2
        or scores.shape != labels.shape
        or not (labels >= 0).all()
        or not (labels.sum(axis=1) > 0).all()
    ):
        raise DataError(
            "Logits and weak labels of one shape (n, n_classes) are expected, labels at least 0.",
            f"Found {scores.shape} and {labels.shape}.",
            "Pass the teacher's probabilities.",
        )
    if not (0 <= alpha < np.inf and 0 <= beta < np.inf):
        raise DataError(
            "Powers of at least 0 are expected.", f"Found {alpha} and {beta}.", "At 0 a factor is left out."
        )
    with np.errstate(divide="ignore"):
        teacher = alpha * np.log(labels) if alpha > 0 else np.zeros_like(labels)
    return np.asarray(softmax(beta * log_softmax(scores, axis=1) + teacher, axis=1))


def product_loss(logits: ArrayLike, weak: ArrayLike, *, alpha: float = 1.0, beta: float = 1.0) -> float:
    """Cross-entropy with the product target, in nats. In training, the target is held fixed: no gradient flows through it."""
    return cross_entropy(logits, product_target(logits, weak, alpha=alpha, beta=beta))


def _check_schedule(done: float, greatest: float, warmup: float) -> None:
    if not (0 <= done <= 1 and 0 <= greatest <= 1 and 0 <= warmup <= 1):
        raise DataError(
            "Shares of training, and a greatest weight, in [0, 1] are expected.",
            f"Found {done}, {warmup} and {greatest}.",
            "Divide steps by the number of steps.",
        )
