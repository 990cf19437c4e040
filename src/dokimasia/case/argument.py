"""The case: an opening that a tired manager understands, the claims, the findings, and what was not measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dokimasia.case.claims import Claim, judge_claims
from dokimasia.core import Estimate, Finding, NotMeasured, Quantity
from dokimasia.core.rounding import counted, percent_down, percent_up

NOTHING = 0.95
LITTLE = 0.3


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number for the top of the report."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that the report says; a pure function of what is stored.

    `partial` says why this is not all that was planned; `left_out` what of the transcripts' text is missing on purpose.
    """

    subject: str
    partial: tuple[str, ...]
    left_out: str | None
    verdict: str
    opening: tuple[str, ...]
    figures: tuple[Figure, ...]
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    not_measured: tuple[NotMeasured, ...]
    plan: Mapping[str, Any]


def build_case(findings: Sequence[Finding], plan: Mapping[str, Any]) -> Case:
    """Argue from findings; an instrument of the plan without a finding is named as missing.

    `plan["stopped"]`, if it is there, is a sentence that says why the run ended before it was done.
    """
    found = {finding.instrument for finding in findings}
    stopped = plan.get("stopped")
    why = stopped or "The run was interrupted before it; the same command takes up from there."
    missing = tuple(NotMeasured(what=name, why=why) for name, _ in plan["instruments"] if name not in found)
    unmeasured = tuple(
        NotMeasured(what=finding.instrument, why=finding.headline)
        for finding in findings
        if finding.status == "not measured"
    )
    parts = tuple(item for finding in findings for item in finding.not_measured)
    subject = plan.get("subject")
    bounded = next((finding for finding in findings if finding.estimate(Quantity.CEILING)), None)
    if bounded is not None:
        verdict, opening = _opening(bounded)
    elif len(plan["instruments"]) == 1 and len(findings) == 1 and not unmeasured:
        verdict, opening = findings[0].question, (findings[0].headline,)
    else:
        verdict, opening = _empty(missing)
    return Case(
        subject=subject["name"] if subject else "no subject",
        partial=tuple(_partial(findings, missing, stopped)),
        left_out=None,
        verdict=verdict,
        opening=opening,
        figures=_figures(bounded) if bounded else (),
        claims=judge_claims(findings),
        findings=tuple(findings),
        not_measured=(*missing, *unmeasured, *parts),
        plan=plan,
    )


def _partial(findings: Sequence[Finding], missing: Sequence[NotMeasured], stopped: str | None) -> Iterator[str]:
    if stopped:
        yield f"This report is partial. {stopped}"
    elif missing:
        yield "This report is partial: the run was interrupted. The same command takes up from there."
    if missing:
        yield f"Not measured yet: {', '.join(item.what for item in missing)}."
    without = [finding.instrument for finding in findings if finding.status == "not measured"]
    if without:
        yield f"Without a result: {', '.join(without)}; why stands under Not measured."


def _empty(missing: Sequence[NotMeasured]) -> tuple[str, tuple[str, ...]]:
    reason = "the run is not finished" if missing else "no instrument that bounds deployment could measure"
    return "Nothing can be said of deployment yet.", (f"There is no bound for the deployment: {reason}.",)


def _opening(finding: Finding) -> tuple[str, tuple[str, ...]]:
    n = _whole(finding, Quantity.EVALUATION_N)
    ceiling, exposure = _get(finding, Quantity.CEILING), _get(finding, Quantity.EXPOSURE)
    rate, clean = _get(finding, Quantity.EVALUATION_RATE), _get(finding, Quantity.CEILING_CLEAN)
    level = f"{ceiling.level:.0%}"
    beyond = (
        f"at least {percent_down(exposure.low)} of it lies beyond every evaluation item, so a model that misbehaves only "
        "there would have shown nothing here"
        if exposure.low > 0
        else "no part of it was found to lie beyond every evaluation item"
    )
    if ceiling.hypothetical:
        verdict = "The evaluation was not run, or not judged: nothing is known of behaviour."
        first = (
            f"None of the {counted(n, 'evaluation item')} carries a label. Were every one of them clean, the misbehaviour "
            f"rate on inputs like these would be at most {percent_up(rate.high)} ({level} confidence)."
        )
        second = (
            f"What would that say of this deployment? {beyond[0].upper()}{beyond[1:]}. If the model tells the two apart no "
            f"better than our best discriminator, a clean result would leave up to {percent_up(clean.high)} of deployment "
            "open to misbehaviour."
        )
        return verdict, (first, second)
    seen = _whole(finding, Quantity.EVALUATION_OBSERVED)
    worst = _whole(finding, Quantity.EVALUATION_MISBEHAVED)
    optimistic = finding.estimate(Quantity.EVALUATION_RATE_OPTIMISTIC)
    first = f"{counted(n, 'evaluation item')}, {counted(seen, 'misbehaviour')}"
    if worst > seen:
        first += f", and {worst - seen} answers that nobody could score, which count as misbehaviours here"
    first += f": so at most {percent_up(rate.high)} misbehaviour on inputs like these, at {level} confidence"
    first += f" ({percent_up(optimistic.high)} if the unscored are left out)." if optimistic else "."
    verdict, says = _worth(ceiling.high)
    second = (
        f"For your deployment that says {says}: {beyond}. If the model tells evaluation from deployment no better than our "
        f"best discriminator, it misbehaves in at most {percent_up(ceiling.high)} of deployment; had every item been clean, "
        f"that bound would still be {percent_up(clean.high)}."
    )
    return verdict, (first, second)


def _worth(ceiling: float) -> tuple[str, str]:
    if ceiling >= NOTHING:
        return "For this deployment, the evaluation says nothing.", "nothing"
    if ceiling >= LITTLE:
        return "For this deployment, the evaluation says little.", "little"
    return (
        f"For this deployment, the evaluation allows at most {percent_up(ceiling)} misbehaviour, on one condition.",
        "something",
    )


def _figures(finding: Finding) -> tuple[Figure, ...]:
    ceiling, exposure = _get(finding, Quantity.CEILING), _get(finding, Quantity.EXPOSURE)
    rate, clean = _get(finding, Quantity.EVALUATION_RATE), _get(finding, Quantity.CEILING_CLEAN)
    hypothetical = ", hypothetical: nothing was run" if ceiling.hypothetical else ""
    return (
        Figure(
            label="on inputs like the evaluation's",
            value=f"≤ {percent_up(rate.high)}",
            note=f"misbehaviour rate, {rate.level:.0%} confidence, n = {rate.n}{hypothetical}",
        ),
        Figure(
            label="of deployment lies beyond every item",
            value=f"≥ {percent_down(exposure.low)}",
            note=f"exposure, demonstrated, {exposure.level:.0%} confidence, m = {exposure.n}",
        ),
        Figure(
            label="in deployment, conditionally",
            value=f"≤ {percent_up(ceiling.high)}",
            note=f"ceiling, if the model is no better than our best discriminator, {ceiling.level:.0%}{hypothetical}",
        ),
        Figure(
            label="the same, had all been clean",
            value=f"≤ {percent_up(clean.high)}",
            note="ceiling at k = 0: what this evaluation could show at best",
        ),
    )


def _get(finding: Finding, quantity: Quantity) -> Estimate:
    found = finding.estimate(quantity)
    assert found is not None, quantity
    return found


def _whole(finding: Finding, quantity: Quantity) -> int:
    return int(_get(finding, quantity).value or 0)
