"""A transcript: one conversation, where it comes from and whether the subject misbehaved in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

Label = Literal["yes", "no", "unscored"]
"""Whether the subject misbehaved. `None` in its place means that nobody ever judged the transcript."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who speaks (`system`, `user`, `assistant`, `tool`) and what is said."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """One unit of evidence. Many turns of one conversation are one transcript.

    `source` is the evaluation suite's name, or `deployment`. `template` names the mould that the item was cast from,
    if its author says so: items of one template never straddle the folds of a cross-validation.
    """

    id: str
    messages: tuple[Message, ...]
    source: str
    misbehaved: Label | None = None
    template: str | None = None

    @property
    def input(self) -> tuple[Message, ...]:
        """What the subject sees before it answers last: every message but the assistant's closing ones."""
        last = len(self.messages)
        while last and self.messages[last - 1].role == "assistant":
            last -= 1
        return self.messages[:last]

    @cached_property
    def input_text(self) -> str:
        """The content of `input`, one message a paragraph."""
        return "\n\n".join(message.content for message in self.input)

    @cached_property
    def digest(self) -> str:
        """Digest of roles and contents, 16 hex digits: the same on every machine, whatever the id, source or label."""
        state = hashlib.sha256()
        for message in self.messages:
            for part in (message.role, message.content):
                data = part.encode("utf-8", "surrogatepass")
                state.update(len(data).to_bytes(8, "big"))
                state.update(data)
        return state.hexdigest()[:16]

    def labelled(self, misbehaved: Label | None) -> Transcript:
        """The same transcript with another label."""
        return replace(self, misbehaved=misbehaved)
