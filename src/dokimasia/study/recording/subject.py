"""A subject with all its capabilities recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from dokimasia.core import Subject
from dokimasia.study.limits import Meter
from dokimasia.study.recording.activations import RecordedActivations
from dokimasia.study.recording.answers import (
    RecordedGradients,
    RecordedLens,
    RecordedLogProbs,
    RecordedSpans,
    RecordedText,
)
from dokimasia.study.recording.arrivals import RecordedArrivals
from dokimasia.study.recording.changing import RecordedSteering, RecordedTraining
from dokimasia.study.recording.embedding import RecordedEmbedder
from dokimasia.study.recording.recorder import Recorder, Report
from dokimasia.study.store import RunFolder

Capability = TypeVar("Capability")


def record(subject: Subject, folder: RunFolder, report: Report, meter: Meter | None = None) -> Subject:
    """The same subject with the same access, recorded; `meter` is told what is spent and may refuse to go on.

    So is every subject that it is steered or trained into. Nothing streams: a stream may be broken off anywhere, so there is
    no whole answer to keep, and what guards a reply while it is written has no use for a recording.
    """
    meter = meter or Meter()
    recorder = Recorder(
        folder=folder,
        subject=subject,
        report=report,
        meter=meter,
        record=lambda other: record(other, folder, report, meter),
    )
    service = subject.service
    if service is not None:
        one_by_one = RecordedArrivals(recorder, service)
        return replace(subject, text=one_by_one, service=replace(service, arrivals=one_by_one))

    def recorded(kind: Callable[[Recorder, Capability], Capability], inner: Capability | None) -> Capability | None:
        return None if inner is None else kind(recorder, inner)

    return replace(
        subject,
        streams=None,
        text=recorded(RecordedText, subject.text),
        logprobs=recorded(RecordedLogProbs, subject.logprobs),
        activations=recorded(RecordedActivations, subject.activations),
        spans=recorded(RecordedSpans, subject.spans),
        steerable=recorded(RecordedSteering, subject.steerable),
        lens=recorded(RecordedLens, subject.lens),
        gradients=recorded(RecordedGradients, subject.gradients),
        trainable=recorded(RecordedTraining, subject.trainable),
        embedder=recorded(RecordedEmbedder, subject.embedder),
    )
