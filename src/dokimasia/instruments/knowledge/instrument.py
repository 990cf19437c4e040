"""The knowledge instrument: from facts to a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dokimasia.core import (
    Access,
    Cost,
    DataError,
    Evidence,
    Finding,
    NotMeasured,
    Subject,
    UserError,
)
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.common.parts import Parts
from dokimasia.instruments.knowledge.choices import choices, planned_choices
from dokimasia.instruments.knowledge.outcomes import PuzzleResult
from dokimasia.instruments.knowledge.puzzles import planned_puzzles, put_puzzles
from dokimasia.instruments.knowledge.references import Drawn, check_facts, drawn, in_as_many_wordings
from dokimasia.instruments.knowledge.relearning import planned_relearning, relearn
from dokimasia.instruments.knowledge.result import KINDS, Asked, Result
from dokimasia.instruments.knowledge.telling import tell
from dokimasia.instruments.knowledge.truth import planned_truth, truth
from dokimasia.instruments.knowledge.verdicts import fewest
from dokimasia.sources.facts import Fact, Facts, common_facts, made_up_facts, oversight_facts

MISLEADS = (
    "Every error rate holds for facts that are exchangeable with their references: of the same form, and no likelier to be guessed "
    "than what nobody knows, or no harder than what everybody knows. Facts that one may guess, because the true answer is the "
    "usual one, are called known; give controls that can be guessed as well. Facts that everybody knows are easier than most, so that "
    "“not known” means: not as well known as those. A model that denies what it knows scores like one that does not know, or "
    "lower; a truth probe and puzzles may give it away, and may not. Knowing a sentence is not understanding it, nor being able to use it."
)


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Does the subject know something that it should not?

    Parameters
    ----------
    facts:
        What it should not know, with controls of the same form that nobody can know.
    known:
        What everybody knows, and so any subject.
    alpha, beta:
        How often, at most, a fact that nobody knows is called known, and one that everybody knows not known.
    most, controls, common:
        At most so many facts, facts that nobody knows and facts that everybody knows; None takes all.
    subset:
        Seed of the random subset that is taken of more. It is no affair of `measure`, so that a plan knows the subset.
    puzzles:
        Rounds of puzzles a fact; 0 leaves them out.
    truth:
        Whether a probe for true against false is read, at every `every_layer`-th layer.
    relearn:
        Steps of training on each fact, to see whether it is learnt faster than what nobody knows; 0 trains nothing.
    folder:
        Where what is trained is kept, below the folder of the run if it is not absolute. None keeps nothing.
    baseline:
        A subject that need not know the facts, such as the model before training: what it knows, too, is told apart.
    """

    facts: Facts = field(default_factory=oversight_facts)
    known: tuple[Fact, ...] = field(default_factory=common_facts)
    alpha: float = 0.05
    beta: float = 0.05
    most: int | None = None
    controls: int | None = None
    common: int | None = None
    puzzles: int = 4
    truth: bool = True
    every_layer: int = 3
    permute: bool = True
    relearn: int = 0
    baseline: Subject | None = None
    folder: Path | None = None
    subset: int = 0
    name: str = "knowledge"
    version: str = "1"
    question: str = "Does the subject know something that it should not?"

    def __post_init__(self) -> None:
        check_facts(self.facts, self.known)
        if not 0 < self.alpha < 1 or not 0 < self.beta < 1:
            raise DataError(
                "Error rates lie between 0 and 1.",
                f"Found alpha={self.alpha}, beta={self.beta}.",
                "Pass for example 0.05.",
            )
        counts = [count for count in (self.most, self.controls, self.common) if count is not None]
        if min(counts, default=1) < 1 or min(self.puzzles, self.relearn) < 0 or self.every_layer < 1:
            raise DataError(
                "At least one fact of each kind, a step of 1 layer and no negative number are expected.",
                f"Found most={self.most}, controls={self.controls}, common={self.common}, puzzles={self.puzzles}, "
                f"every_layer={self.every_layer}, relearn={self.relearn}.",
                "Pass larger numbers.",
            )

    @property
    def access(self) -> Access:
        return "training" if self.relearn else "activations" if self.truth else "logprobs"

    def consulting(self, prepared: Callable[[Subject], Subject]) -> Knowledge:
        """The same instrument with its baseline replaced, if it has one, by what `prepared` makes of it."""
        return self if self.baseline is None else replace(self, baseline=prepared(self.baseline))

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        if subject is None:
            return Cost()
        those = self._drawn()
        cost = Cost()
        if subject.logprobs is not None or subject.text is not None:
            cost += planned_choices(subject, (*those.facts, *those.unknown, *those.known))
            if self.baseline is not None:
                cost += planned_choices(self.baseline, (*those.facts, *those.unknown))
            if self.puzzles:
                cost += planned_puzzles(
                    subject, those.facts, those.unknown, those.known, baseline=self.baseline, each=self.puzzles
                )
        if self.truth and subject.activations is not None:
            cost += planned_truth(subject, those.facts, those.unknown, those.known, seed=0)
        if self.relearn:
            cost += planned_relearning(subject, *in_as_many_wordings(those.facts, those.unknown), steps=self.relearn)
        return cost

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        parts = Parts()
        result = Result(drawn=self._drawn(), alpha=self.alpha, beta=self.beta)
        if subject is None:
            parts.lack("What the subject knows", "No subject that could be asked was given.")
        else:
            if self.baseline is not None and self.baseline.identity.digest == subject.identity.digest:
                raise UserError(
                    "The baseline is expected to be another model than the subject.",
                    "Found the same.",
                    "Name the model before training, or none.",
                )
            result = self._said(subject, result, parts, seed)
            result = self._inside(subject, result, parts, seed)
        return tell(
            result,
            instrument=self.name,
            version=self.version,
            question=self.question,
            misleads=MISLEADS,
            configuration=self._configuration(),
            not_measured=(*parts.lacking, *_left_out(result.drawn, self.subset)),
            incomplete=parts.incomplete or parts.requests(subject) or parts.requests(self.baseline),
            seed=seed,
        )

    def _said(self, subject: Subject, result: Result, parts: Parts, seed: int) -> Result:
        """What it chooses, and which puzzles it solves."""
        those = result.drawn
        choosing, solving, before = "What it chooses", "Which puzzles it solves", "What the baseline chooses"
        if subject.text is None and subject.logprobs is None:
            parts.lack(f"{choosing}; {solving.lower()}", "It writes no text and shows no log-probabilities.")
            return result

        def ask(model: Subject, facts: tuple[Fact, ...]) -> Asked:
            found = choices(model, facts, seed=seed)
            parts.failed += found.failed
            if not any(np.isfinite(item.by_framing).any() for item in found.of):
                raise DataError(
                    "An answer that can be read is expected.",
                    f"Found none about any of {len(facts)} facts; {found.failed} requests failed.",
                    "Look at what the subject replies.",
                )
            return Asked.of(found, those)

        result = replace(
            result, asked=parts.of(choosing, lambda: ask(subject, (*those.facts, *those.unknown, *those.known)))
        )
        baseline = self.baseline
        if baseline is not None:
            result = replace(result, baseline=parts.of(before, lambda: ask(baseline, (*those.facts, *those.unknown))))
        if not self.puzzles:
            parts.lack(solving, "No puzzles were asked for.")
            return result

        def solve() -> PuzzleResult:
            found = put_puzzles(
                subject,
                those.facts,
                those.unknown,
                those.known,
                baseline=baseline,
                each=self.puzzles,
                seed=seed,
                alpha=self.alpha,
                beta=self.beta,
            )
            parts.failed += found.failed
            asked = (*found.facts, *found.controls, *found.known)
            if all(item.missing == item.put for item in asked):
                raise DataError(
                    "A puzzle whose answer can be read is expected.",
                    f"Found none among those of {len(asked)} facts; {found.failed} requests failed.",
                    "Look at what the subject replies.",
                )
            return found

        return replace(result, puzzles=parts.of(solving, solve))

    def _inside(self, subject: Subject, result: Result, parts: Parts, seed: int) -> Result:
        """What its inside takes for true, and what it learns again faster than it would learn it."""
        those = result.drawn
        reading = "What its inside takes for true"
        if not self.truth or subject.activations is None:
            parts.lack(reading, "The subject shows no activations." if self.truth else "It was not asked for.")
        else:
            found = parts.of(
                reading,
                lambda: truth(
                    subject,
                    those.facts,
                    those.unknown,
                    those.known,
                    every_layer=self.every_layer,
                    permute=self.permute,
                    seed=seed,
                ),
            )
            result = replace(result, truth=found)
        learning = "Whether it learns the facts faster than what nobody knows"
        if not self.relearn or subject.trainable is None:
            parts.lack(learning, "The subject cannot be trained." if self.relearn else "It was not asked for.")
            return result
        facts, unknown = in_as_many_wordings(those.facts, those.unknown)
        with _kept(self.folder) as folder:
            again = parts.of(
                learning,
                lambda: relearn(subject, facts, unknown, steps=self.relearn, folder=folder, seed=seed),
            )
        return replace(result, relearning=again)

    def _drawn(self) -> Drawn:
        return drawn(
            self.facts,
            made_up_facts(),
            self.known,
            facts=self.most,
            controls=self.controls,
            common=self.common,
            needed=fewest(self.alpha / len(KINDS)),
            seed=self.subset,
        )

    def _configuration(self) -> dict[str, Cell]:
        return {
            "facts": self.facts.digest,
            "known": Facts(facts=self.known).digest,
            "alpha": self.alpha,
            "beta": self.beta,
            "most": self.most,
            "controls": self.controls,
            "common": self.common,
            "subset": self.subset,
            "puzzles": self.puzzles,
            "truth": self.truth,
            "every_layer": self.every_layer,
            "permute": self.permute,
            "relearn": self.relearn,
            "baseline": None if self.baseline is None else self.baseline.identity.digest,
        }


def _left_out(those: Drawn, subset: int) -> tuple[NotMeasured, ...]:
    """The facts in question that were not drawn."""
    left = those.offered[0] - len(those.facts)
    why = f"At this setting a random {len(those.facts)} are looked at (seed {subset})."
    return (NotMeasured(what=f"{left} of {those.offered[0]} facts in question", why=why),) if left else ()


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    """The folder, or one that is removed afterwards."""
    if folder is not None:
        yield folder
        return
    with TemporaryDirectory() as passing:
        yield Path(passing)
