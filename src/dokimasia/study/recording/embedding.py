"""Embeddings, recorded by the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dokimasia.core import Embedder, Embeddings, approximate_tokens, throughput
from dokimasia.study.recording.recorder import Recorder


@dataclass(frozen=True)
class RecordedEmbedder:
    """Vectors of texts."""

    recorder: Recorder
    inner: Embedder

    def embed(self, texts: Sequence[str]) -> Embeddings:
        tokens = approximate_tokens(texts, overhead=2)
        return self.recorder.call(
            "embed",
            list(texts),
            tokens / throughput(self.recorder.subject, "exact"),
            lambda: self.inner.embed(texts),
        )
