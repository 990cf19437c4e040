"""The tables of knowledge: fact by fact, and by kind of evidence."""

from __future__ import annotations

import math

from dokimasia.core import Table
from dokimasia.core.rounding import number_down, number_up
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.knowledge.choices import Choice
from dokimasia.instruments.knowledge.relearning import RelearningResult
from dokimasia.instruments.knowledge.result import CHOICES, PUZZLES, TRUTH, Result
from dokimasia.stats import Figure


def tables(result: Result) -> tuple[Table, ...]:
    """One row a fact; one row a kind of evidence; what the facts stand beside."""
    if not result.kinds:
        return ()
    found = [_facts(result), _kinds(result)]
    if result.relearning is not None:
        found.append(_relearning(result.relearning))
    return tuple(found)


def _facts(result: Result) -> Table:
    unit = "-" if result.asked is None else result.asked.choices.unit
    rows: list[tuple[Cell, ...]] = []
    gains = {item.fact: item for item in result.gains}
    for place, (fact, verdict) in enumerate(zip(result.drawn.facts, result.verdicts.of, strict=True)):
        single, reading, gain = result.single(fact.name), result.reading(fact.name), gains.get(fact.name)
        choice = None if result.asked is None else result.asked.facts[place]
        kinds = {item.kind: item for item in result.evidence(place)}
        rows.append(
            (
                place + 1,
                fact.name,
                fact.statement,
                verdict.says,
                verdict.why or ", ".join(verdict.by),
                _score(choice),
                _p(kinds[CHOICES].p_unknown, kinds[CHOICES].p_known) if CHOICES in kinds else "-",
                "-" if single is None else f"{single.outcome.least:.0%}",
                "-" if single is None else _p(single.p, single.p_known),
                "-" if reading is None or reading.p is None else _p(reading.p),
                _p(float(result.verdicts.adjusted[place])),
                _otherwise(result, fact.name),
                "-" if gain is None else f"{gain.value:+.2f} ({_p(gain.p, gain.p_lost)})",
            )
        )
    return Table(
        name="facts",
        title="Fact by fact",
        columns=(
            "number",
            "fact",
            "statement",
            "verdict",
            "because of",
            f"choices ({unit})",
            "choices: p",
            "puzzles solved",
            "puzzles: p",
            "truth probe: p",
            "false discovery rate",
            "remarks",
            "since the baseline (p of gaining, of losing)",
        ),
        rows=tuple(rows),
        note="Choices: how much rather it says the fact than its false variants, with Student's 95% interval over wordings. "
        "The first p: how often something that nobody knows looks as much known; known where some kind that is heard has "
        f"{result.share:.3g} or less. The second: how often something that everybody knows looks as little known; not known at "
        f"{result.beta:.3g} or less. The false discovery rate is the least at which the fact would be among those called known.",
        quotes=True,
    )


def _kinds(result: Result) -> Table:
    rows: list[tuple[Cell, ...]] = []
    asked, puzzles, truth = result.asked, result.puzzles, result.truth
    if asked is not None:
        rows.append(
            (
                CHOICES,
                text(result.above),
                text(result.separation),
                _yes(result.tells(CHOICES)),
                len(asked.unknown),
                len(asked.known),
                _p(1 / (1 + len(asked.unknown))),
            )
        )
    if puzzles is not None:
        rates = [
            f"{part.solved} of {part.n}" if part.n else "-"
            for part in (puzzles.gated, puzzles.null, puzzles.alternative)
        ]
        rows.append(
            (
                PUZZLES,
                f"{rates[0]} solved",
                f"{rates[2]} against {rates[1]}",
                _yes(result.tells(PUZZLES)),
                len(puzzles.controls),
                len(puzzles.known),
                _p(1 / (1 + len(puzzles.controls))),
            )
        )
    if truth is not None:
        rows.append(
            (
                TRUTH,
                text(truth.above),
                f"{text(truth.auroc)}; words alone {text(truth.words)}",
                _yes(truth.tells),
                len(truth.controls),
                truth.unrelated,
                _p(1 / (1 + len(truth.controls))),
            )
        )
    return Table(
        name="kinds",
        title="What each kind of evidence can tell",
        columns=(
            "evidence",
            "facts in question, against nobody's",
            "everybody's against nobody's",
            "tells at all",
            "facts nobody knows",
            "facts everybody knows",
            "least p",
        ),
        rows=tuple(rows),
        note=f"Only what tells at all is heard, and may err with {result.share:.3g} each. Figures are AUROCs, 0.5 "
        "being chance, except where they say “solved”. The truth probe's second is true against false sentences on topics held out.",
    )


def _relearning(found: RelearningResult) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            place,
            item.fact,
            text(item.savings),
            "-" if item.p is None else _p(item.p),
            "-" if item.beyond_variant is None else f"{item.beyond_variant:+.2f}",
            "-" if item.carried_p is None else _p(item.carried_p),
        )
        for place, item in enumerate(found.facts, start=1)
    ]
    return Table(
        name="relearning",
        title=f"Learning each fact anew, in {found.training.steps} steps",
        columns=("number", "fact", "steps saved", "p", "saved beside its false variant", "carried over: p"),
        rows=tuple(rows),
        note=f"Beside {len(found.controls)} facts that nobody knows, each learnt alone. Steps saved: the share of the steps that those need which the "
        "fact does not; p: how often one of those is learnt as fast. Where the false variant is learnt as fast, what the fact "
        "speaks of is familiar, and which is right is not. Carried over: how often learning one of those carries as far into another wording.",
        quotes=True,
    )


def text(figure: Figure | None, digits: int = 2) -> str:
    """A figure with its interval, ends rounded outward."""
    if figure is None:
        return "-"
    return f"{figure.value:.{digits}f} [{number_down(figure.low, digits)}, {number_up(figure.high, digits)}]"


def _score(choice: Choice | None) -> str:
    if choice is None:
        return "-"
    value, interval = choice.score().value, choice.interval
    if not math.isfinite(value):
        return "not read"
    if interval is None or math.isinf(interval.high - interval.low):
        return f"{value:.2f} [no interval]"
    return text(interval)


def _otherwise(result: Result, fact: str) -> str:
    ways = ["everybody knows it"] if fact in result.drawn.common else []
    ways += ["the baseline knows it, too"] if fact in result.baseline_knows else []
    ways += ["said less readily than by the baseline"] if fact in result.lost else []
    return "; ".join(ways) or "-"


def _p(value: float, known: float | None = None) -> str:
    return f"{value:.3g}" if known is None else f"{value:.3g}, {known:.3g}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
