"""The parts of the persona instrument by name, and what carries them out one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dokimasia.core import CapReached, DataError, NotMeasured, Subject, SubjectError

MAP = "Which characters live in it, and where the one that it shows by default stands"
TRAITS = "Where it stands on traits"
SLANT = "The slant that stays constant across roles"
BECOME = "Who its default voice has become"
DRIFT = "Where conversation carries it"
ATTRACTORS = "Whether conversation settles somewhere"
LEAVING = "Which roles it does not leave by itself"
CAPPING = "Whether capping the assistant axis brings it back, and what that costs"
SELF_IMAGE = "What it says of itself, and whether that depends on who it plays"

Part = TypeVar("Part")


class Parts:
    """Carries out one part after the other; what cannot be had is noted, with the reason."""

    def __init__(self) -> None:
        self.lacking: list[NotMeasured] = []
        self.incomplete = ""
        self.failed = 0

    def requests(self, subject: Subject | None) -> str:
        """What a rerun would ask again because requests failed; a local model would fail again."""
        return f"{self.failed:,} requests failed" if self.failed and subject and subject.service else ""

    def lack(self, what: str, why: str) -> None:
        """Note a part that was not measured."""
        self.lacking.append(NotMeasured(what=what, why=why))

    def of(self, what: str, measured: Callable[[], Part]) -> Part | None:
        """The part, or None if a cap was reached before it, or it cannot be computed."""
        try:
            return measured()
        except CapReached as cap:
            self.lack(what, str(cap))
            self.incomplete = self.incomplete or what
        except (DataError, SubjectError) as error:
            self.lack(what, str(error))
        return None
