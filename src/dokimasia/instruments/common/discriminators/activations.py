"""The subject's activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import Access, Activations, Transcript, approximate_tokens
from dokimasia.instruments.common.discriminators.dense import fit_dense
from dokimasia.instruments.common.discriminators.discriminator import Scores
from dokimasia.instruments.common.folds import grouped_folds
from dokimasia.stats import auroc

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAPTURE_BATCH = 64
CAPTURE_TOKENS = 1024


@dataclass(frozen=True)
class SubjectActivations:
    """A linear probe on the subject's residual stream; layer and pooling are chosen inside the training rows."""

    activations: Activations
    layers: tuple[int, ...]
    name: str = "activations"
    access: Access = "activations"

    def features(self, transcripts: Sequence[Transcript]) -> ActivationFeatures:
        order = sorted(
            range(len(transcripts)), key=lambda row: (len(transcripts[row].input_text), transcripts[row].digest)
        )
        values: NDArray[np.float32] | None = None
        truncated = 0
        for start in range(0, len(order), CAPTURE_BATCH):
            rows = order[start : start + CAPTURE_BATCH]
            found = self.activations.activations(
                [transcripts[row].input for row in rows],
                layers=self.layers,
                pools=("last", "mean"),
                max_tokens=CAPTURE_TOKENS,
            )
            if values is None:
                values = np.empty((len(order), *found.values.shape[1:]), np.float32)
            values[rows] = found.values
            truncated += found.truncated
        assert values is not None
        broken = np.asarray(~np.isfinite(values).all(axis=(1, 2, 3)))
        notes = []
        if truncated:
            notes.append(
                f"Of {truncated} inputs only the first and last {CAPTURE_TOKENS // 2} tokens reached the subject."
            )
        if broken.any():
            notes.append(
                f"{int(broken.sum())} inputs gave activations that are not finite; they enter each bound at its worst."
            )
        sites = tuple(f"layer {layer}, {pool}" for layer in self.layers for pool in ("last", "mean"))
        flat = values.reshape(len(values), len(sites), -1)
        flat[broken] = 0
        return ActivationFeatures(flat, broken, sites, tuple(notes))


@dataclass(frozen=True, eq=False)
class ActivationFeatures:
    """`values` has axes (n_rows, n_sites, d_model); rows in `broken` are left out of fits and scored NaN."""

    values: NDArray[np.float32]
    broken: NDArray[np.bool_]
    sites: tuple[str, ...]
    notes: tuple[str, ...] = ()
    c: float = 0.01

    def fit_score(
        self,
        train: NDArray[np.int64],
        positive: NDArray[np.bool_],
        groups: NDArray[np.int64],
        test: NDArray[np.int64],
        *,
        seed: int,
    ) -> Scores:
        usable = ~self.broken[train]
        rows, classes, families = train[usable], positive[usable], groups[usable]
        if len(np.unique(classes)) < 2:
            missing = np.full(len(test), np.nan)
            return Scores(missing, missing, "none: too few finite activations")
        site = self._choose(rows, classes, families, seed)
        scores = fit_dense(self.values[rows, site], classes, self.values[test, site], self.c)
        lost = self.broken[test]
        scaled, logit = scores.scaled.copy(), scores.logit.copy()
        scaled[lost] = logit[lost] = np.nan
        return Scores(scaled, logit, self.sites[site])

    def _choose(
        self, rows: NDArray[np.int64], classes: NDArray[np.bool_], families: NDArray[np.int64], seed: int
    ) -> int:
        if len(self.sites) == 1:
            return 0
        inner = grouped_folds(classes, families, np.arange(len(rows)), seed=seed, most=3)
        part = inner.fold == 0
        quality = []
        for site in range(len(self.sites)):
            held_out = fit_dense(
                self.values[rows[~part], site], classes[~part], self.values[rows[part], site], self.c
            ).scaled
            sides = held_out[~classes[part]], held_out[classes[part]]
            quality.append(auroc(*sides).value if all(map(len, sides)) else 0.5)
        return int(np.argmax(quality))


def capture_tokens(transcripts: Sequence[Transcript]) -> int:
    """Tokens that capturing these transcripts' activations will pass through the subject, roughly."""
    texts = [item.input_text[: 4 * CAPTURE_TOKENS] for item in transcripts]
    return approximate_tokens(texts, overhead=40)
