"""The mean excess: how far beyond a threshold are scores that exceed it?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from scipy.special import ndtri

from dokimasia.stats.tails.order import top

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class MeanExcess(NamedTuple):
    """The mean excess over the `threshold` that `k` scores exceed."""

    threshold: float
    value: float
    low: float
    high: float
    level: float
    k: int


def mean_excess(scores: ArrayLike, counts: Sequence[int], *, level: float = 0.95) -> tuple[MeanExcess, ...]:
    """How far beyond a threshold are the scores that exceed it, for thresholds that `counts` scores exceed?

    It rises with the threshold if the tail is heavier than exponential (in a straight line of slope xi / (1 - xi) if it is a
    power law), is level if the tail is exponential, and falls if it is lighter.

    Misleads at the highest thresholds, where a few scores decide, and where xi >= 1/2: its variance is infinite there, and the
    normal interval too short.

    Davison and Smith (1990), JRSS B 52:393-442, section 2.3.
    """
    largest = top(scores, max(counts))
    z = float(ndtri(0.5 + level / 2))
    found = []
    for k in counts:
        excess = largest[:k] - largest[k]
        mean = float(excess.mean())
        half = z * float(excess.std(ddof=1)) / math.sqrt(k)
        found.append(MeanExcess(float(largest[k]), mean, mean - half, mean + half, level, k))
    return tuple(found)
