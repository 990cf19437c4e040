"""Reads facts that a subject may know from a file (YAML, JSON or TOML), and ships facts of three kinds."""

from dokimasia.sources.facts.fact import Fact, Facts, Puzzle, Wording
from dokimasia.sources.facts.reading import common_facts, made_up_facts, oversight_facts, read_facts

__all__ = [
    "Fact",
    "Facts",
    "Puzzle",
    "Wording",
    "common_facts",
    "made_up_facts",
    "oversight_facts",
    "read_facts",
]
