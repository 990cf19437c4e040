"""What to do about a score: tripwires, and the breaker that they trip.

A tripwire is fitted elsewhere and arrives here as a file; this room runs it on text and activations as they come, and
says what tripped. May import what lies below it and what instruments share; no family of instruments, and neither
case, calibration nor organisms.
"""

from dokimasia.control.artefact import load, save
from dokimasia.control.breaker import Breaker
from dokimasia.control.guarding import GuardedReply, guarded
from dokimasia.control.reading import Rate, StreamReading
from dokimasia.control.statements import Matcher, Statement, statements_of
from dokimasia.control.trip import Trip
from dokimasia.control.tripwire import Tripwire

__all__ = [
    "Breaker",
    "GuardedReply",
    "Matcher",
    "Rate",
    "Statement",
    "StreamReading",
    "Trip",
    "Tripwire",
    "guarded",
    "load",
    "save",
    "statements_of",
]
