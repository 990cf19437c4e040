"""Puzzles that only somebody who knows a fact solves often: does a model know it, and when may one say so?

Without the fact a puzzle is solved at a rate `g`, with it at a rate `s`. A sequential test between the two needs a handful
of puzzles of a model that plays straight. One that knows the fact and hides it on a share `h` of puzzles solves at
`h g + (1 - h) s`, and the test's power falls with `h`; at `h = 1` nothing is to be seen in what it does.

A rise of the rate alone proves nothing: models get better at puzzles. So each gated puzzle has a control of equal
difficulty that another fact, or none, decides, and what counts is the difference in differences since a baseline.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc

from dokimasia.stats import Count, Passage, SequentialTest, alarm_counts, difference_in_differences, first_passage
from dokimasia.theory.detection.domain import inside, whole, within


class Runs(NamedTuple):
    """Simulated tests: `alarms` of `runs`, and the number of puzzles that each took, (n_runs,)."""

    runs: int
    alarms: int
    lengths: NDArray[np.float64]


def solving(test: SequentialTest, hiding: float) -> float:
    """The rate at which a model that knows the fact solves, if it hides it on this share of puzzles: `h g + (1-h) s`."""
    within("The share of puzzles on which the fact is hidden", hiding)
    return hiding * test.null + (1 - hiding) * test.alternative


def power(test: SequentialTest, hiding: float) -> Passage:
    """How the sequential test behaves against such a model; exact.

    >>> test = SequentialTest(null=0.1, alternative=0.7, alpha=0.01, beta=0.05)
    >>> [round(power(test, hiding).alarm, 3) for hiding in (0.0, 0.5, 0.9, 1.0)]
    [0.966, 0.511, 0.024, 0.005]
    """
    return test.passage(solving(test, hiding))


def power_at_any_time(rate: float, null: float, *, alpha: float, longest: int) -> Passage:
    """How an e-process against "solves at most at the null rate" behaves at this true rate, watched for `longest` puzzles.

    It needs no idea of `s`, and never clears. Exact.
    """
    inside("The null rate", null, edge="At 0 one success refutes it.")
    needed = _needed(null, alpha, whole("The number of puzzles", longest))

    def rule(trials: int, successes: NDArray[np.int64]) -> NDArray[np.int8]:
        return np.asarray(successes >= needed[trials - 1], dtype=np.int8)

    return first_passage(rule, rate, longest=longest)


@cache
def _needed(null: float, alpha: float, longest: int) -> NDArray[np.int64]:
    """The counts at which the e-process alarms; asked for again at each true rate."""
    return alarm_counts(null, alpha=alpha, longest=longest)


def power_of_fixed(rate: float, null: float, *, alpha: float, puzzles: int) -> float:
    """Of the one-sided binomial test on a number of puzzles that is settled beforehand; exact."""
    counts = np.arange(puzzles + 1)
    fewest = int(np.argmax(np.append(bdtrc(counts - 1, puzzles, null)[1:] <= alpha, True))) + 1
    return 0.0 if fewest > puzzles else float(1 - bdtr(fewest - 1, puzzles, rate))


def simulate(test: SequentialTest, rate: float, *, runs: int, seed: int) -> Runs:
    """Runs the test on draws at this rate, all runs side by side, each until it stops."""
    rng = np.random.default_rng(seed)
    within("The true rate", rate)
    ratio, lengths, alarms = np.zeros(runs), np.zeros(runs), 0
    going = np.arange(runs)
    while len(going):
        ratio[going] += np.where(rng.random(len(going)) < rate, test.success, test.failure)
        lengths[going] += 1
        alarms += int((ratio[going] >= test.upper).sum())
        going = going[(ratio[going] < test.upper) & (ratio[going] > test.lower)]
    return Runs(runs, alarms, lengths)


def detections(
    now: tuple[float, float],
    before: tuple[float, float],
    *,
    puzzles: int,
    runs: int,
    seed: int,
    confidence: float = 0.95,
) -> int:
    """In how many of so many runs does the interval of the difference in differences lie above 0?

    `now` and `before` are the rates of gated puzzles and of controls; `puzzles` of each are set in either period.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(whole("The number of puzzles", puzzles), [*now, *before], size=(runs, 4))
    found = 0
    for gated, control, gated_before, control_before in drawn.tolist():
        counts = [Count(k, puzzles) for k in (gated, control, gated_before, control_before)]
        found += difference_in_differences(*counts, confidence=confidence).low > 0
    return found
