"""Held-out scores: pooled over grouped folds, or of one half by the other; and the two controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.instruments.common.discriminators import Features
from dokimasia.instruments.common.folds import grouped_folds

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Layout:
    """Who is who, axis (n_rows,): which rows are deployment, and the families that never straddle a split."""

    deployment: NDArray[np.bool_]
    templates: NDArray[np.int64]
    duplicates: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.deployment)

    def only(self, rows: NDArray[np.int64], deployment: NDArray[np.bool_]) -> Layout:
        """These rows with these classes."""
        return Layout(deployment, self.templates[rows], self.duplicates[rows])


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores of rows by discriminators that never saw them. `rows` are the scored rows."""

    rows: NDArray[np.int64]
    scaled: NDArray[np.float64]
    logit: NDArray[np.float64]
    deployment: NDArray[np.bool_]
    grouped_by: str
    chosen: tuple[str, ...]
    folds: int

    def sides(self, *, missing: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Evaluation and deployment scores, with the missing put where they hurt: `ceiling` or `exposure`."""
        evaluation, deployment = self.scaled[~self.deployment], self.scaled[self.deployment]
        low, high = (-np.inf, np.inf) if missing == "ceiling" else (np.inf, -np.inf)
        return np.nan_to_num(evaluation, nan=low, posinf=np.inf, neginf=-np.inf), np.nan_to_num(
            deployment, nan=high, posinf=np.inf, neginf=-np.inf
        )


def cross_fit(features: Features, layout: Layout, *, seed: int, rows: NDArray[np.int64] | None = None) -> HeldOut:
    """Pooled out-of-fold scores of all rows; `rows` are the feature rows that the layout speaks of."""
    rows = np.arange(len(layout)) if rows is None else rows
    folds = grouped_folds(layout.deployment, layout.templates, layout.duplicates, seed=seed)
    scaled, logit, chosen = np.empty(len(rows)), np.empty(len(rows)), []
    for part in range(folds.n):
        held_out, train = folds.fold == part, folds.fold != part
        scores = features.fit_score(
            rows[train], layout.deployment[train], layout.templates[train], rows[held_out], seed=seed
        )
        scaled[held_out], logit[held_out] = scores.scaled, scores.logit
        chosen.append(scores.chosen)
    return HeldOut(rows, scaled, logit, layout.deployment, folds.grouped_by, tuple(filter(None, chosen)), folds.n)


def split_fit(features: Features, layout: Layout, *, seed: int) -> HeldOut:
    """Scores of one half of the rows by a discriminator trained on the other half."""
    folds = grouped_folds(layout.deployment, layout.templates, layout.duplicates, seed=seed, most=2)
    train, count = np.flatnonzero(folds.fold == 0), np.flatnonzero(folds.fold == 1)
    scores = features.fit_score(train, layout.deployment[train], layout.templates[train], count, seed=seed)
    return HeldOut(count, scores.scaled, scores.logit, layout.deployment[count], folds.grouped_by, (scores.chosen,), 2)


def permuted(layout: Layout, *, seed: int) -> tuple[NDArray[np.int64], Layout]:
    """All rows, with classes dealt out afresh to whole duplicate groups: there is nothing to find."""
    rows = np.arange(len(layout))
    return rows, layout.only(rows, _deal(layout.duplicates, int(layout.deployment.sum()), seed))


def split_half(layout: Layout, *, seed: int) -> tuple[NDArray[np.int64], Layout]:
    """Deployment alone, half of it called evaluation: there is nothing to find."""
    rows = np.flatnonzero(layout.deployment)
    return rows, layout.only(rows, _deal(layout.duplicates[rows], len(rows) // 2, seed))


def _deal(groups: NDArray[np.int64], wanted: int, seed: int) -> NDArray[np.bool_]:
    """A random class of about `wanted` rows that no group straddles."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    rank = {name: place for place, name in enumerate(names.tolist())}
    order = np.argsort([rank[name] for name in groups.tolist()], kind="stable")
    chosen = np.zeros(len(groups), dtype=bool)
    for row in order:
        if chosen.sum() >= wanted and groups[row] != groups[order[chosen[order].sum() - 1]]:
            break
        chosen[row] = True
    return chosen
