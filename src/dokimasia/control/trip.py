"""What tripped a breaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["matcher", "probe", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """Why a breaker tripped, in a sentence, and where: characters `start` to `end` of a message, counted from 0.

    A `fault` is something that could not be examined. `score` is the share of a statement's words that was found, or the
    probe's score in spreads; it is None where there is none to tell.
    """

    part: Part
    why: str
    message: int
    start: int
    end: int
    fact: str | None = None
    score: float | None = None
    threshold: float | None = None
