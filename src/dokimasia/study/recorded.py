"""A subject whose answers are recorded batch by batch: what was answered once is never asked again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dokimasia.core import (
    Activations,
    ChoiceScore,
    Generation,
    LogProbs,
    Message,
    PooledActivations,
    Sampling,
    Subject,
    Text,
    TokenLogProbs,
    approximate_tokens,
    throughput,
)
from dokimasia.study.provenance import answering_versions
from dokimasia.study.store import RunFolder, canonical

Conversations = Sequence[Sequence[Message]]
Report = Callable[[float, bool], None]
"""Told the planned seconds of a batch, and whether it was found rather than asked."""


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """Looks a call up, or makes it and writes it down. A batch is redone whole, or not at all."""

    folder: RunFolder
    subject: Subject
    report: Report

    def call(
        self,
        method: str,
        request: Any,
        seconds: float,
        ask: Callable[[], tuple[Any, dict[str, Any]]],
    ) -> tuple[Any, dict[str, Any]]:
        identity = self.subject.identity
        key = hashlib.sha256(
            canonical([method, identity.digest, identity.dtype, identity.threads, answering_versions(), request])
        ).hexdigest()[:32]
        stored = self.folder.load_call(key)
        if stored is not None:
            self.report(seconds, True)
            return stored["plain"], stored["arrays"]
        plain, arrays = ask()
        self.folder.save_call(key, plain, arrays)
        self.report(seconds, False)
        return plain, arrays

    def seconds(self, conversations: Conversations, work: str, *, new: int = 0) -> float:
        tokens = approximate_tokens(["".join(m.content for m in messages) for messages in conversations], overhead=40)
        cost = tokens / throughput(self.subject, work)
        return cost + new / throughput(self.subject, "generate")


def record(subject: Subject, folder: RunFolder, report: Report) -> Subject:
    """The same subject with the same access, recorded."""
    recorder = Recorder(folder=folder, subject=subject, report=report)
    return Subject(
        identity=subject.identity,
        text=None if subject.text is None else RecordedText(recorder, subject.text),
        logprobs=None if subject.logprobs is None else RecordedLogProbs(recorder, subject.logprobs),
        activations=None if subject.activations is None else RecordedActivations(recorder, subject.activations),
    )


@dataclass(frozen=True)
class RecordedText:
    """Text, recorded."""

    recorder: Recorder
    inner: Text

    def generate(self, conversations: Conversations, sampling: Sampling, *, seeds: Sequence[int]) -> list[Generation]:
        def ask() -> tuple[Any, dict[str, Any]]:
            return [asdict(reply) for reply in self.inner.generate(conversations, sampling, seeds=seeds)], {}

        plain, _ = self.recorder.call(
            "generate",
            [_plain(conversations), asdict(sampling), list(seeds)],
            self.recorder.seconds(conversations, "forward", new=sampling.max_tokens * len(conversations)),
            ask,
        )
        return [
            Generation(**{**reply, "tokens": tuple(reply["tokens"]), "logprobs": tuple(reply["logprobs"])})
            for reply in plain
        ]


@dataclass(frozen=True)
class RecordedLogProbs:
    """Log-probabilities, recorded."""

    recorder: Recorder
    inner: LogProbs

    def prompt_logprobs(self, conversations: Conversations) -> list[TokenLogProbs]:
        def ask() -> tuple[Any, dict[str, Any]]:
            return [asdict(item) for item in self.inner.prompt_logprobs(conversations)], {}

        plain, _ = self.recorder.call(
            "prompt_logprobs", _plain(conversations), self.recorder.seconds(conversations, "exact"), ask
        )
        return [TokenLogProbs(tokens=tuple(item["tokens"]), logprobs=tuple(item["logprobs"])) for item in plain]

    def choice_logprobs(
        self, conversations: Conversations, choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        def ask() -> tuple[Any, dict[str, Any]]:
            found = self.inner.choice_logprobs(conversations, choices)
            return [[asdict(score) for score in row] for row in found], {}

        plain, _ = self.recorder.call(
            "choice_logprobs",
            [_plain(conversations), [list(options) for options in choices]],
            self.recorder.seconds(conversations, "exact"),
            ask,
        )
        return [[ChoiceScore(**score) for score in row] for row in plain]


@dataclass(frozen=True)
class RecordedActivations:
    """Activations, recorded."""

    recorder: Recorder
    inner: Activations

    @property
    def n_layers(self) -> int:
        plain, _ = self.recorder.call("n_layers", None, 0.0, lambda: (self.inner.n_layers, {}))
        return int(plain)

    def activations(
        self, conversations: Conversations, *, layers: Sequence[int], pools: Sequence[str], max_tokens: int
    ) -> PooledActivations:
        def ask() -> tuple[Any, dict[str, Any]]:
            found = self.inner.activations(conversations, layers=layers, pools=pools, max_tokens=max_tokens)
            return found.truncated, {"values": found.values}

        plain, arrays = self.recorder.call(
            "activations",
            [_plain(conversations), list(layers), list(pools), max_tokens],
            self.recorder.seconds(conversations, "forward"),
            ask,
        )
        return PooledActivations(
            values=arrays["values"], layers=tuple(layers), pools=tuple(pools), truncated=int(plain)
        )


def _plain(conversations: Conversations) -> list[list[list[str]]]:
    return [[[message.role, message.content] for message in messages] for messages in conversations]
