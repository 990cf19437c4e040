"""One instrument alone: how far does this evaluation speak for this deployment?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from dokimasia.core import Finding, Source, UserError
from dokimasia.core.workers import Workers
from dokimasia.instruments.realism import Realism
from dokimasia.models import Loading, load_subject
from dokimasia.models.embedding import load_embedder
from dokimasia.sources import WHOLE, Reading
from dokimasia.study.alone import measure_alone
from dokimasia.study.evidence import read_evidence, several
from dokimasia.study.progress import Silent, Watch
from dokimasia.study.run import Study
from dokimasia.study.workers import make_workers

LOADING = Loading()
WORTH_WATCHING = 10.0
"""Seconds from which on progress is told."""


def realism(
    evaluation: str | Path | Source | Sequence[str | Path | Source],
    deployment: str | Path | Source,
    *,
    model: str | Path | None = None,
    misbehaved: int | None = None,
    delta: float = 0.05,
    seed: int = 0,
    run: str | Path | None = None,
    reading: Reading = WHOLE,
    loading: Loading = LOADING,
    embeddings: bool | None = None,
    paraphrases: int = 1,
    fine_tune: bool = False,
    workers: str | int = "auto",
    watch: Watch | None = None,
) -> Finding:
    """How far does a clean evaluation speak for a deployment?

    `evaluation` and `deployment` are files (`FILE` or `FILE:field`) or sources in memory. A `model` is asked outright, in
    so many `paraphrases` for each transcript, and looked into; with `fine_tune` it is also trained to tell. Sentence
    `embeddings` need torch: None uses them if there is a model. Without either, format and words alone discriminate, and
    torch is not loaded. Nothing is stored unless `run` names a folder, which can then be compared, planned from and verified
    like any other run.
    """
    instrument = Realism(
        misbehaved=misbehaved,
        delta=delta,
        paraphrases=paraphrases,
        fine_tune=fine_tune,
        folder=None if run is None else Path(),
    )
    if embeddings if embeddings is not None else model is not None:
        instrument = with_embedder(instrument)
    elif embeddings is None:
        instrument = replace(instrument, without_embedder="Without a model they are read only if they are asked for.")
    else:
        instrument = replace(instrument, without_embedder="They were left out.")
    study = Study(
        subject=None if model is None else load_subject(model, loading),
        evidence=read_evidence(several(evaluation), deployment, reading=reading),
        instruments=(instrument,),
        options={
            "delta": delta,
            "misbehaved": misbehaved,
            "embedder": embedder_digest(instrument),
            "paraphrases": paraphrases,
            "fine_tune": fine_tune,
            "reading": asdict(reading),
            "loading": loading.plain(),
        },
        seed=seed,
    )
    planned = study.costs()["realism"].seconds
    watch = watch if watch is not None and planned > WORTH_WATCHING else Silent()
    with make_workers(str(workers)) as crew:
        return measure_alone(staffed(study, crew, watch), run=run, watch=watch)


def with_embedder(instrument: Realism) -> Realism:
    """The same instrument with sentence embeddings, or with the reason why there are none here."""
    try:
        return replace(instrument, embedder=load_embedder())
    except UserError as error:
        return replace(instrument, without_embedder=str(error))


def embedder_digest(instrument: Realism) -> str | None:
    """Which embedder the finding depends on, if any."""
    embedder = instrument.embedder
    return None if embedder is None else f"{embedder.identity.name} {embedder.identity.digest}"


def staffed(study: Study, workers: Workers, watch: Watch) -> Study:
    """The same study with its work divided, and its progress told."""
    done = 0.0

    def report(seconds: float, _planned: float) -> None:
        nonlocal done
        watch.advance(seconds - done, False)
        done = seconds

    instruments = tuple(
        replace(item, workers=workers, report=report) if isinstance(item, Realism) else item
        for item in study.instruments
    )
    return replace(study, instruments=instruments)
