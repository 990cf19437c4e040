"""One instrument alone: which of these inputs make the model work differently from a trusted set?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dokimasia.core import Finding, Source
from dokimasia.instruments.anomalies import Anomalies
from dokimasia.models import Loading, load_subject
from dokimasia.sources import WHOLE, Reading
from dokimasia.study.alone import measure_alone
from dokimasia.study.evidence import BUNDLED, read_evidence, several
from dokimasia.study.progress import Watch
from dokimasia.study.run import Study

LOADING = Loading()


def anomalies(
    inputs: str | Path | Source | Sequence[str | Path | Source],
    trusted: str | Path | Source = BUNDLED,
    *,
    model: str | Path = BUNDLED,
    false_discovery: float = 0.1,
    every_layer: int = 3,
    seed: int = 0,
    run: str | Path | None = None,
    reading: Reading = WHOLE,
    loading: Loading = LOADING,
    watch: Watch | None = None,
) -> Finding:
    """Which of these inputs make the model work differently from a trusted set?

    `inputs` and `trusted` are files (`FILE` or `FILE:field`) or sources in memory; "bundled" trusts the everyday requests
    that come with dokimasia. Activations are read after every `every_layer`-th layer. Nothing is stored unless `run` names
    a folder, where a rerun asks the model nothing twice.
    """
    study = Study(
        subject=load_subject(model, loading),
        evidence=read_evidence(several(inputs), trusted, reading=reading),
        instruments=(Anomalies(false_discovery=false_discovery, every_layer=every_layer),),
        options={
            "false_discovery": false_discovery,
            "every_layer": every_layer,
            "reading": asdict(reading),
            "loading": loading.plain(),
        },
        seed=seed,
    )
    return measure_alone(study, run=run, watch=watch)
