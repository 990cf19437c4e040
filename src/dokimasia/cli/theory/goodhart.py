"""`dokimasia theory goodhart`: what becomes of a value when its proxy is optimised?"""

from __future__ import annotations

from typing import Annotated

import typer

from dokimasia.cli.theory.answering import AsJson, Figures, Seed, answer


def goodhart(
    value_sd: Annotated[float, typer.Option(help="Standard deviation of the value.")] = 1.0,
    error_sd: Annotated[float, typer.Option(help="Standard deviation of each error.")] = 1.0,
    degrees: Annotated[float, typer.Option(help="Degrees of freedom of Student's t, above 2.")] = 3.0,
    spread: Annotated[float, typer.Option(help="Standard deviation of the log-normal error's logarithm.")] = 1.0,
    most: Annotated[int, typer.Option(metavar="N", help="The largest n of best of n.")] = 1_000_000,
    alpha: Annotated[float, typer.Option(help="Of Gao's curves: the gold score's first slope.")] = 1.0,
    beta: Annotated[float, typer.Option(help="Of Gao's curves: how fast it bends down.")] = 0.4,
    replicates: Annotated[int, typer.Option(metavar="N", help="Simulated best of n, each.")] = 2000,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """What becomes of a value when its proxy, the value plus an error, is optimised?

    Compares errors of the same size and different tails: normal, exponential, log-normal, Student's t.
    """
    from dokimasia.theory.goodhart import predict

    prediction = predict(
        value_sd=value_sd,
        error_sd=error_sd,
        degrees=degrees,
        spread=spread,
        most=most,
        alpha=alpha,
        beta=beta,
        replicates=replicates,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)
