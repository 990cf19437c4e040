"""Pooled activations, kept by the row in the run folder's store: whoever asks finds what any other had computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dokimasia.core import Activations, PooledActivations
from dokimasia.study.activation_store import StoredActivations, activation_store
from dokimasia.study.recording.recorder import Conversations, Recorder

FOLDER = "activations"


@dataclass(frozen=True)
class RecordedActivations:
    """Activations that are looked up site by site and row by row; what is missing is computed in parts.

    A cap is looked at before each part, and the parts before it are kept.
    """

    recorder: Recorder
    inner: Activations

    @property
    def n_layers(self) -> int:
        return self._stored.n_layers

    def activations(
        self, conversations: Conversations, *, layers: Sequence[int], pools: Sequence[str], max_tokens: int
    ) -> PooledActivations:
        return self._stored.activations(conversations, layers=layers, pools=pools, max_tokens=max_tokens)

    @cached_property
    def _stored(self) -> StoredActivations:
        recorder = self.recorder
        store = recorder.folder.holding(FOLDER, activation_store)
        return StoredActivations(
            inner=_Metered(recorder, self.inner),
            space=store.of(recorder.subject.identity),
            report=lambda part, found: recorder.report(recorder.seconds(part, "forward"), found),
        )


@dataclass(frozen=True)
class _Metered:
    """Activations that are computed if the meter gives leave."""

    recorder: Recorder
    inner: Activations

    @property
    def n_layers(self) -> int:
        return self.inner.n_layers

    def activations(
        self, conversations: Conversations, *, layers: Sequence[int], pools: Sequence[str], max_tokens: int
    ) -> PooledActivations:
        return self.recorder.ask(
            self.recorder.seconds(conversations, "forward"),
            lambda: self.inner.activations(conversations, layers=layers, pools=pools, max_tokens=max_tokens),
        )
