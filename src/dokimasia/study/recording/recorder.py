"""What looks an answer up, or asks for it and writes it down."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, TypeVar

from dokimasia.core import Message, Subject, approximate_tokens, throughput
from dokimasia.study.limits import Meter
from dokimasia.study.provenance import answering_versions, versions
from dokimasia.study.recording.packing import packed, unpacked
from dokimasia.study.store import RunFolder, canonical

Answer = TypeVar("Answer")
Conversations = Sequence[Sequence[Message]]
Report = Callable[[float, bool], None]
"""Told the planned seconds of a batch, and whether it was found rather than asked."""

REMOTE = ("dokimasia", "inspect_ai")
"""Packages that an endpoint's answers depend on; the rest of what answers is out of sight."""


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """Everything that recorded capabilities of one subject share.

    `record` does the same for a subject that comes out of this one.
    """

    folder: RunFolder
    subject: Subject
    report: Report
    meter: Meter
    record: Callable[[Subject], Subject]

    def key(self, method: str, request: Any) -> str:
        """What an answer is recorded under: who was asked what, and the versions of what answers."""
        identity = self.subject.identity
        who = [method, identity.digest, identity.dtype, identity.threads]
        if self.subject.service is not None:
            who.insert(1, identity.name)
        installed = answering_versions()
        if self.subject.service is not None:
            installed = {name: version for name, version in versions().items() if name in REMOTE}
        return hashlib.sha256(canonical([*who, installed, request])).hexdigest()[:32]

    def call(
        self,
        method: str,
        request: Any,
        seconds: float,
        ask: Callable[[], Answer],
        *,
        final: Callable[[Answer], bool] = lambda _: True,
    ) -> Answer:
        """What was recorded, or what is answered now, which is recorded if it is `final`.

        A batch is redone whole, or not at all.
        """
        key = self.key(method, request)
        answer: Answer | None = self.found(key)
        if answer is not None:
            self.report(seconds, True)
            return answer
        answer = self.ask(seconds, ask)
        if final(answer):
            self.keep(key, answer)
        self.report(seconds, False)
        return answer

    def ask(self, seconds: float, ask: Callable[[], Answer]) -> Answer:
        """What is answered, if the meter gives leave to ask; it is told how long that took."""
        self.meter.reserve(seconds, 0.0)
        begun = self.meter.now
        answer = ask()
        self.meter.took(seconds, self.meter.now - begun)
        return answer

    def found(self, key: str) -> Any:
        """The answer recorded under this key; None if there is none, or none that can be understood."""
        stored = self.folder.load_call(key)
        try:
            return None if stored is None else unpacked(stored["plain"], stored["arrays"])
        except (KeyError, TypeError, ValueError):
            return None

    def keep(self, key: str, answer: Any) -> None:
        """Write an answer down."""
        self.folder.save_call(key, *packed(answer))

    def seconds(self, conversations: Conversations, work: str, *, new: int = 0) -> float:
        """How long asking about these conversations should take."""
        tokens = approximate_tokens(["".join(m.content for m in messages) for messages in conversations], overhead=40)
        cost = tokens / throughput(self.subject, work)
        return cost + new / throughput(self.subject, "generate")


def plain(conversations: Conversations) -> list[list[list[Any]]]:
    """Conversations as they stand in a key."""
    return [[_plain_message(message) for message in messages] for messages in conversations]


def _plain_message(message: Message) -> list[Any]:
    found: list[Any] = [message.role, message.content]
    if message.tool_calls or message.answers is not None:
        found += [[astuple(call) for call in message.tool_calls], message.answers]
    return found
