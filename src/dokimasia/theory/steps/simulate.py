"""Times of whole tasks, drawn: `S_n` for as many replicates as one likes, in memory that does not grow with them.

The hazard that a subtask's fastest approach has survived is exponential, so that a time is a function of one exponential draw.
Draws are made, transformed and summed in blocks that stay in the processor's cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core.errors import DataError
from dokimasia.theory.steps.step import tail_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dokimasia.theory.steps.laws import TimeLaw

    Array = NDArray[np.float64]

BLOCK = 2**15  # draws, 256 kB
MOST_DRAWS = 10**11  # some ten minutes


def simulated_times(law: TimeLaw, approaches: float, n: int, replicates: int, *, seed: int) -> Iterator[Array]:
    """Times of `replicates` tasks of `n` subtasks, a block of replicates at a time; past 1e308 they are infinite."""
    tail_index(1.0, approaches)
    if not (n >= 1 and replicates >= 1 and n % 1 == 0 and replicates % 1 == 0):
        raise DataError(
            "Whole numbers of subtasks and of replicates, at least 1, are expected.",
            f"Found {n} and {replicates}.",
            "Only the closed forms take a length that is not whole.",
        )
    if n * replicates > MOST_DRAWS:
        raise DataError(
            f"At most {MOST_DRAWS:.0e} draws, subtasks times replicates, are expected.",
            f"Found {n * replicates:.0e}.",
            "Simulate fewer or shorter tasks; the exact values take any.",
        )
    return _draw(law, approaches, int(n), int(replicates), np.random.default_rng(seed))


def shares_within(times: Sequence[float], blocks: Iterator[Array]) -> tuple[list[int], int]:
    """How many of the simulated tasks end within each of `times`? Counts (n_times,), and how many tasks there were."""
    counts, total = [0] * len(times), 0
    for block in blocks:
        total += len(block)
        for place, time in enumerate(times):
            counts[place] += int(np.count_nonzero(block <= time))
    return counts, total


def _draw(law: TimeLaw, approaches: float, n: int, replicates: int, rng: np.random.Generator) -> Iterator[Array]:
    wide = max(1, BLOCK // n)
    buffer = np.empty(BLOCK)
    for start in range(0, replicates, wide):
        count = min(wide, replicates - start)
        total = np.zeros(count)
        for first in range(0, n, BLOCK):
            rows = min(BLOCK, n - first)
            hazard = buffer[: rows * count]
            rng.standard_exponential(out=hazard)
            with np.errstate(over="ignore"):
                times = np.exp(law.log_time(hazard, approaches), out=hazard)
                total += times.reshape(rows, count).sum(axis=0)
        yield total
