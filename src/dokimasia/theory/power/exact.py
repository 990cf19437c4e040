"""Shares and POWER without a single draw, where the process is small and the law allows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dokimasia.theory.power.mdp import Array, Mdp, Move
from dokimasia.theory.power.regions import Parts, ever_best, parts
from dokimasia.theory.power.rewards import Exponential, Rewards, Uniform
from dokimasia.theory.power.visits import DIGITS, Choices, countable, discounted, recurrent

MOST_ENDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """For each move at a state: the share of rewards for which it is optimal, and for which no other is; and the mean of the
    best value.
    """

    optimal: Array
    alone: Array
    best: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """The same for who cares only about the long run, and how many recurrent distributions are ever best after each move.
    `alike` says that they are copies of one another without common states: then the shares hold for every law of independent
    rewards that are alike and never tie, by counting.
    """

    optimal: Array
    alone: Array
    ends: tuple[int, ...]
    alike: bool


def optimal_shares(mdp: Mdp, rewards: Rewards, discount: float, *, state: int | None = None) -> Shares | None:
    """Shares of the moves at a state (None: the start) by volumes; None if they cannot be computed so."""
    at = mdp.start if state is None else state
    if not countable(mdp, at):
        return None
    choices = discounted(mdp, at, discount)
    found = _volumes(choices, mdp, rewards)
    if found is None:
        return None
    optimal, alone = _by_move(choices, found.shares, mdp.moves[at])
    return Shares(optimal=optimal, alone=alone, best=found.best)


def power(mdp: Mdp, rewards: Rewards, discount: float, *, state: int) -> float | None:
    """POWER of a state, definition 5.2: `(1 - discount) / discount` times the mean of optimal value less the state's reward."""
    return mean_power(mdp, rewards, discount, state, optimal_shares(mdp, rewards, discount, state=state))


def mean_power(mdp: Mdp, rewards: Rewards, discount: float, state: int, shares: Shares | None) -> float | None:
    """The same from shares that are known already."""
    if shares is None:
        return None
    mean = (0.5 if isinstance(rewards.law, Uniform) else 1.0) + float(rewards.added(mdp)[state])
    return float((1.0 - discount) / discount * (shares.best - mean))


def long_run(mdp: Mdp, rewards: Rewards) -> LongRun | None:
    """Where agents who care only about the long run go; None if it cannot be computed so."""
    if not countable(mdp, mdp.start):
        return None
    choices = recurrent(mdp, mdp.start)
    if len(choices.vectors) > MOST_ENDS:
        return None
    ever = ever_best(choices.vectors)
    moves = range(len(mdp.moves[mdp.start]))
    ends = tuple(
        sum(bool(is_best) and move in by for is_best, by in zip(ever, choices.moves, strict=True)) for move in moves
    )
    alike = _alike(choices.vectors[ever]) and not rewards.extra
    if alike:
        shares: Array = ever / ever.sum()
    else:
        exact = _volumes(choices, mdp, rewards)
        if exact is None:
            return None
        shares = exact.shares
    optimal, alone = _by_move(choices, shares, mdp.moves[mdp.start])
    return LongRun(optimal=optimal, alone=alone, ends=ends, alike=alike)


def _volumes(choices: Choices, mdp: Mdp, rewards: Rewards) -> Parts | None:
    match rewards.law:
        case Uniform():
            return parts(choices.vectors, extra=rewards.added(mdp))
        case Exponential() if not rewards.extra:
            return parts(choices.vectors, exponential=True)
    return None


def _by_move(choices: Choices, shares: Array, moves: tuple[Move, ...]) -> tuple[Array, Array]:
    """Moves that lead to the same place are optimal together, and so never alone."""
    optimal, alone = np.zeros(len(moves)), np.zeros(len(moves))
    for place, move in enumerate(moves):
        same = [other for other, equal in enumerate(moves) if equal.to == move.to]
        for share, by in zip(shares, choices.moves, strict=True):
            if same[0] in by:
                optimal[place] += share
                alone[place] += share * (len(by) == len(same) == 1)
    return optimal, alone


def _alike(vectors: Array) -> bool:
    """Whether all are permutations of one another, and no two share a state."""
    ordered = np.round(np.sort(vectors, axis=1), DIGITS)
    return bool((ordered == ordered[0]).all() and ((vectors > 0.0).sum(axis=0) <= 1).all())
