"""`dokimasia theory weak-to-strong`."""

from __future__ import annotations

from typing import Annotated

import typer

from dokimasia.cli.theory.answering import AsJson, Figures, Seed, answer


def weak_to_strong(
    aligned: Annotated[float, typer.Option(metavar="SHARE", help="Samples in which the teacher is aligned.")] = 0.9,
    error: Annotated[float, typer.Option(metavar="P", help="How often an aligned hypothesis misbehaves.")] = 0.01,
    mixture: Annotated[float, typer.Option(metavar="P", help="Prior of a hypothesis that holds the mixture.")] = 0.1,
    samples: Annotated[int, typer.Option(help="Samples that the student learns from.")] = 100,
    accuracies: Annotated[
        tuple[float, float, float] | None,
        typer.Option(metavar="WEAK STUDENT CEILING", help="Your accuracies: which share of the gap was recovered?"),
    ] = None,
    items: Annotated[int | None, typer.Option(help="Test items that each accuracy is of.")] = None,
    level: Annotated[float, typer.Option(help="Level of the interval of the gap recovered.")] = 0.95,
    runs: Annotated[int, typer.Option(help="Simulated students.")] = 4000,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """When does a student outgrow a weak or partly misaligned teacher?

    With --accuracies and --items, also: which share of the gap did yours recover?
    """
    from dokimasia.theory.weak_to_strong import predict

    prediction = predict(
        aligned=aligned,
        error=error,
        mixture=mixture,
        samples=samples,
        accuracies=accuracies,
        items=items,
        level=level,
        runs=runs,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)
