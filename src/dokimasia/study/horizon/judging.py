"""What the fits of all agents come to: which curves may be best, and the horizons that they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dokimasia.study.horizon.showing import Shown
from dokimasia.theory.horizons import (
    AgentFits,
    Attempts,
    Constant,
    Curve,
    Logistic,
    Span,
    Standing,
    dispersion,
    span,
    standings,
)

LEVELS = (0.5, 0.8)
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True, eq=False)
class Agent:
    """One agent's runs; `why_not` says why no curve was fitted to them, if none was."""

    name: str
    attempts: Attempts
    fractions: int
    why_not: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What the fits come to: how the curves stand, the one that is best, and those that may be (`rivals`, it included)."""

    fits: Sequence[AgentFits]

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        return standings(self.fits, confidence=CONFIDENCE)

    @property
    def crossed(self) -> bool:
        """Whether held-out families could be predicted."""
        return self.standings[0].held_out is not None

    @cached_property
    def best(self) -> Curve:
        """The curve with a horizon that loses least on held-out families; METR's where that cannot be told."""
        if not self.crossed:
            return next(item.curve for item in self.standings if isinstance(item.curve, Logistic))
        falling = [item for item in self.standings if not isinstance(item.curve, Constant)]
        return min(falling, key=lambda item: item.held_out or 0.0).curve

    @cached_property
    def rivals(self) -> tuple[Curve, ...]:
        found = [item.curve for item in self.standings if item.rival and not isinstance(item.curve, Constant)]
        return tuple(found) if self.best in found else (self.best, *found)

    @property
    def flat(self) -> bool:
        """Whether success that does not depend on the time may be the best curve of all."""
        return self.crossed and any(item.rival for item in self.standings if isinstance(item.curve, Constant))

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """Agents with their spans, the longest first."""
        found = [
            Shown(
                fits=item,
                spans=tuple(span(item, level, self.best, self.rivals, confidence=CONFIDENCE) for level in LEVELS),
                dispersion=dispersion(item, self.best, confidence=CONFIDENCE),
            )
            for item in self.fits
        ]
        return tuple(sorted(found, key=lambda item: (-_place(item.spans[0]), item.fits.name)))


def _place(found: Span) -> float:
    """Where a horizon stands among others, whether or not it lies within the tasks."""
    if found.value is not None:
        return found.value
    return 0.0 if found.beyond == "shorter" else float("inf")
