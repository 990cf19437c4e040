"""The commands. What each calls is loaded when it is called, so that help is quick."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import dokimasia

app = typer.Typer(
    name="dokimasia",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    help="Examines a language model before it is deployed, and says how far the result should reassure.\n\n"
    "Start with two commands:\n\n"
    "  [bold]dokimasia audit[/bold]   examine the bundled model, on the bundled items\n\n"
    "  [bold]dokimasia realism --evaluation TESTS.jsonl --deployment LOGS.jsonl[/bold]\n\n"
    "Exit codes: 0 done, 2 a mistake in what was asked, 3 the machine failed (disk, memory; rerun to resume), "
    "130 interrupted (rerun to resume).",
)


class Budget(StrEnum):
    """How much to measure."""

    quick = "quick"
    standard = "standard"
    thorough = "thorough"


EVALUATION_HELP = (
    "Transcripts or prompts of the evaluation, JSON Lines or a JSON array; FILE:field names the prompt's field. "
    "Several files may follow"
)
Evaluation = Annotated[
    list[str] | None,
    typer.Option(
        "--evaluation",
        "-e",
        metavar="FILE...",
        help=f"{EVALUATION_HELP}, or `bundled`.",
    ),
]
Deployment = Annotated[
    str,
    typer.Option("--deployment", "-d", metavar="FILE", help="A sample of the deployment, read alike; or `bundled`."),
]
Misbehaved = Annotated[
    int | None, typer.Option(metavar="K", help="Misbehaviours among the evaluation items; overrides labels.")
]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Options that need no command."""
    if version:
        print(f"dokimasia {dokimasia.__version__}")
        raise typer.Exit


@app.command()
def audit(
    model: Annotated[str, typer.Argument(help="`bundled`, or a Hugging Face model folder.")] = "bundled",
    evaluation: Evaluation = None,
    deployment: Deployment = "bundled",
    budget: Annotated[Budget, typer.Option(help="How much to measure.")] = Budget.quick,
    misbehaved: Misbehaved = None,
    judge: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Another model, to judge answers that no stated rule can.")
    ] = None,
    seed: Seed = 0,
    run: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The run folder (default: runs/audit-MODEL-DIGEST).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its cost; measure nothing.")] = False,
    as_json: AsJson = False,
) -> int:
    """Examine a model: how it behaves, how its evaluation differs from deployment, and what the result is worth.

    Killed or interrupted, the same command takes up from where it was. The last line printed is the report's path.
    """
    from dokimasia.study.audit import prepare, run_audit
    from dokimasia.study.progress import Display

    prepared = prepare(
        model,
        evaluation=evaluation or (),
        deployment=deployment,
        budget=budget.value,
        misbehaved=misbehaved,
        judge=judge,
        seed=seed,
        run=run,
    )
    costs = prepared.study.costs()
    if dry_run:
        _print_plan(prepared, costs, as_json=as_json)
        return 0
    console = Console(stderr=as_json)
    console.print(f"Run folder: {prepared.folder}", highlight=False, markup=False, soft_wrap=True)
    with Display(console, sum(cost.seconds for cost in costs.values())) as display:
        result = run_audit(prepared, display)
    if as_json:
        _print_json({item.instrument: item.raw for item in result.findings})
        return 0
    for finding in result.findings:
        console.print(f"\n{finding.headline}", highlight=False, markup=False)
    console.print()
    print(prepared.folder / "report.html")
    return 0


@app.command()
def realism(
    evaluation: Annotated[
        list[str] | None,
        typer.Option("--evaluation", "-e", metavar="FILE...", help=f"{EVALUATION_HELP}."),
    ] = None,
    deployment: Annotated[
        str | None,
        typer.Option(
            "--deployment", "-d", metavar="FILE", help="A sample of the deployment, read alike; or `bundled`."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Let this model's activations discriminate, too: `bundled`, or a folder."),
    ] = None,
    misbehaved: Misbehaved = None,
    delta: Annotated[float, typer.Option(help="Error probability of each bound.")] = 0.05,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> int:
    """How far does an evaluation speak for a deployment, given how well the two can be told apart?

    Without --model, format and words alone discriminate, and no model is loaded.
    """
    if not evaluation or deployment is None:
        raise typer.BadParameter("name both, --evaluation FILE... and --deployment FILE")
    from dokimasia.study.realism import realism as measure

    finding = measure(evaluation, deployment, model=model, misbehaved=misbehaved, delta=delta, seed=seed)
    if as_json:
        _print_json(finding.raw)
        return 0
    from dokimasia.cli.tables import print_finding

    print_finding(finding, Console())
    return 0


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: AsJson = False,
) -> int:
    """Make the reports of a run again from what is stored; no model is needed."""
    from dokimasia.study.audit import report_on

    path = report_on(run)
    if as_json:
        _print_json(json.loads(path.with_suffix(".json").read_text("utf-8")))
    else:
        print(path)
    return 0


def _print_plan(prepared: Any, costs: Any, *, as_json: bool) -> None:
    if as_json:
        rows = {
            name: {"calls": cost.calls, "tokens": cost.tokens, "seconds": round(cost.seconds, 1), "usd": cost.usd}
            for name, cost in costs.items()
        }
        _print_json({"folder": str(prepared.folder), "plan": prepared.study.plan(), "cost": rows})
        return
    from dokimasia.cli.tables import print_costs

    print_costs(costs, prepared.folder, Console())


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")
