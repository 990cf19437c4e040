"""Reads hypotheses about a model's motives from a file (YAML, JSON or TOML), and ships five families as an example."""

from dokimasia.sources.hypotheses.reading import families, read_hypotheses

__all__ = ["families", "read_hypotheses"]
