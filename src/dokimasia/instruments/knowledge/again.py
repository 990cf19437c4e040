"""Has the subject come to know the facts since it was first asked? One look: the same rounds of puzzles for facts and controls.

**The unit is a fact, at all looks together.** A subject that does not know may think something of a fact, stick to it for a
while and then think something else; its answers at one look tell much about those at the next. What makes facts and controls
comparable is that whatever an unknowing subject thinks of a made-up control it might as well have thought of a fact: the
labels are exchangeable, and they still are among those that were not solved at the first look. So all that was seen of
these until a look gives an e-value from the labels (`stats.exchangeable`), and the e-values of all looks are summed with
fixed weights, however they hang together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dokimasia.core import Subject
from dokimasia.instruments.knowledge.generated import fewest_false, rounds
from dokimasia.instruments.knowledge.solving import solve
from dokimasia.sources.facts import Fact, Puzzle
from dokimasia.stats.exchangeable import log_e_labels


class Row(NamedTuple):
    """What came of one fact or control at one look; `options` are those of each puzzle, 0 for a free reply."""

    name: str
    control: bool
    options: tuple[int, ...]
    put: int
    solved: int
    missing: int

    def share(self, *, missing_solved: bool) -> float:
        """Of all times, the share that was solved, the missing counted one way."""
        return (self.solved + missing_solved * self.missing) / self.put


class Rounds:
    """The rounds of puzzles that some fact and some control have in common, given ones included, in the order of asking."""

    def __init__(self, facts: Sequence[Fact], controls: Sequence[Fact], *, seed: int) -> None:
        wrong = fewest_false((*facts, *controls))
        self._facts = [(fact, False, _all(fact, wrong, seed)) for fact in facts]
        self._facts += [(fact, True, _all(fact, wrong, seed)) for fact in controls]
        self._seed = seed
        there = {control: [made for _, is_control, made in self._facts if is_control == control] for control in (0, 1)}
        self.names = tuple(
            name
            for name in dict.fromkeys(name for made in there[0] for name in made)
            if any(name in made for made in there[1])
        )

    def ask(self, subject: Subject, names: Sequence[str]) -> tuple[Row, ...]:
        """Put these rounds to a subject, one fact or control after the other."""
        found = []
        for fact, control, made in self._facts:
            puzzles = [puzzle for name in names for puzzle in made.get(name, ())]
            if puzzles:
                tried = solve(subject, puzzles, seed=self._seed).tried
                put, solved, missing = (sum(part) for part in zip(*tried, strict=True))
                options = tuple(len(puzzle.wrong) + bool(puzzle.wrong) for puzzle in puzzles)
                found.append(Row(fact.name, control, options, put, solved, missing))
        return tuple(found)


def log_gain(first: Sequence[Row], later: Sequence[Sequence[Row]]) -> float:
    """Evidence, in nats, that facts are solved now that were not at the first look, more of them than of such controls.

    `later` are all looks since, the present one last. What is missing counts against it. Averaged over the last one, two,
    four ... looks taken together: who has come to know a fact goes on solving it, and who has not changes its mind.
    """
    unsolved = _unsolved(first)
    looks = [[row for row in rows if (row.name, row.control) in unsolved] for rows in later]
    windows = [2**power for power in range(len(looks).bit_length())]
    found = [log_e_labels(_strata(looks[-length:])) for length in windows]
    return float(np.logaddexp.reduce(found) - np.log(len(found)))


def log_most(first: Sequence[Row]) -> float:
    """More than this, in nats, can never come of looks after this first one: the log of the ways to deal the labels out."""
    unsolved = _unsolved(first)
    facts = sum(not control for _, control in unsolved)
    return math.log(math.comb(len(unsolved), facts))


def _unsolved(first: Sequence[Row]) -> set[tuple[str, bool]]:
    return {(row.name, row.control) for row in first if row.share(missing_solved=True) <= 0.5}


def log_lead(rows: Sequence[Row]) -> float:
    """Evidence, in nats, that facts are solved more often than controls at this look; what is missing counts against it."""
    return log_e_labels(_strata([rows]))


def _strata(looks: Sequence[Sequence[Row]]) -> list[tuple[list[float], list[float]]]:
    """The mean shares of facts and of controls, those together that were put puzzles with the same options."""
    found: dict[tuple[str, bool], list[Row]] = {}
    for row in (row for rows in looks for row in rows):
        found.setdefault((row.name, row.control), []).append(row)
    strata: dict[object, tuple[list[float], list[float]]] = {}
    for (_, control), rows in found.items():
        shares = [row.share(missing_solved=control) for row in rows]
        both = strata.setdefault(tuple(row.options for row in rows), ([], []))
        both[control].append(sum(shares) / len(shares))
    return list(strata.values())


def _all(fact: Fact, wrong: int, seed: int) -> Mapping[str, tuple[Puzzle, ...]]:
    given = {f"given {place}": (puzzle,) for place, puzzle in enumerate(fact.puzzles, start=1)}
    return {**rounds(fact, seed, wrong=wrong), **given}
