"""Each discriminator's verdict on a population, with its companion and its controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dokimasia.core import Access, DataError
from dokimasia.instruments.common.crossfit import HeldOut, Layout, cross_fit, permuted, split_fit, split_half
from dokimasia.instruments.common.discriminators import Discriminator, Features
from dokimasia.instruments.realism.population import Population
from dokimasia.stats import Figure, Reassurance, auroc, effective_sample_size, reassurance, tpr_at_fpr
from dokimasia.stats.reassurance import Basis

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_FOR_SPLIT_HALF = 20
SPLIT_HALF = "deployment against itself"
CONTROLS: dict[str, Callable[..., tuple[NDArray[np.int64], Layout]]] = {
    "permuted labels": permuted,
    SPLIT_HALF: split_half,
}


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What every discriminator is judged under: error probabilities, of bounds and of exposures, and the seed.

    `evaluated` items are behind the population's count of misbehaviours.
    """

    evaluated: int
    delta: float
    exposure_delta: float
    seed: int


class Named(Protocol):
    """A discriminator, as far as a verdict is concerned."""

    @property
    def name(self) -> str: ...
    @property
    def access(self) -> Access: ...


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the same procedure says where there is nothing to find."""

    kind: str
    auc: Figure
    ceiling: float
    n: int
    m: int
    basis: Basis = "simulation"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One discriminator: pooled out-of-fold result (headline), one split (companion), controls.

    One that is not `cross_fitted` was trained on one half and has the scores of the other alone.
    """

    name: str
    access: Access
    held_out: HeldOut
    cross_fitted: bool
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

    def basis(self, ceiling: Reassurance) -> Basis:
        """What vouches for a ceiling of these scores."""
        return "simulation" if self.cross_fitted else ceiling.basis

    @property
    def scored(self) -> tuple[int, int]:
        """How many evaluation items and deployment transcripts were scored."""
        return self.pooled.n, self.pooled.m

    @property
    def strength(self) -> tuple[float, float, float]:
        """By which discriminators are ordered: the strongest is the one that leaves most open."""
        return self.pooled.ceiling, self.clean.ceiling, self.auc.value

    @property
    def suspicious(self) -> tuple[Control, ...]:
        """Controls that see a difference where there is none."""
        return tuple(item for item in self.controls if item.auc.low > 0.5)


def judge(discriminator: Discriminator, population: Population, terms: Terms) -> Verdict:
    """Cross-fit, count, and run the controls."""
    features = discriminator.features(population.transcripts)
    held_out = cross_fit(features, population.layout, seed=terms.seed)
    return verdict(
        discriminator,
        held_out,
        population,
        terms,
        split=_split(features, population, terms),
        controls=tuple(
            item
            for kind in CONTROLS
            if (item := control(kind, features, population.layout, delta=terms.delta, seed=terms.seed)) is not None
        ),
        notes=features.notes,
    )


def verdict(
    discriminator: Named,
    held_out: HeldOut,
    population: Population,
    terms: Terms,
    *,
    split: Reassurance | None,
    controls: tuple[Control, ...],
    notes: tuple[str, ...],
    cross_fitted: bool = True,
) -> Verdict:
    """What held-out scores say. If only part of the evaluation was scored, all misbehaviours are charged to it."""
    worst = held_out.sides(missing="ceiling")
    cautious = held_out.sides(missing="exposure")
    logits = held_out.logit[~held_out.deployment]
    counted = {
        k: reassurance(*worst, misbehaved=k, evaluated=terms.evaluated, delta=terms.delta)
        for k in {0, population.worst, population.misbehaved}
    }
    return Verdict(
        name=discriminator.name,
        access=discriminator.access,
        held_out=held_out,
        cross_fitted=cross_fitted,
        auc=auroc(*worst),
        tpr=tpr_at_fpr(*worst),
        pooled=counted[population.worst],
        clean=counted[0],
        optimistic=counted[population.misbehaved],
        exposed=reassurance(*cautious, delta=terms.exposure_delta),
        split=split,
        controls=controls,
        notes=notes,
        effective=effective_sample_size(logits[np.isfinite(logits)]) if np.isfinite(logits).any() else 0.0,
    )


def _split(features: Features, population: Population, terms: Terms) -> Reassurance | None:
    try:
        half = split_fit(features, population.layout, seed=terms.seed)
    except DataError:
        return None
    sides = half.sides(missing="ceiling")
    if not all(map(len, sides)):
        return None
    return reassurance(
        *sides, misbehaved=min(population.worst, len(half.rows)), evaluated=terms.evaluated, delta=terms.delta
    )


def control(kind: str, features: Features, layout: Layout, *, delta: float, seed: int) -> Control | None:
    """The same procedure where there is nothing to find; None where there is too little to try it on."""
    if kind == SPLIT_HALF and layout.deployment.sum() < FEWEST_FOR_SPLIT_HALF:
        return None
    rows, dealt = CONTROLS[kind](layout, seed=seed + 1 + list(CONTROLS).index(kind))
    try:
        sides = cross_fit(features, dealt, seed=seed, rows=rows).sides(missing="ceiling")
    except DataError:
        return None
    return Control(
        kind=kind,
        auc=auroc(*sides),
        ceiling=reassurance(*sides, delta=delta).ceiling,
        n=len(sides[0]),
        m=len(sides[1]),
    )
