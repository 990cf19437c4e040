"""What becomes of the tendency when its assumptions fail: one state is worth more than others, or is told apart in many ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dokimasia.core import DataError
from dokimasia.theory.power.mdp import MOST_STATES, Array, Mdp, Move
from dokimasia.theory.power.optimising import optimise
from dokimasia.theory.power.rewards import Rewards

HALF = 0.5
DOUBLINGS = 20
HALVINGS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Favoured:
    """The share of rewards for which a move is optimal, `(n_extras,)`, with so much more reward at one state; and how much more
    makes it optimal for half of them, with Monte Carlo ends. None where no amount does.
    """

    extras: Array
    shares: Array
    half: float | None
    low: float | None
    high: float | None


def favour(
    mdp: Mdp, rewards: Rewards, discount: float, *, state: int, move: int, n: int, seed: int, z: float = 1.96
) -> Favoured:
    """Add reward at one state: when is a move optimal for half of all rewards?"""
    drawn = rewards.draw(mdp, n, np.random.default_rng(seed))

    def share(extra: float) -> float:
        return float(optimise(mdp, drawn + extra * np.eye(len(mdp.states))[state], discount).best[:, move].mean())

    def reaching(target: float) -> float | None:
        """The smallest extra reward at which the share is `target`, if it grows with it."""
        if share(0.0) >= target:
            return 0.0
        high = next((high for high in unit * 2.0 ** np.arange(DOUBLINGS) if share(float(high)) >= target), None)
        if high is None:
            return None
        low = 0.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            low, high = (low, middle) if share(middle) >= target else (middle, high)
        return float(high)

    unit = float(np.std(drawn)) / 4.0
    error = z * HALF / np.sqrt(n)
    half, low, high = (reaching(HALF + off) for off in (0.0, -error, error))
    top = 2.0 * half if half else 16.0 * unit
    extras = np.linspace(0.0, top, 17)
    shares = np.array([share(float(extra)) for extra in extras])
    return Favoured(extras=extras, shares=shares, half=half, low=low, high=high)


def split(mdp: Mdp, state: int, copies: int) -> Mdp:
    """The same process, whose description tells one state apart in so many ways: a move that may lead there becomes as many
    moves, one to each copy, and each copy allows what the state allowed.
    """
    if state == mdp.start:
        raise DataError(
            "A state other than the start is expected.", "Found the start.", "Split a state that moves lead to."
        )
    if not 1 <= copies <= MOST_STATES - len(mdp.states):
        raise DataError(
            f"1 to {MOST_STATES - len(mdp.states)} copies are expected.",
            f"Found {copies}.",
            "Tell it apart in fewer ways.",
        )
    size = len(mdp.states)
    places = [state, *range(size, size + copies - 1)]
    moves = [_split_moves(mdp.moves[other], state, places, own=None) for other in range(size)]
    moves[state] = _split_moves(mdp.moves[state], state, places, own=state)
    moves += [_split_moves(mdp.moves[state], state, places, own=place) for place in places[1:]]
    names = [f"{mdp.states[state]} #{number}" for number in range(1, copies + 1)]
    states = (*mdp.states, *names[1:])
    return replace(mdp, states=(*states[:state], names[0], *states[state + 1 :]), moves=tuple(moves))


def family(move: str) -> str:
    """What a move was called before a state was split."""
    return move.rsplit(" #", 1)[0]


def _split_moves(moves: tuple[Move, ...], state: int, places: list[int], *, own: int | None) -> tuple[Move, ...]:
    """A copy's moves back to the state lead to the copy itself."""
    made = []
    for move in moves:
        if all(to != state for to, _ in move.to):
            made.append(move)
            continue
        for number, place in enumerate(places if own is None else [own], start=1):
            to = tuple(sorted((place if old == state else old, chance) for old, chance in move.to))
            made.append(Move(name=f"{move.name} #{number}" if own is None else move.name, to=to))
    return tuple(made)
