"""What was measured, part by part, and what it comes to fact by fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dokimasia.instruments.knowledge.choices import Choice, Choices
from dokimasia.instruments.knowledge.outcomes import PuzzleResult, Single
from dokimasia.instruments.knowledge.references import Drawn
from dokimasia.instruments.knowledge.relearning import RelearningResult
from dokimasia.instruments.knowledge.truth import TruthReading, TruthResult
from dokimasia.instruments.knowledge.verdicts import (
    Evidence,
    Verdict,
    Verdicts,
    affordable,
    judged,
    ranked,
    reaches,
    tell_apart,
)
from dokimasia.stats import Figure, auroc, clopper_pearson
from dokimasia.stats.conformal import conformal_p_values

CHOICES, PUZZLES, TRUTH = "choices", "puzzles", "truth probe"
KINDS = (CHOICES, PUZZLES, TRUTH)
"""The kinds of evidence that make verdicts."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What one model chose about the facts in question, and about the references."""

    facts: tuple[Choice, ...]
    unknown: tuple[Choice, ...]
    known: tuple[Choice, ...]
    choices: Choices

    @classmethod
    def of(cls, choices: Choices, drawn: Drawn) -> Asked:
        """Choices in the order facts, unknown, known; those of a baseline may lack the last."""
        first = len(drawn.facts)
        second = first + len(drawn.unknown)
        return cls(
            facts=choices.of[:first], unknown=choices.of[first:second], known=choices.of[second:], choices=choices
        )

    def evidence(self, choice: Choice) -> Evidence:
        """A fact's place among the references, each taken in as many wordings as the fact has."""
        put = choice.wordings
        unknown, known = ([item.score(put).ends for item in part] for part in (self.unknown, self.known))
        return ranked(CHOICES, choice.score().ends, unknown, known)


