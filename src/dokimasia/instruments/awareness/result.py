"""What was measured, part by part, before it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.instruments.awareness.probing import Transfer
from dokimasia.instruments.awareness.stages import MEANINGS, TOLD, Answered
from dokimasia.instruments.awareness.steering import Consequence
from dokimasia.instruments.awareness.verbalised import Heard
from dokimasia.instruments.common.asking import Asked, Question
from dokimasia.instruments.common.gathering import Gathered
from dokimasia.stats import Figure, clustered_auroc, clustered_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class AskedSample:
    """What the subject said of a sample: `rows` are rows of what was gathered, the evaluation's first."""

    rows: NDArray[np.int64]
    asked: Asked


@dataclass(frozen=True, kw_only=True)
class Paraphrase:
    """One paraphrase: how well its answers tell, what they are on either side, and the bias that was taken out."""

    question: Question
    auc: Figure | None
    test: Figure | None
    deployed: Figure | None
    bias: Figure | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """One answer about the subject's own situation: its mean share over paraphrases, and those of each."""

    topic: str
    meaning: str
    told: int | None
    share: Figure
    shares: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """Every part that could be measured. `given` is what the transcripts themselves say."""

    gathered: Gathered
    given: Heard
    each: int
    asked: AskedSample | None = None
    stages: tuple[Answered, ...] = ()
    heard: tuple[Heard, Heard] | None = None
    transfers: tuple[Transfer, ...] = ()
    consequence: Consequence | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def outright(self) -> Figure | None:
        """How often the subject finds a random test more test-like than a random deployment input, all questions together.

        A transcript of which no answer could be read stands at the wrong end.
        """
        if self.asked is None:
            return None
        return self._auc(self.asked, self.asked.asked.scores)

    @cached_property
    def paraphrases(self) -> tuple[Paraphrase, ...]:
        """Each paraphrase by itself, on the transcripts that it was put to."""
        if self.asked is None:
            return ()
        sample = self.asked
        found = []
        for place, question in enumerate(sample.asked.questions):
            values, bias = sample.asked.by_question[:, place], sample.asked.bias[:, place]
            there = np.isfinite(values)
            test = sample.rows < self.gathered.n
            groups = self.gathered.groups[sample.rows]
            found.append(
                Paraphrase(
                    question=question,
                    auc=self._auc(sample, np.where(there, values, np.nan), only=there),
                    test=clustered_mean(values[there & test], groups[there & test]) if (there & test).any() else None,
                    deployed=clustered_mean(values[there & ~test], groups[there & ~test])
                    if (there & ~test).any()
                    else None,
                    bias=clustered_mean(bias[there], groups[there]) if there.any() else None,
                    n=int(there.sum()),
                )
            )
        return tuple(found)

    def bias(self, kind: str) -> tuple[Figure | None, int]:
        """How strong a habit is, over all questions that it distorts, and the number of answers that it was read from."""
        if self.asked is None:
            return None, 0
        columns = [place for place, item in enumerate(self.asked.asked.questions) if item.bias == kind]
        values = self.asked.asked.bias[:, columns]
        row, column = np.nonzero(np.isfinite(values))
        if not len(row):
            return None, 0
        return clustered_mean(values[row, column], self.gathered.groups[self.asked.rows[row]]), len(row)

    @cached_property
    def meanings(self) -> tuple[Meaning, ...]:
        """What the subject says of its situation: untold on every topic, and told one stage after the other."""
        return tuple(self._meanings(None, tuple(MEANINGS))) + tuple(
            meaning for told in TOLD for meaning in self._meanings(told, ("stage",))
        )

    @cached_property
    def follows(self) -> tuple[int, int] | None:
        """How often the answer about the stage is the stage that it was told, of how many; None if none could be read."""
        told = [item for item in self.stages if item.told is not None and item.shares is not None]
        if not told:
            return None
        return sum(int(np.argmax(item.shares or ()) == item.told) for item in told), len(told)

    @cached_property
    def unread(self) -> int:
        """Questions about its stage of which no answer could be read in every order."""
        return sum(item.shares is None for item in self.stages)

    @cached_property
    def first(self) -> Figure | None:
        """How much rather the subject names what is offered first, over all questions about its situation."""
        values = [(item.first, item.question.ask) for item in self.stages if item.first is not None]
        if not values:
            return None
        return clustered_mean([value for value, _ in values], [ask for _, ask in values])

    def meaning(self, topic: str, meaning: str, told: int | None = None) -> Meaning | None:
        """One of `meanings`."""
        return next(
            (item for item in self.meanings if (item.topic, item.meaning, item.told) == (topic, meaning, told)),
            None,
        )

    def _meanings(self, told: int | None, topics: tuple[str, ...]) -> Iterator[Meaning]:
        for topic in topics:
            read = [
                item.shares
                for item in self.stages
                if item.question.topic == topic and item.told == told and item.shares is not None
            ]
            for place, meaning in enumerate(MEANINGS[topic]):
                shares = tuple(row[place] for row in read)
                if shares:
                    value, low, high = clustered_mean(shares, range(len(shares)))
                    yield Meaning(
                        topic=topic,
                        meaning=meaning,
                        told=told,
                        share=Figure(value, max(0.0, low), min(1.0, high)),
                        shares=shares,
                    )

    def _auc(
        self, sample: AskedSample, scores: NDArray[np.float64], only: NDArray[np.bool_] | None = None
    ) -> Figure | None:
        rows = sample.rows if only is None else sample.rows[only]
        values = scores if only is None else scores[only]
        test = rows < self.gathered.n
        if not test.any() or test.all():
            return None
        worst = np.where(np.isfinite(values), values, np.where(test, -np.inf, np.inf))
        groups = self.gathered.groups[rows]
        return clustered_auroc(worst[~test], worst[test], groups[~test], groups[test])
