"""Sets of personas as values: roles, traits, questions to put to them, scripted conversations, and what they say of themselves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A character. Each instruction is a system message that asks for it, in the second person."""

    name: str
    instructions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A way of being, with system messages that ask for it (`towards`) and for its opposite (`away`)."""

    name: str
    towards: tuple[str, ...]
    away: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a user says, turn by turn, in a conversation of one style."""

    name: str
    style: str
    turns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfQuestion:
    """A question to the subject about itself; `claims` is the answer that makes the claim of its `theme`, `denies` the other."""

    theme: str
    ask: str
    claims: str
    denies: str


@dataclass(frozen=True, kw_only=True)
class PersonaSet:
    """Everything that personas are looked for with."""

    roles: tuple[Role, ...]
    traits: tuple[Trait, ...]
    questions: tuple[str, ...]
    scripts: tuple[Script, ...]
    self_questions: tuple[SelfQuestion, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all of it, hex."""
        parts = (self.roles, self.traits, self.questions, self.scripts, self.self_questions)
        return hashlib.sha256(repr(parts).encode()).hexdigest()
