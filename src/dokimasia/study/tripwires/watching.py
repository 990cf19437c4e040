"""How far the fitting of a tripwire has come: planned seconds, and a subject that tells what it has done of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dokimasia.core import (
    Generation,
    Message,
    Sampling,
    Span,
    SpanActivations,
    SpanReading,
    Subject,
    Text,
    Transcript,
    approximate_tokens,
    throughput,
)
from dokimasia.study.progress import Watch
from dokimasia.study.tripwires.said import REPLY


@dataclass(frozen=True)
class Work:
    """Seconds that a subject takes, by its size."""

    subject: Subject

    def replying(self, conversations: Sequence[Sequence[Message]], tokens: int) -> float:
        """For replies of so many tokens."""
        return self.reading(conversations) + tokens * len(conversations) / throughput(self.subject, "generate")

    def reading(self, conversations: Sequence[Sequence[Message]]) -> float:
        """For what it is like at each of its words."""
        texts = ["".join(message.content for message in messages) for messages in conversations]
        return self.forward(approximate_tokens(texts, overhead=40))

    def forward(self, tokens: int) -> float:
        """For so many tokens that it reads."""
        return tokens / throughput(self.subject, "forward")


@dataclass(frozen=True)
class WatchedText:
    """Tells of each batch of replies."""

    inner: Text
    work: Work
    watch: Watch

    def generate(
        self, conversations: Sequence[Sequence[Message]], sampling: Sampling, *, seeds: Sequence[int]
    ) -> list[Generation]:
        """What the subject says."""
        found = self.inner.generate(conversations, sampling, seeds=seeds)
        self.watch.advance(self.work.replying(conversations, sampling.max_tokens), found=False)
        return found


@dataclass(frozen=True)
class WatchedSpans:
    """Tells of each batch that was read."""

    inner: SpanReading
    work: Work
    watch: Watch

    def span_activations(
        self,
        conversations: Sequence[Sequence[Message]],
        spans: Sequence[Sequence[Span]],
        *,
        layers: Sequence[int],
        max_tokens: int,
    ) -> SpanActivations:
        """What the subject is like."""
        found = self.inner.span_activations(conversations, spans, layers=layers, max_tokens=max_tokens)
        self.watch.advance(self.work.reading(conversations), found=False)
        return found


def watched(
    subject: Subject, stated: Sequence[Sequence[Message]], transcripts: Sequence[Transcript], watch: Watch
) -> Subject:
    """The subject, which tells the watch what it does of all that fitting will ask of it."""
    work = Work(subject)
    asked = [item.messages for item in transcripts if item.messages[-1].role != "assistant"]
    seconds = work.reading([*stated, *(item.messages for item in transcripts)])
    if subject.text is not None and asked:
        seconds += work.replying(asked, REPLY.max_tokens) + work.forward(len(asked) * REPLY.max_tokens)
    watch.begin("tripwire", seconds)
    return replace(
        subject,
        text=subject.text and WatchedText(subject.text, work, watch),
        spans=subject.spans and WatchedSpans(subject.spans, work, watch),
    )
