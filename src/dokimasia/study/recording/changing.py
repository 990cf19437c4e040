"""Subjects that come out of a recorded one, by steering or training: they are recorded, too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dokimasia.core import (
    Classifier,
    Example,
    Intervention,
    LabelledConversation,
    Steerable,
    Subject,
    Trainable,
    Trained,
    TrainedClassifier,
    Training,
)
from dokimasia.study.recording.answers import RecordedClassifier
from dokimasia.study.recording.recorder import Recorder

FOLDER = "trained"


@dataclass(frozen=True)
class RecordedSteering:
    """Steering. The steered subject's answers are recorded under its own digest, which covers the interventions."""

    recorder: Recorder
    inner: Steerable

    def steered(self, interventions: Sequence[Intervention]) -> Subject:
        return self.recorder.record(self.inner.steered(interventions))


@dataclass(frozen=True)
class RecordedTraining:
    """Training, which needs no record: what comes out lies in its folder, where the same request finds it.

    A folder that is not absolute lies below `trained/` in the run folder. What the new subject is asked is recorded, and
    so are a classifier's log-odds. Training is no part of the planned seconds that are reported, and it is not begun
    behind a cap; one that a cap on time ends leaves nothing.
    """

    recorder: Recorder
    inner: Trainable

    def train(self, examples: Sequence[Example], training: Training, *, folder: Path) -> Trained:
        self.recorder.meter.reserve(0.0, 0.0)
        trained = self.inner.train(examples, training, folder=self._place(folder))
        return replace(trained, subject=self.recorder.record(trained.subject))

    def train_classifier(
        self, examples: Sequence[LabelledConversation], training: Training, *, folder: Path
    ) -> TrainedClassifier:
        self.recorder.meter.reserve(0.0, 0.0)
        trained = self.inner.train_classifier(examples, training, folder=self._place(folder))
        return replace(trained, classifier=self._recorded(trained.classifier, trained.folder))

    def load_classifier(self, folder: Path) -> Classifier:
        place = self._place(folder)
        return self._recorded(self.inner.load_classifier(place), place)

    def _place(self, folder: Path) -> Path:
        return self.recorder.folder.path / FOLDER / folder

    def _recorded(self, classifier: Classifier, folder: Path) -> Classifier:
        return RecordedClassifier(self.recorder, classifier, _contents(folder))


def _contents(folder: Path) -> str:
    """Digest of the files in a folder."""
    state = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        state.update(path.name.encode("utf-8", "surrogateescape") + hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()
