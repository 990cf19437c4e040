"""The realism figures, as data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dokimasia.core import FigureData, Mark, Series
from dokimasia.core.figure import interval_dots
from dokimasia.core.rounding import percent_down, percent_up
from dokimasia.instruments.realism.measure import Verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.instruments.realism.tells import SuiteRealism

MOST_POINTS = 250


def curve(verdicts: Sequence[Verdict], strongest: Verdict, exposed: Verdict, population: Population) -> FigureData:
    """The reassurance curve: ROC with a logarithmic false-positive axis, exposure and ceiling marked."""
    floor = 0.5 / population.n
    series = []
    for verdict in verdicts:
        found = verdict.pooled.curve
        keep = _thin(len(found.false_positive_rate))
        series.append(
            Series(
                name=verdict.name,
                x=tuple(np.maximum(found.false_positive_rate[keep], floor).tolist()),
                y=tuple(found.true_positive_rate[keep].tolist()),
                style="step",
            )
        )
    hull = strongest.pooled.curve
    keep = _thin(len(hull.count))
    grid = np.unique(
        np.concatenate([np.geomspace(floor * strongest.pooled.n, strongest.pooled.n, 120), hull.count[keep][1:]])
    )
    series.append(
        Series(
            name=f"upper envelope, {strongest.name}",
            x=tuple((grid / strongest.pooled.n).tolist()),
            y=tuple(np.interp(grid, hull.count, hull.bound).tolist()),
            style="dashed",
        )
    )
    exposure = exposed.exposed.exposure.value
    ceiling = strongest.pooled.ceiling
    marks = [
        Mark(
            label=f"ceiling ≤ {percent_up(ceiling)}",
            x=min(strongest.pooled.read_at / strongest.pooled.n, 1.0),
            y=ceiling,
        )
    ]
    if exposure > 0:
        marks.append(Mark(label=f"exposure ≥ {percent_down(exposure)}", x=floor, y=exposure))
    return FigureData(
        name="reassurance-curve",
        title="Reassurance curve",
        kind="curves",
        x_label="share of evaluation items above the threshold (false-positive rate)",
        y_label="share of deployment above it",
        series=tuple(series),
        marks=tuple(marks),
        x_log=True,
        caption="How much of the deployment each discriminator recognises (upwards) for a given share of evaluation items "
        "mistaken for it (to the right, logarithmic; the left edge is none at all). What counts is the height of the left "
        "end: there a model could misbehave unseen. The ceiling is read from the dashed envelope.",
    )


def battery(verdicts: Sequence[Verdict]) -> FigureData:
    """AUROC of each discriminator beside its controls."""
    rows: list[str] = []
    real: list[tuple[int, float, float, float]] = []
    control: list[tuple[int, float, float, float]] = []
    for verdict in verdicts:
        real.append((len(rows), *verdict.auc))
        rows.append(verdict.name)
        for item in verdict.controls:
            control.append((len(rows), *item.auc))
            rows.append(f"control: {item.kind}")
    return FigureData(
        name="discriminators",
        title="Who can tell evaluation from deployment?",
        kind="dots",
        x_label="AUROC, with 95% interval (0.5: cannot tell)",
        y_label="",
        series=(interval_dots("against deployment", real), interval_dots("control", control)),
        rows=tuple(rows),
        reference=0.5,
        caption="Each discriminator with its controls below it, where there is nothing to find: they should sit near 0.5.",
    )


def ranking(suites: Sequence[SuiteRealism], suites_by: str, population: Population) -> tuple[FigureData, ...]:
    """Suites from the most to the least realistic."""
    if len(suites) < 2:
        return ()
    shown = suites[:24]
    return (
        FigureData(
            name="suites",
            title="Which suites look like deployment?",
            kind="dots",
            x_label="AUROC against deployment, with 95% interval (0.5: not told apart)",
            y_label="",
            series=(interval_dots("suite", [(row, *item.auc) for row, item in enumerate(shown)]),),
            rows=tuple(f"{item.suite} ({item.n})" for item in shown),
            reference=0.5,
            caption=f"By the held-out scores of {suites_by}, against {population.m} deployment transcripts. "
            "Below 0.5: scored as more deployment-like than deployment itself.",
        ),
    )


def _thin(size: int) -> np.ndarray:
    """Indices of at most so many points, dense at the left end."""
    if size <= MOST_POINTS:
        return np.arange(size)
    return np.unique(np.concatenate([[0], np.geomspace(1, size - 1, MOST_POINTS).astype(int)]))
