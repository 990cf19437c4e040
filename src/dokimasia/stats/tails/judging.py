"""Is a tail heavier or lighter than exponential, at thresholds that were fixed beforehand?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dokimasia.core.errors import DataError
from dokimasia.stats.multiplicity import holm_adjusted
from dokimasia.stats.tails.order import largest_share, top, untied
from dokimasia.stats.tails.pareto import ParetoFit, fit_pareto

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COUNTS = (50, 100, 200, 500, 1000, 2000)
SHARE = 10
FEWEST = COUNTS[0]
MOST_TIED = 0.1
"""Where one value is more of the tail than this, the scores are rounded too coarsely, or stop there."""

Verdict = Literal["heavier", "lighter", "both", "neither"]


class TailTest(NamedTuple):
    """Fits by threshold, p-values of an exponential tail adjusted for their number, and what they come to.

    `verdict` compares with an exponential tail: "heavier" or "lighter" at some threshold, "both" at different ones, "neither".
    `untied` says whether ties had to be spread.
    """

    fits: tuple[ParetoFit, ...]
    adjusted: tuple[float, ...]
    verdict: Verdict
    level: float
    untied: bool


def thresholds(n: int) -> tuple[int, ...]:
    """How many of `n` scores are called the tail: 50, 100, 200, ... 2,000, as far as they are at most a tenth of all.

    >>> thresholds(16000), thresholds(700), thresholds(80)
    ((50, 100, 200, 500, 1000), (50,), ())
    """
    return tuple(k for k in COUNTS if k * SHARE <= n)


def judge_tail(
    scores: ArrayLike, counts: Sequence[int], *, level: float = 0.95, nulls: int = 999, seed: int = 0
) -> TailTest:
    """Is the upper tail heavier or lighter than exponential?

    A generalised Pareto distribution is fitted to what lies above each threshold, and xi = 0 tested by parametric bootstrap;
    p-values are adjusted for the number of thresholds by Holm's procedure, which holds whatever they depend on. Ties are spread
    over the rounding step, and refused where one value is more than a tenth of the tail.

    Misleads about anything beyond the largest score: normal tails approach xi = 0, from below, more slowly than any sample shows.
    """
    if not counts:
        raise DataError(
            "A tail needs enough scores.",
            f"Found fewer than {FEWEST * SHARE}, of which the largest tenth would be fewer than {FEWEST}.",
            f"Collect {FEWEST * SHARE} or more; a few thousand tell light from heavy.",
        )
    largest = top(scores, max(counts))
    for k in counts:
        share = largest_share(largest[: k + 1])
        if share > MOST_TIED:
            raise DataError(
                f"No value is more than {MOST_TIED:.0%} of a tail.",
                f"Among the {k} largest scores one value has {share:.0%}.",
                "Store scores with more digits; a score of few values has no tail to speak of.",
            )
    spread = untied(largest, np.random.default_rng(seed))
    fits = tuple(fit_pareto(spread[:k] - spread[k], level=level, nulls=nulls, seed=seed) for k in counts)
    adjusted = holm_adjusted([fit.p for fit in fits])
    return TailTest(
        fits=fits,
        adjusted=tuple(float(p) for p in adjusted),
        verdict=verdict(np.asarray([fit.xi for fit in fits]), adjusted, 1 - level),
        level=level,
        untied=spread is not largest,
    )


def verdict(xi: NDArray[np.float64], adjusted: NDArray[np.float64], error: float) -> Verdict:
    """What estimates with adjusted p-values come to, at this probability of error."""
    found = adjusted <= error
    heavier, lighter = bool(np.any(found & (xi > 0))), bool(np.any(found & (xi < 0)))
    if heavier and lighter:
        return "both"
    return "heavier" if heavier else "lighter" if lighter else "neither"
