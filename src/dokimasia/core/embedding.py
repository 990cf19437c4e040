"""Vectors for texts, from a model other than the subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """A vector a text, axes (n_texts, d), float32, each of length 1. Of `truncated` texts only a part was read."""

    values: NDArray[np.float32]
    truncated: int


class Embedder(Protocol):
    """Turns texts into vectors that lie near one another where the texts mean alike."""

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """One vector a text; texts play no part in each other's."""
        ...
