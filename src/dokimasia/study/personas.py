"""One instrument alone: which characters live in the subject, and where does conversation carry it?"""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib import resources
from pathlib import Path

from dokimasia.core import Evidence, Finding, Subject, SubjectError, UserError
from dokimasia.instruments.personas.artefact import load
from dokimasia.models import EndpointOptions, Loading, load_subject
from dokimasia.sources.personas import PersonaSet, bundled_personas, read_personas
from dokimasia.study import budgets
from dokimasia.study.alone import measure_alone
from dokimasia.study.budgets import Budget
from dokimasia.study.evidence import BUNDLED
from dokimasia.study.progress import Watch
from dokimasia.study.run import Study
from dokimasia.study.store import RunFolder

LOADING = Loading()
PLAIN = Path(str(resources.files("dokimasia.study") / "plain.jinja"))
AS_TEXT = (
    "The base model has no chat template: it reads conversations as plain text (the instruction, then User: and Assistant:). What "
    "the subject's template does to all replies alike is then part of the constant shift."
)


def personas(
    sets: str | Path | PersonaSet = BUNDLED,
    *,
    model: str | Path = BUNDLED,
    base: str | Path | None = None,
    budget: Budget = "standard",
    seed: int = 0,
    run: str | Path | None = None,
    out: str | Path | None = None,
    loading: Loading = LOADING,
    endpoint: EndpointOptions | None = None,
    watch: Watch | None = None,
) -> Finding:
    """Which characters live in the subject, which one does it show by default, and where does conversation carry it?

    `sets` is a file that adds roles, traits, questions or scripts to the bundled ones, a set in memory, or
    "bundled". A `base` is a model from before the training in question; what was moved in all voices alike is measured
    against it. The map is saved in the folder `out`, for other tools. Nothing else is stored unless `run` names a folder,
    where a rerun asks no model anything twice.
    """
    budgets.check(budget)
    given = sets_of(sets)
    subject = load_subject(model, loading, endpoint)
    instrument = budgets.personas(
        budget,
        personas=given,
        base=None if base is None else load_base(base, loading),
        folder=None if out is None else Path(out),
    )
    study = Study(
        subject=subject,
        evidence=Evidence(),
        instruments=(instrument,),
        options={
            "budget": budget,
            "personas": given.digest,
            "base": None if instrument.base is None else instrument.base.identity.digest,
            "out": None if out is None else str(out),
            "loading": loading.plain(),
            "endpoint": None if subject.service is None or endpoint is None else asdict(endpoint),
        },
        seed=seed,
    )
    if run is not None and out is not None:
        _forget_without_map(study, RunFolder(Path(run)), Path(out), subject.identity.digest)
    return measure_alone(study, run=run, watch=watch)


def _forget_without_map(study: Study, folder: RunFolder, out: Path, subject: str) -> None:
    """Have the finding made again, from stored answers, where the map that it came with is gone or another model's."""
    try:
        load(out, digest=subject)
    except UserError:
        with folder.opened():
            stored = folder.load(study.instruments[0].name, study.digest)
            if stored is not None and "map" in stored.raw:
                folder.forget([stored.instrument])


def sets_of(sets: str | Path | PersonaSet) -> PersonaSet:
    """The bundled personas with what a file adds, a set in memory, or "bundled"."""
    if isinstance(sets, PersonaSet):
        return sets
    return bundled_personas() if sets == BUNDLED else read_personas(Path(sets))


def load_base(model: str | Path, loading: Loading = LOADING) -> Subject:
    """A model to compare with; one without a chat template reads conversations as plain text."""
    base = load_subject(model, loading)
    try:
        base.remarks()
    except SubjectError:
        if loading.chat_template is not None:
            raise
        as_text = load_subject(model, replace(loading, chat_template=PLAIN))
        return replace(as_text, remarks=lambda: (AS_TEXT, *as_text.remarks()))
    return base
