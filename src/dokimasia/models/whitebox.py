"""A local model with everything that can be asked of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from dokimasia.core import Identity, Intervention, Subject
from dokimasia.models.gradients import EmbeddingGradients
from dokimasia.models.lens import LogitLens
from dokimasia.models.local import LocalModel
from dokimasia.models.steering import Steerer
from dokimasia.models.streaming import TokenStreams
from dokimasia.models.training import Trainer
from dokimasia.models.weights import Weights


def local_subject(weights: Weights, identity: Identity, *, base: str, reload: Callable[[Path], Subject]) -> Subject:
    """A subject with all access.

    `base` is the name by which an adapter finds the model again, and `reload` makes a subject of an adapter's folder. A
    model with an adapter cannot be trained further; a steered one gives text, whole or token by token,
    log-probabilities and activations.
    """
    lock = threading.Lock()

    def steered(who: Identity, interventions: tuple[Intervention, ...]) -> Subject:
        model = LocalModel(weights, lock, interventions)
        return Subject(
            identity=who,
            text=model,
            streams=TokenStreams(weights, lock, interventions),
            logprobs=model,
            activations=model,
            spans=model,
            remarks=weights.rendering.remarks,
        )

    model = LocalModel(weights, lock)
    return Subject(
        identity=identity,
        text=model,
        streams=TokenStreams(weights, lock),
        logprobs=model,
        activations=model,
        spans=model,
        steerable=Steerer(identity, steered),
        lens=LogitLens(weights, lock),
        gradients=EmbeddingGradients(weights, lock),
        trainable=None if weights.adapter else Trainer(weights, lock, base=base, reload=reload),
        remarks=weights.rendering.remarks,
    )
