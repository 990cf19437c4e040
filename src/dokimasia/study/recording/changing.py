"""Subjects that come out of a recorded one, by steering or training: they are recorded, too."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
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
    throughput,
)
from dokimasia.study.recording.answers import RecordedClassifier
from dokimasia.study.recording.recorder import Answer, Recorder

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
    so are a classifier's log-odds. No training is begun behind a cap; one that is ended by a cap on time leaves nothing.
    """

    recorder: Recorder
    inner: Trainable

    def train(self, examples: Sequence[Example], training: Training, *, folder: Path) -> Trained:
        place = self._place(folder)
        trained = self._once(place, training, lambda: self.inner.train(examples, training, folder=place))
        return replace(trained, subject=self.recorder.record(trained.subject))

    def train_classifier(
        self, examples: Sequence[LabelledConversation], training: Training, *, folder: Path
    ) -> TrainedClassifier:
        place = self._place(folder)
        trained = self._once(place, training, lambda: self.inner.train_classifier(examples, training, folder=place))
        return replace(trained, classifier=self._recorded(trained.classifier, trained.folder))

    def load_classifier(self, folder: Path) -> Classifier:
        place = self._place(folder)
        return self._recorded(self.inner.load_classifier(place), place)

    def _once(self, place: Path, training: Training, train: Callable[[], Answer]) -> Answer:
        """What comes out of a training; one that is there already is no work."""
        seconds = training.steps * training.batch_tokens / throughput(self.recorder.subject, "train")
        there = place.is_dir() and any(place.iterdir())
        answer = train() if there else self.recorder.ask(seconds, train)
        self.recorder.report(seconds, there)
        return answer

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
