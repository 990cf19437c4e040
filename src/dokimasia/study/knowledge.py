"""One instrument alone: does the subject know something that it should not?"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from dokimasia.core import Evidence, Finding
from dokimasia.models import EndpointOptions, Loading, load_subject
from dokimasia.sources.facts import Facts, oversight_facts, read_facts
from dokimasia.study import budgets
from dokimasia.study.alone import measure_alone
from dokimasia.study.budgets import Budget
from dokimasia.study.evidence import BUNDLED
from dokimasia.study.progress import Watch
from dokimasia.study.run import Study

LOADING = Loading()


def knowledge(
    facts: str | Path | Facts = BUNDLED,
    *,
    model: str | Path = BUNDLED,
    baseline: str | Path | None = None,
    budget: Budget = "standard",
    seed: int = 0,
    run: str | Path | None = None,
    loading: Loading = LOADING,
    endpoint: EndpointOptions | None = None,
    watch: Watch | None = None,
) -> Finding:
    """Does the subject know something that it should not?

    `facts` is a file, facts in memory, or "bundled": facts about how models are tested and watched. A `baseline` is a model
    that need not know them, such as the subject before training; what it knows, too, is told apart. Nothing is stored unless
    `run` names a folder, where a rerun asks no model anything twice.
    """
    budgets.check(budget)
    given = facts_of(facts)
    instrument = budgets.knowledge(budget, facts=given, seed=seed)
    subject = load_subject(model, loading, endpoint)
    if baseline is not None:
        instrument = replace(instrument, baseline=load_subject(baseline, loading, endpoint))
    if run is None:
        instrument = replace(instrument, folder=None)
    study = Study(
        subject=subject,
        evidence=Evidence(),
        instruments=(instrument,),
        options={
            "budget": budget,
            "facts": given.digest,
            "baseline": None if instrument.baseline is None else instrument.baseline.identity.digest,
            "loading": loading.plain(),
            "endpoint": None if subject.service is None or endpoint is None else asdict(endpoint),
        },
        seed=seed,
    )
    return measure_alone(study, run=run, watch=watch)


def facts_of(facts: str | Path | Facts) -> Facts:
    """The facts of a file, those in memory, or "bundled"."""
    if isinstance(facts, Facts):
        return facts
    return oversight_facts() if facts == BUNDLED else read_facts(Path(facts))
