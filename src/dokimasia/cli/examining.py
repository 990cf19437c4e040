"""The commands that measure: audit, realism, awareness and anomalies."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from dokimasia.cli import options as given
from dokimasia.cli.printing import print_costs, print_finding, print_json, print_line


def audit(
    model: Annotated[str | None, typer.Argument(help=given.MODEL_HELP)] = None,
    evaluation: given.Evaluation = None,
    deployment: given.Deployment = None,
    budget: Annotated[given.Budget | None, typer.Option(help="How much to measure (default: quick).")] = None,
    misbehaved: given.Misbehaved = None,
    judge: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Another model, to judge answers that no stated rule can.")
    ] = None,
    facts: Annotated[
        str | None, typer.Option(metavar="FILE", help="Facts that it should not know, in place of the bundled ones.")
    ] = None,
    personas: Annotated[
        str | None, typer.Option(metavar="FILE", help="Roles, traits, questions and scripts beside the bundled ones.")
    ] = None,
    seed: given.Seed = None,
    run: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The run folder (default: runs/audit-MODEL-DIGEST).")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Options from a TOML file; those given here override it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its cost; measure nothing.")] = False,
    as_json: given.AsJson = False,
    field: given.Field = None,
    limit: given.Limit = None,
    sample: given.Sample = None,
    skip_bad: given.SkipBad = None,
    redact: given.Redact = None,
    device: given.Device = None,
    dtype: given.Dtype = None,
    device_map: given.DeviceMap = None,
    trust_remote_code: given.TrustRemoteCode = None,
    base: given.Base = None,
    revision: given.Revision = None,
    chat_template: given.ChatTemplate = None,
    base_url: given.BaseUrl = None,
    max_connections: given.MaxConnections = None,
    timeout: given.Timeout = None,
    price_in: given.PriceIn = None,
    price_out: given.PriceOut = None,
    max_cost: given.MaxCost = None,
    max_time: given.MaxTime = None,
    fail_if: given.FailIf = None,
    without_text: given.WithoutText = None,
    workers: given.Workers = None,
) -> int:
    """Examine a model: how it behaves, whether it knows that it is tested, and what the result is worth.

    Killed or interrupted, the same command takes up from where it was. The last line printed is the report's path.
    """
    named = dict(locals())
    for name in ("config", "dry_run", "as_json"):
        del named[name]
    from dokimasia.study.audit import prepare_request, run_audit
    from dokimasia.study.conditions import Condition, evaluate
    from dokimasia.study.progress import Display
    from dokimasia.study.request import request

    asked = request(named, config=config)
    prepared = prepare_request(asked)
    conditions = [Condition.parse(text, instruments=prepared.instruments) for text in asked.fail_if]
    costs = prepared.study.costs()
    if dry_run:
        _print_plan(prepared, costs, as_json=as_json)
        return 0
    console = Console(stderr=as_json)
    print_line(f"Run folder: {prepared.folder}", console, soft_wrap=True)
    with Display(console, sum(cost.seconds for cost in costs.values())) as display:
        result = run_audit(prepared, display, limits=asked.limits, workers=asked.workers, text=not asked.without_text)
    verdicts = evaluate(conditions, result.findings)
    failed = any(verdict.failed for verdict in verdicts)
    if as_json:
        found: dict[str, Any] = {
            item.instrument: [asdict(estimate) for estimate in item.estimates] if asked.without_text else item.raw
            for item in result.findings
        }
        if verdicts:
            found["conditions"] = [
                {"condition": item.condition.text, "failed": item.failed, "compared": item.compared, "why": item.reason}
                for item in verdicts
            ]
        if result.stopped:
            found["stopped"] = result.stopped
        print_json(found)
        return 4 if failed else 0
    for finding in result.findings:
        print_line(f"\n{finding.headline}", console)
    for verdict in verdicts:
        print_line(f"\n{verdict.reason}", console)
    if result.stopped:
        print_line(f"\nPartial: {result.stopped}", console)
    console.print()
    print(result.folder / ("report-without-text.html" if asked.without_text else "report.html"))
    return 4 if failed else 0


def realism(
    evaluation: Annotated[
        list[str] | None,
        typer.Option("--evaluation", "-e", metavar="FILE...", help=f"{given.EVALUATION_HELP}."),
    ] = None,
    deployment: given.Deployment = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Let this local model discriminate, too: asked outright, and by its activations."
        ),
    ] = None,
    misbehaved: given.Misbehaved = None,
    delta: Annotated[float, typer.Option(help="Error probability of each bound.")] = 0.05,
    embeddings: Annotated[
        bool | None,
        typer.Option(
            "--embeddings/--no-embeddings",
            help="Let sentence embeddings discriminate, too (default: only with --model; needs torch).",
        ),
    ] = None,
    paraphrases: Annotated[
        int, typer.Option(metavar="N", help="Wordings, 1 to 6, in which the model is asked about each transcript.")
    ] = 1,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Train the model to tell the two apart; by far the dearest.")
    ] = False,
    seed: given.Seed = None,
    run: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the finding and a report there (default: keep nothing).")
    ] = None,
    as_json: given.AsJson = False,
    field: given.Field = None,
    limit: given.Limit = None,
    sample: given.Sample = None,
    skip_bad: given.SkipBad = None,
    redact: given.Redact = None,
    device: given.Device = None,
    dtype: given.Dtype = None,
    device_map: given.DeviceMap = None,
    trust_remote_code: given.TrustRemoteCode = None,
    base: given.Base = None,
    revision: given.Revision = None,
    chat_template: given.ChatTemplate = None,
    fail_if: given.FailIf = None,
    workers: given.Workers = None,
) -> int:
    """How far does an evaluation speak for a deployment, given how well the two can be told apart?

    Without --model and --embeddings, format and words alone discriminate, and no model is loaded.
    """
    named = dict(locals())
    for name in ("delta", "as_json", "embeddings", "paraphrases", "fine_tune"):
        del named[name]
    if not evaluation or deployment is None:
        raise typer.BadParameter("name both, --evaluation FILE... and --deployment FILE")
    from dokimasia.study.conditions import Condition, evaluate
    from dokimasia.study.progress import Display
    from dokimasia.study.realism import realism as measure
    from dokimasia.study.request import request

    asked = request(named)
    conditions = [Condition.parse(text, instruments=("realism",)) for text in asked.fail_if]
    with Display(Console(stderr=True), 0.0) as watch:
        finding = measure(
            asked.evaluation,
            asked.deployment,
            model=model,
            misbehaved=misbehaved,
            delta=delta,
            seed=asked.seed,
            run=run,
            reading=asked.reading,
            loading=asked.loading,
            embeddings=embeddings,
            paraphrases=paraphrases,
            fine_tune=fine_tune,
            workers=asked.workers,
            watch=watch,
        )
    verdicts = evaluate(conditions, [finding])
    console = Console()
    if as_json:
        print_json(finding.raw)
    else:
        print_finding(finding, console)
    for verdict in verdicts:
        print_line(verdict.reason, Console(stderr=as_json))
    if run is not None and not as_json:
        print(run / "report.html")
    return 4 if any(verdict.failed for verdict in verdicts) else 0


def awareness(
    evaluation: given.Evaluation = None,
    deployment: given.Deployment = None,
    model: Annotated[str, typer.Option(metavar="MODEL", help="A local model or an endpoint.")] = "bundled",
    budget: Annotated[given.Budget, typer.Option(help="How much to measure.")] = given.Budget.standard,
    seed: given.Seed = None,
    run: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the finding, a report and every answer there.")
    ] = None,
    as_json: given.AsJson = False,
    field: given.Field = None,
    limit: given.Limit = None,
    sample: given.Sample = None,
    skip_bad: given.SkipBad = None,
    redact: given.Redact = None,
    device: given.Device = None,
    dtype: given.Dtype = None,
    device_map: given.DeviceMap = None,
    trust_remote_code: given.TrustRemoteCode = None,
    base: given.Base = None,
    revision: given.Revision = None,
    chat_template: given.ChatTemplate = None,
    base_url: given.BaseUrl = None,
    max_connections: given.MaxConnections = None,
    timeout: given.Timeout = None,
    price_in: given.PriceIn = None,
    price_out: given.PriceOut = None,
) -> int:
    """Does the model know that it is being tested, and does it matter to what it does?

    Asks it, listens to it, looks inside and steers it.
    """
    named = dict(locals())
    for name in ("as_json", "budget"):
        del named[name]
    from dokimasia.study.awareness import awareness as measure
    from dokimasia.study.progress import Display
    from dokimasia.study.request import request

    asked = request(named)
    with Display(Console(stderr=True), 0.0) as watch:
        finding = measure(
            asked.evaluation,
            asked.deployment,
            model=model,
            budget=budget.value,
            seed=asked.seed,
            run=run,
            reading=asked.reading,
            loading=asked.loading,
            endpoint=asked.endpoint,
            watch=watch,
        )
    if as_json:
        print_json(finding.raw)
    else:
        print_finding(finding, Console())
    return 0


def anomalies(
    inputs: Annotated[
        list[str], typer.Option("--inputs", "-i", metavar="FILE...", help="Transcripts to look at. Several may follow.")
    ],
    trusted: Annotated[
        str, typer.Option("--trusted", "-t", metavar="FILE", help="Transcripts that are trusted; or `bundled`.")
    ] = "bundled",
    model: Annotated[str, typer.Option(metavar="MODEL", help="A local model, whose activations are read.")] = "bundled",
    false_discovery: Annotated[
        float, typer.Option(help="Expected share of ordinary inputs among those flagged, at most.")
    ] = 0.1,
    seed: given.Seed = None,
    run: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the finding, a report and activations there.")
    ] = None,
    as_json: given.AsJson = False,
    field: given.Field = None,
    limit: given.Limit = None,
    sample: given.Sample = None,
    skip_bad: given.SkipBad = None,
    redact: given.Redact = None,
    device: given.Device = None,
    dtype: given.Dtype = None,
    device_map: given.DeviceMap = None,
    trust_remote_code: given.TrustRemoteCode = None,
    base: given.Base = None,
    revision: given.Revision = None,
    chat_template: given.ChatTemplate = None,
) -> int:
    """Which inputs make the model work differently from a trusted set?

    Flags inputs by their activations, at a stated false-discovery rate.
    """
    named = dict(locals())
    for name in ("inputs", "trusted", "false_discovery", "as_json"):
        del named[name]
    from dokimasia.study.anomalies import anomalies as measure
    from dokimasia.study.progress import Display
    from dokimasia.study.request import request

    asked = request(named)
    with Display(Console(stderr=True), 0.0) as watch:
        finding = measure(
            inputs,
            trusted,
            model=model,
            false_discovery=false_discovery,
            seed=asked.seed,
            run=run,
            reading=asked.reading,
            loading=asked.loading,
            watch=watch,
        )
    if as_json:
        print_json(finding.raw)
    else:
        print_finding(finding, Console())
    return 0


def _print_plan(prepared: Any, costs: Any, *, as_json: bool) -> None:
    if as_json:
        rows = {
            name: {
                "calls": cost.calls,
                "tokens": cost.tokens,
                "seconds": round(cost.seconds, 1),
                "usd": cost.usd,
                "unpriced_tokens": cost.unpriced,
            }
            for name, cost in costs.items()
        }
        print_json({"folder": str(prepared.folder), "plan": prepared.study.plan(), "cost": rows})
        return
    print_costs(costs, prepared.folder, Console())
