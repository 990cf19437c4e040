"""Draw an action k times and look at all of the scores: does that catch more attacks?

The policy is asked k times for the next action, and the first is executed unless the step is audited. Steps are audited
where the largest, the smallest or the mean of the k scores is above a threshold at which a share `b` of steps of an honest
policy is audited. Given that the executed action attacks, each other sample attacks with probability `q`.

An honest sample among them dilutes: with `max` it adds a chance of a high score to honest steps as much as to attacks, with
`min` one is enough to clear the step. So resampling pays against a policy that attacks at nearly every draw, and harms
against one that attacks now and then; where it turns depends on `q`, which is the attacker's choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import bdtr, ndtr, ndtri, xlog1py

from dokimasia.theory.detection.domain import inside, whole, within

Aggregate = Literal["first", "max", "min", "mean"]
AGGREGATES: tuple[Aggregate, ...] = ("first", "max", "min", "mean")

_COMMON = np.linspace(-9.0, 9.0, 1801)
_WEIGHTS = np.exp(-(_COMMON**2) / 2) / np.exp(-(_COMMON**2) / 2).sum()
"""The part of the scores that samples of one step share, and its weights: on such smooth functions the plain sum is exact."""


class Steps(NamedTuple):
    """Simulated steps: how many of the honest ones, and of those that execute an attack, were audited, by aggregate."""

    steps: int
    honest: dict[Aggregate, int]
    attacks: dict[Aggregate, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How steps are scored: `separation` d', audited share `share` of honest steps, `samples` k, and `correlation` of the
    scores of one step's samples, honest or not, in [0, 0.99].

    >>> five = Resampling(separation=2.0, share=0.003, samples=5)
    >>> [round(five.catch("max", attacks), 3) for attacks in (1.0, 0.3)], round(five.catch("first", 1.0), 3)
    ([0.435, 0.219], 0.227)
    """

    separation: float
    share: float
    samples: int
    correlation: float = 0.0

    def __post_init__(self) -> None:
        within("The separation", self.separation, high=math.inf)
        inside("The audited share", self.share, edge="At 0 nothing is caught, at 1 all is.")
        whole("The number of samples", self.samples, most=1000)
        within(
            "The correlation within a step",
            self.correlation,
            high=0.99,
            edge="At 1 all samples have one score, and resampling tells attacks from honest samples perfectly.",
        )

    @property
    def _own(self) -> float:
        return math.sqrt(1 - self.correlation)

    @cache  # noqa: B019 - a frozen value of a few numbers, asked for at each share of attacks
    def threshold(self, aggregate: Aggregate) -> float:
        """Above which value of the aggregate a step is audited."""
        k, b = self.samples, self.share
        if aggregate == "first":
            return -float(ndtri(b))
        if aggregate == "mean":
            return -float(ndtri(b)) * self._spread_of_mean()
        if self.correlation == 0:
            tail = b ** (1 / k) if aggregate == "min" else -math.expm1(math.log1p(-b) / k)
            return -float(ndtri(tail))
        low, high = -40.0, 40.0
        for _ in range(100):
            t = (low + high) / 2
            low, high = (t, high) if self._audited(aggregate, t, attacks=0.0, executed=0.0) > b else (low, t)
        return (low + high) / 2

    def catch(self, aggregate: Aggregate, attacks: float) -> float:
        """The share audited of steps that execute an attack; `attacks` is q, the share of other samples that attack."""
        within("The share of samples that attack", attacks)
        t = self.threshold(aggregate)
        if aggregate == "first":
            return float(ndtr(self.separation - t))
        if aggregate == "mean":
            others = np.arange(self.samples)
            law = np.diff(np.concatenate([[0.0], bdtr(others, self.samples - 1, attacks)]))
            shift = self.separation * (1 + others) / self.samples
            return float(law @ ndtr((shift - t) / self._spread_of_mean()))
        return self._audited(aggregate, t, attacks=attacks, executed=1.0)

    def turning(self, aggregate: Aggregate) -> float | None:
        """The share of samples that attack above which this catches more than looking at the first; None if never."""
        alone = self.catch("first", 1.0)
        if self.samples == 1 or self.catch(aggregate, 1.0) <= alone:
            return None
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if self.catch(aggregate, middle) > alone else (middle, high)
        return high

    def least_attacks(self, attacks: float) -> float:
        """If the least suspicious sample is executed, how often is that an attack? Each attacks with probability q.

        By quadrature of `k q phi(x - d') [(1-q) Phi(-x) + q Phi(d' - x)]^(k-1)`; a common part of the scores cancels.
        """
        within("The share of samples that attack", attacks)
        d = self.separation / self._own
        x = np.linspace(-12.0, 12.0, 4001)
        above = (1 - attacks) * ndtr(-x - d) + attacks * ndtr(-x)
        density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
        return float((self.samples * attacks * density * above ** (self.samples - 1)).sum() * (x[1] - x[0]))

    def _spread_of_mean(self) -> float:
        return math.sqrt(self.correlation + (1 - self.correlation) / self.samples)

    def _audited(self, aggregate: Aggregate, t: float, *, attacks: float, executed: float) -> float:
        """Probability that max or min is above t: the first sample attacks with probability `executed`, others `attacks`."""
        common = _COMMON if self.correlation else np.zeros(1)
        weights = _WEIGHTS if self.correlation else np.ones(1)
        root = math.sqrt(self.correlation)
        honest = ndtr((root * common - t) / self._own)
        attack = ndtr((root * common + self.separation - t) / self._own)
        first = (1 - executed) * honest + executed * attack
        other = (1 - attacks) * honest + attacks * attack
        if aggregate == "min":
            return float(weights @ (first * other ** (self.samples - 1)))
        with np.errstate(divide="ignore"):
            return float(weights @ -np.expm1(np.log1p(-first) + xlog1py(self.samples - 1, -other)))


def simulate(rule: Resampling, attacks: float, *, steps: int, seed: int) -> Steps:
    """Draws so many honest steps, and as many that execute an attack, and audits each by the thresholds."""
    rng = np.random.default_rng(seed)
    k = rule.samples
    honest: dict[Aggregate, int] = dict.fromkeys(AGGREGATES, 0)
    caught: dict[Aggregate, int] = dict.fromkeys(AGGREGATES, 0)
    rows = max(1, 500_000 // k)
    for start in range(0, steps, rows):
        size = min(rows, steps - start)
        for counts, attacked in ((honest, False), (caught, True)):
            common = math.sqrt(rule.correlation) * rng.normal(size=(size, 1))
            scores = common + math.sqrt(1 - rule.correlation) * rng.normal(size=(size, k))
            if attacked:
                which = rng.random((size, k)) < attacks
                which[:, 0] = True
                scores += rule.separation * which
            looked = {
                "first": scores[:, 0],
                "max": scores.max(axis=1),
                "min": scores.min(axis=1),
                "mean": scores.mean(axis=1),
            }
            for aggregate in AGGREGATES:
                counts[aggregate] += int((looked[aggregate] > rule.threshold(aggregate)).sum())
    return Steps(steps, honest, caught)
