"""A latch: a breaker that tripped stays tripped, and with it all that share the latch, in every process that names its file."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from dokimasia.control.trip import Trip
from dokimasia.core import EnvironmentFault, UserError

LAYOUT = 1


class Latch:
    """What tripped this tripwire, if anything did: the first trip stands."""

    def __init__(self, path: Path | None, tripwire: str) -> None:
        self.trip: Trip | None = None
        self._path, self._tripwire, self._lock = path, tripwire, threading.Lock()
        self.look()

    def look(self) -> None:
        """Read what another process wrote."""
        with self._lock:
            if self.trip is None and self._path is not None:
                self.trip = read_latch(self._path, self._tripwire)

    def set(self, trip: Trip) -> None:
        """It is tripped, here and then on disk."""
        with self._lock:
            if self.trip is None:
                self.trip = trip
                if self._path is not None:
                    write_latch(self._path, trip, self._tripwire)


def write_latch(path: Path, trip: Trip, tripwire: str) -> None:
    """Say in this file that the tripwire with this digest was tripped."""
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({"layout": LAYOUT, "tripwire": tripwire, "trip": asdict(trip)}, indent=1) + "\n")
        os.replace(part, path)
    except OSError as error:
        raise EnvironmentFault(
            f"The breaker tripped ({trip.why}), and {path} could not be written: {error.strerror}. Other processes do not "
            "know."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def read_latch(path: Path, tripwire: str) -> Trip | None:
    """What tripped this tripwire before, if there is such a file; one that cannot be read is an error, not an open door."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        layout, owner, trip = stored["layout"], stored["tripwire"], Trip(**stored["trip"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unfit(path, f"Reading it failed: {error!r}.") from error
    if layout != LAYOUT or owner != tripwire:
        raise _unfit(path, f"It is of layout {layout}, and of the tripwire {str(owner)[:12]}, not {tripwire[:12]}.")
    return trip


def _unfit(path: Path, found: str) -> UserError:
    return UserError(
        f"{path} is expected to be this tripwire's latch.",
        found,
        "Find out who changed it; name another file, or remove it to arm the breaker again.",
    )
