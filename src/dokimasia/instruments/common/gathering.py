"""What is looked at: evaluation inputs and deployment transcripts, near-duplicates once, with their families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import Evidence, Label, Transcript
from dokimasia.core.sequences import Joined
from dokimasia.instruments.common.sampling import Limits
from dokimasia.sources import families

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEVERITY: tuple[Label | None, ...] = ("no", None, "unscored", "yes")
"""Of near-duplicates the worst is kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gathered:
    """`n` evaluation inputs first, then `m` deployment transcripts, each sorted by digest: the order of files does not matter.

    `groups` numbers what does not count as independent, axis (n_rows,): `grouped_by` templates, or duplicates alone.
    `copied` counts evaluation inputs that also stand in the deployment sample; `left_out` counts either side's transcripts
    beyond the random sample that is looked at where there are very many.
    """

    transcripts: tuple[Transcript, ...]
    n: int
    groups: NDArray[np.int64]
    grouped_by: str
    dropped: tuple[int, int]
    copied: int
    left_out: tuple[int, int]
    notes: tuple[str, ...]

    @property
    def m(self) -> int:
        """Deployment transcripts."""
        return len(self.transcripts) - self.n

    @property
    def evaluation(self) -> NDArray[np.int64]:
        """Rows of the evaluation inputs."""
        return np.arange(self.n)

    @property
    def deployment(self) -> NDArray[np.int64]:
        """Rows of the deployment sample."""
        return np.arange(self.n, len(self.transcripts))


def gather(evidence: Evidence, *, limits: Limits, fewest: int, seed: int) -> Gathered:
    """Read both sides, neither of them empty.

    Groups are templates, unless that leaves fewer than `fewest` groups in the deployment where duplicates leave more.
    """
    everything = [Joined([source.transcripts for source in evidence.evaluation])]
    everything.append(Joined([evidence.deployment.transcripts if evidence.deployment else ()]))
    sampled = sum(map(len, everything)) > limits.exact
    sides = [_sorted(side, limits.look if sampled else len(side), seed) for side in everything]
    pool = [*sides[0], *sides[1]]
    found = families(pool)
    side = np.arange(len(pool)) >= len(sides[0])
    duplicates, templates = np.asarray(found.duplicates), np.asarray(found.templates)
    rows = _unique(duplicates, side, np.asarray([SEVERITY.index(item.misbehaved) for item in pool]))
    n = int((rows < len(sides[0])).sum())
    copies, moulds = duplicates[rows], templates[rows]
    by_template = len(np.unique(moulds[n:])) >= min(fewest, len(rows) - n)
    sources = (*evidence.evaluation, *([evidence.deployment] if evidence.deployment else []))
    return Gathered(
        transcripts=tuple(pool[row] for row in rows.tolist()),
        n=n,
        groups=moulds if by_template else copies,
        grouped_by="template" if by_template else "duplicates",
        dropped=(len(sides[0]) - n, len(sides[1]) - (len(rows) - n)),
        copied=len(np.intersect1d(copies[:n], copies[n:])),
        left_out=(len(everything[0]) - len(sides[0]), len(everything[1]) - len(sides[1])),
        notes=tuple(
            f"While reading {source.name}: {note} ({count})."
            for source in sources
            for note, count in source.notes.items()
        ),
    )


def firsts(rows: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """One row of each group, that of the lowest digest: what is counted where groups count once."""
    _, first = np.unique(groups[rows], return_index=True)
    return rows[np.sort(first)]


def _sorted(transcripts: Sequence[Transcript], most: int, seed: int) -> list[Transcript]:
    if most < len(transcripts):
        chosen = np.sort(np.random.default_rng([seed, 1]).choice(len(transcripts), most, replace=False))
        transcripts = [transcripts[row] for row in chosen.tolist()]
    return sorted(transcripts, key=lambda item: (item.digest, item.source, item.id))


def _unique(duplicates: NDArray[np.int64], side: NDArray[np.bool_], severity: NDArray[np.int64]) -> NDArray[np.int64]:
    """One place of each group of duplicates on either side, the worst labelled, in order."""
    order = np.lexsort((np.arange(len(side)), -severity, duplicates, side))
    keys = np.stack([side[order], duplicates[order]])
    first = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))
    return np.sort(order[first])
