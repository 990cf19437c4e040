"""Reads facts that a subject may know from a file (YAML, JSON or TOML), and ships facts of three kinds."""

from dokimasia.sources.facts.fact import Fact, Facts, Puzzle, Wording

__all__ = ["Fact", "Facts", "Puzzle", "Wording"]
