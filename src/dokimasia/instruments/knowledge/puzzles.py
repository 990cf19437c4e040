"""Does the subject solve puzzles that only somebody who knows a fact solves often? A sequential test, fact by fact.

**The unit is a fact.** What a subject answers to one puzzle of a fact says nearly what it answers to the next: somebody
who does not know when a bridge was built may well think of one year, and then is right in every puzzle or in none. So
puzzles of one fact are no independent trials, and a test that counts them as such alarms as often as such a thought is
right by luck. Here a fact is *solved* if more than half of all times that its puzzles were put were solved, and one fact is
one trial; different facts are taken to be independent, as are controls and known facts.

**The two rates** are measured on the same subject with the same forms of puzzles: the null `g` on controls that nobody can
know, the alternative `s` on facts that everybody knows. The test takes g at the upper end of its interval and s at the lower
end of its own, and its error rates are exact for these (`SequentialTest.passage`).

**A single fact** is one trial, so the sequential test says nothing of it. It is ranked: an alarm, if so few controls did as
well that an unknowing subject would get there with probability `alpha` at most; clear, if so few known facts did as badly.
With fewer than `1/alpha - 1` controls, or where luck alone solves everything more often, no single fact can alarm.

What is missing is unsolved where that weakens an alarm, and solved where it weakens an all-clear.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dokimasia.core import Access, Cost, DataError, Subject
from dokimasia.core.rounding import counted, percent_range
from dokimasia.instruments.knowledge.generated import MOST_WRONG, fewest_false, rounds
from dokimasia.instruments.knowledge.outcomes import (
    LEVEL,
    Given,
    Outcome,
    Pooled,
    PuzzleResult,
    Rate,
    Single,
    Verdict,
    rate,
)
from dokimasia.instruments.knowledge.solving import access, planned_solving, solve
from dokimasia.sources.facts import Fact, Puzzle
from dokimasia.stats import (
    Count,
    Figure,
    SequentialTest,
    difference_in_differences,
    false_discovery_adjusted,
)

EACH = 4


def planned_puzzles(
    subject: Subject,
    facts: Sequence[Fact],
    controls: Sequence[Fact],
    known: Sequence[Fact],
    *,
    baseline: Subject | None = None,
    each: int = EACH,
    seed: int = 0,
) -> Cost:
    """What `put_puzzles` asks for."""
    chosen = _Chosen(facts, controls, known, each=each, matched=baseline is not None, seed=seed)
    cost = sum((planned_solving(subject, chosen.of(fact), seed=seed) for fact in (*facts, *controls, *known)), Cost())
    if baseline is None:
        return cost
    return cost + sum((planned_solving(baseline, chosen.of(fact), seed=seed) for fact in (*facts, *controls)), Cost())


def put_puzzles(
    subject: Subject,
    facts: Sequence[Fact],
    controls: Sequence[Fact],
    known: Sequence[Fact],
    *,
    baseline: Subject | None = None,
    each: int = EACH,
    seed: int,
    alpha: float = 0.05,
    beta: float = 0.05,
) -> PuzzleResult:
    """Does the subject know these facts, by the puzzles that it solves?

    Parameters
    ----------
    facts, controls, known:
        What is in question; what nobody can know; what everybody knows.
    baseline:
        A subject that does not know the facts. Given puzzles that it solves are left out, and the change since it is told.
    each:
        Rounds of generated puzzles that each fact is put.
    alpha, beta:
        Error rates: an alarm without knowledge, an all-clear with it.

    Misleads where controls are easier or harder than the facts would be without knowledge, and where a subject knows a few of
    many facts: the pooled verdict is about all of them. A subject that hides what it knows is `hiding`'s.
    """
    check_apart(facts, controls)
    chosen = _Chosen(facts, controls, known, each=each, matched=baseline is not None, seed=seed)
    failed = 0

    def outcomes(asked: Subject, those: Sequence[Fact]) -> tuple[Outcome, ...]:
        nonlocal failed
        found = []
        for fact in those:
            puzzles = chosen.of(fact)
            if puzzles:
                attempt = solve(asked, puzzles, seed=seed)
                failed += attempt.failed
                found.append(Outcome(fact=fact.name, tried=attempt.tried))
        return tuple(found)

    whole, of_controls, of_known = (outcomes(subject, those) for those in (facts, controls, known))
    before = None if baseline is None else (outcomes(baseline, facts), outcomes(baseline, controls))
    kept, left_out = (whole, ()) if before is None else _left_out(whole, before[0], facts, chosen)
    why = _why_not(kept, of_controls, of_known, access(subject))
    test = (
        None
        if why
        else SequentialTest(
            null=rate(of_controls).interval.high, alternative=rate(of_known).interval.low, alpha=alpha, beta=beta
        )
    )
    order = tuple(np.random.default_rng(seed).permutation(len(kept)).tolist())
    return PuzzleResult(
        facts=kept,
        controls=of_controls,
        known=of_known,
        order=order,
        alpha=alpha,
        beta=beta,
        test=test,
        why=why,
        pooled=None if test is None else _pooled(test, [kept[place] for place in order]),
        singles=_singles(kept, of_controls, of_known, before, alpha if test else 0.0, beta if test else 0.0),
        # All puzzles count here, those too that the baseline solves: choosing by what it did would bias the change.
        change=None
        if before is None or not whole or not of_controls
        else change(*map(rate, (whole, of_controls, *before))),
        left_out=left_out,
        unmatched=chosen.unmatched,
        options=chosen.wrong + 1,
        access=access(subject),
        failed=failed,
    )


def check_apart(facts: Sequence[Fact], controls: Sequence[Fact]) -> None:
    """Refuse a fact that is its own control."""
    sentences = {wording.true for fact in controls for wording in fact.wordings}
    names = {fact.name for fact in controls}
    both = [fact.name for fact in facts if fact.name in names or {item.true for item in fact.wordings} & sentences]
    if both:
        raise DataError(
            "Controls that are none of the facts are expected.",
            f"Found {both[0]!r} among both.",
            "Remove it from one of them: a control is what the subject cannot know.",
        )


class _Chosen:
    """Which puzzles each fact is put: the same forms for all, with equal numbers of options.

    They are made of no more wordings than each fact in question has: what is liked by luck in one wording is liked in all
    puzzles of it, and references whose puzzles are spread over more would be lucky less often.
    """

    def __init__(
        self,
        facts: Sequence[Fact],
        controls: Sequence[Fact],
        known: Sequence[Fact],
        *,
        each: int,
        matched: bool,
        seed: int,
    ) -> None:
        if each < 1:
            raise DataError(
                "At least one round of puzzles a fact is expected.", f"Found {each}.", "Pass for example 4."
            )
        self.wrong = min(fewest_false((*facts, *controls, *known)), MOST_WRONG)
        self._wordings = min((len(fact.wordings) for fact in facts if fact.wordings), default=None)
        self._each, self._seed = each, seed
        self._given = matched or any(fact.puzzles for fact in controls)
        self.unmatched = 0 if self._given else sum(len(fact.puzzles) for fact in facts)

    def generated(self, fact: Fact) -> tuple[Puzzle, ...]:
        """The first rounds of this fact."""
        first = list(rounds(fact, self._seed, wrong=self.wrong, wordings=self._wordings).values())
        return tuple(puzzle for puzzles in first[: self._each] for puzzle in puzzles)

    def of(self, fact: Fact) -> tuple[Puzzle, ...]:
        """All its puzzles, given ones last."""
        return (*self.generated(fact), *(fact.puzzles if self._given else ()))


def _left_out(
    outcomes: Sequence[Outcome], before: Sequence[Outcome], facts: Sequence[Fact], chosen: _Chosen
) -> tuple[tuple[Outcome, ...], tuple[Given, ...]]:
    """The outcomes without given puzzles that the baseline solves, or may solve, without the fact; and those puzzles."""
    by_name = {fact.name: fact for fact in facts}
    kept, out = [], []
    for now, then in zip(outcomes, before, strict=True):
        fact = by_name[now.fact]
        first = len(chosen.generated(fact))
        tried = list(now.tried[:first])
        for puzzle, item, at_baseline in zip(fact.puzzles, now.tried[first:], then.tried[first:], strict=True):
            if 2 * (at_baseline.solved + at_baseline.missing) > at_baseline.put:
                out.append(Given(fact.name, puzzle.ask))
            else:
                tried.append(item)
        if tried:
            kept.append(Outcome(fact=now.fact, tried=tuple(tried)))
    return tuple(kept), tuple(out)


def _why_not(facts: Sequence[Outcome], controls: Sequence[Outcome], known: Sequence[Outcome], how: Access) -> str:
    """Why no test is possible; empty if one is."""
    if how == "none":
        return "The subject writes no text and shows no log-probabilities."
    for what, those in (("facts in question", facts), ("controls", controls), ("facts that everybody knows", known)):
        if not those:
            return f"There are no puzzles about {what}."
        if all(item.missing == item.put for item in those):
            return f"None of its answers about {what} could be read."
    null, alternative = rate(controls), rate(known)
    if null.interval.high < alternative.interval.low:
        return ""
    rates = (
        f"facts that nobody can know are solved in {null.solved} of {null.n} cases "
        f"({percent_range(*null.interval)}), facts that everybody knows in {alternative.solved} of {alternative.n} "
        f"({percent_range(*alternative.interval)})"
    )
    lost = sum(item.missing for item in (*controls, *known))
    unread = f", {counted(lost, 'answer')} being missing" if lost else ""
    return f"Puzzles do not tell what this subject knows from what it does not: {rates}{unread}."


def _pooled(test: SequentialTest, facts: Sequence[Outcome]) -> Pooled:
    at_least, at_most = (
        test.decide([float(item.solved) for item in facts]),
        test.decide([float(item.perhaps) for item in facts]),
    )
    verdict: Verdict = "undecided"
    read = len(facts)
    if at_least.verdict == "alarm":
        verdict, read = "alarm", at_least.trials
    elif at_most.verdict == "clear":
        verdict, read = "clear", at_most.trials
    null, alternative = (test.passage(true, longest=len(facts)) for true in (test.null, test.alternative))
    return Pooled(verdict=verdict, read=read, false_alarm=null.alarm, missed=alternative.clear, power=alternative.alarm)


def _singles(
    facts: Sequence[Outcome],
    controls: Sequence[Outcome],
    known: Sequence[Outcome],
    before: tuple[tuple[Outcome, ...], tuple[Outcome, ...]] | None,
    alpha: float,
    beta: float,
) -> tuple[Single, ...]:
    then = {} if before is None else {item.fact: item for item in before[0]}
    p = [_rank([other.most >= item.least for other in controls]) for item in facts]
    p_known = [_rank([other.least <= item.most for other in known]) for item in facts]
    adjusted = false_discovery_adjusted(p) if p else ()
    return tuple(
        Single(
            outcome=item,
            p=p[place],
            p_known=p_known[place],
            adjusted=float(adjusted[place]),
            verdict="alarm" if p[place] <= alpha else "clear" if p_known[place] <= beta else "undecided",
            baseline=then.get(item.fact),
        )
        for place, item in enumerate(facts)
    )


def _rank(reached: Sequence[bool]) -> float:
    """The p-value of one more draw, where `reached` says which of the reference draws got as far."""
    return (1 + sum(reached)) / (1 + len(reached))


def change(now: Rate, control: Rate, before: Rate, control_before: Rate) -> Figure:
    """By how much more facts are solved than they were, controls' change taken away; the missing counted each way."""

    def found(*solved: int) -> Figure:
        counts = (Count(k, item.n) for k, item in zip(solved, (now, control, before, control_before), strict=True))
        return difference_in_differences(*counts, confidence=LEVEL)

    seen = found(now.solved, control.solved, before.solved, control_before.solved)
    least = found(now.solved, control.perhaps, before.perhaps, control_before.solved)
    most = found(now.perhaps, control.solved, before.solved, control_before.perhaps)
    return Figure(seen.value, least.low, most.high)
