"""The audit: every instrument that the budget allows, one run folder, one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dokimasia.core import Cost, Finding, Instrument, RunInterrupted, Source, Subject, UserError
from dokimasia.instruments.behaviour import Behaviour
from dokimasia.instruments.behaviour import evaluation as own_items
from dokimasia.instruments.personas import Personas
from dokimasia.instruments.realism import Realism
from dokimasia.models import EndpointOptions, Loading, load_subject
from dokimasia.sources import WHOLE, Reading
from dokimasia.sources.facts import Facts
from dokimasia.sources.personas import PersonaSet
from dokimasia.study import budgets
from dokimasia.study.budgets import Budget
from dokimasia.study.evidence import BUNDLED, read_evidence, several
from dokimasia.study.knowledge import facts_of
from dokimasia.study.limits import UNLIMITED, Limits
from dokimasia.study.personas import sets_of
from dokimasia.study.progress import Silent, Watch
from dokimasia.study.realism import embedder_digest, staffed
from dokimasia.study.reporting import rendered
from dokimasia.study.request import Request
from dokimasia.study.run import Run, Study, carry_out, open_run
from dokimasia.study.store import RunFolder
from dokimasia.study.workers import make_workers

LOADING = Loading()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An audit that is ready to run, and where."""

    study: Study
    folder: Path

    @property
    def instruments(self) -> tuple[str, ...]:
        """Names of the instruments, those left out among them."""
        return tuple(name for name, _ in self.study.plan()["instruments"])


def prepare(
    model: str | Path = BUNDLED,
    *,
    evaluation: str | Path | Source | Sequence[str | Path | Source] = (),
    deployment: str | Path | Source = BUNDLED,
    budget: Budget = "quick",
    misbehaved: int | None = None,
    judge: str | Path | None = None,
    facts: str | Path | Facts = BUNDLED,
    personas: str | Path | PersonaSet = BUNDLED,
    seed: int = 0,
    run: str | Path | None = None,
    reading: Reading = WHOLE,
    loading: Loading = LOADING,
    endpoint: EndpointOptions | None = None,
) -> Prepared:
    """Read the evidence, look at the subject, and lay out what will be measured; nothing is measured yet."""
    budgets.check(budget)
    subject = load_subject(model, loading, endpoint)
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
    evidence = read_evidence([own_items() if item == BUNDLED else item for item in wanted], deployment, reading=reading)
    known, sets = facts_of(facts), sets_of(personas)
    instruments = _instruments(
        budget, own=own, misbehaved=misbehaved, judge=examiner, facts=known, personas=sets, seed=seed
    )
    options = {
        "budget": budget,
        "judge": None if examiner is None else f"{examiner.identity.name} {examiner.identity.digest}",
        "embedder": next(embedder_digest(item) for item in instruments if isinstance(item, Realism)),
        "misbehaved": misbehaved,
        "facts": known.digest,
        "personas": sets.digest,
        "reading": asdict(reading),
        "loading": loading.plain(),
        "endpoint": None if subject.service is None or endpoint is None else asdict(endpoint),
    }
    study = Study(
        subject=subject,
        evidence=evidence,
        instruments=instruments,
        options=options,
        seed=seed,
        absent=() if own else (_left_out(seed),),
    )
    name = subject.identity.name.replace("/", "-")
    folder = Path(run) if run is not None else Path("runs") / f"audit-{name}-{study.digest[:10]}"
    return Prepared(study=_placed(study, folder), folder=folder)


def prepare_request(request: Request) -> Prepared:
    """Lay out the audit that a command asks for."""
    return prepare(
        request.model,
        evaluation=request.evaluation,
        deployment=request.deployment,
        budget=request.budget,
        misbehaved=request.misbehaved,
        judge=request.judge,
        facts=request.facts,
        personas=request.personas,
        seed=request.seed,
        run=request.run,
        reading=request.reading,
        loading=request.loading,
        endpoint=request.endpoint,
    )


