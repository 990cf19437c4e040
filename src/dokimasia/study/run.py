"""Carrying out a plan: each instrument once, its finding stored as soon as it exists."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dokimasia.core import CapReached, Consults, Cost, DataError, Evidence, Finding, Instrument, Subject, UserError
from dokimasia.core.tabulating import run_html
from dokimasia.study.ledger import write_ledger
from dokimasia.study.limits import UNLIMITED, Limits, Meter, TimeIsUp, deadline
from dokimasia.study.progress import Watch
from dokimasia.study.provenance import versions
from dokimasia.study.recording import record
from dokimasia.study.store import RunFolder, canonical


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is to be measured, of what, with which seed. `absent` are instruments left out, with the reason."""

    subject: Subject | None
    evidence: Evidence
    instruments: tuple[Instrument, ...]
    options: dict[str, Any]
    seed: int
    absent: tuple[Finding, ...] = ()

    def costs(self) -> dict[str, Cost]:
        """What each instrument will ask for; checks the evidence on the way and does no work."""
        return {item.name: item.plan(self.subject, self.evidence) for item in self.instruments}

    def plan(self) -> dict[str, Any]:
        """Everything that findings depend on, as plain values."""
        subject = self.subject
        return {
            "subject": None
            if subject is None
            else {
                "name": subject.identity.name,
                "digest": subject.identity.digest,
                "parameters": subject.identity.parameters,
                "dtype": subject.identity.dtype,
                "threads": subject.identity.threads,
            },
            "evaluation": [_described(source) for source in self.evidence.evaluation],
            "deployment": None if self.evidence.deployment is None else _described(self.evidence.deployment),
            "instruments": [[item.instrument, item.version] for item in self.absent]
            + [[item.name, item.version] for item in self.instruments],
            "options": self.options,
            "seed": self.seed,
            "versions": versions(),
        }

    @property
    def digest(self) -> str:
        """Digest of the plan: the key of its findings."""
        return hashlib.sha256(canonical(self.plan())).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run, or what there is of one; `stopped` says why it ended before it was done, if it did."""

    folder: Path
    findings: tuple[Finding, ...]
    stopped: str = ""

    def finding(self, instrument: str) -> Finding:
        """The finding of one instrument."""
        found = next((item for item in self.findings if item.instrument == instrument), None)
        if found is None:
            raise UserError(
                f"The run is expected to hold a finding of {instrument!r}.",
                f"It holds {', '.join(item.instrument for item in self.findings) or 'none'}. {self.stopped}".strip(),
                "Name one of these, or run the instrument first.",
            )
        return found

    def __repr__(self) -> str:
        return f"<Run {self.folder}: {', '.join(item.instrument for item in self.findings) or 'no finding'}>"

    def _repr_html_(self) -> str:
        return run_html(str(self.folder), [(item.instrument, item._repr_html_()) for item in self.findings])


def open_run(path: str | Path) -> Run:
    """A run folder's findings, without a model: those of the present plan, in its order."""
    folder = RunFolder(Path(path))
    return Run(folder=Path(path), findings=tuple(folder.findings()), stopped=str(folder.plan().get("stopped", "")))


def carry_out(study: Study, folder: RunFolder, watch: Watch, limits: Limits = UNLIMITED) -> list[Finding]:
    """Measure what is missing. Whatever interrupts it, the findings so far are stored; a rerun takes up from there.

    When a cap is reached the rest is left unmeasured, and the plan says why.
    """
    key = study.digest
    plan = {**study.plan(), "digest": key}
    folder.write_json("plan.json", plan)
    write_ledger(folder, study.evidence)
    found: list[Finding] = []
    evidence = study.evidence
    for absent in study.absent:
        folder.save(absent, key)
        found.append(absent)
    costs = study.costs()
    meter, stopped = Meter(limits), ""
    for place, instrument in enumerate(study.instruments, start=1):
        watch.begin(instrument.name, costs[instrument.name].seconds)
        finding = known = folder.load(instrument.name, key)
        note = "found, measured before"
        if finding is None or finding.raw.get("errored"):
            # Replies that failed were not recorded, and are asked for again.
            try:
                meter.reserve(0.0, 0.0)
                with deadline(meter.seconds_left):
                    finding = _measured(study, instrument, evidence, folder, watch, meter)
            except (CapReached, TimeIsUp) as cap:
                stopped = str(cap)
                watch.finish(instrument.name, f"not measured. {cap}")
                continue
            if finding.labels != (known.labels if known else {}):
                # What was measured on other labels is measured again; forgotten first, should this be killed in between.
                folder.forget([later.name for later in study.instruments[place:]])
            folder.save(finding, key)
            for part in ("logs", "personas"):
                folder.noted(part)
            note = finding.status
        watch.finish(instrument.name, note)
        evidence = evidence.labelled(finding.labels)
        found.append(finding)
    stopped = stopped or meter.refused
    if stopped:
        again = "The same command with a larger cap takes up from there."
        folder.write_json("plan.json", {**plan, "stopped": f"{stopped} {again}"})
    folder.write_manifest()
    return found


def _measured(
    study: Study, instrument: Instrument, evidence: Evidence, folder: RunFolder, watch: Watch, meter: Meter
) -> Finding:
    subject = None if study.subject is None else record(study.subject, folder, watch.advance, meter)
    if isinstance(instrument, Consults):
        instrument = instrument.consulting(lambda other: record(other, folder, watch.advance, meter))
    try:
        finding = instrument.measure(subject, evidence, seed=study.seed)
        if subject is not None:
            finding = replace(finding, caveats=(*finding.caveats, *subject.remarks()))
    except DataError as error:
        finding = Finding(
            instrument=instrument.name,
            version=instrument.version,
            question=instrument.question,
            status="not measured",
            headline=f"Could not be measured. {error}",
            access=instrument.access,
            seed=study.seed,
        )
    return stamped(finding, study)


def stamped(finding: Finding, study: Study) -> Finding:
    """The finding with the versions and digests that made it."""
    digests = {f"evaluation: {source.name}": source.digest for source in study.evidence.evaluation}
    if study.evidence.deployment is not None:
        digests[f"deployment: {study.evidence.deployment.name}"] = study.evidence.deployment.digest
    if study.subject is not None:
        digests[f"subject: {study.subject.identity.name}"] = study.subject.identity.digest
    return replace(finding, versions=versions(), digests=digests)


def _described(source: Any) -> dict[str, Any]:
    return {
        "name": source.name,
        "digest": source.digest,
        "transcripts": len(source.transcripts),
        "notes": dict(source.notes),
        **({"lost": source.lost} if source.lost else {}),
    }


def total(costs: Sequence[Cost]) -> Cost:
    """All costs together."""
    return sum(costs, Cost())
