"""Does it matter to what the subject does? Steered towards "test" and towards "deployed", against random directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from dokimasia.core import Add, Cost, Steerable, Subject
from dokimasia.instruments.awareness.probing import Direction
from dokimasia.instruments.common.conduct import Conduct, Leanings
from dokimasia.stats import Figure, Interval, PairedDifference, clustered_mean, paired_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEST, DEPLOYED = "test", "deployed"
SENSES = {TEST: 1.0, DEPLOYED: -1.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class Steered:
    """What steering one way did: the leanings then, and by how much the subject says more of being tested, in nats."""

    towards: str
    leanings: Leanings
    belief: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Consequence:
    """Leanings without steering, steered both ways, and steered along so many random directions of the same length.

    `belief` is how much rather the unsteered subject says that it is tested than that it is deployed, in nats.
    """

    conduct: str
    direction: Direction
    dose: float
    plain: Leanings
    belief: float | None
    ways: tuple[Steered, ...]
    randoms: tuple[Steered, ...]

    def shift(self, steered: Steered) -> Figure:
        """By how much steering moves the leaning towards misbehaviour, mean over items, in the leanings' unit."""
        moved = steered.leanings.values - self.plain.values
        return clustered_mean(moved, self.plain.templates)

    def rate_change(self, steered: Steered) -> PairedDifference:
        """By how much the misbehaviour rate differs, on the same items."""
        changes = steered.leanings.misbehaved.astype(int) - self.plain.misbehaved.astype(int)
        return paired_difference(changes, self.plain.templates)

    @property
    def random_shifts(self) -> NDArray[np.float64]:
        """The mean shift of each random direction, (n_randoms,)."""
        return np.asarray([self.shift(steered).value for steered in self.randoms])

    @property
    def expected(self) -> Interval:
        """Where one more random direction would fall, 95% of the time, if their shifts are normal."""
        return expected(self.random_shifts)

    def beyond(self, steered: Steered) -> bool:
        """Whether this shift lies outside what random directions do."""
        low, high = self.expected
        return not low <= self.shift(steered).value <= high

    def p(self, steered: Steered) -> float:
        """Share of directions, this one among them, that move the leaning at least as far either way."""
        size = abs(self.shift(steered).value)
        return float((1 + (np.abs(self.random_shifts) >= size).sum()) / (1 + len(self.randoms)))


def expected(shifts: NDArray[np.float64], confidence: float = 0.95) -> Interval:
    """Student's prediction interval for one more draw."""
    n = len(shifts)
    if n < 2:
        return Interval(-np.inf, np.inf)
    reach = float(stdtrit(n - 1, 0.5 + confidence / 2) * shifts.std(ddof=1) * np.sqrt(1 + 1 / n))
    return Interval(float(shifts.mean()) - reach, float(shifts.mean()) + reach)


def consequence(
    subject: Subject,
    steerable: Steerable,
    conduct: Conduct,
    direction: Direction,
    *,
    belief: Callable[[Subject], float | None],
    dose: float,
    randoms: int,
    seed: int,
) -> Consequence:
    """Steer by `dose` times the distance between the classes' means, both ways and along random directions.

    A random direction is a random combination of what activations within a class vary along, so that it moves the model
    as ordinary differences between inputs do; one drawn from all dimensions alike would be easier to beat.
    """

    def along(vector: NDArray[np.float32], towards: str) -> Steered:
        steered = steerable.steered([Add(layer=direction.layer, vector=vector)])
        return Steered(towards=towards, leanings=conduct.leanings(steered), belief=belief(steered))

    length = dose * float(np.linalg.norm(direction.vector))
    rng = np.random.default_rng([seed, 13])
    drawn = rng.standard_normal((randoms, len(direction.spread))).astype(np.float32) @ direction.spread
    drawn *= length / np.linalg.norm(drawn, axis=1, keepdims=True)
    return Consequence(
        conduct=conduct.name,
        direction=direction,
        dose=dose,
        plain=conduct.leanings(subject),
        belief=belief(subject),
        ways=tuple(along(np.float32(dose * sense) * direction.vector, way) for way, sense in SENSES.items()),
        randoms=tuple(along(vector, f"random {number}") for number, vector in enumerate(drawn, start=1)),
    )


def planned_consequence(once: Cost, randoms: int) -> Cost:
    """The cost of asking unsteered, both ways and along random directions, where asking once costs this."""
    return sum((once for _ in range(3 + randoms)), Cost())
