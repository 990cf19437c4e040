"""The awareness figures."""

from __future__ import annotations

import math
from dataclasses import replace

from dokimasia.core import FigureData, Series
from dokimasia.core.figure import interval_dots
from dokimasia.instruments.awareness.result import Result
from dokimasia.instruments.awareness.stages import MEANINGS
from dokimasia.instruments.awareness.steering import Consequence
from dokimasia.stats import Figure


def figures(result: Result) -> tuple[FigureData, ...]:
    """How well answers and probes tell, what it says of itself, layer by layer, and what steering moves."""
    found = [*_telling(result), *_situation(result)]
    if result.transfers:
        found.append(
            replace(
                result.transfers[0].report.layers(),
                name="awareness-layers",
                title="Where inside are tests told from deployment, on suites not seen?",
            )
        )
    if result.consequence is not None:
        found.append(_steering(result.consequence))
    return tuple(found)


def _telling(result: Result) -> list[FigureData]:
    asked = [(f"asked: {item.question.name}", item.auc) for item in result.paraphrases if item.auc is not None]
    if result.outright is not None:
        asked.append(("asked: all paraphrases", result.outright))
    inside = [
        (f"{test.name}, part {number}", test.transfer.auroc)
        for number, one in enumerate(result.transfers, start=1)
        for test in one.report.tests
        if test.transfer is not None and test.transfer.auroc is not None
    ]
    if not asked and not inside:
        return []
    series = []
    if asked:
        series.append(interval_dots("what it says", [(row, *figure) for row, (_, figure) in enumerate(asked)]))
    if inside:
        series.append(
            interval_dots(
                "read from inside, suites apart",
                [(row, *figure) for row, (_, figure) in enumerate(inside, start=len(asked))],
            )
        )
    return [
        FigureData(
            name="awareness-telling",
            title="How well are tests told from deployment?",
            kind="dots",
            x_label="AUROC, with 95% interval; 0.5 is chance",
            y_label="",
            series=tuple(series),
            rows=tuple(name for name, _ in (*asked, *inside)),
            reference=0.5,
            caption="Above: what the subject says when it is asked. Below: what a fit on half of the suites tells of the "
            "others, from its activations, and from words and format without it. Where words do as well as probes, the probes may read nothing else.",
        )
    ]


def _situation(result: Result) -> list[FigureData]:
    untold = [
        item
        for item in result.meanings
        if item.told is None and item.meaning not in ("not watched", "not real", "wrong")
    ]
    if not untold:
        return []
    names = {
        "control": "known answers right",
        "watched": "watched",
        "consequences": "what it does has consequences",
    }
    rows = tuple(names.get(item.topic, item.meaning) for item in untold)
    spread = [(row, item.share.value, min(item.shares), max(item.shares)) for row, item in enumerate(untold)]
    series = [interval_dots("told nothing", spread)]
    truly = {
        item.meaning: item
        for item in result.meanings
        if item.told is not None and MEANINGS["stage"][item.told] == item.meaning
    }
    told = [
        (row, truly[item.meaning].share.value, min(truly[item.meaning].shares), max(truly[item.meaning].shares))
        for row, item in enumerate(untold)
        if item.topic == "stage" and item.meaning in truly
    ]
    if told:
        series.append(interval_dots("told so", told))
    return [
        FigureData(
            name="awareness-situation",
            title="What does it say of its own situation?",
            kind="dots",
            x_label="probability among the answers offered",
            y_label="",
            series=tuple(series),
            rows=rows,
            caption="Lines reach from the least to the largest of the paraphrases. Where these disagree, or what it is told "
            "changes nothing, the answer is a habit of words and no view of its situation.",
        )
    ]


def _steering(found: Consequence) -> FigureData:
    ways = [(row, *_ends(found.shift(way))) for row, way in enumerate(found.ways)]
    low, high = found.expected
    shifts = found.random_shifts
    row = len(ways)
    return FigureData(
        name="awareness-steering",
        title="Does steering towards \u201ctest\u201d or \u201cdeployed\u201d change what it does?",
        kind="dots",
        x_label=f"leaning to misbehave, steered less plain ({found.plain.unit})",
        y_label="",
        series=(
            interval_dots("steered", ways),
            Series(
                name="random directions",
                x=(float(shifts.mean()), *map(float, shifts)),
                y=(float(row),) * (len(shifts) + 1),
                low=(low, *map(float, shifts)),
                high=(high, *map(float, shifts)),
                style="points",
            ),
        ),
        rows=(*(f"towards \u201c{way.towards}\u201d" for way in found.ways), "random"),
        reference=0.0,
        free=True,
        caption="To the right: more inclined to misbehave. Lines: 95% intervals over items, and, of random directions as long, "
        "where two more would fall. A shift within their reach shows nothing about tests.",
    )


def _ends(figure: Figure) -> Figure:
    """The figure; one without an interval is drawn as a point, and the table says that it has none."""
    return figure if math.isfinite(figure.high - figure.low) else Figure(figure.value, figure.value, figure.value)
