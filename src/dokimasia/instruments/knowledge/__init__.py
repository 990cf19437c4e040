"""Does the subject know something that it should not? Facts, controls, puzzles, a truth probe, relearning.

May import `core`, `stats`, `theory`, `sources` and `instruments/common`; no other family.
"""

from dokimasia.instruments.knowledge.instrument import Knowledge

__all__ = ["Knowledge"]