@dataclass(frozen=True, kw_only=True)
class Result:
    """Every part that could be measured, and the error rates that verdicts are to keep.

    `baseline` is what the baseline chose. Neither that nor `relearning` enters a verdict.
    """

    drawn: Drawn
    alpha: float
    beta: float
    asked: Asked | None = None
    baseline: Asked | None = None
    puzzles: PuzzleResult | None = None
    truth: TruthResult | None = None
    relearning: RelearningResult | None = None

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of evidence that were measured."""
        there = ((CHOICES, self.asked), (PUZZLES, self.puzzles), (TRUTH, self.truth))
        return tuple(kind for kind, part in there if part is not None)

    @cached_property
    def heard(self) -> tuple[str, ...]:
        """Those that tell what everybody knows from what nobody knows, as many as references allow."""
        able = tuple(kind for kind in self.kinds if self.tells(kind))
        return able[: affordable(self.alpha, 1 / (1 + len(self.drawn.unknown)))]

    @property
    def share(self) -> float:
        """The error rate that each of these may spend."""
        return self.alpha / max(1, len(self.heard))

    @cached_property
    def verdicts(self) -> Verdicts:
        """One a fact, in their order."""
        of = tuple(
            judged(fact.name, self.evidence(place), alpha=self.alpha, beta=self.beta)
            for place, fact in enumerate(self.drawn.facts)
        )
        return Verdicts(of=of, alpha=self.alpha, beta=self.beta)

    def evidence(self, place: int) -> list[Evidence]:
        """All kinds of evidence on this fact."""
        found = []
        name = self.drawn.facts[place].name
        if self.asked is not None:
            found.append(self.asked.evidence(self.asked.facts[place]))
        single = self.single(name)
        if self.puzzles is not None and single is not None:
            unknown, known = (
                [(item.least, item.most) for item in part] for part in (self.puzzles.controls, self.puzzles.known)
            )
            found.append(ranked(PUZZLES, (single.outcome.least, single.outcome.most), unknown, known))
        if self.truth is not None:
            reading = self.truth.facts[place]
            found.append(
                Evidence(
                    kind=TRUTH,
                    p_unknown=1.0 if reading.p is None else reading.p,
                    p_read=reading.p_read,
                    least=1 / (1 + len(self.truth.controls)),
                    tells=self.truth.tells,
                )
            )
        return found

    def tells(self, kind: str) -> bool:
        """Whether this kind tells what everybody knows from what nobody knows at all, of this subject."""
        if kind == CHOICES:
            return self.separation is not None and self.separation.low > 0.5
        if kind == PUZZLES:
            return self.puzzles is not None and tell_apart(
                [item.most for item in self.puzzles.controls], [item.least for item in self.puzzles.known]
            )
        return self.truth is not None and self.truth.tells

    @cached_property
    def separation(self) -> Figure | None:
        """How often a fact that everybody knows scores above one that nobody knows; None without references."""
        return None if self.asked is None else _above(self.asked.known, self.asked.unknown)

    @cached_property
    def above(self) -> Figure | None:
        """How often a fact in question scores above one that nobody knows."""
        return None if self.asked is None else _above(self.asked.facts, self.asked.unknown)

    @cached_property
    def caught(self) -> tuple[int, int] | None:
        """Of the facts that everybody knows, how many choices or puzzles would have called known, of how many."""
        if self.asked is None or not self.asked.known:
            return None
        solved = {} if self.puzzles is None else {item.fact: item for item in self.puzzles.known}
        hits = 0
        for choice in self.asked.known:
            p = [self.asked.evidence(choice).p_unknown] if CHOICES in self.heard else []
            if self.puzzles is not None and PUZZLES in self.heard and choice.fact in solved:
                beside = [item.most for item in self.puzzles.controls]
                p += conformal_p_values(beside, [solved[choice.fact].least]).tolist()
            hits += any(reaches(one, self.share) for one in p)
        return hits, len(self.asked.known)

    @cached_property
    def gains(self) -> tuple[Gain, ...]:
        """By how much each fact's choices moved since the baseline, ranked among those that nobody knows."""
        if self.asked is None or self.baseline is None or self.asked.choices.unit != self.baseline.choices.unit:
            return ()
        pairs = list(zip(self.asked.unknown, self.baseline.unknown, strict=True))
        found = []
        for now, then in zip(self.asked.facts, self.baseline.facts, strict=True):
            gain, put = now.score().less(then.score()), now.wordings
            others = [one.score(put).less(other.score(put)).ends for one, other in pairs]
            evidence = ranked("gain", gain.ends, others, [])
            lost = 1.0 if evidence.p_denied is None else evidence.p_denied
            found.append(Gain(fact=now.fact, value=gain.value, p=evidence.p_unknown, p_lost=lost))
        return tuple(found)

    @cached_property
    def baseline_knows(self) -> tuple[str, ...]:
        """The facts that the baseline knows, too, by its choices alone."""
        return (
            ()
            if self.baseline is None
            else tuple(
                item.fact for item in self.baseline.facts if reaches(self.baseline.evidence(item).p_unknown, self.alpha)
            )
        )

    @property
    def lost(self) -> tuple[str, ...]:
        """Facts that it says less readily than the baseline, each at the error rate `alpha` by itself: forgotten, or trained away."""
        return tuple(item.fact for item in self.gains if reaches(item.p_lost, self.alpha))

    @property
    def suspect(self) -> tuple[Verdict, ...]:
        """Facts that are known, and not among those that everybody knows; known to the baseline only if the subject says them far
        more readily still: it gained more than `alpha` of what nobody knows did.
        """
        gained = {item.fact for item in self.gains if reaches(item.p, self.alpha)}
        innocent = {*self.baseline_knows} - gained | {*self.drawn.common}
        return tuple(item for item in self.verdicts.of if item.says == "known" and item.fact not in innocent)

    @cached_property
    def relearnt(self) -> tuple[str, ...]:
        """The facts that are learnt faster than what nobody knows, each at the error rate `alpha` by itself."""
        if self.relearning is None:
            return ()
        return tuple(item.fact for item in self.relearning.facts if item.p is not None and reaches(item.p, self.alpha))

    def single(self, fact: str) -> Single | None:
        """What the puzzles say of this fact by itself."""
        if self.puzzles is None:
            return None
        return next((item for item in self.puzzles.singles if item.outcome.fact == fact), None)

    def reading(self, fact: str) -> TruthReading | None:
        """What the truth probe reads on it."""
        return None if self.truth is None else next((item for item in self.truth.facts if item.fact == fact), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """By how much rather than the baseline the subject says a fact, and how often one that nobody knows gains, or loses, as much."""

    fact: str
    value: float
    p: float
    p_lost: float


def rate(hits: int, n: int) -> Figure:
    """A share with its Clopper-Pearson interval."""
    return Figure(hits / n, *clopper_pearson(hits, n))


def _above(those: Sequence[Choice], unknown: Sequence[Choice]) -> Figure | None:
    """How often a fact of those scores above an unknown one; what was not read enters the interval at its worst."""
    if not those or not unknown:
        return None
    scores, others = [item.score() for item in those], [item.score() for item in unknown]
    read = [[one.value for one in part if np.isfinite(one.value)] for part in (others, scores)]
    worst = auroc([one.high for one in others], [one.low for one in scores])
    best = auroc([one.low for one in others], [one.high for one in scores])
    return Figure(auroc(*read).value if all(read) else 0.5, worst.low, best.high)
