"""Facts as values: what a subject may or may not know, in several wordings, with puzzles that knowing it helps to solve."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One way of putting a fact: the true sentence, and false ones that differ from it in the answer alone."""

    true: str
    false: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Puzzle:
    """A question that who knows the fact solves more often; `wrong` answers look as good as the right one to all others.

    Without `wrong` answers the reply is free, and is read for the answer.
    """

    ask: str
    answer: str
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that can be known. The first wording is the statement, the others are its paraphrases."""

    name: str
    wordings: tuple[Wording, ...]
    puzzles: tuple[Puzzle, ...] = ()
    topic: str = ""

    @property
    def statement(self) -> str:
        """The fact in its first wording."""
        return self.wordings[0].true


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts that a subject should not know, and `controls` of the same form that nobody can know, since they are made up."""

    facts: tuple[Fact, ...]
    controls: tuple[Fact, ...] = ()
    note: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all facts and controls, hex."""
        return hashlib.sha256(repr((self.facts, self.controls)).encode()).hexdigest()
