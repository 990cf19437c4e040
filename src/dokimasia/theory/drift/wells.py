"""Drift towards either of two places, with the truth that is planted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class DoubleWell:
    """`x' = x + pull x (1 - x^2 / width^2) + e` along the first coordinate: attractors at `-width` and `width`, a divide at 0.

    Other coordinates return to 0 by the factor `1 - 2 pull`, as the first does near its attractors. The noise of a turn has
    standard deviation `noise` in each.
    """

    pull: float = 0.3
    width: float = 1.0
    noise: float = 0.2
    k: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.pull < 1:
            raise DataError(
                "A pull between 0 and 1 is expected.",
                f"Found {self.pull:g}.",
                "A stronger one overshoots its attractors.",
            )

    @property
    def attractors(self) -> NDArray[np.float64]:
        """The stable fixed points, (2, k)."""
        return np.outer([-self.width, self.width], np.eye(self.k)[0])

    @property
    def divide(self) -> NDArray[np.float64]:
        """The fixed point between them, unstable, (k,)."""
        return np.zeros(self.k)

    @property
    def radius(self) -> float:
        """Spectral radius of the map near either attractor."""
        return abs(1 - 2 * self.pull)

    @property
    def half_life(self) -> float:
        """Turns after which half of a small displacement from an attractor is left; 0 where none is."""
        return 0.0 if self.radius == 0 else math.log(0.5) / math.log(self.radius)

    def simulate(self, conversations: int, turns: int, *, seed: int) -> list[NDArray[np.float64]]:
        """Conversations of axes (n_turns, k), begun evenly over one and a half widths to either side."""
        rng = np.random.default_rng(seed)
        here = rng.uniform(-1.5 * self.width, 1.5 * self.width, (conversations, self.k))
        path = [here]
        for _ in range(turns - 1):
            first = here[:, :1] * (1 + self.pull * (1 - (here[:, :1] / self.width) ** 2))
            here = np.hstack([first, here[:, 1:] * (1 - 2 * self.pull)])
            here = here + self.noise * rng.standard_normal(here.shape)
            path.append(here)
        return list(np.stack(path, axis=1))
