"""A probe that reads a reply while it is written: which windows it reads, and what its threshold is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError, PooledActivations
from dokimasia.instruments.common.probes import Probe, Site

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOL = "window"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """On how many messages it tripped, with the two-sided interval at this level, and the digest of the messages."""

    tripped: int
    n: int
    low: float
    high: float
    level: float
    data: str

    def __post_init__(self) -> None:
        if not (0 <= self.tripped <= self.n and self.n and 0 <= self.low <= self.high <= 1 and 0 < self.level < 1):
            raise DataError("A rate lies in its interval, between 0 and 1.", f"Found {self}.", "Measure it again.")

    def __str__(self) -> str:
        return f"{self.tripped} of {self.n} ({self.low:.1%} to {self.high:.1%})"


@dataclass(frozen=True, kw_only=True, eq=False)
class StreamReading:
    """Does a reply read like the forbidden statements from inside?

    Read is the mean over the last `window` pieces of a message (of each piece, the mean over its tokens), as soon as there
    are so many, and the whole of a message that has fewer. It trips above the probe's own threshold, which was set for a
    rate of `aimed` on the messages with the digest `threshold_data`. `false_alarms` and `caught` are of
    messages that neither the probe nor the threshold had seen.
    """

    probe: Probe
    window: int
    aimed: float
    threshold_data: str
    false_alarms: Rate
    caught: Rate

    def __post_init__(self) -> None:
        weights, scale = self.probe.reading.weights, self.probe.scale
        dead = None
        if not all(map(isfinite, (scale.threshold, scale.centre, scale.spread, self.probe.reading.bias))):
            dead = f"the threshold {scale.threshold} on a scale from {scale.centre} by {scale.spread}"
        elif not np.isfinite(weights).all() or not weights.any():
            dead = "weights that are all 0, or no finite numbers"
        elif not self.caught.tripped:
            dead = f"one that caught {self.caught} statements"
        if dead is not None:
            raise DataError(
                "A probe that can trip is expected.", f"Found {dead}.", "Fit it again, or use the matcher alone."
            )
        if self.window < 1 or not 0 < self.aimed < 1 or self.probe.site.pools != (POOL,):
            raise DataError(
                f"A window of a piece at least, a rate between 0 and 1, and a probe of the pool `{POOL}` are expected.",
                f"Found {self.window}, {self.aimed} and {', '.join(self.probe.site.pools)}.",
                "Fit the probe with `fit_tripwire`.",
            )

    @property
    def threshold(self) -> float:
        """What a score must exceed."""
        return self.probe.scale.threshold

    def scores(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores (n_windows,) of windows (n_windows, d_model), in spreads; NaN where a number is not finite."""
        return self.probe.score(at_site(windows, self.probe.site))


def at_site(windows: NDArray[np.float32], site: Site) -> PooledActivations:
    """Windows (n_windows, d_model) of one layer, as a probe takes them."""
    return PooledActivations(values=windows[:, None, None, :], layers=(site.layer,), pools=(POOL,), truncated=0)


def windows_of(states: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Means (n_windows, ...) over so many neighbouring pieces of a message (n_pieces, ...); over all if there are fewer.

    >>> windows_of(np.array([[1.0], [2.0], [6.0]], np.float32), 2).tolist()
    [[1.5], [4.0]]
    """
    size = min(window, len(states))
    if not size:
        return states
    return np.stack([mean_of(states[end - size : end]) for end in range(size, len(states) + 1)])


def mean_of(states: NDArray[np.float32] | Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The mean of pieces, or of a piece's tokens, rounded in one way everywhere."""
    return np.asarray(np.mean(np.asarray(states), axis=0, dtype=np.float64), np.float32)
