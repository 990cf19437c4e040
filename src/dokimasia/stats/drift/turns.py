"""Trajectories as one array, and sums over their pairs of consecutive turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_COORDINATES = 3


@dataclass(frozen=True, eq=False)
class Turns:
    """Several conversations: `points` (n_conversations, n_turns, k), NaN where a turn is missing or beyond the end.

    `missing` counts the missing turns, `unpaired` the conversations without two turns in a row, which say nothing of what
    follows what and are left out.
    """

    points: NDArray[np.float64]
    missing: int
    unpaired: int

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which turns there are, (n_conversations, n_turns)."""
        return np.asarray(~np.isnan(self.points).any(axis=2))

    @cached_property
    def paired(self) -> NDArray[np.bool_]:
        """Which turns are followed by one that is there too, (n_conversations, n_turns - 1)."""
        return np.asarray(self.present[:, :-1] & self.present[:, 1:])

    @property
    def k(self) -> int:
        """Coordinates of a turn."""
        return int(self.points.shape[2])

    @property
    def n(self) -> int:
        """Conversations with at least one pair."""
        return len(self.points)

    @property
    def pairs(self) -> int:
        """Pairs of consecutive turns."""
        return int(self.paired.sum())

    @cached_property
    def before(self) -> NDArray[np.float64]:
        """The earlier turn of each pair, (n_pairs, k)."""
        return np.asarray(self.points[:, :-1][self.paired])

    @cached_property
    def after(self) -> NDArray[np.float64]:
        """The later turn of each pair, (n_pairs, k)."""
        return np.asarray(self.points[:, 1:][self.paired])

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """The number of the conversation of each pair, (n_pairs,)."""
        return np.asarray(np.nonzero(self.paired)[0])

    @cached_property
    def visited(self) -> NDArray[np.float64]:
        """All turns that there are, (n, k)."""
        return np.asarray(self.points[self.present])


def gathered(trajectories: Sequence[ArrayLike]) -> Turns:
    """Lay out conversations of shape (n_turns, k) or, with one coordinate, (n_turns,)."""
    arrays = [np.asarray(one, dtype=float) for one in trajectories]
    arrays = [one[:, None] if one.ndim == 1 else one for one in arrays]
    shapes = {one.shape[1:] for one in arrays}
    if len(shapes) > 1 or any(len(shape) != 1 or not 1 <= shape[0] <= MOST_COORDINATES for shape in shapes):
        raise DataError(
            f"Trajectories of axes (n_turns, k) are expected, with the same k from 1 to {MOST_COORDINATES}.",
            f"Found the shapes {sorted({one.shape for one in arrays})}.",
            "Keep the first coordinates only.",
        )
    if any(np.isinf(one).any() for one in arrays):
        raise DataError("Finite coordinates are expected.", "Found an infinite one.", "Mark missing turns by NaN.")
    k = shapes.pop()[0] if shapes else 1
    longest = max((len(one) for one in arrays), default=0)
    points = np.full((len(arrays), longest, k), np.nan)
    for place, one in enumerate(arrays):
        points[place, : len(one)] = np.where(np.isnan(one).any(axis=1, keepdims=True), np.nan, one)
    missing = sum(int(np.isnan(one).any(axis=1).sum()) for one in arrays)
    there = ~np.isnan(points).any(axis=2)
    kept = (there[:, :-1] & there[:, 1:]).any(axis=1) if longest > 1 else np.zeros(len(arrays), bool)
    return Turns(points[kept], missing, int((~kept).sum()))


class Sums(NamedTuple):
    """Cross-products of each conversation's pairs: `square` (..., n, k + 1, k + 1) of (1, x), `cross` (..., n, k + 1, k)."""

    square: NDArray[np.float64]
    cross: NDArray[np.float64]

    def fitted(self) -> NDArray[np.float64]:
        """Least squares over all conversations, (..., k + 1, k): the constant, then the transposed matrix."""
        return np.asarray(np.linalg.solve(self.square.sum(axis=-3), self.cross.sum(axis=-3)))

    def without_each(self) -> NDArray[np.float64]:
        """The same with each conversation left out in turn, (..., n, k + 1, k)."""
        square = self.square.sum(axis=-3, keepdims=True) - self.square
        cross = self.cross.sum(axis=-3, keepdims=True) - self.cross
        return np.asarray(np.linalg.solve(square, cross))


def sums(points: NDArray[np.float64], paired: NDArray[np.bool_]) -> Sums:
    """Cross-products of `points` (..., n, n_turns, k) over the pairs."""
    weight = paired[..., None]
    x = np.where(weight, points[..., :-1, :], 0.0)
    y = np.where(weight, points[..., 1:, :], 0.0)
    z = np.concatenate([np.broadcast_to(weight, (*x.shape[:-1], 1)).astype(float), x], axis=-1)
    turned = np.swapaxes(z, -1, -2)
    return Sums(turned @ z, turned @ y)
