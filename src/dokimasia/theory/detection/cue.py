"""What a model can see of "this is no test": two laws of one cue, and how far they are apart.

`E` is the law of evaluation inputs and `D` that of deployment inputs, as the model sees them. All that matters for what it
can do is `ROC*`, by Neyman and Pearson: the largest share of deployment that any rule, randomised or not, picks out while
it picks out a share `u` of evaluation. Area, total variation and the hockey-stick curve are summaries of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.special import erf, erfcx, ndtr, ndtri

from dokimasia.core.errors import DataError
from dokimasia.stats import auroc
from dokimasia.theory.detection.domain import inside, whole, within

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Cue(Protocol):
    """How well two laws can be told apart: the best ROC curve, and three summaries of it."""

    def roc(self, rate: float) -> float:
        """`ROC*(rate)`: the share of deployment that the best rule picks out at this rate of evaluation."""
        ...

    def area(self) -> float:
        """The area under `ROC*`, in [0.5, 1]."""
        ...

    def total_variation(self) -> float:
        """The largest difference that a rule's two rates can have, in [0, 1]."""
        ...

    def hockey_stick(self, epsilon: float) -> float:
        """`delta(epsilon)`, the largest `D(A) - exp(epsilon) E(A)` over rules A, in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianCue:
    """One cue, normal with variance 1 in either setting, its mean higher by `shift` in deployment.

    >>> cue = GaussianCue(shift=1.0)
    >>> round(cue.area(), 3), round(cue.total_variation(), 3), round(cue.roc(0.003), 4)
    (0.76, 0.383, 0.0403)
    """

    shift: float

    def __post_init__(self) -> None:
        within(
            "The shift of the cue",
            self.shift,
            high=math.inf,
            edge="At 0 nothing is told apart; at infinity everything, and no clean evaluation says anything.",
        )

    def roc(self, rate: float) -> float:
        """`Phi(shift + Phi^-1(rate))`."""
        within("A rate", rate)
        return rate if self.shift == 0 else float(ndtr(self.shift + ndtri(rate)))

    def area(self) -> float:
        """`Phi(shift / sqrt 2)`."""
        return float(ndtr(self.shift / math.sqrt(2)))

    def total_variation(self) -> float:
        """`2 Phi(shift / 2) - 1`."""
        return float(erf(self.shift / math.sqrt(8)))

    def hockey_stick(self, epsilon: float) -> float:
        """`Phi(shift/2 - epsilon/shift) - exp(epsilon) Phi(-shift/2 - epsilon/shift)`.

        In the upper tail the two terms nearly cancel. Both have the same density, so their difference is that density
        times the difference of two Mills ratios, which does not.
        """
        if self.shift == 0:
            return max(0.0, -math.expm1(epsilon))
        a, b = self.shift / 2 - epsilon / self.shift, -self.shift / 2 - epsilon / self.shift
        if a > 0:
            return float(ndtr(a)) - (math.exp(epsilon) * float(ndtr(b)) if b > -38 else 0.0)
        ratios = erfcx(-a / math.sqrt(2)) - erfcx(-b / math.sqrt(2))
        return float(math.exp(-a * a / 2) * ratios / 2)


@dataclass(frozen=True, eq=False, kw_only=True)
class FiniteCue:
    """A cue of finitely many values: their probabilities in evaluation and in deployment, both (n_values,).

    >>> cue = FiniteCue(evaluation=np.array([0.5, 0.5, 0.0]), deployment=np.array([0.25, 0.25, 0.5]))
    >>> cue.roc(0.0), cue.total_variation(), cue.area()
    (0.5, 0.5, 0.75)
    """

    evaluation: NDArray[np.float64]
    deployment: NDArray[np.float64]

    def __post_init__(self) -> None:
        for law in (self.evaluation, self.deployment):
            if law.ndim != 1 or len(law) != len(self.evaluation) or (law < 0).any() or abs(law.sum() - 1) > 1e-9:
                raise DataError(
                    "Two laws on the same values, each of probabilities that sum to 1, are expected.",
                    f"Found sums {self.evaluation.sum():g} and {self.deployment.sum():g}.",
                    "Divide counts by their sum.",
                )

    def corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The curve's corners, rates ascending from (0, 0): values in the order of their likelihood ratio."""
        order = np.argsort(-np.arctan2(self.deployment, self.evaluation), kind="stable")
        return (
            np.concatenate([[0.0], np.cumsum(self.evaluation[order])]),
            np.concatenate([[0.0], np.cumsum(self.deployment[order])]),
        )

    def roc(self, rate: float) -> float:
        """The height of the polygon through the corners."""
        within("A rate", rate)
        x, y = self.corners()
        right = min(int(np.searchsorted(x, rate, side="right")), len(x) - 1)
        if x[right] <= rate:
            return float(y[right])
        left = right - 1
        return float(y[left] + (y[right] - y[left]) * (rate - x[left]) / (x[right] - x[left]))

    def area(self) -> float:
        """By trapezia."""
        x, y = self.corners()
        return float(np.diff(x) @ (y[1:] + y[:-1]) / 2)

    def total_variation(self) -> float:
        """Half of the sum of absolute differences."""
        return float(np.abs(self.deployment - self.evaluation).sum() / 2)

    def hockey_stick(self, epsilon: float) -> float:
        """The sum of what deployment has beyond `exp(epsilon)` times evaluation."""
        return float(np.maximum(self.deployment - math.exp(epsilon) * self.evaluation, 0).sum())


