"""`dokimasia theory selection`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dokimasia.cli.theory.answering import AsJson, Figures, Seed, answer


def selection(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Hypotheses, in YAML, JSON or TOML (default: five families, numbers made up)."
        ),
    ] = None,
    eta: Annotated[float, typer.Option(help="Strength of selection: log-odds for each step and unit of reward.")] = 0.1,
    steps: Annotated[int, typer.Option(help="Steps of training.")] = 1500,
    least: Annotated[float, typer.Option(help="Share from which a motive counts for the bounds.")] = 0.01,
    factor: Annotated[float, typer.Option(help="How many times too large or small each prior may be.")] = 3.0,
    tries: Annotated[int, typer.Option(help="Attempts at a probe.")] = 1,
    batch: Annotated[int, typer.Option(help="Episodes a step in the simulations.")] = 4096,
    runs: Annotated[int, typer.Option(help="Simulated runs.")] = 32,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """Which motives does training leave, how may they misbehave, and what would tell them apart?"""
    from dokimasia.sources.hypotheses import families, read_hypotheses
    from dokimasia.theory.selection import predict

    prediction = predict(
        families() if file is None else read_hypotheses(file),
        eta=eta,
        steps=steps,
        least=least,
        factor=factor,
        tries=tries,
        batch=batch,
        runs=runs,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)
