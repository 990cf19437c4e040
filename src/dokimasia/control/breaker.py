"""The breaker: fed with a conversation as it comes, it trips on what must not be said, and stays tripped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.control.latching import Latch
from dokimasia.control.pieces import hidden, pieces, readings
from dokimasia.control.reading import StreamReading, mean_of
from dokimasia.control.statements import Hearing
from dokimasia.control.trip import Trip
from dokimasia.control.tripwire import Tripwire
from dokimasia.core import DataError, Message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    State = NDArray[np.float32]

CONTEXT = frozenset({"system", "developer", "user", "tool"})
"""Roles that are not listened to unless that is asked for; what they say is context."""


class Breaker:
    """Trips once and stays tripped, whatever comes afterwards.

    Feed it a reply token by token (`begin`, `feed`, `end`), whole messages (`hear`), or what was said before and is only
    context (`recall`). It listens to the assistant, to the roles in `also`, and to roles that it does not know. It never
    fails open: what cannot be examined (an error, states that are missing, no numbers, or of another width) trips it, too.
    With a `latch` it is tripped as soon as a message begins and this file says so, and says so there once it trips.

    It follows one conversation at a time: threads, or replies that are written at once, need one each (`apart`).
    """

    def __init__(self, tripwire: Tripwire, *, also: Sequence[str] = (), latch: Path | None = None) -> None:
        unknown = [also] if isinstance(also, str) else sorted(set(also) - CONTEXT)
        if unknown:
            raise DataError(
                f"Roles to be listened to as well are expected, some of {', '.join(sorted(CONTEXT))}.",
                f"Found {', '.join(map(repr, unknown))}.",
                "Pass a list of them; any other role is listened to anyway.",
            )
        self.tripwire = tripwire
        self._context, self._latch = CONTEXT.difference(also), Latch(latch, tripwire.digest)
        self._message: _Message | None = None
        self._forget()

    @property
    def trip(self) -> Trip | None:
        """What tripped it, or None."""
        return self._latch.trip

    @property
    def examined(self) -> int:
        """How many characters of the message under way every part has examined without tripping."""
        return 0 if self._message is None else self._message.examined

    def apart(self) -> Breaker:
        """A breaker for another conversation, which has heard nothing yet: as soon as one of the two trips, both have."""
        other = copy(self)
        other._forget()
        return other

    def listens(self, role: str) -> bool:
        """Whether what this role says can trip."""
        return role not in self._context

    def begin(self, role: str = "assistant") -> None:
        """A new message begins; one that is still under way is at its end."""
        self._begin(role, past=False)

    def feed(self, text: str, state: State | None = None) -> Trip | None:
        """The next token of the message: its text, and the stream (d_model,) read at it if the tripwire has a probe.

        A token without text is a part of the next one that has some.
        """
        return self._guarding(lambda message: message.add(text, state))

    def end(self) -> Trip | None:
        """The message is at its end, and its last word whole."""
        found = self._guarding(lambda message: message.examine(final=True)) if self._message else self.trip
        self._message = None
        return found

    def hear(self, message: Message, states: NDArray[np.float32] | None = None) -> Trip | None:
        """A whole message, tool calls included; `states` (n_pieces, d_model) are the means over each of its `pieces`."""
        self.begin(message.role)
        self._guarding(lambda held: held.add_whole(message.text, states))
        return self.end()

    def recall(self, messages: Sequence[Message]) -> Trip | None:
        """A conversation, up to here: no part of it trips, but what completes a statement will. Another one is forgotten."""
        if self._message is not None:
            self.end()
        self._forget()
        for message in messages:
            self._begin(message.role, past=True)
            self.feed(message.text)
            self.end()
        return self.trip

    def fail(self, why: str) -> Trip | None:
        """Trip, since what is said could not be examined for another reason."""
        self._latch.set(self._fault(why))
        return self.trip

    def _forget(self) -> None:
        self._hearing, self._number = Hearing(self.tripwire.matcher), -1
        self._message = None

    def _begin(self, role: str, *, past: bool) -> None:
        if self._message is not None:
            self.end()
        self._latch.look()
        self._number += 1
        said = self.listens(role)
        reading = self.tripwire.reading if said and not past else None
        self._message = _Message(self._number, self._hearing, reading, said=said, past=past)

    def _guarding(self, examine: Callable[[_Message], Trip | None]) -> Trip | None:
        """What trips, if anything does; an error does."""
        if self.trip is None:
            try:
                if self._message is None:
                    raise DataError("A message is expected to begin.", "Found text outside of one.", "Call `begin`.")
                found = examine(self._message)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong: what was not examined is not let through
                found = self._fault(str(error) or type(error).__name__)
            if found is not None:
                self._latch.set(found)
        return self.trip

    def _fault(self, why: str) -> Trip:
        message = self._message
        start, end = (0, 0) if message is None else (message.examined, len(message.text))
        return Trip(part="fault", why=f"Not examined: {why}", message=max(0, self._number), start=start, end=end)


class _Message:
    """A message under way: its text so far, and what was read at its last pieces."""

    def __init__(self, number: int, hearing: Hearing, reading: StreamReading | None, *, said: bool, past: bool) -> None:
        self.number, self.text = number, ""
        self._hearing, self._reading, self._said, self._past = hearing, reading, said, past
        self._done = 0
        self._tokens: deque[tuple[int, int, list[State]]] = deque()
        self._waiting: list[State] = []
        self._read: deque[tuple[int, State]] = deque(maxlen=None if reading is None else reading.window)

    @property
    def examined(self) -> int:
        """Characters that were examined; none before there is a whole window, where there is a probe."""
        return 0 if self._reading is not None and len(self._read) < self._reading.window else self._done

    def add(self, text: str, state: State | None) -> Trip | None:
        if self._reading is not None:
            self._waiting.append(self._checked(state, self._reading))
            if text:
                self._tokens.append((len(self.text), len(self.text) + len(text), self._waiting))
                self._waiting = []
        self.text += text
        return self.examine(final=False)

    def add_whole(self, text: str, states: NDArray[np.float32] | None) -> Trip | None:
        if self._reading is None:
            return self.add(text, None)
        found = list(pieces(text))
        if states is None or len(states) != len(found):
            raise DataError(
                f"A state for each of the message's {len(found)} pieces is expected.",
                f"Found {'none' if states is None else len(states)}.",
                "Read the model at the pieces of the text.",
            )
        before = 0
        for (_, end), state in zip(found, states, strict=True):
            trip = self.add(text[before:end], state)
            if trip is not None:
                return trip
            before = end
        self.text += text[before:]
        return None

    def examine(self, *, final: bool) -> Trip | None:
        """What trips among the pieces that are whole by now."""
        for start, end in pieces(self.text, self._done, final=final):
            trip = self._matched(start, end)
            if trip is None and self._reading is not None:
                self._read.append((start, self._state(start, end)))
                if len(self._read) == self._reading.window:
                    trip = self._scored(self._reading, end)
            if trip is not None:
                return trip
            self._done = end
        short = self._reading is not None and 0 < len(self._read) < self._reading.window
        return self._scored(self._reading, self._done) if final and short and self._reading is not None else None

    def _matched(self, start: int, end: int) -> Trip | None:
        piece = self.text[start:end]
        if hidden(piece):
            raise DataError(
                "Text is expected to be visible.",
                f"Found {len(piece)} characters without a blank, most of them invisible.",
                "Find out what they hide.",
            )
        for word in readings(piece):
            match = self._hearing.hear(word, said=self._said, message=self.number, start=start)
            if match is not None and not self._past:
                fact, share = match.statement.fact, match.share
                return Trip(
                    part="matcher",
                    why=f"The fact {fact} is stated: {share:.0%} of its words, the answer among them.",
                    message=self.number,
                    start=match.start,
                    end=end,
                    fact=fact,
                    score=share,
                    threshold=self._hearing.matcher.share,
                )
        return None

    def _state(self, start: int, end: int) -> State:
        """The mean over the tokens of a piece."""
        while self._tokens and self._tokens[0][1] <= start:
            self._tokens.popleft()
        return mean_of(
            [state for first, last, states in self._tokens if first < end and last > start for state in states]
        )

    def _scored(self, reading: StreamReading, end: int) -> Trip | None:
        """Whether the last pieces, as many as a window holds, score too high; what is no number does."""
        score = float(reading.scores(mean_of([state for _, state in self._read])[None])[0])
        if score <= reading.threshold:
            return None
        return Trip(
            part="probe",
            why=f"The probe's score over {len(self._read)} pieces is {score:.3g}, above {reading.threshold:.3g}.",
            message=self.number,
            start=self._read[0][0],
            end=end,
            score=score if isfinite(score) else None,
            threshold=reading.threshold,
        )

    def _checked(self, state: State | None, reading: StreamReading) -> State:
        width = len(reading.probe.reading.weights)
        found = np.array(np.nan if state is None else state)
        if found.shape != (width,) or not np.isfinite(found).all():
            missing = "none" if state is None else f"the shape {found.shape}"
            raise DataError(
                f"{width} finite numbers are expected, the stream at layer {reading.probe.site.layer}.",
                f"Found {missing if found.shape != (width,) else 'NaN or infinity'}.",
                "Pass what the model that the probe was fitted on computed.",
            )
        return found