def run_audit(
    prepared: Prepared,
    watch: Watch | None = None,
    *,
    limits: Limits = UNLIMITED,
    workers: str | int = "auto",
    text: bool = True,
) -> Run:
    """Run it, or take up where it was interrupted; writes the report, a partial one if it is stopped again.

    `limits` are hard caps, `workers` are processes that work at once or `ray`, and without `text` the reports quote no
    transcript.
    """
    folder = RunFolder(prepared.folder)
    study = prepared.study
    costs = sum(study.costs().values(), Cost())
    if limits.max_cost is not None and costs.unpriced:
        raise UserError(
            "A cap on money needs the price of every endpoint that is asked.",
            "Found none for the model, or for its judge, whose prices cannot be given.",
            "Give --price-in and --price-out, in US dollars a million tokens, and let no endpoint judge.",
        )
    watch = watch or Silent()
    with folder.opened(), make_workers(str(workers)) as crew:
        try:
            carry_out(staffed(study, crew, watch), folder, watch, limits)
        except KeyboardInterrupt as interruption:
            report_on(prepared.folder, text=text)
            raise RunInterrupted(
                f"Interrupted. What was measured is kept in {prepared.folder}, with a partial report; the same command "
                "takes up from there."
            ) from interruption
        report_on(prepared.folder, text=text)
    return open_run(prepared.folder)


def audit(
    model: str | Path = BUNDLED,
    *,
    evaluation: str | Path | Source | Sequence[str | Path | Source] = (),
    deployment: str | Path | Source = BUNDLED,
    budget: Budget = "quick",
    misbehaved: int | None = None,
    judge: str | Path | None = None,
    facts: str | Path | Facts = BUNDLED,
    personas: str | Path | PersonaSet = BUNDLED,
    seed: int = 0,
    run: str | Path | None = None,
    reading: Reading = WHOLE,
    loading: Loading = LOADING,
    endpoint: EndpointOptions | None = None,
    limits: Limits = UNLIMITED,
    workers: str | int = "auto",
    text: bool = True,
) -> Run:
    """Examine a model before it is deployed, with every instrument, and put it into one report in the run folder.

    `model` is "bundled", a folder, a file, a hub id or an endpoint. `evaluation` and `deployment` are files, sources in
    memory, or "bundled"; `facts` and `personas` are files, too. The same arguments find the same run folder, and resume there.
    """
    prepared = prepare(
        model,
        evaluation=evaluation,
        deployment=deployment,
        budget=budget,
        misbehaved=misbehaved,
        judge=judge,
        facts=facts,
        personas=personas,
        seed=seed,
        run=run,
        reading=reading,
        loading=loading,
        endpoint=endpoint,
    )
    return run_audit(prepared, limits=limits, workers=workers, text=text)


def report_on(run: str | Path, *, text: bool = True) -> Path:
    """Make the reports of a run folder again, from what is stored; returns the HTML report.

    Without `text` they quote no transcript, and have names of their own.
    """
    folder = RunFolder(Path(run))
    made = {name: folder.write(name, data) for name, data in rendered(folder, text=text).items()}
    return next(path for name, path in made.items() if name.endswith(".html"))


def _instruments(
    budget: Budget,
    *,
    own: bool,
    misbehaved: int | None,
    judge: Subject | None,
    facts: Facts,
    personas: PersonaSet,
    seed: int,
) -> tuple[Instrument, ...]:
    behaviour = (budgets.behaviour(budget, judge=judge),) if own else ()
    return (
        *behaviour,
        budgets.realism(budget, misbehaved=misbehaved),
        budgets.awareness(budget, seed=seed, shared=True),
        budgets.anomalies(budget),
        budgets.knowledge(budget, facts=facts, seed=seed),
        budgets.personas(budget, personas=personas),
    )


def _placed(study: Study, folder: Path) -> Study:
    """The same study, what instruments write themselves below the run folder."""

    def placed(item: Instrument) -> Instrument:
        if isinstance(item, Behaviour):
            return replace(item, log_folder=folder / "logs")
        return replace(item, folder=folder / "personas") if isinstance(item, Personas) else item

    return replace(study, instruments=tuple(map(placed, study.instruments)))


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
