"""`dokimasia theory steps`."""

from __future__ import annotations

from typing import Annotated

import typer

from dokimasia.cli.theory.answering import AsJson, Figures, Seed, answer


def steps(
    alpha: Annotated[float, typer.Option(help="Tail index of the time that one approach to a subtask takes.")] = 0.1,
    approaches: Annotated[float, typer.Option(help="Approaches known to each subtask; the fastest is taken.")] = 3.0,
    subtasks: Annotated[float, typer.Option(help="Length of the task, in serial subtasks.")] = 30.0,
    budget: Annotated[float, typer.Option(help="A fixed budget, in units of a subtask's least time.")] = 1e6,
    kappa: Annotated[float, typer.Option(help="A budget in proportion: this much for each subtask.")] = 2.0,
    simulate: Annotated[int, typer.Option(metavar="N", help="Simulate that many whole tasks, too.")] = 0,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """How do speed, success and horizon depend on how many approaches a mind knows?

    A task is serial subtasks, each as long as its fastest approach, whose time has a heavy tail.
    """
    from dokimasia.theory.steps import predict

    prediction = predict(
        alpha=alpha,
        approaches=approaches,
        subtasks=subtasks,
        budget=budget,
        kappa=kappa,
        replicates=simulate,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)
