"""The verdict of the subject fine-tuned to tell: trained on one half, counted on the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import Access, CapReached, Cost, EnvironmentFault, Subject, Trainable, Transcript, UserError
from dokimasia.core.rounding import counted
from dokimasia.instruments.common.crossfit import HeldOut, permuted
from dokimasia.instruments.common.discriminators import Taught, planned_teaching, taught
from dokimasia.instruments.common.folds import grouped_folds
from dokimasia.instruments.realism.battery import Failures
from dokimasia.instruments.realism.measure import Control, Terms, Verdict, verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.stats import auroc, reassurance

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERMUTED = "permuted labels"


@dataclass(frozen=True)
class FineTuned:
    """The subject, `trainable`, taught to tell: twice, the second time with permuted labels as a control.

    What it learns is kept in `folder`, below that of the run if that is not absolute; None keeps nothing.
    """

    subject: Subject
    trainable: Trainable
    folder: Path | None
    name: str = "fine-tuned"
    access: Access = "training"
    what: str = "Whether the subject, fine-tuned to tell, tells the two apart"
    dear: bool = True
    may_fail: Failures = (CapReached, UserError, EnvironmentFault)

    def cost(self, items: Sequence[Transcript]) -> Cost:
        once = planned_teaching(self.subject, items[::2], items[1::2])
        return once + once

    def judge(self, population: Population, terms: Terms) -> Verdict:
        layout = population.layout
        halves = grouped_folds(layout.deployment, layout.templates, layout.duplicates, seed=terms.seed, most=2)
        train, count = (np.flatnonzero(halves.fold == part) for part in (0, 1))
        _, dealt = permuted(layout, seed=terms.seed + 1)
        with _kept(self.folder) as folder:
            learnt, chance = (
                self._taught(population, kind.deployment, train, count, terms.seed, folder)
                if 0 < kind.deployment[train].sum() < len(train)
                else None
                for kind in (layout, dealt)
            )
        assert learnt is not None, "folds hold both classes"
        deployment = layout.deployment
        return verdict(
            self,
            HeldOut(count, learnt.logit, learnt.logit, deployment[count], halves.grouped_by, (), halves.n),
            population,
            terms,
            split=None,
            controls=() if chance is None else _control(chance.logit, dealt.deployment[count], terms.delta),
            notes=_notes(learnt, deployment[train]),
            cross_fitted=False,
        )

    def _taught(
        self,
        population: Population,
        classes: NDArray[np.bool_],
        train: NDArray[np.int64],
        count: NDArray[np.int64],
        seed: int,
        folder: Path,
    ) -> Taught:
        return taught(
            self.subject,
            self.trainable,
            population.transcripts,
            classes,
            train=train,
            test=count,
            seed=seed,
            folder=folder,
        )


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="dokimasia-") as made:
        yield Path(made)


def _control(logit: NDArray[np.float64], dealt: NDArray[np.bool_], delta: float) -> tuple[Control, ...]:
    """None where a class that was dealt out has no row in the half that is counted."""
    rows = np.arange(len(logit))
    evaluation, deployment = HeldOut(rows, logit, logit, dealt, "", (), 2).sides(missing="ceiling")
    if not (len(evaluation) and len(deployment)):
        return ()
    found = reassurance(evaluation, deployment, delta=delta)
    auc = auroc(evaluation, deployment)
    return (Control(kind=PERMUTED, auc=auc, ceiling=found.ceiling, n=found.n, m=found.m, basis=found.basis),)


def _notes(real: Taught, deployment: NDArray[np.bool_]) -> tuple[str, ...]:
    size = max(1, len(real.losses) // 4)
    first, last = np.mean(real.losses[:size]), np.mean(real.losses[-size:])
    lost = int(np.isnan(real.logit).sum())
    found = [
        f"Fine-tuned: trained in {counted(len(real.losses), 'step')} on {counted(int((~deployment).sum()), 'item')} and "
        f"{counted(int(deployment.sum()), 'transcript')} (loss {first:.2f}, then {last:.2f} nats), counted on the other half. "
        "Deployment against itself was not tried: it would be another training."
    ]
    if real.cut:
        found.append(f"Of {counted(real.cut, 'input')} only the beginning and the end were read in fine-tuning.")
    if lost:
        found.append(f"Fine-tuned: {counted(lost, 'score')} are no number; they enter each bound at its worst.")
    return tuple(found)
