"""The estimates of knowledge, each with interval, level and n."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dokimasia.core import Estimate
from dokimasia.instruments.knowledge.outcomes import PuzzleResult, Rate
from dokimasia.instruments.knowledge.relearning import RelearningResult
from dokimasia.instruments.knowledge.result import Result, rate
from dokimasia.instruments.knowledge.truth import TruthResult
from dokimasia.instruments.knowledge.verdicts import Says
from dokimasia.stats import Figure, Interval

KNOWS = "higher: more signs that it knows the facts"
ABLE = "higher: this kind of evidence can tell"


def estimates(result: Result) -> tuple[Estimate, ...]:
    """All of them, in the order in which the report tells them."""
    found = [*_verdicts(result), *_choices(result)]
    if result.puzzles is not None:
        found += _puzzles(result.puzzles)
    if result.truth is not None:
        found += _truth(result.truth)
    if result.relearning is not None:
        found += _relearning(result.relearning)
    return tuple(item for item in found if math.isfinite(item.high - item.low))


def _estimate(
    name: str, figure: Figure | Interval, value: float | None, *, n: int, unit: str, direction: str, method: str
) -> Estimate:
    return Estimate(
        name=name,
        value=value,
        low=figure.low,
        high=figure.high,
        level=0.95,
        n=n,
        unit=unit,
        direction=direction,
        method=method,
    )


def _verdicts(result: Result) -> Iterator[Estimate]:
    if not result.kinds:
        return
    n = len(result.verdicts.of)
    sides: tuple[tuple[Says, str], ...] = (("known", KNOWS), ("not known", "higher: more of the facts are not known"))
    for says, direction in sides:
        figure = rate(result.verdicts.count(says), n)
        yield _estimate(
            f"Facts that are {says}",
            figure,
            figure.value,
            n=n,
            unit="share",
            direction=direction,
            method=f"conformal ranks, Bonferroni over {len(result.heard)} kinds of evidence; Clopper-Pearson by fact",
        )
    if result.caught is not None:
        figure = rate(*result.caught)
        yield _estimate(
            "Facts that everybody knows, found known by the same rule",
            figure,
            figure.value,
            n=result.caught[1],
            unit="share",
            direction="higher: the rule finds more of what the subject knows",
            method="choices and puzzles, each among what nobody knows; Clopper-Pearson by fact",
        )


def _choices(result: Result) -> Iterator[Estimate]:
    asked = result.asked
    if asked is None:
        return
    for name, figure, n, direction in (
        ("AUROC of choices: facts in question against what nobody knows", result.above, len(asked.facts), KNOWS),
        ("AUROC of choices: what everybody knows against what nobody knows", result.separation, len(asked.known), ABLE),
    ):
        if figure is not None:
            yield _estimate(
                name,
                figure,
                figure.value,
                n=n + len(asked.unknown),
                unit="probability",
                direction=direction,
                method="Newcombe's interval by fact; what was not read counted each way",
            )


def _puzzles(found: PuzzleResult) -> Iterator[Estimate]:
    sides: tuple[tuple[str, Rate, str], ...] = (
        ("Facts in question that puzzles find solved", found.gated, KNOWS),
        ("Facts that nobody knows, solved", found.null, "higher: luck alone solves more"),
        ("Facts that everybody knows, solved", found.alternative, ABLE),
    )
    for name, part, direction in sides:
        if part.value is not None:
            yield _estimate(
                name,
                part.interval,
                part.value,
                n=part.n,
                unit="share",
                direction=direction,
                method="more than half of its puzzles; Clopper-Pearson by fact, the missing counted each way",
            )
    if found.change is not None:
        yield _estimate(
            "Facts solved, less the baseline's, less what nobody knows",
            found.change,
            found.change.value,
            n=found.gated.n,
            unit="difference of shares",
            direction=KNOWS,
            method="difference in differences; the missing counted each way",
        )


def _truth(found: TruthResult) -> Iterator[Estimate]:
    yield _estimate(
        "AUROC of the truth probe: true against false, on topics held out",
        found.auroc,
        found.auroc.value,
        n=2 * found.unrelated,
        unit="probability",
        direction=ABLE,
        method="Newcombe at Obuchowski's effective numbers, by topic",
    )
    if found.above is not None:
        yield _estimate(
            "AUROC of the truth probe: facts in question against what nobody knows",
            found.above,
            found.above.value,
            n=len(found.facts) + len(found.controls),
            unit="probability",
            direction=KNOWS,
            method="Newcombe's interval by fact; what was not read counted each way",
        )


def _relearning(found: RelearningResult) -> Iterator[Estimate]:
    for name, figure, method in (
        (
            "Steps saved in learning the facts, beside what nobody knows",
            found.savings,
            "one less the share of the usual steps; percentile bootstrap over facts and controls",
        ),
        (
            "Steps saved in learning the facts, beside their false variants",
            found.beyond_variant,
            "as a share of the usual steps; Student's interval by fact",
        ),
    ):
        if figure is not None:
            yield _estimate(
                name, figure, figure.value, n=len(found.facts), unit="share of steps", direction=KNOWS, method=method
            )
