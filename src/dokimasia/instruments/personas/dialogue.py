"""Conversations that advance together, and where the subject's stream was at each of its turns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dokimasia.core import Cost, Generation, Message, Sampling, Span, Subject, SubjectError, service_cost, throughput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dokimasia.core.capabilities import Conversation

BATCH = 32
READ_TOKENS = 4096
OVERHEAD = 12
"""Tokens that a chat template puts around a message."""

Stop = Literal["failed", "filtered", "too long"]
"""Why a conversation did not go on: a request that got no reply (a rerun makes it again), a content filter, a full context."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """The stream over each of the subject's turns.

    `values` has axes (n_conversations, n_turns, n_layers, d_model); NaN where there is no such turn, or nothing could
    be read. `alone`: each turn was read with the user's message before it and nothing else, since the subject shows no
    parts of conversations. `truncated` conversations lost their beginning to the limit of tokens.
    """

    values: NDArray[np.float64]
    alone: bool
    truncated: int


def sampling(max_tokens: int) -> Sampling:
    """How turns of a conversation are sampled: greedy ones of small models soon repeat themselves."""
    return Sampling(max_tokens=max_tokens, temperature=0.7, top_p=0.95)


def drawn(seed: int, *of: object) -> int:
    """A seed of its own for whatever this is about, whatever else is asked."""
    return int.from_bytes(hashlib.sha256(repr((seed, *of)).encode("utf-8", "replace")).digest()[:4], "big")


def batches(subject: Subject, n: int, size: int = BATCH) -> list[range]:
    """Rows that are asked together; all of them where each request goes alone."""
    size = size if subject.service is None else max(1, n)
    return [range(start, min(start + size, n)) for start in range(0, n, size)]


def replies(
    subject: Subject,
    conversations: Sequence[Conversation | None],
    *,
    max_tokens: int,
    seeds: Sequence[int],
) -> list[Generation | None]:
    """A reply to each conversation that goes on; one that does not keeps its place, so that batches stay as they are."""
    if subject.text is None:
        raise SubjectError("A subject that writes text is expected.", "Found one that does not.", "Name another model.")
    found: list[Generation | None] = [None] * len(conversations)
    for rows in batches(subject, len(conversations)):
        going = [(row, conversation) for row in rows if (conversation := conversations[row]) is not None]
        if going:
            answers = subject.text.generate(
                [conversation for _, conversation in going],
                sampling(max_tokens),
                seeds=[seeds[row] for row, _ in going],
            )
            for (row, _), answer in zip(going, answers, strict=True):
                found[row] = answer
    return found


def stopped(reply: Generation) -> Stop | None:
    """Why there is no reply, if there is none; a model that runs here and counted the prompt found no room for one."""
    if reply.stop_reason == "error":
        return "too long" if reply.prompt_tokens and reply.delivery is None else "failed"
    return "filtered" if reply.stop_reason == "content_filter" else None


def read_turns(
    subject: Subject,
    conversations: Sequence[Conversation],
    *,
    layers: Sequence[int],
    turns: int,
    width: int,
) -> Read:
    """Read each assistant's message in one pass over its whole conversation, or, if that cannot be had, each for itself."""
    values = np.full((len(conversations), turns, len(layers), width), np.nan)
    places = [
        [place for place, message in enumerate(conversation) if message.role == "assistant"][:turns]
        for conversation in conversations
    ]
    truncated = 0
    if subject.spans is not None:
        for rows in batches(subject, len(conversations)):
            read = [row for row in rows if places[row]]
            if not read:
                continue
            found = subject.spans.span_activations(
                [conversations[row] for row in read],
                [[Span(message=place) for place in places[row]] for row in read],
                layers=layers,
                max_tokens=READ_TOKENS,
            )
            for value, (row, turn) in zip(found.values, found.rows, strict=True):
                values[read[row], turn] = value
            truncated += len(found.truncated)
    elif subject.activations is not None:
        pairs = [(row, turn, place) for row, wanted in enumerate(places) for turn, place in enumerate(wanted)]
        for part in batches(subject, len(pairs)):
            alone = [_alone(conversations[row], place) for row, _, place in (pairs[one] for one in part)]
            pooled = subject.activations.activations(alone, layers=layers, pools=("assistant",), max_tokens=READ_TOKENS)
            truncated += pooled.truncated
            for value, one in zip(pooled.values, part, strict=True):
                row, turn, _ = pairs[one]
                values[row, turn] = value[:, 0]
    else:
        raise SubjectError(
            "A subject that shows its residual stream is expected.",
            "Found one that does not.",
            "Use a model whose weights are here.",
        )
    values[~np.isfinite(values).all(axis=(2, 3))] = np.nan
    return Read(values=values, alone=subject.spans is None, truncated=truncated)


def planned_reading(subject: Subject, lengths: Sequence[int], tokens: Sequence[int]) -> Cost:
    """What `read_turns` asks for: of each conversation the number of assistant's turns, and of tokens in all."""
    if subject.spans is not None:
        calls = sum(any(lengths[row] for row in rows) for rows in batches(subject, len(lengths)))
    else:
        calls = len(batches(subject, sum(lengths)))
    total = sum(count for count, turns in zip(tokens, lengths, strict=True) if turns)
    return Cost(calls=calls, tokens=total, seconds=total / throughput(subject, "forward"))


def planned_replies(subject: Subject, prompts: Sequence[int | None], max_tokens: int) -> Cost:
    """What `replies` asks for, from the tokens of each conversation that goes on."""
    going = [prompt for prompt in prompts if prompt is not None]
    read, new = sum(going), max_tokens * len(going)
    if subject.service is not None:
        return service_cost(subject.service, calls=len(going), read=read, new=new)
    calls = sum(any(prompts[row] is not None for row in rows) for rows in batches(subject, len(prompts)))
    seconds = read / throughput(subject, "forward") + new / throughput(subject, "generate")
    return Cost(calls=calls, tokens=read + new, seconds=seconds)


def about(text: str) -> int:
    """Tokens of a message, at four characters a token."""
    return len(text) // 4 + OVERHEAD


def _alone(conversation: Conversation, place: int) -> tuple[Message, ...]:
    """The message with the one before it, if that is the user's."""
    start = place - 1 if place and conversation[place - 1].role == "user" else place
    return tuple(conversation[start : place + 1])
