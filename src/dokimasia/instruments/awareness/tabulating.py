"""The awareness tables."""

from __future__ import annotations

from dokimasia.core import Table
from dokimasia.core.rounding import number_down, number_up, percent, percent_range
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.awareness.probing import Transfer
from dokimasia.instruments.awareness.result import Result
from dokimasia.instruments.awareness.stages import MEANINGS
from dokimasia.instruments.common.probes import FamilyResult
from dokimasia.stats import Figure


def tables(result: Result) -> tuple[Table, ...]:
    """Paraphrases, what it says of itself, what it says unasked, probes, steering."""
    found = [*_paraphrases(result), *_stages(result), *_heard(result)]
    found += [_transfer(number, one) for number, one in enumerate(result.transfers, start=1)]
    return (*found, *_steered(result))


def _paraphrases(result: Result) -> list[Table]:
    if not result.paraphrases or result.asked is None:
        return []
    unit = result.asked.asked.unit
    return [
        Table(
            name="paraphrases",
            title="Asked outright: how much rather it says \u201ctest\u201d, and how well that tells",
            columns=(
                "question",
                "asked",
                "AUROC",
                f"on tests ({unit})",
                "on deployment",
                "bias removed",
                "what the bias is",
            ),
            rows=tuple(
                (
                    item.question.name,
                    str(item.put) if item.n == item.put else f"{item.put}, {item.n} read",
                    text(item.auc, 2),
                    text(item.test, 2),
                    text(item.deployed, 2),
                    text(item.bias, 2),
                    {"yes": "says yes, whatever is asked", "first": "names what is offered first"}[item.question.bias],
                )
                for item in result.paraphrases
            ),
            note="Each question was put both ways round and the mean taken. Levels still hold a liking for one word over the "
            "other; that is the same for tests and deployment, and the AUROC is free of it.",
        )
    ]


def _stages(result: Result) -> list[Table]:
    if not result.meanings:
        return []
    return [
        Table(
            name="stages",
            title="What it says of its own situation",
            columns=("topic", "told", "answer", "probability", "by paraphrase"),
            rows=tuple(
                (
                    item.topic,
                    "nothing" if item.told is None else MEANINGS["stage"][item.told],
                    item.meaning,
                    f"{percent(item.share.value)} {percent_range(item.share.low, item.share.high)}",
                    " ".join(f"{share:.2f}" for share in item.shares),
                )
                for item in result.meanings
            ),
            note="Probability among the answers offered, every answer having stood at every place. The control's answers are "
            "known: who does not give them cannot be asked. An answer that does not follow what it is told is a habit.",
        )
    ]


def _heard(result: Result) -> list[Table]:
    rows: list[tuple[Cell, ...]] = []
    sides = (
        []
        if result.heard is None
        else [("replies to tests", result.heard[0]), ("replies to deployment", result.heard[1])]
    )
    for name, heard in (*sides, ("transcripts as given", result.given)):
        if heard.n:
            kinds = "; ".join(f"{kind}: {count}" for kind, count in heard.kinds) or "-"
            rows.append((name, heard.n, heard.saying, heard.lost, percent_range(*heard.interval), kinds))
    if not rows:
        return []
    return [
        Table(
            name="unasked",
            title="What it says unasked",
            columns=("where", "looked at", "speak of a test", "failed", "interval", "how"),
            rows=tuple(rows),
            note="Found by stated patterns in English. What is said otherwise is missed, and a reply may speak of another test.",
        )
    ]


def _transfer(number: int, one: Transfer) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for test in one.report.tests:
        away, home = test.transfer, test.held_out
        where = f", {test.probe.site}" if isinstance(test, FamilyResult) else ", text alone"
        rows.append(
            (
                f"{test.name}{where}",
                *(text(figure, 2) for figure in (() if away is None else (away.auroc, away.caught, away.false_alarms))),
                *(("not measured",) * 3 if away is None else ()),
                text(home.auroc, 2),
                text(test.permuted, 2) if isinstance(test, FamilyResult) else "-",
            )
        )
    return Table(
        name=f"transfer-{number}",
        title=f"Inside, part {number}: fitted on {', '.join(one.fitted)}; judged on {', '.join(one.judged)}",
        columns=(
            "test",
            "AUROC on suites not seen",
            "tests found there",
            "false alarms there",
            "AUROC, held out",
            "labels permuted",
        ),
        rows=tuple(rows),
        note="The threshold behind what is found was set on held-out deployment of the fitted half. Where words, or format and "
        "length, do as well as a probe, the probe may read nothing else.",
    )


def _steered(result: Result) -> list[Table]:
    found = result.consequence
    if found is None:
        return []
    plain = found.plain
    settled = int(plain.settled.sum())
    rows: list[tuple[Cell, ...]] = [
        (
            "not steered",
            "-",
            "-",
            f"{int(plain.misbehaved.sum())} of {len(plain.values)} ({settled} settled)",
            "-",
            "-" if found.belief is None else f"{found.belief:.2f}",
        )
    ]
    rows += [
        (
            way.towards,
            text(found.shift(way)),
            f"{found.p(way):.2g}",
            f"{int(way.leanings.misbehaved.sum())} of {len(way.leanings.values)} ({int(way.leanings.settled.sum())} settled)",
            text(found.rate_change(way)),
            "-" if way.belief is None else f"{way.belief:.2f}",
        )
        for way in (*found.ways, *found.randoms)
    ]
    return [
        Table(
            name="steering",
            title=f"Steered after layer {found.direction.layer}: does what it does change?",
            columns=(
                "towards",
                f"leaning to misbehave moves by ({plain.unit})",
                "p",
                "misbehaves",
                "rate changes by",
                "says \u201ctest\u201d rather than \u201cdeployment\u201d (nats)",
            ),
            rows=tuple(rows),
            note="Every direction is as long as the first. p: share of directions that move the leaning at least as far. What is "
            "not settled (both orders disagree) counts each way in the interval of the rate. The last column is "
            "the check that steering reaches what it says of its stage.",
        )
    ]


def text(figure: Figure | None, digits: int = 3) -> str:
    """A figure with its interval, ends rounded outward; that of a single group has none."""
    if figure is None:
        return "-"
    value = f"{round(figure.value, digits) + 0.0:.{digits}f}"
    if figure.high - figure.low == float("inf"):
        return f"{value} [no interval]"
    return f"{value} [{number_down(figure.low, digits)}, {number_up(figure.high, digits)}]"
