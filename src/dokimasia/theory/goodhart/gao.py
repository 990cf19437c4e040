"""Gold score against divergence, as fitted to real reward models: Gao, Schulman and Hilton (2022), arXiv 2210.10760.

With `d = sqrt(KL)` they find

    best of n:               R = d (alpha - beta d)       peak at d = alpha / (2 beta),      R = alpha**2 / (4 beta)
    reinforcement learning:  R = d (alpha - beta ln d)    peak at d = exp(alpha / beta - 1), R = beta d

for proxies of 3 million to 3 billion parameters against a gold reward model of 6 billion; both coefficients change about
with the logarithm of the proxy's size. Reinforcement learning spends far more divergence than best of n for the same proxy score.
A penalty on divergence acts like stopping early: it does not change gold score as a function of divergence.

These are fits, to rewards whose error is bounded by the architecture; that a peak exists says nothing of heavy tails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from dokimasia.core import DataError

LARGEST = 1e6
FARTHEST_LOG = 300.0
"""Alpha over beta beyond which the root of the divergence at the peak, squared, is near the end of floats."""


class Peak(NamedTuple):
    """Where gold score is largest: `distance` is the root of the divergence `kl`, in nats."""

    distance: float
    kl: float
    gold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfNCurve:
    """Gold score of best of n above that of the base policy, by divergence."""

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        _check(self.alpha, self.beta)

    def gold(self, kl: float) -> float:
        """Gold score at this divergence."""
        d = _root(kl)
        return d * (self.alpha - self.beta * d)

    def peak(self) -> Peak | None:
        """The peak, or None where gold score only rises (beta <= 0) or only falls (alpha <= 0)."""
        if self.beta <= 0 or self.alpha <= 0:
            return None
        d = self.alpha / (2 * self.beta)
        return Peak(d, d * d, self.alpha * d / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """Gold score of reinforcement learning above that of the base policy, by divergence."""

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        _check(self.alpha, self.beta)

    def gold(self, kl: float) -> float:
        """Gold score at this divergence."""
        d = _root(kl)
        return d * (self.alpha - self.beta * math.log(d)) if d > 0 else 0.0

    def peak(self) -> Peak | None:
        """The peak, or None where gold score has none (beta <= 0), or none that a float holds."""
        if self.beta <= 0 or self.alpha / self.beta > FARTHEST_LOG:
            return None
        d = math.exp(self.alpha / self.beta - 1)
        return Peak(d, d * d, self.beta * d)


def _check(alpha: float, beta: float) -> None:
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not (abs(value) <= LARGEST and (value == 0 or abs(value) >= 1 / LARGEST)):
            raise DataError(
                f"Gao's {name} is 0, or between {1 / LARGEST:g} and {LARGEST:g} in size.",
                f"Found {value}.",
                "Measure gold scores in a unit in which it is, such as their standard deviation.",
            )


def _root(kl: float) -> float:
    if not 0 <= kl < math.inf:
        raise DataError("A divergence is not negative.", f"Found {kl}.", "Pass nats from the base policy.")
    return math.sqrt(kl)
