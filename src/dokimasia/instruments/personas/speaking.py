"""What voices reply to the same questions, and where the stream stands while they do."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.core import (
    Cost,
    DataError,
    Generation,
    Message,
    Sampling,
    Subject,
    SubjectError,
    approximate_tokens,
    service_cost,
    throughput,
)
from dokimasia.instruments.personas.balanced import whole_rows
from dokimasia.instruments.personas.loops import looped

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 32
MOST_TOKENS = 1024
TEMPERATURE = 0.7
"""Greedy replies of small models run into loops, and show one of the things that a voice would say."""
DEPTHS = (0.4, 0.6, 0.8)
HEADLINE = 0.6
"""Of the depth: the layer whose map is told, chosen before anything was measured."""

_REFUSAL = re.compile(
    r"\b(?:i|we)(?: am|'m| a?re|'re)? (?:really |very |so )?(?:sorry|afraid)\b.{0,60}\b(?:can(?:no|')t|won't|unable|not able)\b"
    r"|\b(?:i|we) (?:can(?:not|'t)|won't|will not|am unable to|'m unable to|am not able to|'m not able to|must decline to|decline to)"
    r" (?:do that|do this|role-?play|pretend|play|act as|act like|take on|adopt|assume|impersonate|assist|help|comply|fulfil+|answer)\b"
    r"|\b(?:i|we) (?:must|have to) decline\b",
    re.IGNORECASE | re.DOTALL,
)
_REACH = 200
"""Characters at the beginning of a reply in which a refusal would stand."""


class Voice(NamedTuple):
    """Somebody to be: system messages that ask for it, of which the n-th question gets the n-th, again from the first.

    Without any it is what the subject shows by default.
    """

    name: str
    instructions: tuple[str, ...] = ()

    def asked(self, place: int, question: str) -> tuple[Message, ...]:
        """The question, the `place`-th, put to it."""
        if not self.instructions:
            return (Message("user", question),)
        return (Message("system", self.instructions[place % len(self.instructions)]), Message("user", question))


DEFAULTS = (
    Voice("default (nothing said)"),
    Voice("default (helpful assistant)", ("You are a helpful assistant.",)),
    Voice("default (language model)", ("You are an AI language model.",)),
)
"""What it shows by default: what its chat template says where nothing is said, and two usual phrasings."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spoken:
    """Replies of voices to questions, voice by voice.

    `conversations` (n_voices * n_questions) end with the reply; `faults` say what is wrong with it: `failed`, `empty`,
    `looped`, `refused` (by stated patterns in English), `unread` (its activations are no numbers), or nothing. `values`
    (n_voices, n_questions, n_layers, d_model) are the means over each reply's tokens, NaN where it has a fault; None of a
    subject that shows no activations.
    """

    voices: tuple[str, ...]
    questions: tuple[str, ...]
    layers: tuple[int, ...]
    conversations: tuple[tuple[Message, ...], ...]
    faults: tuple[str, ...]
    values: NDArray[np.float32] | None

    @property
    def replies(self) -> tuple[str, ...]:
        """What was said, voice by voice."""
        return tuple(conversation[-1].content for conversation in self.conversations)

    @property
    def counts(self) -> dict[str, int]:
        """How many replies have which fault."""
        return dict(Counter(fault for fault in self.faults if fault))

    def at(self, layer: int, voices: Sequence[str]) -> NDArray[np.float64]:
        """Values (n_voices, n_questions, d_model) of these voices at this layer."""
        if self.values is None:
            raise SubjectError(
                "A subject that shows its activations is expected.", "This one shows none.", "Name a local model."
            )
        rows = [self.voices.index(voice) for voice in voices]
        return np.asarray(self.values[rows][:, :, self.layers.index(layer)], np.float64)


def layers_of(n_layers: int) -> tuple[int, ...]:
    """The layers that are read, counted from 0.

    >>> layers_of(30), layers_of(2)
    ((11, 17, 23), (0, 1))
    """
    return tuple(sorted({_at(depth, n_layers) for depth in DEPTHS}))


def headline_layer(n_layers: int) -> int:
    """The layer whose map is told.

    >>> headline_layer(30)
    17
    """
    return _at(HEADLINE, n_layers)


