"""Does the subject know something that it should not? Facts, controls, puzzles, a truth probe, relearning.

May import `core`, `stats`, `theory`, `models`, `sources` and `instruments/common`; no other family.
"""
