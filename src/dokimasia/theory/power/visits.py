"""What an agent can choose between: how often it visits each state, policy by policy.

A policy's visit distribution from state `s` at discount `gamma` is `f = sum over t of gamma^t P(state at t)`, one number
a state, and its value is `f . r`: a choice between policies is a choice between vectors. As `gamma` goes to 1,
`(1 - gamma) f` tends to a recurrent state distribution, the share of time spent at each state in the long run. Turner
and others (arXiv 1912.01683), definitions 3.3 and 6.10.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dokimasia.core import DataError
from dokimasia.theory.power.mdp import Array, Mdp, Move

MOST_POLICIES = 5000
DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Distinct vectors, `(n_vectors, n_states)`, and for each the moves at the first state that lead to it."""

    vectors: Array
    moves: tuple[frozenset[int], ...]


def discounted(mdp: Mdp, state: int, discount: float) -> Choices:
    """Every visit distribution from a state."""
    fraction("a discount", discount)
    rows = []
    for choice, matrix in _policies(mdp, state):
        chain: Array = np.eye(len(matrix)) - discount * matrix.T
        rows.append((choice, np.linalg.solve(chain, np.eye(len(matrix))[state])))
    return _distinct(rows)


def recurrent(mdp: Mdp, state: int) -> Choices:
    """Every recurrent state distribution from a state."""
    return _distinct([(choice, long_run(matrix)[state]) for choice, matrix in _policies(mdp, state)])


def countable(mdp: Mdp, state: int) -> bool:
    """Whether there are few enough policies to list."""
    return math.prod(len(different(mdp.moves[other])) for other in mdp.reach([state])) <= MOST_POLICIES


def different(moves: tuple[Move, ...]) -> tuple[int, ...]:
    """The places of moves that lead somewhere different; of equivalent ones, the first."""
    return tuple({move.to: place for place, move in reversed(list(enumerate(moves)))}.values())[::-1]


def long_run(matrix: Array) -> Array:
    """The share of time in each state in the long run, from each state: the Cesaro limit of a chain, `(n, n)`."""
    n = len(matrix)
    reach = np.linalg.matrix_power((matrix > 0.0) + np.eye(n), n) > 0.0
    limit = np.zeros((n, n))
    closed = [state for state in range(n) if all(reach[other, state] for other in np.flatnonzero(reach[state]))]
    for state in closed:
        together = np.flatnonzero(reach[state])
        inside = matrix[np.ix_(together, together)]
        system = np.vstack([inside.T - np.eye(len(together)), np.ones(len(together))])
        share = np.linalg.lstsq(system, np.append(np.zeros(len(together)), 1.0), rcond=None)[0]
        limit[state, together] = share
    passing = [state for state in range(n) if state not in closed]
    if passing:
        away = np.eye(len(passing)) - matrix[np.ix_(passing, passing)]
        limit[passing] = np.linalg.solve(away, matrix[np.ix_(passing, closed)] @ limit[closed])
    return limit


def fraction(what: str, value: float) -> float:
    """A share strictly between 0 and 1, checked."""
    if not 0.0 < value < 1.0:
        raise DataError(
            f"For {what}, (0, 1) is expected.",
            f"Found {value:g}.",
            "Near 0 only the next state counts; near 1 only where one ends up, which is shown beside it.",
        )
    return value


def _policies(mdp: Mdp, state: int) -> Iterator[tuple[int, Array]]:
    """Each policy's first move and its matrix, over all states; states out of reach stay where they are."""
    if not countable(mdp, state):
        raise DataError(
            f"A process with at most {MOST_POLICIES:,} policies is expected.", "Found more.", "Simulate it instead."
        )
    near = mdp.reach([state])
    for choice in itertools.product(*(different(mdp.moves[other]) for other in near)):
        matrix = np.eye(len(mdp.states))
        for other, place in zip(near, choice, strict=True):
            matrix[other] = mdp.kernel[mdp.firsts[other] + place]
        yield choice[near.index(state)], matrix


def _distinct(rows: list[tuple[int, Array]]) -> Choices:
    """Vectors that differ, each state measured by the most that it is visited: near discount 0 late states count for little."""
    most = np.max([vector for _, vector in rows], axis=0)
    found: dict[bytes, tuple[Array, set[int]]] = {}
    for move, vector in rows:
        key = (np.round(vector / np.where(most > 0.0, most, 1.0), DIGITS) + 0.0).tobytes()
        found.setdefault(key, (vector, set()))[1].add(move)
    return Choices(
        vectors=np.array([vector for vector, _ in found.values()]),
        moves=tuple(frozenset(moves) for _, moves in found.values()),
    )