def speak(
    subject: Subject,
    voices: Sequence[Voice],
    questions: Sequence[str],
    *,
    max_tokens: int,
    layers: Sequence[int],
    seed: int,
) -> Spoken:
    """Put every question to every voice, and read the stream over each reply.

    Replies are sampled at a moderate temperature, each with a seed of its own that follows from the voice and the
    question.
    """
    if subject.text is None:
        raise SubjectError("A subject that writes text is expected.", "This one writes none.", "Name another one.")
    asked = _asked(voices, questions)
    if not asked:
        raise DataError(
            "Voices and questions to them are expected.",
            f"Found {len(voices)} voices and {len(questions)} questions.",
            "Add to the set.",
        )
    seeds = [_seed(seed, voice.name, question) for voice in voices for question in questions]
    sampling = Sampling(max_tokens=max_tokens, temperature=TEMPERATURE)
    replies: list[Generation] = []
    size = BATCH if subject.service is None else max(1, len(asked))
    for start in range(0, len(asked), size):
        end = start + size
        replies += subject.text.generate(asked[start:end], sampling, seeds=seeds[start:end])
    told = [(*messages, Message("assistant", reply.text)) for messages, reply in zip(asked, replies, strict=True)]
    faults = [_fault(reply) for reply in replies]
    values = None
    if subject.activations is not None:
        values = read(subject, told, layers)
        broken: list[bool] = np.asarray(~whole_rows(values).all(axis=1)).tolist()
        faults = [fault or ("unread" if bad else "") for fault, bad in zip(faults, broken, strict=True)]
        values[[bool(fault) for fault in faults]] = np.nan
        values = values.reshape(len(voices), len(questions), len(layers), -1)
    return Spoken(
        voices=tuple(voice.name for voice in voices),
        questions=tuple(questions),
        layers=tuple(layers),
        conversations=tuple(told),
        faults=tuple(faults),
        values=values,
    )


def read(subject: Subject, told: Sequence[tuple[Message, ...]], layers: Sequence[int]) -> NDArray[np.float32]:
    """Means (n_conversations, n_layers, d_model) of the stream over the assistant's words; NaN where there are none."""
    assert subject.activations is not None
    found = [
        subject.activations.activations(
            told[start : start + BATCH], layers=layers, pools=("assistant",), max_tokens=MOST_TOKENS
        ).values[:, :, 0]
        for start in range(0, len(told), BATCH)
    ]
    return np.concatenate(found)


def planned_speaking(subject: Subject, voices: Sequence[Voice], questions: Sequence[str], *, max_tokens: int) -> Cost:
    """What `speak` asks for."""
    texts = ["".join(message.content for message in messages) for messages in _asked(voices, questions)]
    prompt, new = approximate_tokens(texts, overhead=40), max_tokens * len(texts)
    if subject.text is None or not texts:
        return Cost()
    if subject.service is not None:
        return service_cost(subject.service, calls=len(texts), read=prompt, new=new)
    seconds = prompt / throughput(subject, "forward") + new / throughput(subject, "generate")
    cost = Cost(calls=-(-len(texts) // BATCH), tokens=prompt + new, seconds=seconds)
    return cost if subject.activations is None else cost + planned_reading(subject, len(texts), prompt + new)


def planned_reading(subject: Subject, n: int, tokens: int) -> Cost:
    """What `read` asks for, of so many conversations with so many tokens in all."""
    return Cost(calls=-(-n // BATCH), tokens=tokens, seconds=tokens / throughput(subject, "forward"))


def _asked(voices: Sequence[Voice], questions: Sequence[str]) -> list[tuple[Message, ...]]:
    return [voice.asked(place, question) for voice in voices for place, question in enumerate(questions)]


def _fault(reply: Generation) -> str:
    if reply.stop_reason in ("error", "content_filter"):
        return "failed"
    if not reply.text.strip():
        return "empty"
    if looped(reply.text):
        return "looped"
    return "refused" if _REFUSAL.search(reply.text[:_REACH].replace("\u2019", "'")) else ""


def _seed(seed: int, voice: str, question: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{voice}\n{question}".encode()).digest()[:6], "big")


def _at(depth: float, n_layers: int) -> int:
    return max(0, round(depth * n_layers) - 1)
