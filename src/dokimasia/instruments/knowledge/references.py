"""Which facts are asked about, and which stand beside them: facts that nobody knows, and facts that everybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dokimasia.core import DataError
from dokimasia.instruments.knowledge.generated import fewest_false
from dokimasia.sources.facts import Fact, Facts


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The facts in question, and the references, `unknown` to everybody and `known` to everybody.

    `offered` is how many of each there were to draw from. `made_up` of the unknown ones are dokimasia's own. `common`
    names the facts in question that are among those that everybody knows; they are no reference then. `cut` is the number
    of false variants a wording to which all were brought; None if all had as many.
    """

    facts: tuple[Fact, ...]
    unknown: tuple[Fact, ...]
    known: tuple[Fact, ...]
    offered: tuple[int, int, int]
    made_up: int
    common: tuple[str, ...]
    cut: int | None = None


def drawn(
    given: Facts,
    made_up: Sequence[Fact],
    known: Sequence[Fact],
    *,
    facts: int | None,
    controls: int | None,
    common: int | None,
    needed: int,
    seed: int,
) -> Drawn:
    """So many facts of each kind, at random, in their order.

    The user's own controls come first. Where they are fewer than `needed` for any p-value to count, made-up facts join
    them, without their puzzles if the user's have none. A reference that is among the facts in question is left out. All get
    equally many false variants: against fewer, the true sentence wins more often by luck.
    """
    asked = _some(given.facts, facts, [seed, 1])
    taken = _said(asked)
    apart = [fact for fact in made_up if not _said([fact]) & (taken | _said(given.controls))]
    unknown = _some(given.controls, controls, [seed, 2])
    wanted = needed if controls is None else min(needed, controls)
    joining = _some(apart, max(0, wanted - len(unknown)), [seed, 3])
    if not any(fact.puzzles for fact in unknown):
        joining = tuple(replace(fact, puzzles=()) for fact in joining)
    judged, everybody = _sentences(asked), _sentences(known)  # a name in common says nothing of what is known
    others = [fact for fact in known if not _sentences([fact]) & judged]
    sides = (asked, (*unknown, *joining), _some(others, common, [seed, 4]))
    every = [fact for side in sides for fact in side]
    fewest = fewest_false(every)
    cut = any(len(wording.false) > fewest for fact in every for wording in fact.wordings)
    ours, beside, everybodys = (tuple(_with_false(fact, fewest) for fact in side) for side in sides)
    return Drawn(
        facts=ours,
        unknown=beside,
        known=everybodys,
        offered=(len(given.facts), len(given.controls) + (len(apart) if joining else 0), len(others)),
        made_up=len(joining),
        common=tuple(fact.name for fact in asked if _sentences([fact]) & everybody),
        cut=fewest if cut else None,
    )


def in_as_many_wordings(facts: Sequence[Fact], unknown: Sequence[Fact]) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Both in as many wordings as the one with the fewest has: who learns fewer sentences learns them sooner."""
    fewest = min((len(fact.wordings) for fact in (*facts, *unknown)), default=0)
    one, other = (tuple(replace(fact, wordings=fact.wordings[:fewest]) for fact in side) for side in (facts, unknown))
    return one, other


def check_facts(given: Facts, known: Sequence[Fact]) -> None:
    """Refuse no facts, twins, a fact without a false variant, one that is its own control, and a control that is known."""
    if not given.facts:
        raise DataError("At least one fact is expected.", "Found none.", "Name one.")
    for fact in (*given.facts, *given.controls, *known):
        if not fact.wordings or not all(wording.false for wording in fact.wordings):
            raise DataError(
                "Each wording of a fact is expected to have a false variant.",
                f"Found {fact.name!r} without.",
                "Add one that differs in the answer alone.",
            )
    for side in (given.facts, given.controls):
        names = [fact.name for fact in side]
        twin = next((name for name in names if names.count(name) > 1), None)
        if twin is not None:
            raise DataError("Different names are expected.", f"Found {twin!r} twice.", "Rename one.")
    everybody = _sentences(known)
    common = next((fact.name for fact in given.controls if _sentences([fact]) & everybody), None)
    if common is not None:
        raise DataError(
            "Controls that nobody can know are expected.",
            f"Found {common!r}, which is among the facts that everybody knows.",
            "Make up a control of the same form, about something that does not exist.",
        )
    controls = _said(given.controls)
    own = next((fact.name for fact in given.facts if _said([fact]) & controls), None)
    if own is not None:
        raise DataError(
            "Controls that are none of the facts are expected.",
            f"Found {own!r} among both.",
            "Make up a control of the same form, about something that does not exist.",
        )


def _said(facts: Sequence[Fact]) -> frozenset[str]:
    """Their names and all that they say, however it is spelt."""
    return _sentences(facts) | {_plain(fact.name) for fact in facts}


def _sentences(facts: Sequence[Fact]) -> frozenset[str]:
    return frozenset(_plain(wording.true) for fact in facts for wording in fact.wordings)


def _with_false(fact: Fact, most: int) -> Fact:
    return replace(fact, wordings=tuple(replace(one, false=one.false[:most]) for one in fact.wordings))


def _plain(sentence: str) -> str:
    return " ".join(sentence.casefold().strip(" .!").split())


def _some(facts: Sequence[Fact], most: int | None, seed: list[int]) -> tuple[Fact, ...]:
    if most is None or most >= len(facts):
        return tuple(facts)
    chosen = np.random.default_rng(seed).permutation(len(facts))[:most]
    return tuple(facts[place] for place in sorted(chosen.tolist()))
