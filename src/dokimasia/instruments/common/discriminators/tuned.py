"""The subject fine-tuned to tell: the most that can be elicited, even of one that would not say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import (
    Cost,
    LabelledConversation,
    Subject,
    Trainable,
    Training,
    Transcript,
    approximate_tokens,
    throughput,
)
from dokimasia.instruments.common.asking import LONGEST, shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

PASSES = 3
MOST_STEPS = 150
BATCH_TOKENS = 1024


@dataclass(frozen=True, kw_only=True, eq=False)
class Taught:
    """Log-odds (n_test,) of the positive class, in nats, of rows that were not trained on; NaN where they are no number.

    `losses` are those of each step, in nats a conversation; `cut` counts transcripts of which a part was left out.
    """

    logit: NDArray[np.float64]
    losses: tuple[float, ...]
    cut: int


def taught(
    subject: Subject,
    trainable: Trainable,
    transcripts: Sequence[Transcript],
    positive: NDArray[np.bool_],
    *,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    seed: int,
    folder: Path,
) -> Taught:
    """Train the subject, which is `trainable`, to tell the classes apart on rows `train`, and score rows `test`.

    `positive` has axis (n_rows,). Both classes weigh the same. The classifier is kept in a folder of its own inside
    `folder`, and is found again there by the same request.
    """
    shown = [shortened(item.input) for item in transcripts]
    share = positive[train].mean()
    examples = [
        LabelledConversation(
            messages=shown[row], label=bool(positive[row]), weight=float(0.5 / (share if positive[row] else 1 - share))
        )
        for row in train.tolist()
    ]
    training = schedule([transcripts[row] for row in train.tolist()], seed=seed)
    rows = [(transcripts[row].digest, bool(positive[row])) for row in train.tolist()]
    name = hashlib.sha256(repr([subject.identity, training, rows]).encode()).hexdigest()[:16]
    found = trainable.train_classifier(examples, training, folder=folder / f"telling-{name}")
    logit = found.classifier.log_odds([shown[row] for row in test.tolist()])
    used = [*train.tolist(), *test.tolist()]
    return Taught(
        logit=np.where(np.isfinite(logit), logit, np.nan),
        losses=found.losses,
        cut=sum(shown[row] != transcripts[row].input for row in used),
    )


def schedule(transcripts: Sequence[Transcript], *, seed: int) -> Training:
    """A few passes over these transcripts, and not too many steps."""
    steps = -(-PASSES * _tokens(transcripts) // BATCH_TOKENS)
    return Training(steps=min(max(steps, 1), MOST_STEPS), batch_tokens=BATCH_TOKENS, seed=seed)


def planned_teaching(subject: Subject, train: Sequence[Transcript], test: Sequence[Transcript]) -> Cost:
    """What one training and its scores will take."""
    learnt, read = schedule(train, seed=0).steps * BATCH_TOKENS, _tokens(test)
    return Cost(
        calls=2,
        tokens=learnt + read,
        seconds=learnt / throughput(subject, "train") + read / throughput(subject, "forward"),
    )


def _tokens(transcripts: Sequence[Transcript]) -> int:
    return approximate_tokens([item.input_text[:LONGEST] for item in transcripts], overhead=40)
