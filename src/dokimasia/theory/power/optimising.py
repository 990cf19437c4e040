"""What is optimal, for many reward functions at once: Howard's policy iteration, vectorised over rewards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokimasia.core import DataError
from dokimasia.theory.power.mdp import Array, Mdp
from dokimasia.theory.power.rewards import Rewards
from dokimasia.theory.power.visits import fraction

BLOCK = 1 << 21
"""Numbers in a block's matrices: what is simulated at once fits into 16 MB."""
TIE = 1e-9
MOST_ROUNDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Optima:
    """For each reward function: the optimal value of each state, `(n, n_states)`, and which moves at the start are optimal,
    `(n, n_moves)`.
    """

    values: Array
    best: NDArray[np.bool_]


def optimise(mdp: Mdp, rewards: Array, discount: float) -> Optima:
    """Optimal values and moves for reward functions `(n, n_states)`. Moves tie within a billionth of the value's size."""
    fraction("a discount", discount)
    size = max(1, BLOCK // len(mdp.states) ** 2)
    parts = [_block(mdp, rewards[at : at + size], discount) for at in range(0, len(rewards), size)]
    return Optima(
        values=np.concatenate([part.values for part in parts]), best=np.concatenate([part.best for part in parts])
    )


def _block(mdp: Mdp, rewards: Array, discount: float) -> Optima:
    n, states = rewards.shape
    policy = np.broadcast_to(mdp.firsts, (n, states)).copy()
    slack = TIE * (np.abs(rewards).max(axis=1, keepdims=True) + 1e-300) / (1.0 - discount)
    for _ in range(MOST_ROUNDS):
        chain: Array = np.eye(states) - discount * mdp.kernel[policy]
        values = np.asarray(np.linalg.solve(chain, rewards[:, :, None])[:, :, 0], dtype=float)
        worth = rewards[:, mdp.owners] + discount * values @ mdp.kernel.T
        top = np.maximum.reduceat(worth, mdp.firsts, axis=1)
        better = top > values + slack
        if not better.any():
            start = slice(mdp.firsts[mdp.start], mdp.firsts[mdp.start] + len(mdp.moves[mdp.start]))
            return Optima(values=values, best=worth[:, start] >= top[:, [mdp.start]] - slack)
        first = worth >= top[:, mdp.owners] - slack / 2.0
        rank = np.where(first, np.arange(len(mdp.owners)), len(mdp.owners))
        policy = np.where(better, np.minimum.reduceat(rank, mdp.firsts, axis=1), policy)
    raise DataError("Rewards of like size are expected.", "Policy iteration did not settle.", "Use a smaller discount.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """Of `n` reward functions, how many make each move at the start optimal, and how many make only it optimal; the POWER of
    each state with its standard error.
    """

    n: int
    optimal: tuple[int, ...]
    alone: tuple[int, ...]
    power: Array
    error: Array


def simulate(mdp: Mdp, rewards: Rewards, discount: float, *, n: int, seed: int) -> Simulated:
    """Draw reward functions and solve each."""
    drawn = rewards.draw(mdp, n, np.random.default_rng(seed))
    found = optimise(mdp, drawn, discount)
    powers = (1.0 - discount) / discount * (found.values - drawn)
    alone = found.best & (found.best.sum(axis=1, keepdims=True) == 1)
    return Simulated(
        n=n,
        optimal=tuple(int(count) for count in found.best.sum(axis=0)),
        alone=tuple(int(count) for count in alone.sum(axis=0)),
        power=powers.mean(axis=0),
        error=powers.std(axis=0, ddof=1) / np.sqrt(n),
    )
