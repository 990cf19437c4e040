"""Does the subject's inside tell tests from deployment, on suites that the probe has not seen?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError, PooledActivations
from dokimasia.instruments.common.discriminators.activations import ActivationFeatures
from dokimasia.instruments.common.gathering import Gathered
from dokimasia.instruments.common.probes import (
    CorrectedDifference,
    DifferenceOfMeans,
    Logistic,
    ProbeData,
    ProbeReport,
    probe_study,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLS = ("last", "mean")
FAMILIES = (DifferenceOfMeans(), CorrectedDifference(), Logistic())
SPOKESMAN = "logistic"
"""The family that the headline speaks of, settled beforehand; all are reported."""
DEEPEST = 0.75
"""Share of the layers among which one is chosen to steer at: later ones leave little of the model to steer."""


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A probe of one half of the suites judged on the other: `fitted` and `judged` name the suites."""

    fitted: tuple[str, ...]
    judged: tuple[str, ...]
    report: ProbeReport


@dataclass(frozen=True, kw_only=True, eq=False)
class Direction:
    """From deployment to test: the difference of mean activations at one layer, (d_model,).

    `spread` has axes (n_rows, d_model): the activations there, each class centred, of which random directions are made.
    """

    layer: int
    vector: NDArray[np.float32]
    spread: NDArray[np.float32]
    auroc: float


def captured(features: ActivationFeatures, layers: tuple[int, ...]) -> PooledActivations:
    """The features of the activations discriminator as they came from the subject."""
    values = features.values.reshape(len(features.values), len(layers), len(POOLS), -1).copy()
    values[features.broken] = np.nan
    return PooledActivations(values=values, layers=layers, pools=POOLS, truncated=0)


def transfers(
    activations: PooledActivations, gathered: Gathered, *, subject: str, folds: int, permute: bool, seed: int
) -> tuple[tuple[Transfer, ...], tuple[DataError, ...]]:
    """Fit on half of the suites and half of the deployment, judge on the rest; and the other way round.

    Beside what was found, why a probe could not be fitted on one half, or on either.
    """
    halves = parted(gathered, seed=seed)
    if halves is None:
        return (), ()
    names = [tuple(sorted({gathered.transcripts[row].source for row in half if row < gathered.n})) for half in halves]
    data = [
        _data(activations, gathered, half, f"the {place} half", subject)
        for half, place in zip(halves, ("first", "second"), strict=True)
    ]
    found, refused = [], []
    for one, other in ((0, 1), (1, 0)):
        try:
            report = probe_study(data[one], data[other], families=FAMILIES, folds=folds, permute=permute, seed=seed)
        except DataError as error:
            refused.append(error)
        else:
            found.append(Transfer(fitted=names[one], judged=names[other], report=report))
    return tuple(found), tuple(refused)


def parted(gathered: Gathered, *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Rows of two halves: suites, and groups of the deployment, lie on one side each. None if there is one suite only.

    Suites that share a group (a near-duplicate, a template) stay together, and deployment with the suite whose group it shares.
    """
    rng = np.random.default_rng([seed, 11])
    suites = [gathered.transcripts[row].source for row in gathered.evaluation]
    bundle = {name: name for name in suites}
    owner: dict[int, str] = {}
    for suite, group in zip(suites, gathered.groups[: gathered.n].tolist(), strict=True):
        before, after = bundle[owner.setdefault(group, suite)], bundle[suite]
        if before != after:
            bundle = {name: before if value == after else value for name, value in bundle.items()}
    sizes: dict[str, int] = {}
    for suite in suites:
        sizes[bundle[suite]] = sizes.get(bundle[suite], 0) + 1
    if len(sizes) < 2:
        return None
    side_of = dict(zip(sorted(sizes), _dealt([sizes[name] for name in sorted(sizes)], rng), strict=True))
    lies = {group: side_of[bundle[suite]] for group, suite in owner.items()}
    deployed = gathered.groups[gathered.n :]
    groups, counts = np.unique(deployed[~np.isin(deployed, list(owner))], return_counts=True)
    if len(np.unique(deployed)) < 2:
        return None
    lies |= zip(groups.tolist(), _dealt(counts.tolist(), rng), strict=True)
    side = np.asarray(
        [side_of[bundle[suite]] for suite in suites] + [lies[group] for group in gathered.groups[gathered.n :].tolist()]
    )
    return np.flatnonzero(side == 0), np.flatnonzero(side == 1)


def direction(activations: PooledActivations, gathered: Gathered, transfer: tuple[Transfer, ...]) -> Direction:
    """Where the means differ most tellingly: among the earlier layers, that of the best held-out AUROC (of the mean pool)."""
    deepest = DEEPEST * (max(activations.layers) + 1)
    candidates = [layer for layer in activations.layers if layer < deepest] or [min(activations.layers)]
    told = {
        result.site.layer: result.held_out.auroc.value
        for one in transfer[:1]
        for family in one.report.families
        if family.name == DifferenceOfMeans().name
        for result in family.sites
        if result.site.pools == ("mean",) and result.held_out.auroc is not None
    }
    layer = max(candidates, key=lambda item: (told.get(item, 0.0), -abs(item - deepest / 2)))
    rows = activations.values[:, activations.layers.index(layer), POOLS.index("mean")]
    good = np.isfinite(rows).all(axis=1)
    test = np.arange(len(rows)) < gathered.n
    if not (good & test).any() or not (good & ~test).any():
        raise DataError(
            "Finite activations of tests and of deployment are expected.",
            "Found none on one side.",
            "Look at the model: its numbers overflow.",
        )
    means = {kind: rows[good & (test == kind)].mean(axis=0) for kind in (True, False)}
    centred = rows[good] - np.where(test[good, None], means[True], means[False])
    return Direction(
        layer=layer,
        vector=(means[True] - means[False]).astype(np.float32),
        spread=centred.astype(np.float32),
        auroc=told.get(layer, float("nan")),
    )


def _data(
    activations: PooledActivations, gathered: Gathered, rows: NDArray[np.int64], name: str, subject: str
) -> ProbeData:
    return ProbeData(
        name=name,
        subject=subject,
        activations=PooledActivations(
            values=activations.values[rows], layers=activations.layers, pools=activations.pools, truncated=0
        ),
        positive=rows < gathered.n,
        groups=gathered.groups[rows],
        transcripts=tuple(gathered.transcripts[row] for row in rows.tolist()),
    )


def _dealt(sizes: list[int], rng: np.random.Generator) -> list[int]:
    """A side, 0 or 1, for each: the largest first, equals in random order, each to the lighter one."""
    weight, side = [0, 0], [0] * len(sizes)
    for place in sorted(rng.permutation(len(sizes)).tolist(), key=lambda place: -sizes[place]):
        side[place] = int(weight[1] < weight[0])
        weight[side[place]] += sizes[place]
    return side
