"""What a map of a given spectral radius would look like, estimated from conversations like these: the test of a radius.

The spectral radius of least squares is pulled towards 0 in short series, upwards where several eigenvalues are alike, and has
no standard error to speak of near 1. So a radius r is tested by simulation: conversations from the same starts, of the same
lengths, with the same turns missing, are drawn from a map of that radius with the residuals of these, and the studentised
distance of the estimate from r is compared with theirs (Hansen 1999, Review of Economics and Statistics 81:594-607; the
studentising jackknife leaves out whole conversations).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.stats.drift.turns import Turns, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 200_000
"""Simulated turns to hold at a time."""


class Radius(NamedTuple):
    """A spectral radius and its jackknife standard error over conversations, scalars or (n_draws,)."""

    value: NDArray[np.float64]
    error: NDArray[np.float64]


def radius_of(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest modulus of the eigenvalues of matrices (..., k, k)."""
    k = matrix.shape[-1]
    if k == 1:
        return np.asarray(np.abs(matrix[..., 0, 0]))
    if k == 2:
        half = (matrix[..., 0, 0] + matrix[..., 1, 1]) / 2
        product = matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]
        inside = half**2 - product
        real = np.abs(half) + np.sqrt(np.maximum(inside, 0))
        return np.asarray(np.where(inside < 0, np.sqrt(np.maximum(product, 0)), real))
    return np.asarray(np.abs(np.linalg.eigvals(matrix)).max(axis=-1))


def jackknifed(points: NDArray[np.float64], paired: NDArray[np.bool_]) -> Radius:
    """The radius of least squares and its standard error, of conversations (..., n, n_turns, k)."""
    collected = sums(points, paired)
    value, apart = radius_of(collected.fitted()[..., 1:, :]), radius_of(collected.without_each()[..., 1:, :])
    n = apart.shape[-1]
    spread = ((apart - apart.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    return Radius(value, np.sqrt(spread * (n - 1) / n) + 1e-12)


@dataclass(frozen=True, eq=False)
class Resampler:
    """Simulated radii under maps of given radius; the same random numbers serve every radius.

    `picked` (n_draws, n, n_turns - 1) chooses which residual follows which turn.
    """

    turns: Turns
    picked: NDArray[np.int64]

    @classmethod
    def of(cls, turns: Turns, *, draws: int, seed: int) -> Resampler:
        """Settle the random numbers."""
        size = (draws, turns.n, turns.points.shape[1] - 1)
        return cls(turns, np.random.default_rng(seed).integers(0, turns.pairs, size))

    def conversations(self, matrix: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """Batches (n_some, n, n_turns, k) of conversations like these under x' = matrix x + b, with b and noise as they fit best."""
        turns = self.turns
        left = turns.after - turns.before @ matrix.T
        constant = left.mean(axis=0)
        residual = (left - constant) * np.sqrt(turns.pairs / (turns.pairs - 1))
        first = turns.present.argmax(axis=1)
        start = turns.points[np.arange(turns.n), first]
        step = max(1, BATCH // turns.points[..., 0].size)
        for begin in range(0, len(self.picked), step):
            picked = self.picked[begin : begin + step]
            path = np.empty((len(picked), *turns.points.shape))
            path[:, :, 0] = start
            for turn in range(1, path.shape[2]):
                onward = path[:, :, turn - 1] @ matrix.T + constant + residual[picked[:, :, turn - 1]]
                path[:, :, turn] = np.where((turn > first)[:, None], onward, start)
            yield path

    def radii(self, matrix: NDArray[np.float64]) -> Radius:
        """Estimates (n_draws,) from conversations under this map."""
        found = [jackknifed(path, self.turns.paired) for path in self.conversations(matrix)]
        return Radius(np.concatenate([one.value for one in found]), np.concatenate([one.error for one in found]))

    def share_below(self, observed: Radius, shape: NDArray[np.float64], radius: float) -> float:
        """How often an estimate under the map `radius * shape` lies as low, against its radius, as the observed one does.

        `shape` (k, k) is of spectral radius 1. The share is small where the radius is too high.
        """
        drawn = self.radii(radius * shape)
        mark = (observed.value - radius) / observed.error
        return float((1 + ((drawn.value - radius) / drawn.error <= mark).sum()) / (2 + len(drawn.value)))
