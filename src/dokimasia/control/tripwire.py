"""A tripwire: what must not be said, and how it is recognised."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from functools import cached_property

from dokimasia.control.reading import StreamReading
from dokimasia.control.statements import Matcher


@dataclass(frozen=True, kw_only=True)
class Tripwire:
    """A matcher of words, which works with any model, and a probe for one model, if it was worth having.

    `facts` is the digest of the facts, and `remarks` say what its maker found, one sentence each: why there is no probe,
    for instance. What could never trip is refused when it is made.
    """

    matcher: Matcher
    reading: StreamReading | None
    facts: str
    remarks: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that decides when it trips, hex."""
        parts: list[object] = [self.matcher]
        if self.reading is not None:
            probe = self.reading.probe
            scale = [float(value) for value in (*astuple(probe.scale), probe.reading.bias)]
            parts += [
                probe.subject,
                probe.site,
                scale,
                probe.reading.weights.astype("<f8").tobytes(),
                self.reading.window,
            ]
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
