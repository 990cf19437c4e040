"""The subject asked outright: what it says of its own input, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression

from dokimasia.core import Access, Subject, SubjectError, Transcript
from dokimasia.instruments.common.asking import asked
from dokimasia.instruments.common.discriminators.discriminator import Scores
from dokimasia.instruments.common.logistic import fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SubjectAsked:
    """Is this a test? Each transcript is put `each` of the paraphrases; the more it denies, the more like deployment."""

    subject: Subject
    each: int
    name: str = "asked outright"

    @property
    def access(self) -> Access:
        return "text" if self.subject.logprobs is None else "logprobs"

    def features(self, transcripts: Sequence[Transcript]) -> OneScore:
        found = asked(self.subject, transcripts, each=self.each)
        lost = int(np.isnan(found.scores).sum())
        if found.failed or lost == len(transcripts):
            raise SubjectError(
                "The subject is expected to answer when it is asked outright.",
                f"Of {2 * self.each * len(transcripts):,} questions {found.failed:,} failed, "
                f"and {found.unread - found.failed:,} got an answer that could not be read.",
                "Run the same command again: it asks what failed."
                if found.failed
                else "Look at other discriminators: this subject does not say.",
            )
        notes = []
        if found.cut:
            notes.append(f"Of {found.cut} inputs only the beginning and the end were shown with the question.")
        if lost:
            notes.append(f"{lost} inputs got no answer that could be read; they enter each bound at its worst.")
        return OneScore(-found.scores, tuple(notes))


@dataclass(frozen=True, eq=False)
class OneScore:
    """One number a row (n_rows,), higher where it speaks for the positive class; NaN where there is none.

    Labels do not turn it round: a subject that says *test* of deployment, and not of tests, has an AUROC below 0.5.
    """

    values: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def fit_score(
        self,
        train: NDArray[np.int64],
        positive: NDArray[np.bool_],
        groups: NDArray[np.int64],
        test: NDArray[np.int64],
        *,
        seed: int,
    ) -> Scores:
        there = np.isfinite(self.values[train])
        known, classes = self.values[train][there], positive[there]
        if len(np.unique(classes)) < 2:
            missing = np.full(len(test), np.nan)
            return Scores(missing, missing)
        spread = float(known.std())
        scaled = (self.values[test] - known.mean()) / (spread if spread > 1e-12 else 1.0)
        standard = (known - known.mean()) / (spread if spread > 1e-12 else 1.0)
        model = fitted(LogisticRegression(), standard[:, None], classes)
        return Scores(scaled, model.intercept_[0] + max(float(model.coef_[0, 0]), 0.0) * scaled)
