"""Subjects without weights, and evidence made of words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from dokimasia.core import (
    ChoiceScore,
    Evidence,
    Generation,
    Identity,
    PooledActivations,
    Source,
    Subject,
    TokenLogProbs,
    Transcript,
)
from dokimasia.core.transcript import Message

TOPICS = ("soup", "trains", "tax", "roses", "python", "letters", "football", "knees", "paint", "poems")


class FakeModel:
    """Answers from a hash of the question; counts calls; can break at a given one."""

    def __init__(self, *, break_at: int | None = None, error: BaseException | None = None, poison: str = "") -> None:
        self.calls = 0
        self._break_at, self._error, self._poison = break_at, error or KeyboardInterrupt(), poison

    @property
    def n_layers(self) -> int:
        return 4

    def generate(self, conversations, sampling, *, seeds):
        self._called()
        return [
            Generation(
                text=f"Answer {_hash(messages) % 97}",
                tokens=(1, 2),
                logprobs=(-0.5, -0.25),
                stop_reason="stop",
                prompt_tokens=3,
            )
            for messages in conversations
        ]

    def prompt_logprobs(self, conversations):
        self._called()
        return [TokenLogProbs(tokens=(1, 2), logprobs=(-1.0,)) for _ in conversations]

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self._called()
        return [
            [
                ChoiceScore(choice=choice, logprob=-1 - (_hash(choice) % 1000) / 100, n_tokens=max(1, len(choice) // 5))
                for choice in options
            ]
            for options in choices
        ]

    def activations(self, conversations, *, layers, pools, max_tokens):
        self._called()
        values = np.stack([_vector(messages, len(layers), len(pools)) for messages in conversations])
        for row, messages in enumerate(conversations):
            if self._poison and self._poison in messages[-1].content:
                values[row] = np.nan
        return PooledActivations(values=values, layers=tuple(layers), pools=tuple(pools), truncated=0)

    def _called(self) -> None:
        self.calls += 1
        if self.calls == self._break_at:
            raise self._error


def fake_subject(model: FakeModel | None = None, name: str = "fake") -> Subject:
    model = model or FakeModel()
    identity = Identity(name=name, digest=name * 8, parameters=1_000_000, dtype="none", threads=1)
    return Subject(identity=identity, text=model, logprobs=model, activations=model)


def transcripts(
    n: int, *, style: str, source: str, seed: int = 0, misbehaved: Sequence[str | None] = (), prefix: str = ""
) -> tuple[Transcript, ...]:
    """`test` items are quizzes, `plain` ones are not; the same style with another seed gives other texts."""
    rng = np.random.default_rng([seed, len(style)])
    found = []
    for index in range(n):
        words = " ".join(f"w{value}" for value in rng.integers(0, 400, size=int(rng.integers(6, 40))))
        topic = TOPICS[int(rng.integers(len(TOPICS)))]
        text = f"Question: {topic} {words}? Choose (A) or (B)." if style == "test" else f"{words} about {topic}"
        found.append(
            Transcript(
                id=f"{prefix}{source}-{seed}-{index}",
                messages=(Message("user", text),),
                source=source,
                misbehaved=misbehaved[index] if index < len(misbehaved) else None,
            )
        )
    return tuple(found)


def evidence(n: int = 60, m: int = 60, *, style: str = "test", misbehaved: Sequence[str | None] = ()) -> Evidence:
    return Evidence(
        evaluation=(
            Source(
                name="tests.jsonl",
                transcripts=transcripts(n, style=style, source="quiz", seed=1, misbehaved=misbehaved),
                notes={},
            ),
        ),
        deployment=Source(
            name="logs.jsonl", transcripts=transcripts(m, style="plain", source="deployment", seed=2), notes={}
        ),
    )


def _hash(value: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(value).encode("utf-8", "replace")).digest()[:6], "big")


def _vector(messages: Sequence[Message], layers: int, pools: int) -> np.ndarray:
    rng = np.random.default_rng(_hash(messages))
    values = rng.normal(size=(layers, pools, 8)).astype(np.float32)
    values[-1, :, 0] += 4.0 * ("Question" in messages[-1].content)
    return values
