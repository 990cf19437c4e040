"""The command that judges a reward by its scores: proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dokimasia.cli import options as given
from dokimasia.cli.printing import print_finding, print_json


def proxy(
    scores: Annotated[
        Path,
        typer.Argument(
            metavar="SCORES",
            help="Scores of outputs of the policy: .npy, CSV, TSV, Parquet or JSON Lines, one an output.",
        ),
    ],
    proxy_column: Annotated[
        str | None, typer.Option("--proxy", metavar="COLUMN", help="The reward (default: the only column of numbers).")
    ] = None,
    gold_column: Annotated[
        str | None, typer.Option("--gold", metavar="COLUMN", help="A score that is trusted more, of the same outputs.")
    ] = None,
    seed: given.Seed = None,
    run: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the finding and a report there (default: keep nothing).")
    ] = None,
    as_json: given.AsJson = False,
) -> int:
    """Is this reward safe to optimise, and how hard?

    Judges the tail of the scores, or of the error if a gold score is named, against samples of known tail; with a gold score, how
    far best of n and KL-regularised training would raise it, and where that ends.
    """
    from dokimasia.study.progress import Display
    from dokimasia.study.proxy import proxy as measure

    with Display(Console(stderr=True), 0.0) as watch:
        finding = measure(
            scores, proxy_column=proxy_column, gold_column=gold_column, seed=seed or 0, run=run, watch=watch
        )
    if as_json:
        print_json(finding.raw)
    else:
        print_finding(finding, Console())
        if run is not None:
            print(run / "report.html")
    return 0
