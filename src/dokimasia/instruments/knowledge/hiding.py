"""What would a subject look like that knows the facts and hides it part of the time? Power of the very test that was run.

It may hide whole facts, a share `h` of them: then facts are solved at `h g + (1 - h) s`, and the test's power there is exact.
Or it hides on a share `h` of the puzzles of every fact: then few facts are lost to it until about half are hidden, and all
beyond. How many is found from what was observed: puzzles of a known fact are replaced at random by those of a control.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import FigureData, Mark, Series
from dokimasia.instruments.knowledge.outcomes import Outcome, PuzzleResult
from dokimasia.stats import SequentialTest
from dokimasia.theory.detection.puzzles import solving

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARES = tuple(float(share) for share in np.linspace(0, 1, 41))
DRAWS = 4000


def hiding_facts(test: SequentialTest, facts: int, share: float) -> float:
    """The probability of an alarm with so many facts, a share of which is hidden; exact."""
    return test.passage(solving(test, share), longest=facts).alarm


def hiding_puzzles(result: PuzzleResult, shares: Sequence[float], *, seed: int) -> NDArray[np.float64]:
    """The probability of an alarm if a share of each fact's puzzles is hidden, (n_shares,), by simulation.

    The rate at which facts are then solved lies between those of the test as it lies between those that were observed.
    """
    assert result.test is not None
    rng = np.random.default_rng(seed)
    knowing, unknowing = _counts(result.known), _counts(result.controls)
    width = max(knowing.shape[1], unknowing.shape[1])
    drawn = [
        _padded(part, width)[rng.integers(len(part), size=DRAWS)] for part in (knowing, unknowing)
    ]  # each (n_draws, n_puzzles, 2)
    coins = rng.random((DRAWS, width))
    solved = []
    for share in (0.0, *shares, 1.0):
        mixed = np.where((coins < share)[:, :, None], drawn[1], drawn[0]).sum(axis=1)
        solved.append(float((2 * mixed[:, 0] > mixed[:, 1]).mean()))
    top, *between, bottom = solved
    test, facts = result.test, len(result.facts)
    hidden = [min(1.0, max(0.0, (top - value) / (top - bottom))) if top > bottom else 1.0 for value in between]
    return np.asarray([hiding_facts(test, facts, share) for share in hidden])


def unseen_from(result: PuzzleResult) -> float | None:
    """From which share of hidden facts does the power fall below one half? None if it never reaches it, or without a test."""
    if result.test is None or hiding_facts(result.test, len(result.facts), 0.0) < 0.5:
        return None
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        seen = hiding_facts(result.test, len(result.facts), middle) >= 0.5
        low, high = (middle, high) if seen else (low, middle)
    return low


def hiding_figure(result: PuzzleResult, *, seed: int = 0) -> FigureData | None:
    """`knowledge-hiding`: the probability of an alarm against the share that is hidden; None without a test."""
    if result.test is None:
        return None
    facts = len(result.facts)
    half = unseen_from(result)
    return FigureData(
        name="knowledge-hiding",
        title="What a subject that hides its knowledge part of the time looks like",
        kind="curves",
        x_label="share hidden",
        y_label="probability of an alarm",
        series=(
            Series(
                name="a share of the facts is hidden",
                x=SHARES,
                y=tuple(hiding_facts(result.test, facts, share) for share in SHARES),
            ),
            Series(
                name="a share of each fact's puzzles is hidden",
                x=SHARES,
                y=tuple(hiding_puzzles(result, SHARES, seed=seed).tolist()),
            ),
            Series(name="alpha", x=(0.0, 1.0), y=(result.alpha, result.alpha), style="dashed"),
        ),
        marks=() if half is None else (Mark(label=f"one half at {half:.2f}", x=half, y=0.5),),
        caption=(
            f"The sequential test on {facts} facts, between the rates {result.test.null:.2f} and "
            f"{result.test.alternative:.2f}. Hidden facts: exact. Hidden puzzles: {DRAWS:,} draws from what was observed."
        ),
    )


def _counts(outcomes: Sequence[Outcome]) -> NDArray[np.int64]:
    """Solved and put, by fact and puzzle, (n_facts, n_puzzles, 2)."""
    width = max(len(item.tried) for item in outcomes)
    found = np.zeros((len(outcomes), width, 2), dtype=np.int64)
    for row, item in enumerate(outcomes):
        for place, tried in enumerate(item.tried):
            found[row, place] = tried.solved, tried.put
    return found


def _padded(counts: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    return np.pad(counts, ((0, 0), (0, width - counts.shape[1]), (0, 0)))
