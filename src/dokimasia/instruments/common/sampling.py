"""Which rows are looked at, where there are too many to look at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import Transcript

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Up to how many transcripts everything is done on all; beyond, how many are looked at, and for what.

    Parameters
    ----------
    exact:
        Transcripts in total up to which nothing is sampled.
    fit, fit_characters:
        Transcripts a side, and characters in total, that discriminators are fitted on.
    look:
        Transcripts a side for controls, telling words, kinds of deployment, embeddings and activations.
    ask:
        Transcripts a side, however few there are, that a subject is asked about or fine-tuned on.
    block:
        Transcripts that a worker is sent at a time; of long ones fewer.
    """

    exact: int = 20_000
    fit: int = 10_000
    fit_characters: int = 20_000_000
    look: int = 5_000
    ask: int = 1_000
    block: int = 1_000


def sample(
    classes: NDArray[np.bool_],
    folds: NDArray[np.int64],
    lengths: NDArray[np.int64],
    *,
    most: int,
    characters: int,
    seed: int,
) -> NDArray[np.int64]:
    """Rows at random, at most `most` of each class and `characters` in total, as many of each fold as of another.

    `classes`, `folds` and `lengths` have axis (n_rows,). Rows come sorted.
    """
    rng = np.random.default_rng(seed)
    parts = int(folds.max()) + 1
    found = []
    for side in (False, True):
        for part in range(parts):
            rows = rng.permutation(np.flatnonzero((classes == side) & (folds == part)))[: most // parts]
            fits = np.cumsum(lengths[rows]) <= characters // (2 * parts)
            fits[:2] = True
            found.append(rows[fits])
    return np.sort(np.concatenate(found))


def some(transcripts: Sequence[Transcript], rows: NDArray[np.int64], most: int, *, seed: int) -> NDArray[np.int64]:
    """At most so many of these rows, at random but by content: whoever samples the same transcripts has the same sample."""
    if len(rows) <= most:
        return rows
    rank = [hashlib.sha256(f"{seed} {transcripts[row].digest}".encode()).digest() for row in rows.tolist()]
    return np.sort(rows[sorted(range(len(rows)), key=rank.__getitem__)[:most]])
