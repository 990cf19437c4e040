"""A reply behind a breaker: only what was examined is let through."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from dokimasia.control.breaker import Breaker
from dokimasia.control.trip import Trip
from dokimasia.control.tripwire import Tripwire
from dokimasia.core import Message, Sampling, Step, StopReason, Subject, SubjectError


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedReply:
    """What was let through of a reply, and what tripped, if anything did.

    `withheld` counts characters that were written and not let through, `tokens` those of the reply that were computed.
    `stop_reason` says why the reply ended by itself; it is None if the breaker ended it.
    """

    text: str
    trip: Trip | None
    stop_reason: StopReason | None
    tokens: int
    withheld: int


def guarded(
    subject: Subject, conversation: Sequence[Message], breaker: Breaker | Tripwire, sampling: Sampling, *, seed: int
) -> GuardedReply:
    """What does this subject reply, as far as nothing trips?

    Text is let through once every part of the tripwire has examined it: the matcher each whole word, so a word late; the
    probe each window, so that a reply's first words wait for each other. What the matcher knows as a statement is never
    let through whole: it trips on the word that completes it. A probe trips when it trips.

    Pass a breaker rather than a tripwire to let it latch across replies; these may be written at once, in threads, and
    all end when one trips. With a probe, a reply that ends at a stop text, or where the context is full, is let through
    up to its last token, whose state was never computed. What goes wrong while the reply is written trips
    it; what makes no reply possible (another model than the probe's, too long a conversation) is raised.
    """
    breaker = Breaker(breaker) if isinstance(breaker, Tripwire) else breaker.apart()
    reading = breaker.tripwire.reading
    if subject.streams is None:
        raise SubjectError(
            "A model that shows its reply token by token is expected.",
            f"{subject.identity.name} does not.",
            "Load it here; of an endpoint's replies, pass the whole messages to `Breaker.hear`, with a matcher alone.",
        )
    if reading is not None and reading.probe.subject != subject.identity.digest:
        raise SubjectError(
            f"The model that the probe was fitted on is expected, with the digest {reading.probe.subject[:12]}.",
            f"Found {subject.identity.name}, with the digest {subject.identity.digest[:12]}.",
            "Fit a tripwire on this model, or load this one with `model=None` for its matcher alone.",
        )
    if breaker.recall(conversation) is not None:
        return GuardedReply(text="", trip=breaker.trip, stop_reason=None, tokens=0, withheld=0)
    layers = () if reading is None else (reading.probe.site.layer,)
    limit = sampling.max_tokens if reading is None else sampling.max_tokens + 1
    steps = subject.streams.stream(conversation, replace(sampling, max_tokens=limit), seed=seed, layers=layers)
    breaker.begin("assistant")
    with closing(steps):
        return _let_through(steps, breaker, most=sampling.max_tokens)


def _let_through(steps: Generator[Step], breaker: Breaker, *, most: int) -> GuardedReply:
    """Feed a reply to the breaker, as long as nothing trips.

    With a probe, a token is fed when the next one shows the stream that was read at it; a token beyond `most` shows only that.
    """
    probed = breaker.tripwire.reading is not None
    written, fed, passed, tokens = "", "", 0, 0
    reason: StopReason | None = None
    waiting: str | None = None
    while breaker.trip is None:
        try:
            step = next(steps, None)
        except Exception as error:  # noqa: BLE001 - the reply broke off, and what it would have said is not known
            breaker.fail(f"{type(error).__name__}: {error}")
            break
        if step is None:
            breaker.end()
            break
        tokens += 1
        written += step.text if tokens <= most else ""
        reason = step.stop_reason if tokens <= most else "max_tokens"
        new, waiting = (waiting, step.text) if probed else (step.text, None)
        if new is None:
            continue
        fed += new
        if breaker.feed(new, step.activations[0] if probed and len(step.activations) else None) is None:
            passed = breaker.examined
    trip = breaker.trip
    passed = len(fed) if trip is None else passed
    return GuardedReply(
        text=fed[:passed],
        trip=trip,
        stop_reason=reason if trip is None else None,
        tokens=min(tokens, most),
        withheld=len(written) - passed,
    )
