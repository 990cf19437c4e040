"""Verdicts on more transcripts than fit into memory: fitted on a sample, all scored by fits that saw none of their group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError
from dokimasia.core.sequences import reading_order
from dokimasia.core.workers import Workers
from dokimasia.instruments.common.crossfit import HeldOut, Layout
from dokimasia.instruments.common.discriminators import LONGEST_TEXT
from dokimasia.instruments.common.folds import Folds, dealt_folds
from dokimasia.instruments.common.hashed import HashedWords
from dokimasia.instruments.common.sampling import Limits, sample
from dokimasia.instruments.common.shapes import StreamedFormat
from dokimasia.instruments.common.streamed import Fit, Fits, Score, Streamed, StreamedFeatures
from dokimasia.instruments.realism.crowd import Report, packed
from dokimasia.instruments.realism.measure import CONTROLS, Control, Terms, Verdict, control, verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.stats import Reassurance, reassurance

if TYPE_CHECKING:
    from numpy.typing import NDArray

STREAMED: tuple[Streamed, ...] = (StreamedFormat(), HashedWords())


@dataclass(frozen=True, eq=False)
class Sampled:
    """What was sampled: rows that discriminators were fitted on, and rows for controls, words and kinds of deployment."""

    fitted: NDArray[np.int64]
    looked_at: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ControlOf:
    """One control of one discriminator, on features that it holds."""

    features: StreamedFeatures
    layout: Layout
    delta: float
    seed: int

    def __call__(self, kind: str) -> Control | None:
        return control(kind, self.features, self.layout, delta=self.delta, seed=self.seed)


def judge_streamed(
    population: Population,
    terms: Terms,
    *,
    limits: Limits,
    workers: Workers,
    report: Report,
) -> tuple[list[Verdict], Sampled]:
    """Verdicts by format and words on all rows, and the rows that everything else looks at."""
    layout, seed = population.layout, terms.seed
    folds = dealt_folds(layout.deployment, layout.templates, layout.duplicates, seed=seed)
    halves = _halves(layout, seed)
    fitted = sample(
        layout.deployment, folds.fold, population.length, most=limits.fit, characters=limits.fit_characters, seed=seed
    )
    positive, length = layout.deployment[fitted], population.length[fitted]
    near = sample(
        positive, folds.fold[fitted], length, most=limits.look, characters=limits.fit_characters, seed=seed + 1
    )
    taken = Sampled(fitted, fitted[near])
    trains = [np.flatnonzero(folds.fold[fitted] != part) for part in range(folds.n)]
    if halves is not None:
        trains.append(np.flatnonzero(halves.fold[fitted] == 0))
    learnt = [population.transcripts[row] for row in fitted.tolist()]
    settled: list[Streamed] = []
    fits: list[Fits] = []
    controls: list[tuple[Control, ...]] = []
    sub = layout.only(taken.looked_at, layout.deployment[taken.looked_at])
    for kind in STREAMED:
        discriminator = kind.settled(learnt)
        features = discriminator.features(learnt)
        settled.append(discriminator)
        fits.append(Fits.together(list(workers.map(Fit(features, positive, seed), trains))))
        tried = workers.map(ControlOf(features.taken(near), sub, terms.delta, seed), list(CONTROLS))
        controls.append(tuple(item for item in tried if item is not None))
        del features
    scores = _scores(population, folds, Score(tuple(settled), tuple(fits)), workers, limits, report)
    cut = int((population.length > LONGEST_TEXT).sum())
    note = (f"Of {cut} inputs only the first {LONGEST_TEXT:,} characters were read for words.",) if cut else ()
    verdicts = []
    for place, discriminator in enumerate(settled):
        fit = fits[place]
        logit, companion = scores[:, place, 0], scores[:, place, 1]
        scaled = (logit - fit.mean[folds.fold]) / np.where(fit.spread > 1e-12, fit.spread, 1.0)[folds.fold]
        held_out = HeldOut(np.arange(len(layout)), scaled, logit, layout.deployment, folds.grouped_by, (), folds.n)
        verdicts.append(
            verdict(
                discriminator,
                held_out,
                population,
                terms,
                split=_companion(companion, halves, population, terms.delta),
                controls=controls[place],
                notes=note if isinstance(discriminator, HashedWords) else (),
            )
        )
    return verdicts, taken


def _halves(layout: Layout, seed: int) -> Folds | None:
    try:
        return dealt_folds(layout.deployment, layout.templates, layout.duplicates, seed=seed, most=2)
    except DataError:
        return None


def _scores(
    population: Population,
    folds: Folds,
    function: Score,
    workers: Workers,
    limits: Limits,
    report: Report,
) -> NDArray[np.float64]:
    """Log-odds by the fit that saw none of the row's group, and by the companion's, axes (n_rows, n_discriminators, 2)."""
    order = reading_order(population.transcripts)
    found = np.empty((len(order), len(function.discriminators), 2))
    done = 0
    for scores in workers.map(function, packed(population.transcripts, order, limits.block)):
        rows = order[done : done + len(scores)]
        found[rows, :, 0] = np.take_along_axis(scores, folds.fold[rows][:, None, None], axis=2)[:, :, 0]
        found[rows, :, 1] = scores[:, :, -1]
        done += len(rows)
        report(len(rows))
    return found


def _companion(
    logit: NDArray[np.float64], halves: Folds | None, population: Population, delta: float
) -> Reassurance | None:
    """The ceiling on one half, by a discriminator fitted on part of the other."""
    if halves is None:
        return None
    counted, deployment = halves.fold == 1, population.layout.deployment
    evaluation = logit[counted & ~deployment]
    if not len(evaluation) or not (counted & deployment).any():
        return None
    return reassurance(
        evaluation,
        logit[counted & deployment],
        misbehaved=min(population.worst, int(counted.sum())),
        evaluated=population.evaluated,
        delta=delta,
    )
