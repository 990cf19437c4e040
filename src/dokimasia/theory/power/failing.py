"""What becomes of the tendency when its assumptions fail: one state is worth more than others, or is told apart in many ways."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dokimasia.core import DataError
from dokimasia.theory.power.mdp import MOST_STATES, Array, Mdp, Move
from dokimasia.theory.power.optimising import optimise
from dokimasia.theory.power.rewards import Rewards

HALF = 0.5
DOUBLINGS = 12
POINTS = 17


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

    unit = float(np.std(drawn)) / 4.0
    error = z * HALF / np.sqrt(n)
    tops = (float(unit * 2.0**doubling) for doubling in range(DOUBLINGS))
    top = next((top for top in tops if share(top) >= HALF + error), None)
    extras = np.linspace(0.0, 16.0 * unit if top is None else top, POINTS)
    shares = np.array([share(float(extra)) for extra in extras])

    def reaching(target: float) -> float | None:
        """The extra reward at which the share is `target`, between two points of the curve."""
        risen = np.maximum.accumulate(shares)
        return None if risen[-1] < target else float(np.interp(target, *_rising(risen, extras)))

    half, low, high = (reaching(HALF + off) for off in (0.0, -error, error))
    return Favoured(extras=extras, shares=shares, half=half, low=low, high=high)


def _rising(shares: Array, extras: Array) -> tuple[Array, Array]:
    """The points at which a curve that never falls is above all before it."""
    first = np.append(True, np.diff(shares) > 0.0)
    return shares[first], extras[first]


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
