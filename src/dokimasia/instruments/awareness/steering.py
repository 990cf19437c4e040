"""Does it matter to what the subject does? Steered towards "test" and towards "deployed", against random directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from dokimasia.core import Add, Cost, DataError, Steerable, Subject
from dokimasia.core.rounding import counted
from dokimasia.instruments.awareness.probing import Direction
from dokimasia.instruments.common.conduct import Conduct, Leanings
from dokimasia.stats import Figure, Interval, clustered_mean, paired_difference

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

    def rate_change(self, steered: Steered) -> Figure:
        """By how much the share of items that count as misbehaviour differs, on the same items.

        An item that is not settled could be either: it counts each way in the interval.
        """
        before, after = self.plain, steered.leanings
        done, least, most = (
            paired_difference(later.astype(int) - earlier.astype(int), before.templates)
            for later, earlier in (
                (after.misbehaved, before.misbehaved),
                (after.misbehaved, before.misbehaved | ~before.settled),
                (after.misbehaved | ~after.settled, before.misbehaved),
            )
        )
        return Figure(done.value, least.interval.low, most.interval.high)

    @property
    def random_shifts(self) -> NDArray[np.float64]:
        """The mean shift of each random direction, (n_randoms,)."""
        return np.asarray([self.shift(steered).value for steered in self.randoms])

    @property
    def expected(self) -> Interval:
        """Where as many more random directions as there are ways would all fall, 95% of the time, if their shifts are normal."""
        return expected(self.random_shifts, 1 - 0.05 / len(self.ways))

    def beyond(self, steered: Steered) -> bool:
        """Whether this shift lies outside what random directions do."""
        low, high = self.expected
        return not low <= self.shift(steered).value <= high

    @property
    def reaches(self) -> bool | None:
        """Whether steering towards the test makes it say *test* more than steering the other way; None if it cannot say."""
        believed = {way.towards: way.belief for way in self.ways}
        test, deployed = believed[TEST], believed[DEPLOYED]
        return None if test is None or deployed is None else test > deployed

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
    as ordinary differences between inputs do; one drawn from all dimensions alike would be easier to beat. Raises if some
    leaning is no number: without its worst items a shift would say nothing.
    """

    def along(vector: NDArray[np.float32], towards: str) -> Steered:
        steered = steerable.steered([Add(layer=direction.layer, vector=vector)])
        return Steered(towards=towards, leanings=_readable(conduct.leanings(steered), towards), belief=belief(steered))

    length = dose * float(np.linalg.norm(direction.vector))
    rng = np.random.default_rng([seed, 13])
    drawn = rng.standard_normal((randoms, len(direction.spread))).astype(np.float32) @ direction.spread
    norms = np.linalg.norm(drawn, axis=1, keepdims=True)
    if not length > 0 or not norms.all():
        raise DataError(
            "Activations that differ between tests and deployment, and within each of them, are expected.",
            f"Found none that do after layer {direction.layer}.",
            "Look at the transcripts: the model reads them all alike.",
        )
    drawn *= length / norms
    return Consequence(
        conduct=conduct.name,
        direction=direction,
        dose=dose,
        plain=_readable(conduct.leanings(subject), "nothing"),
        belief=belief(subject),
        ways=tuple(along(np.float32(dose * sense) * direction.vector, way) for way, sense in SENSES.items()),
        randoms=tuple(along(vector, f"random {number}") for number, vector in enumerate(drawn, start=1)),
    )


def _readable(leanings: Leanings, towards: str) -> Leanings:
    if not len(leanings.values):
        raise DataError("At least one item that may be answered badly is expected.", "Found none.", "Give items.")
    broken = int((~np.isfinite(leanings.values)).sum())
    if broken:
        raise DataError(
            "The leaning on each item is expected to be a number.",
            f"Found {counted(broken, 'item')} of {len(leanings.values)} without one, steered towards {towards}.",
            "Steer by a smaller dose.",
        )
    return leanings


def planned_consequence(once: Cost, randoms: int) -> Cost:
    """The cost of asking unsteered, both ways and along random directions, where asking once costs this."""
    return sum((once for _ in range(3 + randoms)), Cost())