def variation_at_least(area: float) -> float:
    """From the AUROC of *any* score: total variation is at least `1 - sqrt(2 (1 - AUROC))`, in [0, 1].

    An AUROC below one half speaks as loudly as its mirror image. It is no upper bound: a score that sees little has an
    AUROC of one half between laws that nothing is common to.

    >>> [round(variation_at_least(area), 3) for area in (0.83, 0.92, 0.95, 0.996)]
    [0.417, 0.6, 0.684, 0.911]
    """
    within("An AUROC", area)
    return max(0.0, 1 - math.sqrt(2 * min(area, 1 - area)))


def variation_at_most(best_area: float) -> float:
    """From the area under `ROC*` itself: total variation is at most `2 AUROC* - 1`. Of another score's area: nothing."""
    within("The area under the best curve", best_area, low=0.5, edge="The best curve is never below the diagonal.")
    return 2 * best_area - 1


def best_relaxation(cue: GaussianCue, rate: float) -> tuple[float, float]:
    """The epsilon, in nats, at which `exp(epsilon) rate + delta(epsilon)` is least, and that least value, `ROC*(rate)`.

    It is the log of the curve's slope at this rate. Below 0 where the slope is: with `epsilon >= 0` alone the bound would
    be loose for rates above `Phi(-shift/2)`.
    """
    inside("A rate", rate, edge="At 0 and 1 the bound is the rate itself.")
    epsilon = -cue.shift * float(ndtri(rate)) - cue.shift**2 / 2
    return epsilon, math.exp(epsilon) * rate + cue.hockey_stick(epsilon)


def uniform_slack(dimension: int, samples: int, delta: float = 0.05) -> float:
    """How far may a difference of two rates be off, over *all* half-spaces at once, with `samples` inputs of either kind?

    `2 sqrt(8/n (d ln(2 e n / d) + ln(8 / delta)))` with `d = dimension + 1`: the price of an upper bound that holds for
    each policy that is a half-space of the cue. At most 1, which says nothing.

    >>> round(uniform_slack(256, 10_000_000), 2), round(uniform_slack(16, 100_000), 2)
    (0.1, 0.24)

    Vapnik and Chervonenkis (1971), Theory of Probability and its Applications 16:264-280; Ben-David and others (2010),
    Machine Learning 79:151-175.
    """
    capacity = whole("The dimension", dimension) + 1
    if samples < capacity:
        return 1.0
    spread = capacity * math.log(2 * math.e * samples / capacity) + math.log(8 / delta)
    return min(1.0, 2 * math.sqrt(8 / samples * spread))


def parity_areas(bits: int, *, cases: int, seed: int) -> tuple[float, float]:
    """How well do two scores tell even parity from odd, in fresh random bits: the best linear one, and parity itself?

    Two laws on `bits` bits, evaluation even and deployment odd: their total variation is 1, and with an even number of
    bits the AUROC of *every* linear score is exactly one half, since turning over all bits keeps the parity and mirrors
    the score. Returns AUROCs on `cases` held-out strings of either kind, of least squares fitted on as many and of parity.
    """
    rng = np.random.default_rng(seed)

    def strings(odd: int) -> NDArray[np.float64]:
        drawn = rng.integers(0, 2, (cases, bits))
        drawn[:, 0] ^= (drawn.sum(axis=1) + odd) % 2
        return drawn.astype(float)

    even, odd = strings(0), strings(1)
    design = np.column_stack([np.ones(2 * cases), np.concatenate([even, odd])])
    weights = np.linalg.lstsq(design, np.repeat([0.0, 1.0], cases), rcond=None)[0][1:]
    fresh_even, fresh_odd = strings(0), strings(1)
    linear = auroc(fresh_even @ weights, fresh_odd @ weights)
    parity = auroc(fresh_even.sum(axis=1) % 2, fresh_odd.sum(axis=1) % 2)
    return linear.value, parity.value
