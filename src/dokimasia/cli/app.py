"""The commands, put together. What each calls is loaded when it is called, so that help is quick."""

from __future__ import annotations

from typing import Annotated

import typer

import dokimasia
from dokimasia.cli import asking_again, examining, horizon, inside, machine, proxy, runs, tripwire
from dokimasia.cli.theory import theory

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
    "4 done, and a --fail-if condition holds or a check failed, 130 interrupted (rerun to resume).",
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Options that need no command."""
    if version:
        print(f"dokimasia {dokimasia.__version__}")
        raise typer.Exit


for command in (
    examining.audit,
    examining.realism,
    examining.awareness,
    examining.anomalies,
    inside.knowledge,
    inside.personas,
    proxy.proxy,
    horizon.horizon,
    runs.report,
    runs.compare,
    runs.plan,
    runs.verify,
    machine.models,
    machine.doctor,
):
    app.command()(command)
app.command("knowledge-again")(asking_again.asking_again)
app.add_typer(tripwire.tripwire, name="tripwire")
app.add_typer(theory, name="theory")
