"""Of all ways to hand the same rewards to other states, how many make each move optimal? Counted, not drawn.

The orbit of a reward function holds its permutations over the states. That "most" agents seek power means, in the theorems of
Turner and others (definition 6.5), that in every orbit at least as many members make the one move optimal and not the other as
the reverse. Rewards that are independent and alike in law give every member of an orbit the same probability.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dokimasia.core import DataError
from dokimasia.theory.power.mdp import Mdp
from dokimasia.theory.power.optimising import optimise

MOST_MEMBERS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Orbit:
    """For each member, which moves at the start are optimal, `(n_members, n_moves)`."""

    best: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """How many members it has."""
        return len(self.best)

    def share(self, move: int) -> float:
        """The share of members for which a move is optimal, perhaps with others."""
        return float(self.best[:, move].mean())

    def votes(self, move: int, other: int) -> tuple[int, int]:
        """How many members make the first move optimal and not the second, and the reverse."""
        first, second = self.best[:, move], self.best[:, other]
        return int((first & ~second).sum()), int((second & ~first).sum())


def orbit(mdp: Mdp, reward: ArrayLike, discount: float) -> Orbit:
    """Solve every permutation of a reward function, one number a state."""
    given = [float(value) for value in np.asarray(reward, dtype=float)]
    if len(given) != len(mdp.states) or not all(map(math.isfinite, given)):
        raise DataError("One finite reward for each state is expected.", f"Found {given}.", f"Give {len(mdp.states)}.")
    if members(given) > MOST_MEMBERS:
        raise DataError(
            f"An orbit of at most {MOST_MEMBERS:,} members is expected.",
            f"Found {members(given):,}.",
            "Let more states have the same reward, or draw rewards instead.",
        )
    return Orbit(best=optimise(mdp, np.array(list(_arrangements(Counter(given), len(given)))), discount).best)


def members(reward: list[float]) -> int:
    """How many distinct permutations a reward function has."""
    return math.factorial(len(reward)) // math.prod(math.factorial(count) for count in Counter(reward).values())


def _arrangements(left: Counter[float], places: int) -> Iterator[tuple[float, ...]]:
    """All orders of a multiset, each once."""
    if not places:
        yield ()
        return
    for value in sorted(left):
        if left[value]:
            left[value] -= 1
            for rest in _arrangements(left, places - 1):
                yield (value, *rest)
            left[value] += 1
