"""The audit: every instrument that the budget allows, one run folder, one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dokimasia.case import build_case, write_reports
from dokimasia.core import Finding, Instrument, RunInterrupted, Source, Subject, UserError
from dokimasia.instruments.behaviour import Behaviour
from dokimasia.instruments.behaviour import evaluation as own_items
from dokimasia.instruments.realism import Realism
from dokimasia.models import load_subject
from dokimasia.study.evidence import BUNDLED, read_evidence, several
from dokimasia.study.progress import Silent, Watch
from dokimasia.study.run import Run, Study, carry_out
from dokimasia.study.store import RunFolder

Budget = Literal["quick", "standard", "thorough"]
LAYER_STEP = {"quick": 5, "standard": 2, "thorough": 1}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An audit that is ready to run, and where."""

    study: Study
    folder: Path


def prepare(
    model: str | Path = BUNDLED,
    *,
    evaluation: str | Path | Source | Sequence[str | Path | Source] = (),
    deployment: str | Path | Source = BUNDLED,
    budget: Budget = "quick",
    misbehaved: int | None = None,
    judge: str | Path | None = None,
    seed: int = 0,
    run: str | Path | None = None,
) -> Prepared:
    """Read the evidence, look at the subject, and lay out what will be measured; nothing is measured yet."""
    if budget not in LAYER_STEP:
        raise UserError("The budget is quick, standard or thorough.", f"Found {budget!r}.", "Name one of them.")
    subject = load_subject(model)
    wanted = several(evaluation) or [BUNDLED]
    own = any(item == BUNDLED for item in wanted)
    if misbehaved is not None and own:
        raise UserError(
            "--misbehaved overrides the labels of your own evaluation.",
            "The bundled evaluation is run and labelled by the audit itself.",
            "Leave --misbehaved out, or leave the bundled evaluation out.",
        )
    if judge is not None and not own:
        raise UserError(
            "A judge is asked about answers to the bundled items.",
            "The bundled evaluation is not among --evaluation.",
            "Add `--evaluation bundled`, or leave --judge out.",
        )
    examiner = None if judge is None else load_subject(judge)
    evidence = read_evidence([own_items() if item == BUNDLED else item for item in wanted], deployment)
    options = {
        "budget": budget,
        "judge": None if examiner is None else f"{examiner.identity.name} {examiner.identity.digest}",
        "misbehaved": misbehaved,
    }
    study = Study(
        subject=subject,
        evidence=evidence,
        instruments=_instruments(budget, own=own, misbehaved=misbehaved, judge=examiner),
        options=options,
        seed=seed,
        absent=() if own else (_left_out(seed),),
    )
    folder = Path(run) if run is not None else Path("runs") / f"audit-{subject.identity.name}-{study.digest[:10]}"
    return Prepared(study=_with_logs(study, folder), folder=folder)


def run_audit(prepared: Prepared, watch: Watch | None = None) -> Run:
    """Run it, or take up where it was interrupted; writes the report, a partial one if it is interrupted again."""
    folder = RunFolder(prepared.folder)
    watch = watch or Silent()
    prepared.study.costs()
    with folder.opened():
        try:
            findings = carry_out(prepared.study, folder, watch)
        except KeyboardInterrupt as interruption:
            report_on(prepared.folder)
            raise RunInterrupted(
                f"Interrupted. What was measured is kept in {prepared.folder}, with a partial report; the same command "
                "takes up from there."
            ) from interruption
        report_on(prepared.folder)
    return Run(folder=prepared.folder, findings=tuple(findings))


def audit(
    model: str | Path = BUNDLED,
    *,
    evaluation: str | Path | Source | Sequence[str | Path | Source] = (),
    deployment: str | Path | Source = BUNDLED,
    budget: Budget = "quick",
    misbehaved: int | None = None,
    judge: str | Path | None = None,
    seed: int = 0,
    run: str | Path | None = None,
) -> Run:
    """Examine a model before it is deployed: behaviour, realism, and a report in the run folder.

    `model` is "bundled" or a Hugging Face folder. `evaluation` and `deployment` are files, sources in memory, or
    "bundled". The same arguments find the same run folder, and resume there.
    """
    return run_audit(
        prepare(
            model,
            evaluation=evaluation,
            deployment=deployment,
            budget=budget,
            misbehaved=misbehaved,
            judge=judge,
            seed=seed,
            run=run,
        )
    )


def report_on(run: str | Path) -> Path:
    """Make the reports of a run folder again, from what is stored; returns the HTML report."""
    folder = RunFolder(Path(run))
    case = build_case(folder.findings(), folder.plan())
    return folder.path / write_reports(case, folder.write)


def _instruments(budget: Budget, *, own: bool, misbehaved: int | None, judge: Subject | None) -> tuple[Instrument, ...]:
    realism = Realism(misbehaved=misbehaved, every_layer=LAYER_STEP[budget])
    if not own:
        return (realism,)
    behaviour = Behaviour(options_alone=budget != "quick", judge=judge)
    return (behaviour, realism)


def _with_logs(study: Study, folder: Path) -> Study:
    instruments = tuple(
        replace(item, log_folder=folder / "logs") if isinstance(item, Behaviour) else item for item in study.instruments
    )
    return replace(study, instruments=instruments)


def _left_out(seed: int) -> Finding:
    instrument = Behaviour()
    return Finding(
        instrument=instrument.name,
        version=instrument.version,
        question=instrument.question,
        status="not measured",
        headline="Not measured: you brought your own evaluation, and nothing here can judge its answers. Its labels are "
        "taken as they are. Add `--evaluation bundled` to run dokimasia's own items as well.",
        access=instrument.access,
        seed=seed,
    )
