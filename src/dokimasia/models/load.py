"""From a name to a subject."""

from __future__ import annotations

import os
from pathlib import Path

from dokimasia.core import Identity, Subject
from dokimasia.models.bundled import bundled_folder
from dokimasia.models.local import GENERATION_DTYPE, LocalModel
from dokimasia.models.weights import Weights

BUNDLED = "bundled"


def load_subject(model: str | Path = BUNDLED) -> Subject:
    """Make a subject of `"bundled"` (SmolLM2-135M-Instruct) or of a Hugging Face folder, with all access to it.

    Quick: weights are loaded when something is first asked of them (the bundled model is converted once, about 20
    seconds). Raises `SubjectError` if the folder is no causal language model with a chat template.
    """
    name = str(model)
    weights = Weights(bundled_folder() if name == BUNDLED else Path(name).expanduser(), thread_count())
    local = LocalModel(weights)
    identity = Identity(
        name=name if name == BUNDLED else weights.folder.resolve().name,
        digest=weights.digest,
        parameters=weights.parameters,
        dtype=f"{GENERATION_DTYPE} (log-probabilities float32)",
        threads=weights.threads,
    )
    return Subject(identity=identity, text=local, logprobs=local, activations=local)


def thread_count() -> int:
    """Threads that torch will use: results in bfloat16 depend on it."""
    declared = os.environ.get("OMP_NUM_THREADS", "")
    return int(declared) if declared.isdigit() and int(declared) > 0 else _processors()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
