"""Each discriminator's verdict on a population, with its companion and its controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError
from dokimasia.instruments.common.crossfit import HeldOut, Layout, cross_fit, permuted, split_fit, split_half
from dokimasia.instruments.common.discriminators import Discriminator, Features
from dokimasia.instruments.realism.population import Population
from dokimasia.stats import Figure, Reassurance, auroc, effective_sample_size, reassurance, tpr_at_fpr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FEWEST_FOR_SPLIT_HALF = 20


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the same procedure says where there is nothing to find."""

    kind: str
    auc: Figure
    ceiling: float
    n: int
    m: int


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One discriminator: pooled out-of-fold result (headline), one split (companion), controls."""

    name: str
    access: str
    held_out: HeldOut
    auc: Figure
    tpr: Figure
    pooled: Reassurance
    clean: Reassurance
    optimistic: Reassurance
    exposed: Reassurance
    split: Reassurance | None
    controls: tuple[Control, ...]
    notes: tuple[str, ...]
    effective: float

    @property
    def suspicious(self) -> tuple[Control, ...]:
        """Controls that see a difference where there is none."""
        return tuple(item for item in self.controls if item.auc.low > 0.5)


def judge(
    discriminator: Discriminator, population: Population, *, delta: float, exposure_delta: float, seed: int
) -> Verdict:
    """Cross-fit, count, and run the controls."""
    layout = population.layout
    features = discriminator.features(population.transcripts)
    held_out = cross_fit(features, layout, seed=seed)
    worst = held_out.sides(missing="ceiling")
    cautious = held_out.sides(missing="exposure")
    logits = held_out.logit[~held_out.deployment]
    return Verdict(
        name=discriminator.name,
        access=discriminator.access,
        held_out=held_out,
        auc=auroc(*worst),
        tpr=tpr_at_fpr(*worst),
        pooled=reassurance(*worst, misbehaved=population.worst, delta=delta),
        clean=reassurance(*worst, delta=delta),
        optimistic=reassurance(*worst, misbehaved=population.misbehaved, delta=delta),
        exposed=reassurance(*cautious, delta=exposure_delta),
        split=_split(features, population, delta=delta, seed=seed),
        controls=tuple(_controls(features, layout, delta=delta, seed=seed)),
        notes=features.notes,
        effective=effective_sample_size(logits[np.isfinite(logits)]) if np.isfinite(logits).any() else 0.0,
    )


def _split(features: Features, population: Population, *, delta: float, seed: int) -> Reassurance | None:
    try:
        half = split_fit(features, population.layout, seed=seed)
    except DataError:
        return None
    sides = half.sides(missing="ceiling")
    if not all(map(len, sides)):
        return None
    return reassurance(*sides, misbehaved=min(population.worst, len(half.rows)), evaluated=population.n, delta=delta)


def _controls(features: Features, layout: Layout, *, delta: float, seed: int) -> list[Control]:
    kinds: list[tuple[str, Callable[..., tuple[NDArray[np.int64], Layout]]]] = [("permuted labels", permuted)]
    if layout.deployment.sum() >= FEWEST_FOR_SPLIT_HALF:
        kinds.append(("deployment against itself", split_half))
    found = []
    for place, (kind, deal) in enumerate(kinds):
        rows, dealt = deal(layout, seed=seed + 1 + place)
        try:
            sides = cross_fit(features, dealt, seed=seed, rows=rows).sides(missing="ceiling")
        except DataError:
            continue
        found.append(
            Control(
                kind=kind,
                auc=auroc(*sides),
                ceiling=reassurance(*sides, delta=delta).ceiling,
                n=len(sides[0]),
                m=len(sides[1]),
            )
        )
    return found
