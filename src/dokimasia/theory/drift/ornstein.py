"""Drift towards one place: the Ornstein-Uhlenbeck process, seen once a turn, in closed form and simulated exactly.

    dX = -theta (X - centre) dt + noise dW,    X(t + 1) = centre + A (X(t) - centre) + e,    A = exp(-theta)

The stationary covariance S solves `theta S + S theta' = noise noise'`, and the noise of a turn has covariance `S - A S A'`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import expm, solve_continuous_lyapunov

from dokimasia.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Ornstein:
    """An Ornstein-Uhlenbeck process in k dimensions, with turns as the unit of time.

    `theta` (k, k) has eigenvalues with positive real parts; `noise` (k, k) is what the Wiener process is multiplied with;
    `centre` (k,) is the attractor. Numbers stand for multiples of the identity.

    >>> drift = Ornstein(theta=math.log(2) / 3, noise=0.2)
    >>> round(drift.half_life, 6), round(drift.radius, 4)
    (3.0, 0.7937)
    """

    theta: ArrayLike
    noise: ArrayLike = 1.0
    centre: ArrayLike = (0.0,)

    def __post_init__(self) -> None:
        if np.linalg.eigvals(self._square(self.theta)).real.min() <= 0:
            raise DataError(
                "A drift whose eigenvalues have positive real parts is expected.",
                "Found one that does not return.",
                "Simulate a random walk instead.",
            )

    @property
    def k(self) -> int:
        """Coordinates."""
        return len(np.atleast_1d(np.asarray(self.centre, float)))

    @cached_property
    def map(self) -> NDArray[np.float64]:
        """A = exp(-theta), (k, k)."""
        return np.asarray(expm(-self._square(self.theta)), np.float64)

    @cached_property
    def stationary(self) -> NDArray[np.float64]:
        """Covariance of turns long after the start, (k, k)."""
        noise = self._square(self.noise)
        return np.asarray(solve_continuous_lyapunov(self._square(self.theta), noise @ noise.T), np.float64)

    @property
    def turn_noise(self) -> NDArray[np.float64]:
        """Covariance of what a turn adds, (k, k)."""
        return np.asarray(self.stationary - self.map @ self.stationary @ self.map.T)

    @property
    def radius(self) -> float:
        """Spectral radius of A: `exp(-t)` for t the smallest real part of theta's eigenvalues."""
        return math.exp(-float(np.linalg.eigvals(self._square(self.theta)).real.min()))

    @property
    def half_life(self) -> float:
        """Turns after which half of a displacement is left, in the direction that returns most slowly."""
        return math.log(0.5) / math.log(self.radius)

    def simulate(
        self, conversations: int, turns: int, *, start: ArrayLike | None = None, seed: int
    ) -> list[NDArray[np.float64]]:
        """Conversations of axes (n_turns, k), begun at `start` ((k,) or (n_conversations, k)), or anywhere (None: stationary)."""
        rng = np.random.default_rng(seed)
        centre, size = np.atleast_1d(np.asarray(self.centre, float)), (conversations, self.k)
        away = rng.standard_normal(size) @ np.linalg.cholesky(self.stationary).T
        if start is not None:
            away = np.broadcast_to(np.asarray(start, float) - centre, size)
        factor = np.linalg.cholesky(self.turn_noise).T
        path = [away]
        for _ in range(turns - 1):
            path.append(path[-1] @ self.map.T + rng.standard_normal(size) @ factor)
        return list(np.stack(path, axis=1) + centre)

    def _square(self, value: ArrayLike) -> NDArray[np.float64]:
        given = np.asarray(value, float)
        return given if given.ndim == 2 else given * np.eye(self.k)


def random_walk(conversations: int, turns: int, *, k: int = 1, seed: int) -> list[NDArray[np.float64]]:
    """Conversations that carry on from wherever they are, with steps of unit variance: nothing attracts."""
    steps = np.random.default_rng(seed).standard_normal((conversations, turns, k))
    return list(np.cumsum(steps, axis=1))


def permuted(trajectories: list[NDArray[np.float64]], *, seed: int) -> list[NDArray[np.float64]]:
    """The same conversations with the turns of each in random order: what was visited stays, what follows what is gone."""
    rng = np.random.default_rng(seed)
    return [one[rng.permutation(len(one))] for one in trajectories]
