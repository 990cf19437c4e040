"""The command that judges runs: horizon."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dokimasia.cli import options as given
from dokimasia.cli.printing import print_finding, print_json, print_line

COLUMNS = "Columns of the table"


def horizon(
    runs: Annotated[
        Path,
        typer.Argument(metavar="RUNS", help="A table of runs, one a row: JSON Lines, CSV or Parquet, packed or not."),
    ],
    only: Annotated[
        list[str] | None, typer.Option(metavar="AGENT", help="Look at this agent alone. May be repeated.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="AGENT", help="Leave this agent out. May be repeated.")
    ] = None,
    replicates: Annotated[
        int, typer.Option(metavar="N", help="How often families of tasks are resampled, at least 200.")
    ] = 500,
    seed: given.Seed = None,
    run: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the finding and a report there (default: keep nothing).")
    ] = None,
    as_json: given.AsJson = False,
    fail_if: given.FailIf = None,
    agent_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who tried (alias, agent or model).", rich_help_panel=COLUMNS),
    ] = None,
    task_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="What was tried (task_id or task).", rich_help_panel=COLUMNS)
    ] = None,
    family_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Which tasks stand or fall together (task_family or family).", rich_help_panel=COLUMNS
        ),
    ] = None,
    minutes_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="How long it takes a person (human_minutes or minutes).", rich_help_panel=COLUMNS
        ),
    ] = None,
    score_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="How it went, from 0 to 1 (score_binarized or score).", rich_help_panel=COLUMNS
        ),
    ] = None,
) -> int:
    """How long are the tasks that each agent can do, in human time?

    Fits eight curves of success against human time, says which of them predict families of tasks that they were not fitted
    to, and gives 50% and 80% horizons with what chance and the choice of the curve leave open.
    """
    from dokimasia.sources.runs import Columns
    from dokimasia.study.conditions import Condition, evaluate
    from dokimasia.study.horizon import horizon as measure

    conditions = [Condition.parse(text, instruments=("horizon",)) for text in fail_if or ()]
    finding = measure(
        runs,
        columns=Columns(
            agent=agent_column, task=task_column, family=family_column, minutes=minutes_column, score=score_column
        ),
        only=only or (),
        without=without or (),
        replicates=replicates,
        seed=seed or 0,
        run=run,
    )
    verdicts = evaluate(conditions, [finding])
    if as_json:
        print_json(finding.raw)
    else:
        print_finding(finding, Console())
    for verdict in verdicts:
        print_line(verdict.reason, Console(stderr=as_json))
    if run is not None and not as_json:
        print(run / "report.html")
    return 4 if any(verdict.failed for verdict in verdicts) else 0
