"""One instrument alone: does the subject know that it is being tested, and does it matter to what it does?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dokimasia.core import Finding, Source
from dokimasia.instruments.behaviour import evaluation as own_items
from dokimasia.models import EndpointOptions, Loading, load_subject
from dokimasia.sources import WHOLE, Reading
from dokimasia.study import budgets
from dokimasia.study.alone import measure_alone
from dokimasia.study.budgets import Budget
from dokimasia.study.evidence import BUNDLED, read_evidence, several
from dokimasia.study.progress import Watch
from dokimasia.study.run import Study

LOADING = Loading()


def awareness(
    evaluation: str | Path | Source | Sequence[str | Path | Source] = BUNDLED,
    deployment: str | Path | Source = BUNDLED,
    *,
    model: str | Path = BUNDLED,
    budget: Budget = "standard",
    seed: int = 0,
    run: str | Path | None = None,
    reading: Reading = WHOLE,
    loading: Loading = LOADING,
    endpoint: EndpointOptions | None = None,
    watch: Watch | None = None,
) -> Finding:
    """Does the subject know that it is being tested, and does it matter to what it does?

    `evaluation` and `deployment` are files (`FILE` or `FILE:field`), sources in memory, or "bundled". What the subject does
    is looked at on dokimasia's own forced choices. Nothing is stored unless `run` names a folder, where a rerun asks the
    model nothing twice.
    """
    budgets.check(budget)
    subject = load_subject(model, loading, endpoint)
    wanted = [own_items() if item == BUNDLED else item for item in several(evaluation) or [BUNDLED]]
    study = Study(
        subject=subject,
        evidence=read_evidence(wanted, deployment, reading=reading),
        instruments=(budgets.awareness(budget, seed=seed),),
        options={
            "budget": budget,
            "reading": asdict(reading),
            "loading": loading.plain(),
            "endpoint": None if subject.service is None or endpoint is None else asdict(endpoint),
        },
        seed=seed,
    )
    return measure_alone(study, run=run, watch=watch)
