"""Who else tries to tell the two apart, beside format and words: sentence embeddings, and the subject itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dokimasia.core import (
    Activations,
    CapReached,
    Cost,
    DokimasiaError,
    Embedder,
    NotMeasured,
    Subject,
    Transcript,
    UserError,
    approximate_tokens,
    throughput,
)
from dokimasia.instruments.common.asking import planned
from dokimasia.instruments.common.discriminators import (
    CAPTURE_BATCH,
    SentenceEmbeddings,
    SubjectActivations,
    SubjectAsked,
    capture_tokens,
)
from dokimasia.instruments.common.sampling import some
from dokimasia.instruments.realism.measure import Terms, Verdict, judge
from dokimasia.instruments.realism.population import Population

if TYPE_CHECKING:
    from numpy.typing import NDArray

Failures = tuple[type[DokimasiaError], ...]
LONGEST_EMBEDDED = 1_000
"""Characters, roughly, that the sentence embedder reads; used for estimates only."""


class Candidate(Protocol):
    """A discriminator that this subject, or the embedder, allows to be tried."""

    @property
    def what(self) -> str:
        """What is not measured without it."""
        ...

    @property
    def dear(self) -> bool:
        """Whether a transcript costs so much that only some are looked at."""
        ...

    @property
    def may_fail(self) -> Failures:
        """What leaves the others measured, if it happens."""
        ...

    def cost(self, items: Sequence[Transcript]) -> Cost:
        """What judging these will take, beside the fits."""
        ...

    def judge(self, population: Population, terms: Terms) -> Verdict:
        """Whether it tells the two apart."""
        ...


@dataclass(frozen=True)
class Embedded:
    """Sentence embeddings, of `model`'s `embedder`."""

    model: Subject
    embedder: Embedder
    what: str = "How well sentence embeddings tell the two apart"
    dear: bool = False
    may_fail: Failures = (CapReached, UserError)

    def cost(self, items: Sequence[Transcript]) -> Cost:
        tokens = approximate_tokens([item.input_text[:LONGEST_EMBEDDED] for item in items], overhead=2)
        return Cost(seconds=tokens / throughput(self.model, "exact"))

    def judge(self, population: Population, terms: Terms) -> Verdict:
        return judge(SentenceEmbeddings(self.embedder), population, terms)


@dataclass(frozen=True)
class Outright:
    """The subject asked outright, `each` transcript in so many paraphrases."""

    subject: Subject
    each: int
    what: str = "Whether the subject, asked outright, tells the two apart"
    dear: bool = True
    may_fail: Failures = (CapReached, UserError)

    def cost(self, items: Sequence[Transcript]) -> Cost:
        return planned(self.subject, items, each=self.each)

    def judge(self, population: Population, terms: Terms) -> Verdict:
        return judge(SubjectAsked(self.subject, self.each), population, terms)


@dataclass(frozen=True)
class Inside:
    """Linear probes on the subject's `activations` at every so-many-th layer, the last one included."""

    subject: Subject
    activations: Activations
    every_layer: int
    what: str = "How well the subject's activations tell the two apart"
    dear: bool = False
    may_fail: Failures = (CapReached,)

    def cost(self, items: Sequence[Transcript]) -> Cost:
        tokens = capture_tokens(items)
        return Cost(
            calls=-(-len(items) // CAPTURE_BATCH), tokens=tokens, seconds=tokens / throughput(self.subject, "forward")
        )

    def judge(self, population: Population, terms: Terms) -> Verdict:
        last = self.activations.n_layers - 1
        layers = tuple(sorted(range(last, -1, -self.every_layer)))
        return judge(SubjectActivations(activations=self.activations, layers=layers), population, terms)


@dataclass(frozen=True, eq=False)
class Looked:
    """Verdicts of the battery, and what could not be measured though it was tried."""

    verdicts: tuple[Verdict, ...]
    failed: tuple[NotMeasured, ...]


def look(
    candidates: Sequence[Candidate], population: Population, rows: NDArray[np.int64], terms: Terms, *, most: int
) -> Looked:
    """What the candidates say of these rows; the dear ones look at `most` a side. One that fails leaves the others."""
    few = _some(population, rows, most, terms.seed)
    parts = {dear: population.taken(chosen) for dear, chosen in ((False, rows), (True, few))}
    verdicts, failed = [], []
    for candidate in candidates:
        try:
            found = candidate.judge(parts[candidate.dear], terms)
        except candidate.may_fail as error:
            failed.append(NotMeasured(what=candidate.what, why=str(error)))
            continue
        seen = few if candidate.dear else rows
        verdicts.append(replace(found, held_out=replace(found.held_out, rows=seen[found.held_out.rows])))
    return Looked(tuple(verdicts), tuple(failed))


def _some(population: Population, rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """These rows, at most so many a side, at random."""
    sides = (rows[rows < population.n], rows[rows >= population.n])
    return np.concatenate([some(population.transcripts, side, most, seed=seed) for side in sides])
