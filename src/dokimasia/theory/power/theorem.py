"""Does the theorem apply: does one move lead to a copy of all that another leads to?

Turner and others prove two results of one form. Let `swaps` exchange states in pairs, and carry everything that may follow the
move `fewer` to something that may follow `more`. Then in every orbit of reward functions at least as many members make `more`
optimal, and not `fewer`, as the reverse.

* Proposition 6.9, at every discount: what is carried are visit distributions, the start stays where it is and cannot be
  reached again, and no third move leads to the states of either. `more` also leads to at least as much POWER, if `fewer`
  cannot lead back to the start.
* Theorem 6.13, for who cares only about the long run: what is carried are recurrent state distributions, and those that follow
  neither move share no state with them.

Copies are looked for among states and moves: whoever acts after the swap as the other did before visits the swapped states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from dokimasia.theory.power.mdp import Mdp, Move
from dokimasia.theory.power.visits import DIGITS, Choices

MOST_STEPS = 100_000
Swaps = Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """`swaps` carries what may follow `fewer` into what may follow `more`: what does that prove, of optimality and of POWER?"""

    more: int
    fewer: int
    swaps: Swaps
    optimality: bool
    power: bool


def copies(mdp: Mdp) -> tuple[Copy, ...]:
    """All pairs of moves at the start for which proposition 6.9 has a copy."""
    moves = mdp.moves[mdp.start]
    found = []
    for more, fewer in _pairs(mdp):
        swaps = _search(
            sorted(_walk(mdp, [moves[fewer]], again=moves[fewer]) - {mdp.start}),
            sorted(_walk(mdp, [moves[more]], again=moves[more])),
            {mdp.start: mdp.start},
            partial(_followed, mdp, moves[more], moves[fewer]),
        )
        if swaps is not None:
            apart = _apart(mdp, moves[more], moves[fewer])
            back = mdp.start in mdp.reach_by(moves[fewer])
            found.append(Copy(more=more, fewer=fewer, swaps=swaps, optimality=apart, power=not back))
    return tuple(found)


def long_run_copies(mdp: Mdp, ends: Choices) -> tuple[Copy, ...]:
    """All pairs of moves at the start for which theorem 6.13 has a copy; `ends` are the recurrent distributions."""
    rows = [tuple(row) for row in np.round(ends.vectors, DIGITS) + 0.0]
    found = []
    for more, fewer in _pairs(mdp):
        wide, narrow = (
            {row for row, moves in zip(rows, ends.moves, strict=True) if move in moves} for move in (more, fewer)
        )
        used, rest = _support(wide | narrow), _support(set(rows) - wide - narrow)
        swaps = _search(
            sorted(_support(narrow)),
            sorted(_support(wide)),
            {},
            partial(_inside, wide, narrow),
        )
        if swaps is not None:
            apart = used.isdisjoint(rest)
            found.append(Copy(more=more, fewer=fewer, swaps=swaps, optimality=apart, power=False))
    return tuple(found)


def _pairs(mdp: Mdp) -> list[tuple[int, int]]:
    moves = mdp.moves[mdp.start]
    return [(a, b) for a in range(len(moves)) for b in range(len(moves)) if moves[a].to != moves[b].to]


def _search(
    needed: list[int], targets: Iterable[int], fixed: Swaps, holds: Callable[[dict[int, int]], bool]
) -> Swaps | None:
    """Pairs of states to swap, so that `holds`, which may say of an unfinished list that it is hopeless; None if there are
    none, or none was found in reasonable time.
    """
    settled, steps, wanted = dict(fixed), 0, tuple(targets)

    def extend() -> bool:
        nonlocal steps
        steps += 1
        if steps > MOST_STEPS or not holds(settled):
            return False
        state = next((state for state in needed if state not in settled), None)
        if state is None:
            return True
        for target in wanted:
            if target not in settled:
                settled[state], settled[target] = target, state
                if extend():
                    return True
                del settled[state]
                settled.pop(target, None)
        return False

    return settled if extend() else None


def _followed(mdp: Mdp, more: Move, fewer: Move, settled: Swaps) -> bool:
    """Whether each move after `fewer` can still be carried to one that exists."""
    return _carried(fewer, more, settled) and all(
        any(_carried(move, other, settled) for other in mdp.moves[settled[state]])
        for state in _walk(mdp, [fewer], again=fewer)
        if state in settled and state != mdp.start
        for move in mdp.moves[state]
    )


def _carried(move: Move, other: Move, settled: Swaps) -> bool:
    """Whether the swap can still carry one move's outcomes to the other's."""
    outcomes = dict(other.to)
    return len(move.to) == len(other.to) and all(
        abs(outcomes.get(settled[to], 0.0) - chance) < 1e-12 for to, chance in move.to if to in settled
    )


def _inside(wide: set[tuple[float, ...]], narrow: set[tuple[float, ...]], settled: Swaps) -> bool:
    """Whether each vector that is wholly settled is carried to one that exists."""
    for row in narrow:
        places = [place for place, share in enumerate(row) if share]
        if all(place in settled for place in places):
            moved = [0.0] * len(row)
            for place in places:
                moved[settled[place]] = row[place]
            if tuple(moved) not in wide:
                return False
    return True


def _support(rows: set[tuple[float, ...]]) -> set[int]:
    return {place for row in rows for place, share in enumerate(row) if share}


def _apart(mdp: Mdp, more: Move, fewer: Move) -> bool:
    """Whether nothing but these two moves, or their equivalents, leads from the start to what they lead to."""
    theirs = {*mdp.reach_by(more), *mdp.reach_by(fewer)}
    others = [move for move in mdp.moves[mdp.start] if move.to not in (more.to, fewer.to)]
    return mdp.start not in theirs and theirs.isdisjoint(_walk(mdp, others))


def _walk(mdp: Mdp, first: Iterable[Move], again: Move | None = None) -> set[int]:
    """Where one may get by these moves, if at the start one only ever takes the move `again`, or stops there."""
    found = {state for move in first for state, _ in move.to}
    waiting = list(found)
    while waiting:
        state = waiting.pop()
        for move in mdp.moves[state] if state != mdp.start else () if again is None else (again,):
            new = {to for to, _ in move.to} - found
            found |= new
            waiting += new
    return found
