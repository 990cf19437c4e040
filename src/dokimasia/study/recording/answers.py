"""Capabilities that are recorded by the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING

from dokimasia.core import (
    CapReached,
    ChoiceScore,
    Classifier,
    EmbeddingGradient,
    Generation,
    Gradients,
    Lens,
    LensReading,
    LogProbs,
    Objective,
    Precision,
    Sampling,
    Span,
    SpanActivations,
    SpanReading,
    Text,
    TokenLogProbs,
)
from dokimasia.study.recording.recorder import Conversations, Recorder, plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BACKWARD = 3
"""A gradient takes about so many times as long as a pass forward."""


@dataclass(frozen=True)
class RecordedText:
    """Text. A batch in which a reply failed is not recorded, so that a rerun asks it again.

    Behind a cap every reply is one that failed: counted at its worst, and asked again by a rerun with a larger cap.
    """

    recorder: Recorder
    inner: Text

    def generate(self, conversations: Conversations, sampling: Sampling, *, seeds: Sequence[int]) -> list[Generation]:
        try:
            return self.recorder.call(
                "generate",
                [plain(conversations), asdict(sampling), list(seeds)],
                self.recorder.seconds(conversations, "forward", new=sampling.max_tokens * len(conversations)),
                lambda: self.inner.generate(conversations, sampling, seeds=seeds),
                final=lambda replies: all(reply.stop_reason != "error" for reply in replies),
            )
        except CapReached as cap:
            return [not_asked(cap) for _ in conversations]


@dataclass(frozen=True)
class RecordedLogProbs:
    """Log-probabilities."""

    recorder: Recorder
    inner: LogProbs

    def prompt_logprobs(self, conversations: Conversations) -> list[TokenLogProbs]:
        return self.recorder.call(
            "prompt_logprobs",
            plain(conversations),
            self.recorder.seconds(conversations, "exact"),
            lambda: self.inner.prompt_logprobs(conversations),
        )

    def choice_logprobs(
        self, conversations: Conversations, choices: Sequence[Sequence[str]], *, precision: Precision = "exact"
    ) -> list[list[ChoiceScore]]:
        request = [plain(conversations), [list(options) for options in choices]]
        return self.recorder.call(
            "choice_logprobs",
            request if precision == "exact" else [*request, precision],
            self.recorder.seconds(conversations, "exact" if precision == "exact" else "forward"),
            lambda: self.inner.choice_logprobs(conversations, choices, precision=precision),
        )


@dataclass(frozen=True)
class RecordedSpans:
    """Activations over spans."""

    recorder: Recorder
    inner: SpanReading

    def span_activations(
        self,
        conversations: Conversations,
        spans: Sequence[Sequence[Span]],
        *,
        layers: Sequence[int],
        max_tokens: int,
    ) -> SpanActivations:
        return self.recorder.call(
            "span_activations",
            [plain(conversations), [[astuple(span) for span in wanted] for wanted in spans], list(layers), max_tokens],
            self.recorder.seconds(conversations, "forward"),
            lambda: self.inner.span_activations(conversations, spans, layers=layers, max_tokens=max_tokens),
        )


@dataclass(frozen=True)
class RecordedLens:
    """The logit lens."""

    recorder: Recorder
    inner: Lens

    def logit_lens(
        self, conversations: Conversations, *, layers: Sequence[int], position: int = -1, top: int = 10
    ) -> list[tuple[LensReading, ...]]:
        return self.recorder.call(
            "logit_lens",
            [plain(conversations), list(layers), position, top],
            self.recorder.seconds(conversations, "exact"),
            lambda: self.inner.logit_lens(conversations, layers=layers, position=position, top=top),
        )


@dataclass(frozen=True)
class RecordedGradients:
    """Gradients with respect to the input."""

    recorder: Recorder
    inner: Gradients

    def embedding_gradients(
        self, conversations: Conversations, objectives: Sequence[Objective]
    ) -> list[EmbeddingGradient]:
        return self.recorder.call(
            "embedding_gradients",
            [plain(conversations), [[type(item).__name__, *astuple(item)] for item in objectives]],
            BACKWARD * self.recorder.seconds(conversations, "exact"),
            lambda: self.inner.embedding_gradients(conversations, objectives),
        )


@dataclass(frozen=True)
class RecordedClassifier:
    """A classifier; `digest` says which."""

    recorder: Recorder
    inner: Classifier
    digest: str

    def log_odds(self, conversations: Conversations) -> NDArray[np.float64]:
        return self.recorder.call(
            "log_odds",
            [self.digest, plain(conversations)],
            self.recorder.seconds(conversations, "forward"),
            lambda: self.inner.log_odds(conversations),
        )


def not_asked(cap: CapReached) -> Generation:
    """A reply that a cap forbade to ask for."""
    return Generation(text="", tokens=(), logprobs=(), stop_reason="error", prompt_tokens=0, error=f"Not asked. {cap}")
