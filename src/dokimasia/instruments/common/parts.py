"""What carries out the parts of an instrument one after the other, and notes those that cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dokimasia.core import CapReached, DataError, NotMeasured, Subject, SubjectError

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
