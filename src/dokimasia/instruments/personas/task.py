"""What is asked of a subject, settled before anything is asked."""

from __future__ import annotations

from dataclasses import dataclass

from dokimasia.core import Subject
from dokimasia.instruments.personas.speaking import DEFAULTS, Voice
from dokimasia.sources.facts import Fact
from dokimasia.sources.personas import PersonaSet, Role

FEW = 4
"""Of the questions: how many are put to those who enter a role, and to those whose axis is capped."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`played` are the roles that are looked at more closely; `base` is a model from before the training in question."""

    personas: PersonaSet
    played: tuple[Role, ...]
    facts: tuple[Fact, ...]
    turns: int
    stay: int
    randoms: int
    max_tokens: int
    base: Subject | None
    seed: int

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The default voices, then the roles."""
        return (*DEFAULTS, *map(_voice, self.personas.roles))

    @property
    def played_voices(self) -> tuple[Voice, ...]:
        """The roles that are looked at more closely."""
        return tuple(map(_voice, self.played))

    @property
    def few(self) -> tuple[str, ...]:
        """The first questions."""
        return self.personas.questions[:FEW]


def _voice(role: Role) -> Voice:
    return Voice(role.name, role.instructions)
