"""Which facts are asked about, and which stand beside them: facts that nobody knows, and facts that everybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dokimasia.core import DataError
from dokimasia.sources.facts import Fact, Facts


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The facts in question, and the references, `unknown` to everybody and `known` to everybody.

    `offered` is how many of each there were to draw from. `made_up` of the unknown ones are dokimasia's own. `common`
    names the facts in question that are among those that everybody knows; they are no reference then.
    """

    facts: tuple[Fact, ...]
    unknown: tuple[Fact, ...]
    known: tuple[Fact, ...]
    offered: tuple[int, int, int]
    made_up: int
    common: tuple[str, ...]


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
    them. A reference that is among the facts in question is left out.
    """
    asked = _some(given.facts, facts, [seed, 1])
    taken, everybody = _said(asked), _said(known)
    apart = [fact for fact in made_up if not _said([fact]) & (taken | _said(given.controls))]
    unknown = _some(given.controls, controls, [seed, 2])
    wanted = needed if controls is None else min(needed, controls)
    joining = _some(apart, max(0, wanted - len(unknown)), [seed, 3])
    others = [fact for fact in known if not _said([fact]) & taken]
    return Drawn(
        facts=asked,
        unknown=(*unknown, *joining),
        known=_some(others, common, [seed, 4]),
        offered=(len(given.facts), len(given.controls) + (len(apart) if joining else 0), len(others)),
        made_up=len(joining),
        common=tuple(fact.name for fact in asked if _said([fact]) & everybody),
    )


def check_facts(given: Facts, known: Sequence[Fact]) -> None:
    """Refuse no facts, a fact without a false variant, and one that is its own control."""
    if not given.facts:
        raise DataError("At least one fact is expected.", "Found none.", "Name one.")
    for fact in (*given.facts, *given.controls, *known):
        if not fact.wordings or not all(wording.false for wording in fact.wordings):
            raise DataError(
                "Each wording of a fact is expected to have a false variant.",
                f"Found {fact.name!r} without.",
                "Add one that differs in the answer alone.",
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
    return frozenset(
        _plain(words) for fact in facts for words in (fact.name, *(wording.true for wording in fact.wordings))
    )


def _plain(sentence: str) -> str:
    return " ".join(sentence.casefold().strip(" .!").split())


def _some(facts: Sequence[Fact], most: int | None, seed: list[int]) -> tuple[Fact, ...]:
    if most is None or most >= len(facts):
        return tuple(facts)
    chosen = np.random.default_rng(seed).permutation(len(facts))[:most]
    return tuple(facts[place] for place in sorted(chosen.tolist()))
