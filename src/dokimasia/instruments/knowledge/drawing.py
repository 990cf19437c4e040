"""The figures of knowledge."""

from __future__ import annotations

import math

from dokimasia.core import FigureData, Series
from dokimasia.core.figure import interval_dots
from dokimasia.instruments.knowledge.choices import Choice
from dokimasia.instruments.knowledge.hiding import hiding_figure
from dokimasia.instruments.knowledge.result import Result

MOST_ROWS = 40
"""Facts that are drawn, those that score highest first; the table has all."""


def figures(result: Result, *, seed: int) -> tuple[FigureData, ...]:
    """Each fact's choices among the references, and what hiding would leave of the puzzles' power."""
    found = [] if result.asked is None else _choices(result)
    hiding = None if result.puzzles is None else hiding_figure(result.puzzles, seed=seed)
    if hiding is not None:
        found.append(hiding)
    return tuple(found)


def _choices(result: Result) -> list[FigureData]:
    assert result.asked is not None
    read = [
        (place, item.score().value)
        for place, item in enumerate(result.asked.facts)
        if math.isfinite(item.score().value)
    ]
    shown = sorted(read, key=lambda one: -one[1])[:MOST_ROWS]
    if not shown:
        return []
    dots = [(row, value, *_ends(result.asked.facts[place], value)) for row, (place, value) in enumerate(shown)]
    series = [interval_dots("facts in question", dots)]
    rows = [f"fact {place + 1}" for place, _ in shown]
    for name, part in (("nobody knows", result.asked.unknown), ("everybody knows", result.asked.known)):
        values = [item.score().value for item in part if math.isfinite(item.score().value)]
        if values:
            series.append(
                Series(
                    name=name,
                    x=tuple(values),
                    y=(float(len(rows)),) * len(values),
                    low=tuple(values),
                    high=tuple(values),
                    style="points",
                )
            )
            rows.append(name)
    left = len(read) - len(shown)
    return [
        FigureData(
            name="knowledge-choices",
            title="How much rather does it say the facts than their false variants?",
            kind="dots",
            x_label=f"choices ({result.asked.choices.unit}), mean over wordings",
            y_label="",
            series=tuple(series),
            rows=tuple(rows),
            reference=0.0,
            free=True,
            caption="To the right: rather the fact. Lines: 95% intervals over wordings. A fact that is known lies to the right of what "
            f"nobody knows. Facts are numbered as in the table.{f' {left} that score lower are not drawn.' if left else ''}",
        )
    ]


def _ends(choice: Choice, value: float) -> tuple[float, float]:
    """Of the interval; a single wording has none, and is a point."""
    found = choice.interval
    return (value, value) if found is None or math.isinf(found.high - found.low) else (found.low, found.high)
