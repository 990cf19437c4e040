"""What is said of sampling, where there were too many transcripts to fit on all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dokimasia.instruments.realism.measure import Verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.instruments.realism.streaming import Sampled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def sampling_caveats(population: Population, sampled: Sampled | None, verdicts: Sequence[Verdict]) -> list[str]:
    """What a reader has to know of the sampling; nothing where nothing was sampled."""
    found = []
    if sampled is not None:
        (n, m), (few, many) = (_sides(population, rows) for rows in (sampled.fitted, sampled.looked_at))
        found = [
            f"Too many transcripts to fit on all: format and words were fitted on a random {n:,} of {population.n:,} items "
            f"and {m:,} of {population.m:,} deployment transcripts (words and pairs hashed). All were scored, by fits that "
            "saw none of their group, and all enter the bounds.",
            f"Controls, telling words and kinds of deployment come from {few:,} of these items and {many:,} of these "
            "transcripts.",
            "Near-duplicates were sought among neighbours in sorted sketches; a few pairs may have been missed, and count "
            "twice.",
        ]
    partial: dict[tuple[int, int], list[str]] = {}
    for verdict in verdicts:
        if verdict.scored != (population.n, population.m):
            partial.setdefault(verdict.scored, []).append(verdict.name)
    found += [
        f"{', '.join(names).capitalize()}: only {n:,} items and {m:,} transcripts were scored; all misbehaviours are "
        "charged to them."
        for (n, m), names in partial.items()
    ]
    return found


def sampling_raw(population: Population, sampled: Sampled | None) -> dict[str, Any]:
    """The same as plain values."""
    if sampled is None:
        return {}
    named = {"fitted": sampled.fitted, "looked_at": sampled.looked_at}
    sides = {name: _sides(population, rows) for name, rows in named.items()}
    return {"sampled": {name: {"evaluation": n, "deployment": m} for name, (n, m) in sides.items()}}


def _sides(population: Population, rows: NDArray[np.int64]) -> tuple[int, int]:
    n = int((rows < population.n).sum())
    return n, len(rows) - n
