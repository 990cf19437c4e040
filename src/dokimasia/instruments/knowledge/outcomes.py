"""What came of puzzles: of one fact's, of many facts', and what tests say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dokimasia.core import Access
from dokimasia.instruments.knowledge.solving import Tried
from dokimasia.stats import Figure, Interval, SequentialTest, clopper_pearson

LEVEL = 0.95
Verdict = Literal["alarm", "clear", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one fact's puzzles, one `tried` each."""

    fact: str
    tried: tuple[Tried, ...]

    @property
    def put(self) -> int:
        return sum(item.put for item in self.tried)

    @property
    def missing(self) -> int:
        return sum(item.missing for item in self.tried)

    @property
    def least(self) -> float:
        """Share of all times that was solved, the missing unsolved."""
        return sum(item.solved for item in self.tried) / self.put

    @property
    def most(self) -> float:
        """The same, the missing solved."""
        return (sum(item.solved for item in self.tried) + self.missing) / self.put

    @property
    def solved(self) -> bool:
        """Whether the fact counts as solved whatever became of the missing."""
        return self.least > 0.5

    @property
    def perhaps(self) -> bool:
        """Whether it would, had the missing been solved."""
        return self.most > 0.5


class Rate(NamedTuple):
    """`solved` of `n` facts, at most `perhaps` if the missing had been solved."""

    solved: int
    perhaps: int
    n: int

    @property
    def value(self) -> float | None:
        return self.solved / self.n if self.n else None

    @property
    def interval(self) -> Interval:
        """Clopper-Pearson, the missing counted each way."""
        return Interval(
            clopper_pearson(self.solved, self.n, LEVEL).low, clopper_pearson(self.perhaps, self.n, LEVEL).high
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One fact by itself. `p` is the chance that an unknowing subject does as well, `p_known` that one who knows does as badly.

    `adjusted` is `p` with regard to all facts (Benjamini and Hochberg). `baseline` is what the baseline made of it. Where no
    test is possible the verdict is undecided.
    """

    outcome: Outcome
    p: float
    p_known: float
    adjusted: float
    verdict: Verdict
    baseline: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """What the sequential test says of all facts together, having read so many, and how it behaves with so many facts.

    `false_alarm` is the probability of an alarm at the null rate, `missed` that of an all-clear at the alternative;
    `power` that of an alarm there. Exact.
    """

    verdict: Verdict
    read: int
    false_alarm: float
    missed: float
    power: float


class Given(NamedTuple):
    """A given puzzle of a fact."""

    fact: str
    ask: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PuzzleResult:
    """What came of the puzzles. Without a `test` there is none that could tell, and `why` says so.

    `order` is the one in which the test reads the facts. `left_out` are given puzzles that the baseline solved, or did not
    answer; so many `unmatched` given ones were not put, since neither controls nor a baseline show how often they are
    solved without the fact. `options` is the number of options in a generated puzzle.
    """

    facts: tuple[Outcome, ...]
    controls: tuple[Outcome, ...]
    known: tuple[Outcome, ...]
    order: tuple[int, ...]
    alpha: float
    beta: float
    test: SequentialTest | None
    why: str
    pooled: Pooled | None
    singles: tuple[Single, ...]
    change: Figure | None
    left_out: tuple[Given, ...]
    unmatched: int
    options: int
    access: Access
    failed: int

    @property
    def null(self) -> Rate:
        """How often controls are solved."""
        return rate(self.controls)

    @property
    def alternative(self) -> Rate:
        """How often facts are solved that everybody knows."""
        return rate(self.known)

    @property
    def gated(self) -> Rate:
        """How often the facts in question are solved."""
        return rate(self.facts)

    @property
    def puzzles(self) -> int:
        """Puzzles put about the facts in question."""
        return sum(len(item.tried) for item in self.facts)


def rate(outcomes: Sequence[Outcome]) -> Rate:
    """Of so many facts, how many were solved, and how many perhaps?"""
    return Rate(sum(item.solved for item in outcomes), sum(item.perhaps for item in outcomes), len(outcomes))
