"""Is a run folder what it says it is?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dokimasia.core import DokimasiaError, Finding, Prices, Source
from dokimasia.instruments.behaviour import evaluation as own_items
from dokimasia.models import EndpointOptions, Loading, Patience, is_endpoint, load_subject
from dokimasia.sources import Reading
from dokimasia.study.evidence import BUNDLED, read_evidence, several
from dokimasia.study.provenance import versions
from dokimasia.study.reporting import rendered
from dokimasia.study.store import FINDING, MANIFEST, RunFolder, canonical

BESIDE_THE_DIGEST = ("digest", "stopped")
"""Entries of plan.json that the plan's digest does not cover."""

IN_THE_DIGEST = ("base", "revision", "chat_template", "trust_remote_code")
"""Options of loading that a model's digest depends on; the others depend on the machine."""

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at. `unknown`: it cannot be told from what there is, and is no fault of the run."""

    name: str
    status: Literal["ok", "changed", "missing", "unknown"]
    detail: str

    @property
    def fails(self) -> bool:
        return self.status in ("changed", "missing")


def verify(
    run: str | Path,
    *,
    evaluation: str | Path | Source | Sequence[str | Path | Source] = (),
    deployment: str | Path | Source | None = None,
    model: str | Path | None = None,
) -> list[Check]:
    """Is this run folder whole and unchanged, and does it belong to this evidence and this model, where they are named?

    Digests find what was changed by accident or by hand; they are no signature: who can rewrite the findings can rewrite
    the manifest. Keep the manifest's digest, which the first check prints, elsewhere.
    """
    folder = RunFolder(Path(run))
    plan = folder.plan()
    whole = _findings(folder, plan)
    checks = [
        _manifest(folder),
        _plan(plan),
        whole,
        _calls(folder),
        _logs(folder),
        _leftovers(folder),
    ]
    readable = whole.status != "changed"
    checks.append(
        _reports(folder, plan) if readable else _unknown("reports", "the findings are not what they should be.")
    )
    checks.append(_versions(plan))
    if several(evaluation) or deployment is not None:
        checks += _evidence(plan, several(evaluation), deployment)
    if model is not None:
        checks.append(_model(plan, model))
    return checks


def _manifest(folder: RunFolder) -> Check:
    listed = folder.manifest()
    if not listed:
        exists = (folder.path / MANIFEST).exists()
        detail = (
            "cannot be read." if exists else "there is none: the run was interrupted, or made by an earlier version."
        )
        return Check(name="manifest", status="changed" if exists else "unknown", detail=detail)
    there = set(folder.recorded())
    gone = sorted(listed.keys() - there)
    states = {name: folder.compared(name, listed[name]) for name in sorted(listed.keys() & there)}
    changed = [name for name, state in states.items() if state == "other"]
    if changed:
        return Check(name="manifest", status="changed", detail=f"other than when it was written: {_names(changed)}.")
    if gone:
        return Check(name="manifest", status="missing", detail=f"listed, and not there: {_names(gone)}.")
    digest = _digest(folder.path / MANIFEST)
    more = sorted({*there - listed.keys(), *(name for name, state in states.items() if state == "longer")})
    if more:
        return _unknown("manifest", f"written after it, and not covered: {_names(more)}. Its own sha256 is {digest}.")
    return _ok("manifest", f"{len(listed)} files are as they were written. Its own sha256 is {digest}.")


def _plan(plan: dict[str, Any]) -> Check:
    bare = {name: value for name, value in plan.items() if name not in BESIDE_THE_DIGEST}
    digest = hashlib.sha256(canonical(bare)).hexdigest()
    if digest != plan["digest"]:
        return Check(name="plan", status="changed", detail=f"its digest is {digest}, not {plan['digest']} as stated.")
    return _ok("plan", f"its digest is {digest}, as stated.")


def _findings(folder: RunFolder, plan: dict[str, Any]) -> Check:
    expected = dict(plan["instruments"])
    digests = {source["digest"] for source in (*plan.get("evaluation", ()), plan.get("deployment") or {}) if source}
    digests.add((plan.get("subject") or {}).get("digest"))
    found: set[str] = set()
    wrong, stale = [], []
    for path in sorted((folder.path / "findings").glob("*.json")):
        try:
            stored = json.loads(path.read_text("utf-8"))
            finding, key = FINDING.validate_python(stored["finding"]), stored["key"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            wrong.append(f"{path.name} cannot be read ({type(error).__name__})")
            continue
        if key != plan["digest"]:
            stale.append(path.name)
            continue
        found.add(path.stem)
        wrong += _contradictions(finding, path.stem, expected, digests)
    absent = sorted(expected.keys() - found)
    other = f"; of another plan: {_names(stale)}" if stale else ""
    if wrong:
        return Check(name="findings", status="changed", detail=f"{_names(wrong)}.")
    if absent and plan.get("stopped"):
        return _unknown("findings", f"of {_names(absent)} there is none: {plan['stopped']}")
    if absent:
        return Check(
            name="findings", status="missing", detail=f"of {_names(absent)} there is none of this plan{other}."
        )
    return _ok("findings", f"{len(found)} belong to this plan{other}.")


def _contradictions(finding: Finding, name: str, expected: dict[str, str], digests: set[str]) -> Iterator[str]:
    if finding.instrument != name:
        yield f"{name}.json holds a finding of {finding.instrument}"
    elif name not in expected:
        yield f"{name} is not in the plan"
    elif finding.version != expected[name]:
        yield f"{name} has version {finding.version}, the plan {expected[name]}"
    elif set(finding.digests.values()) - digests:
        yield f"{name} was made of evidence that the plan does not name"


def _calls(folder: RunFolder) -> Check:
    names = [path.stem for path in sorted((folder.path / "calls").glob("*.npz"))]
    bad = [name for name in names if folder.load_call(name) is None]
    if bad:
        return Check(name="recorded answers", status="changed", detail=f"cannot be read: {_names(bad)}.")
    return _ok("recorded answers", f"{len(names)} records can be read.")


def _logs(folder: RunFolder) -> Check:
    paths = sorted(path for path in (folder.path / "logs").glob("*") if path.suffix in (".eval", ".json"))
    named = {str(found.raw["inspect_log"]) for found in _readable(folder) if found.raw.get("inspect_log")}
    gone = sorted(named - {path.name for path in paths})
    if gone:
        return Check(name="Inspect logs", status="missing", detail=f"a finding names {_names(gone)}.")
    from inspect_ai.log import read_eval_log

    bad = []
    for path in paths:
        try:
            read_eval_log(str(path))
        except Exception as error:  # noqa: BLE001 - whatever a damaged log makes the reader raise, it is damaged
            bad.append(f"{path.name} ({type(error).__name__})")
    if bad:
        return Check(name="Inspect logs", status="changed", detail=f"cannot be read: {_names(bad)}.")
    return _ok("Inspect logs", f"{len(paths)} can be read.")


def _leftovers(folder: RunFolder) -> Check:
    half = sorted(str(path.relative_to(folder.path)) for path in folder.leftovers())
    if half:
        return Check(
            name="half-written files", status="changed", detail=f"{_names(half)}: rerun the command to clear them."
        )
    return _ok("half-written files", "none.")


def _reports(folder: RunFolder, plan: dict[str, Any]) -> Check:
    kinds = [rendered(folder), rendered(folder, text=False)]
    there = [kind for kind in kinds if any((folder.path / name).exists() for name in kind)] or kinds[:1]
    made = {name: data for kind in there for name, data in kind.items()}
    gone = [name for name in made if not (folder.path / name).exists()]
    if gone:
        return Check(name="reports", status="missing", detail=f"{_names(gone)}; `dokimasia report` makes them.")
    changed = [name for name, data in made.items() if (folder.path / name).read_bytes() != data]
    if not changed:
        return _ok("reports", "the same findings give the same bytes.")
    if plan.get("versions") != versions():
        return _unknown("reports", f"{_names(changed)} differ from what these versions make; others made them.")
    return Check(name="reports", status="changed", detail=f"{_names(changed)} are not what the findings give.")


def _versions(plan: dict[str, Any]) -> Check:
    then, now = plan.get("versions", {}), versions()
    apart = [
        f"{name} {then.get(name, 'absent')} then, {now.get(name, 'absent')} now"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]
    if apart:
        return _unknown("versions", f"{_names(apart)}. A rerun today might find something else.")
    return _ok("versions", "the same today as then.")


def _evidence(
    plan: dict[str, Any], evaluation: Sequence[str | Path | Source], deployment: str | Path | Source | None
) -> Iterator[Check]:
    stated = [source["digest"] for source in plan.get("evaluation", ())]
    try:
        reading = Reading(**(plan.get("options") or {}).get("reading") or {})
    except (TypeError, AttributeError):
        yield _unknown("evidence", "the plan's options of reading cannot be understood.")
        return
    sources = [own_items() if item == BUNDLED else item for item in evaluation]
    evidence = read_evidence(sources, deployment or BUNDLED, reading=reading)
    found = [source.digest for source in evidence.evaluation]
    if evaluation:
        same = sorted(found) == sorted(stated)
        detail = "has the stated digest." if same else f"has {_names(found)}, the plan says {_names(stated)}."
        yield _ok("evaluation", detail) if same else Check(name="evaluation", status="changed", detail=detail)
    if deployment is not None and evidence.deployment is not None:
        wanted = (plan.get("deployment") or {}).get("digest")
        same = evidence.deployment.digest == wanted
        detail = "has the stated digest." if same else f"has {evidence.deployment.digest}, the plan says {wanted}."
        yield _ok("deployment", detail) if same else Check(name="deployment", status="changed", detail=detail)


def _model(plan: dict[str, Any], model: str | Path) -> Check:
    wanted = (plan.get("subject") or {}).get("digest")
    options = plan.get("options") or {}
    remote = isinstance(model, str) and is_endpoint(model)
    try:
        stated = {} if remote else options.get("loading") or {}
        loading = Loading(**{name: stated[name] for name in IN_THE_DIGEST if name in stated})
        endpoint = _endpoint(options["endpoint"]) if remote and options.get("endpoint") else None
    except (DokimasiaError, TypeError, AttributeError):
        return _unknown("model", "the plan's options of loading cannot be understood.")
    try:
        found = load_subject(model, loading, endpoint).identity.digest  # reads files; runs nothing of the model
    except DokimasiaError as error:
        return _unknown("model", f"it could not be loaded as the plan says: {error}")
    if found == wanted:
        return _ok("model", "has the stated digest.")
    detail = f"has {found}, the plan says {wanted}"
    if "loading" not in options:
        return _unknown("model", f"{detail}, but not how it was loaded, which the digest may depend on.")
    return Check(name="model", status="changed", detail=f"{detail}.")


def _endpoint(stated: dict[str, Any]) -> EndpointOptions:
    prices = stated.get("prices")
    return EndpointOptions(
        **{**stated, "prices": prices and Prices(**prices), "patience": Patience(**stated.get("patience") or {})}
    )


def _readable(folder: RunFolder) -> list[Finding]:
    try:
        return folder.findings()
    except DokimasiaError:
        return []


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _names(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _ok(name: str, detail: str) -> Check:
    return Check(name=name, status="ok", detail=detail)


def _unknown(name: str, detail: str) -> Check:
    return Check(name=name, status="unknown", detail=detail)
