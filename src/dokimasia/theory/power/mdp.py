"""A finite decision process without rewards: states, the moves that each allows, and where a move leads."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dokimasia.core import DataError

Array = NDArray[np.float64]
MOST_STATES = 200
EVEN = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What may be done at a state: `to` holds (state, probability), by the states' places, in their order."""

    name: str
    to: tuple[tuple[int, float], ...]

    @property
    def certain(self) -> bool:
        """Whether it always leads to the same state."""
        return len(self.to) == 1


@dataclass(frozen=True, kw_only=True)
class Mdp:
    """States by name, the moves at each, and the state at which the agent stands."""

    name: str
    states: tuple[str, ...]
    moves: tuple[tuple[Move, ...], ...]
    start: int = 0

    def __post_init__(self) -> None:
        if not 2 <= len(self.states) <= MOST_STATES:
            raise DataError(
                f"A process of 2 to {MOST_STATES} states is expected.",
                f"Found {len(self.states)}.",
                "Describe the situation more coarsely."
                if len(self.states) > 2
                else "Add the states that moves lead to.",
            )
        if len(set(self.states)) < len(self.states):
            twice = next(name for name in self.states if self.states.count(name) > 1)
            raise DataError("States with names of their own are expected.", f"Found {twice!r} twice.", "Rename one.")
        if len(self.moves) != len(self.states) or not 0 <= self.start < len(self.states):
            raise DataError("Moves for each state, and a start among them, are expected.", "Found others.", "Mend it.")
        for state, moves in zip(self.states, self.moves, strict=True):
            _check(state, moves, len(self.states))

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """The state of each move, `(n_moves,)`, all moves in the order of their states."""
        return np.repeat(np.arange(len(self.states)), [len(moves) for moves in self.moves])

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """The place of each state's first move, `(n_states,)`."""
        return np.concatenate(([0], np.cumsum([len(moves) for moves in self.moves])[:-1]))

    @cached_property
    def kernel(self) -> Array:
        """Where each move leads, `(n_moves, n_states)`; rows sum to one."""
        rows = np.zeros((len(self.owners), len(self.states)))
        for row, move in enumerate(move for moves in self.moves for move in moves):
            for state, probability in move.to:
                rows[row, state] = probability
        return rows

    @property
    def certain(self) -> bool:
        """Whether chance plays no part."""
        return all(move.certain for moves in self.moves for move in moves)

    def reach(self, states: Iterable[int]) -> tuple[int, ...]:
        """All states that can be reached from these, themselves included, in order."""
        found = set(states)
        waiting = list(found)
        while waiting:
            for move in self.moves[waiting.pop()]:
                new = {state for state, _ in move.to} - found
                found |= new
                waiting += new
        return tuple(sorted(found))

    def reach_by(self, move: Move) -> tuple[int, ...]:
        """All states that can be reached after a move."""
        return self.reach(state for state, _ in move.to)

    def near(self) -> Mdp:
        """The same process without states that cannot be reached from the start."""
        kept = self.reach([self.start])
        place = {state: number for number, state in enumerate(kept)}
        return Mdp(
            name=self.name,
            states=tuple(self.states[state] for state in kept),
            moves=tuple(
                tuple(
                    replace(move, to=tuple((place[to], chance) for to, chance in move.to)) for move in self.moves[state]
                )
                for state in kept
            ),
            start=place[self.start],
        )

    def terminal(self, state: int) -> bool:
        """Whether nothing leads away from a state."""
        return all(move.to == ((state, 1.0),) for move in self.moves[state])


def build(name: str, table: dict[str, dict[str, str | dict[str, float]]], *, start: str) -> Mdp:
    """A process from {state: {move: state, or {state: probability}}}. States that are only led to, end there."""
    states = list(table)
    for moves in table.values():
        for to in moves.values():
            states += [state for state in ([to] if isinstance(to, str) else to) if state not in states]
    place = {state: number for number, state in enumerate(states)}
    if start not in place:
        raise DataError(
            f"A start among the states is expected: {', '.join(states)}.", f"Found {start!r}.", "Name one of them."
        )
    return Mdp(
        name=name,
        states=tuple(states),
        moves=tuple(
            tuple(
                Move(name=move, to=((place[to], 1.0),) if isinstance(to, str) else _sorted(place, to))
                for move, to in (table.get(state) or {"stay": state}).items()
            )
            for state in states
        ),
        start=place[start],
    )


def _sorted(place: dict[str, int], to: dict[str, float]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted((place[state], probability) for state, probability in to.items()))


def _check(state: str, moves: tuple[Move, ...], n_states: int) -> None:
    if not moves:
        raise DataError(
            "A move at each state is expected.",
            f"Found none at {state!r}.",
            "A state that ends everything leads to itself.",
        )
    if len({move.name for move in moves}) < len(moves):
        raise DataError(f"Moves with names of their own are expected at {state!r}.", "Found one twice.", "Rename one.")
    for move in moves:
        where = f"{state!r}, {move.name!r}"
        if not move.to or any(not 0 <= to < n_states for to, _ in move.to):
            raise DataError(
                f"{where}: states that exist are expected.", "Found others.", "Name a state of the process."
            )
        chances = [probability for _, probability in move.to]
        if any(not 0.0 < chance <= 1.0 for chance in chances) or not math.isclose(sum(chances), 1.0, abs_tol=EVEN):
            raise DataError(
                f"{where}: probabilities above 0 that sum to 1 are expected.",
                f"Found {', '.join(f'{chance:g}' for chance in chances)}, which sum to {sum(chances):g}.",
                "Leave out what cannot happen, and divide each by the sum.",
            )
