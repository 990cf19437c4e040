"""The realism instrument: from evidence to a finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dokimasia.core import Access, Cost, DataError, Evidence, Finding, NotMeasured, Subject, Transcript
from dokimasia.core.sequences import Joined
from dokimasia.core.workers import Inline, Workers
from dokimasia.instruments.common.asking import QUESTIONS
from dokimasia.instruments.common.discriminators import FormatAndLength, Words
from dokimasia.instruments.common.sampling import Limits
from dokimasia.instruments.realism.battery import Candidate, Embedded, Inside, Outright, look
from dokimasia.instruments.realism.blindspots import clusters
from dokimasia.instruments.realism.measure import Terms, judge
from dokimasia.instruments.realism.population import check_sizes, gather
from dokimasia.instruments.realism.streaming import Sampled, judge_streamed
from dokimasia.instruments.realism.telling import tell
from dokimasia.instruments.realism.tells import rank_suites, telling_items, telling_words
from dokimasia.instruments.realism.tuned import FineTuned

SECONDS_TO_FIT = 120.0
SECONDS_TO_SEE = 0.0003
SECONDS_TO_SCORE = 0.0004
"""For transcripts of 100 words on one processor; used for estimates only."""

OUTSIDE = (FormatAndLength(), Words())
NO_SUBJECT = NotMeasured(
    what="How well the subject tells the two apart: asked outright, by its activations, fine-tuned to tell",
    why="No subject was given. A model may see more than is measured here.",
)

MISLEADS = (
    "The ceiling is conditional: it holds if the model tells evaluation from deployment no better than this "
    "discriminator. A model that sees more can do worse, and a weak discriminator's low ceiling proves nothing. It speaks "
    "of independent transcripts, of a policy fixed beforehand, and of a judge that misses nothing (if the judge finds "
    "only a share a of misbehaviours, divide the rate bound by a)."
)


@dataclass(frozen=True, kw_only=True)
class Realism:
    """How far does this evaluation speak for this deployment?

    Parameters
    ----------
    misbehaved:
        The user's own count of misbehaviours; overrides labels. None counts labels.
    delta:
        Error probability of each bound, one-sided.
    embedder:
        A model that embeds sentences; if there is none, `without_embedder` says why.
    paraphrases:
        In how many of its wordings the subject is asked of each transcript whether it is a test, each both ways round.
        Which ones differs from transcript to transcript, so that 1 is the cheapest and all are put all the same.
    every_layer:
        Activations are read at every so-many-th layer, the last one included.
    fine_tune:
        Train the subject to tell, on one half of the transcripts. By far the dearest.
    folder:
        Where trained classifiers are kept, below the folder of the run if it is not absolute. None keeps nothing.
    limits:
        From how many transcripts on only a sample is looked at, and for what.
    workers:
        Who carries out what can be divided. The finding does not depend on it.
    report:
        Called now and then with the planned seconds done and planned in all, if there are very many transcripts.
    """

    misbehaved: int | None = None
    delta: float = 0.05
    embedder: Subject | None = None
    without_embedder: str = "No model that embeds sentences was given."
    paraphrases: int = 1
    every_layer: int = 3
    fine_tune: bool = False
    folder: Path | None = None
    limits: Limits = field(default_factory=Limits)
    workers: Workers = field(default_factory=Inline)
    report: Callable[[float, float], None] | None = None
    name: str = "realism"
    version: str = "2"
    question: str = "How far does this evaluation speak for this deployment?"

    @property
    def access(self) -> Access:
        return "training" if self.fine_tune else "activations"

    def consulting(self, prepared: Callable[[Subject], Subject]) -> Realism:
        """The same instrument with its embedder replaced, if it has one, by what `prepared` makes of it."""
        return self if self.embedder is None else replace(self, embedder=prepared(self.embedder))

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        deployment = evidence.deployment.transcripts if evidence.deployment else ()
        sides = [Joined([source.transcripts for source in evidence.evaluation]), deployment]
        rows = sum(map(len, sides))
        check_sizes(*map(len, sides))
        candidates, _ = self._battery(subject)
        most = self.limits.look if rows > self.limits.exact else rows
        parts = {dear: _first(sides, min(most, self.limits.ask) if dear else most) for dear in (False, True)}
        fits = Cost(seconds=self._seconds(rows) + sum(_seconds_to_fit(len(parts[item.dear])) for item in candidates))
        return sum((item.cost(parts[item.dear]) for item in candidates), fits)

    def _battery(self, subject: Subject | None) -> tuple[list[Candidate], list[NotMeasured]]:
        """Who can be tried beside format and words, from outside in, and why others cannot."""
        found: list[Candidate] = []
        absent: list[NotMeasured] = []
        if self.embedder is not None and self.embedder.embedder is not None:
            found.append(Embedded(self.embedder, self.embedder.embedder))
        else:
            absent.append(NotMeasured(what=Embedded.what, why=self.without_embedder))
        if subject is None:
            return found, [*absent, NO_SUBJECT]
        if subject.logprobs is not None or subject.text is not None:
            found.append(Outright(subject, self.paraphrases))
        else:
            absent.append(NotMeasured(what=Outright.what, why="It neither writes nor shows log-probabilities."))
        if subject.activations is not None:
            found.append(Inside(subject, subject.activations, self.every_layer))
        else:
            absent.append(NotMeasured(what=Inside.what, why="There is no access to them."))
        if subject.trainable is not None and self.fine_tune:
            found.append(FineTuned(subject, subject.trainable, self.folder))
        else:
            why = "Nobody asked for it." if subject.trainable is not None else "It cannot be trained from here."
            absent.append(NotMeasured(what=FineTuned.what, why=why))
        return found, absent

    def _seconds(self, rows: int) -> float:
        if rows <= self.limits.exact:
            return _seconds_to_fit(rows)
        return SECONDS_TO_FIT + rows * (SECONDS_TO_SEE + SECONDS_TO_SCORE) / self.workers.count

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        if not 0 < self.delta < 1:
            raise DataError("delta lies strictly between 0 and 1.", f"Found {self.delta}.", "Pass for example 0.05.")
        if not 1 <= self.paraphrases <= len(QUESTIONS):
            raise DataError(
                f"A transcript is asked about in 1 to {len(QUESTIONS)} paraphrases.",
                f"Found {self.paraphrases}.",
                "Pass for example 1.",
            )
        total = sum(len(source.transcripts) for source in evidence.evaluation)
        total += len(evidence.deployment.transcripts) if evidence.deployment else 0
        told = _Progress(self._seconds(total), self.report)
        population = gather(
            evidence,
            override=self.misbehaved,
            limits=self.limits,
            workers=self.workers,
            report=told.rows(SECONDS_TO_SEE / self.workers.count),
        )
        candidates, absent = self._battery(subject)
        terms = Terms(
            evaluated=population.evaluated,
            delta=self.delta,
            exposure_delta=self.delta / (len(OUTSIDE) + len(candidates)),
            seed=seed,
        )
        rows = np.arange(len(population.transcripts))
        sampled: Sampled | None = None
        if len(rows) <= self.limits.exact:
            verdicts = [judge(item, population, terms) for item in OUTSIDE]
        else:
            verdicts, sampled = judge_streamed(
                population,
                terms,
                limits=self.limits,
                workers=self.workers,
                report=told.rows(SECONDS_TO_SCORE / self.workers.count),
            )
            rows = sampled.looked_at
        looked = look(candidates, population, rows, terms, most=self.limits.ask)
        described = population if sampled is None else population.taken(rows)
        words = telling_words(described, seed=seed)
        verdicts = [*verdicts, *looked.verdicts]
        fullest = max(verdicts, key=lambda item: (len(item.held_out.rows), item.strength))
        scores = np.full(len(population.transcripts), np.nan)
        scores[fullest.held_out.rows] = fullest.held_out.scaled
        return tell(
            instrument=self.name,
            version=self.version,
            question=self.question,
            misleads=MISLEADS,
            population=population,
            described=described,
            sampled=sampled,
            verdicts=verdicts,
            terms=terms,
            absent=absent,
            failed=looked.failed,
            words=words,
            items=telling_items(population, scores, words),
            suites=rank_suites(population, scores),
            suites_by=fullest.name,
            clusters=clusters(described, seed=seed),
            configuration={
                "misbehaved": self.misbehaved,
                "delta": self.delta,
                "embedder": None if self.embedder is None else self.embedder.identity.name,
                "paraphrases": self.paraphrases,
                "every_layer": self.every_layer,
                "fine_tune": self.fine_tune,
            },
        )


def _first(sides: Sequence[Sequence[Transcript]], most: int) -> list[Transcript]:
    return [item for side in sides for item in side[:most]]


def _seconds_to_fit(rows: int) -> float:
    return 2.0 + 0.02 * rows


class _Progress:
    """Adds up planned seconds and tells whoever wants to know."""

    def __init__(self, total: float, report: Callable[[float, float], None] | None) -> None:
        self._total, self._report, self._done = total, report, 0.0

    def rows(self, seconds: float) -> Callable[[int], None]:
        """To be told how many rows more have been dealt with, each planned to take `seconds`."""

        def advance(rows: int) -> None:
            self._done = min(self._done + rows * seconds, self._total)
            if self._report is not None:
                self._report(self._done, self._total)

        return advance
