"""Format and length: no words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import Access, Transcript
from dokimasia.instruments.common.discriminators.dense import DenseFeatures
from dokimasia.instruments.common.discriminators.discriminator import LONGEST_TEXT

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FormatAndLength:
    """Counts and proportions of characters and messages, no words: the control beside every other discriminator."""

    name: str = "format and length"
    access: Access = "none"

    def features(self, transcripts: Sequence[Transcript]) -> DenseFeatures:
        basic = format_counts(transcripts)
        return DenseFeatures(np.hstack([basic, (basic - basic.mean(0)) ** 2]))


def format_counts(transcripts: Sequence[Transcript]) -> NDArray[np.float64]:
    """Counts and proportions of characters and messages, axes (n_rows, 23)."""
    return np.asarray([_format(item) for item in transcripts], dtype=float)


def _format(item: Transcript) -> list[float]:
    text = item.input_text[:LONGEST_TEXT]
    size = max(len(text), 1)
    words = text.split()
    lines = text.splitlines() or [""]
    roles = [message.role for message in item.input]

    def share(pattern: str) -> float:
        return len(re.findall(pattern, text)) / size

    return [
        np.log1p(len(item.input_text)),
        np.log1p(len(words)),
        np.log1p(len(lines)),
        np.log1p(len(item.input[-1].content)),
        np.log1p(max(map(len, lines))),
        len(text) / max(len(words), 1),
        len(roles),
        roles.count("system"),
        roles.count("assistant"),
        float(text[:1].islower()),
        float(text.rstrip()[-1:] == "?"),
        float(text.rstrip()[-1:] in ".!"),
        share(r"[A-Z]"),
        share(r"\d"),
        share(r"[^\x00-\x7f]"),
        share(r"[,;:]"),
        share(r"\?"),
        share(r"[.!]"),
        share(r"[()\[\]{}]"),
        share(r"[\"'`]"),
        share(r"[<>=+*/\\|_#$%^&@~-]"),
        np.log1p(len(re.findall(r"(?m)^\s*(?:[-*\u2022]|\(?[A-Za-z0-9]{1,2}[.)])\s", text))),
        np.log1p(text.count("\n\n")),
    ]
