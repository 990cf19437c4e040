"""What is counted: evaluation items and deployment transcripts after near-duplicates are dropped, with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dokimasia.core import DataError, Evidence, NotMeasured, Transcript
from dokimasia.instruments.common.crossfit import Layout
from dokimasia.sources import families

SEVERITY = {"yes": 3, "unscored": 2, None: 1, "no": 0}
FEWEST = 10


@dataclass(frozen=True, kw_only=True)
class Population:
    """Evaluation items first, then deployment, each sorted by digest, so that the order of files does not matter.

    `misbehaved` were seen to misbehave, `missing` carry no verdict though their source was scored; both are counts of
    evaluation items. `run` is False where no source carries any label: nothing is known of behaviour then.
    """

    transcripts: tuple[Transcript, ...]
    layout: Layout
    n: int
    m: int
    misbehaved: int
    missing: int
    run: bool
    dropped_evaluation: int
    dropped_deployment: int
    shared: int
    left_out: tuple[NotMeasured, ...]
    notes: tuple[str, ...]

    @property
    def worst(self) -> int:
        """Misbehaviours, the missing counted among them."""
        return self.misbehaved + self.missing

    @property
    def evaluation(self) -> tuple[Transcript, ...]:
        return self.transcripts[: self.n]

    @property
    def deployment(self) -> tuple[Transcript, ...]:
        return self.transcripts[self.n :]

    @property
    def evaluation_templates(self) -> list[int]:
        """The family of each evaluation item."""
        return [int(family) for family in self.layout.templates[: self.n]]


def gather(evidence: Evidence, *, override: int | None) -> Population:
    """Count units. Sources that carry labels are evidence of behaviour; if any does, those that carry none are left out.

    `override` is the user's own count of misbehaviours.
    """
    scored = [source for source in evidence.evaluation if source.scored]
    counted = evidence.evaluation if override is not None or not scored else tuple(scored)
    left_out = tuple(
        NotMeasured(
            what=f"{source.name}: {len(source.transcripts)} items",
            why="None of them carries a label: never run, or never judged. Left out of every count, since an item that "
            "was not run is no evidence.",
        )
        for source in evidence.evaluation
        if source not in counted
    )
    items = sorted((item for source in counted for item in source.transcripts), key=_place)
    deployment = sorted(evidence.deployment.transcripts if evidence.deployment else (), key=_place)
    check_sizes(len(items), len(deployment))
    pool = [*items, *deployment]
    found = families(pool)
    evaluation_rows = _unique(pool, found.duplicates, range(len(items)))
    deployment_rows = _unique(pool, found.duplicates, range(len(items), len(pool)))
    check_sizes(len(evaluation_rows), len(deployment_rows))
    rows = evaluation_rows + deployment_rows
    n, m = len(evaluation_rows), len(deployment_rows)
    kept = [pool[row] for row in evaluation_rows]
    run = bool(scored) or override is not None
    misbehaved = sum(item.misbehaved == "yes" for item in kept)
    missing = sum(item.misbehaved in (None, "unscored") for item in kept) if run else 0
    if override is not None:
        misbehaved, missing = override, 0
        if not 0 <= override <= n:
            raise DataError(
                "The number of misbehaviours lies between 0 and the number of items.",
                f"Found {override} of {n} (near-duplicates are counted once).",
                "Correct --misbehaved.",
            )
    groups = [found.duplicates[row] for row in rows]
    return Population(
        transcripts=tuple(pool[row] for row in rows),
        layout=Layout(
            np.arange(n + m) >= n,
            np.asarray([found.templates[row] for row in rows]),
            np.asarray(groups),
        ),
        n=n,
        m=m,
        misbehaved=misbehaved,
        missing=missing,
        run=run,
        dropped_evaluation=len(items) - n,
        dropped_deployment=len(deployment) - m,
        shared=len(set(groups[:n]) & set(groups[n:])),
        left_out=left_out,
        notes=tuple(
            f"While reading {source.name}: {note} ({count})."
            for source in (*counted, *([evidence.deployment] if evidence.deployment else []))
            for note, count in source.notes.items()
        ),
    )


def _unique(pool: Sequence[Transcript], groups: Sequence[int], rows: range) -> list[int]:
    """One row of each duplicate group, the worst labelled, in order."""
    best: dict[int, int] = {}

    def rank(row: int) -> tuple[int, int]:
        return -SEVERITY[pool[row].misbehaved], row

    for row in rows:
        other = best.get(groups[row])
        if other is None or rank(row) < rank(other):
            best[groups[row]] = row
    return sorted(best.values())


def _place(item: Transcript) -> tuple[str, str, str]:
    return item.digest, item.source, item.id


def check_sizes(n: int, m: int) -> None:
    """Raise unless there are enough transcripts of either kind."""
    if n < FEWEST or m < FEWEST:
        raise DataError(
            f"Realism needs at least {FEWEST} different evaluation items and {FEWEST} deployment transcripts.",
            f"Found {n} and {m} (near-duplicates are counted once).",
            "Add transcripts: a few hundred of each give useful bounds.",
        )
