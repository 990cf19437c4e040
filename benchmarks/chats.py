"""Chats of mixed lengths for benchmarks."""

import numpy as np

from dokimasia.core import Message

WORDS = [
    "the",
    "harbour",
    "keeps",
    "a",
    "list",
    "of",
    "boats",
    "that",
    "left",
    "before",
    "noon",
    "and",
    "of",
    "those",
    "who",
    "asked",
    "for",
    "bread",
]


def chats(n, low, high, seed=0):
    """`n` chats of about `low` to `high` tokens."""
    rng = np.random.default_rng(seed)
    return [[Message("user", " ".join(rng.choice(WORDS, int(size))))] for size in rng.integers(low, high, n)]
