"""Sentence embeddings: what a text is about, by a model other than the subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dokimasia.core import Access, Embedder, Transcript
from dokimasia.instruments.common.discriminators.dense import DenseFeatures

EMBED_BATCH = 256


@dataclass(frozen=True)
class SentenceEmbeddings:
    """A linear test on one vector a transcript, C = 0.01 on standardised numbers."""

    embedder: Embedder
    name: str = "sentence embeddings"
    access: Access = "none"

    def features(self, transcripts: Sequence[Transcript]) -> DenseFeatures:
        texts = [item.input_text for item in transcripts]
        order = sorted(range(len(texts)), key=lambda row: (len(texts[row]), transcripts[row].digest))
        batches = [order[start : start + EMBED_BATCH] for start in range(0, len(order), EMBED_BATCH)]
        found = [self.embedder.embed([texts[row] for row in batch]) for batch in batches]
        values = np.concatenate([part.values for part in found])[np.argsort(order)].astype(float)
        cut = sum(part.truncated for part in found)
        return DenseFeatures(
            values, c=0.01, notes=(f"Of {cut} inputs only the first tokens were embedded.",) if cut else ()
        )
