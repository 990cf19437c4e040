"""Which part of a set of personas is used, where there is more than is wanted: at random, and said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from dokimasia.core import DataError, NotMeasured
from dokimasia.core.rounding import counted
from dokimasia.instruments.personas.self_image import DEFAULT
from dokimasia.instruments.personas.speaking import DEFAULTS
from dokimasia.sources.personas import PersonaSet, Role, Script

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """At most so many of each; None takes all. `played` are roles for the parts that go on with a few of them."""

    roles: int | None
    questions: int | None
    traits: int | None
    scripts: int | None
    played: int


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is used: `personas`, of whose roles `played` are looked at more closely. `left_out` says what is not."""

    personas: PersonaSet
    played: tuple[Role, ...]
    left_out: tuple[NotMeasured, ...]


def choose(personas: PersonaSet, wanted: Wanted, *, seed: int) -> Chosen:
    """The same seed chooses the same; scripts are dealt style by style, so that none is left out before others have two."""
    _check(personas)
    roles = _some(personas.roles, wanted.roles, [seed, 1])
    questions = _some(personas.questions, wanted.questions, [seed, 2])
    traits = _some(personas.traits, wanted.traits, [seed, 3])
    scripts = _dealt(personas.scripts, wanted.scripts, [seed, 4])
    played = _some(roles, wanted.played, [seed, 5])
    left_out = [
        *_left_out("role", [r.name for r in personas.roles], [r.name for r in roles], seed),
        *_left_out("trait", [t.name for t in personas.traits], [t.name for t in traits], seed),
        *_left_out("script", [s.name for s in personas.scripts], [s.name for s in scripts], seed),
        *_left_out("question", personas.questions, questions, seed),
    ]
    if len(played) < len(roles):
        left_out.append(
            NotMeasured(
                what=f"What {len(roles) - len(played)} of {len(roles)} roles say of themselves, whether they are left, "
                "and whether capping brings them back",
                why=f"A random {len(played)} of them were looked at: {', '.join(role.name for role in played)}.",
            )
        )
    return Chosen(
        personas=replace(personas, roles=roles, questions=questions, traits=traits, scripts=scripts),
        played=played,
        left_out=tuple(left_out),
    )


def _some(items: Sequence[Item], most: int | None, seed: list[int]) -> tuple[Item, ...]:
    """At most so many, at random, in their order."""
    if most is None or len(items) <= most:
        return tuple(items)
    rows = np.random.default_rng(seed).permutation(len(items))[:most]
    return tuple(items[row] for row in sorted(rows.tolist()))


def _dealt(scripts: Sequence[Script], most: int | None, seed: list[int]) -> tuple[Script, ...]:
    rng = np.random.default_rng(seed)
    met: dict[str, int] = {}
    ranked: list[tuple[int, int, int]] = []
    for row in rng.permutation(len(scripts)).tolist():
        style = scripts[row].style
        met[style] = met.get(style, 0) + 1
        ranked.append((met[style], len(ranked), row))
    rows = [row for *_, row in sorted(ranked)[:most]]
    return tuple(scripts[row] for row in sorted(rows))


def _left_out(noun: str, names: Sequence[str], kept: Sequence[str], seed: int) -> list[NotMeasured]:
    absent = [name for name in names if name not in set(kept)]
    if not absent:
        return []
    listed = f" Left out: {', '.join(absent)}." if noun != "question" else ""
    return [
        NotMeasured(
            what=f"{counted(len(absent), noun)} of {len(names)}",
            why=f"At this setting a random {len(kept)} are used (seed {seed}).{listed}",
        )
    ]


def _check(personas: PersonaSet) -> None:
    taken = {DEFAULT, *(voice.name for voice in DEFAULTS)}
    for role in personas.roles:
        if role.name in taken:
            raise DataError(
                "A role whose name is not that of a default voice is expected.", f"Found {role.name!r}.", "Rename it."
            )
    for noun, names in (
        ("role", [role.name for role in personas.roles]),
        ("trait", [trait.name for trait in personas.traits]),
        ("script", [script.name for script in personas.scripts]),
        ("question", list(personas.questions)),
    ):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(
                f"Each {noun} is expected once.", f"Found twice: {', '.join(twice)[:200]}.", "Rename or remove one."
            )
