"""`dokimasia theory power`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dokimasia.cli.theory.answering import AsJson, Figures, Seed, answer


class Law(StrEnum):
    """How a state's reward is drawn."""

    UNIFORM = "uniform"
    EXPONENTIAL = "exponential"
    NORMAL = "normal"
    HEAVY = "heavy"
    SPARSE = "sparse"


def power(
    process: Annotated[
        str, typer.Argument(metavar="FILE", help="A decision process, JSON or YAML; or `switch`, `tree` or `detour`.")
    ] = "switch",
    discount: Annotated[float, typer.Option(help="How much a step later counts, between 0 and 1.")] = 0.9,
    law: Annotated[Law, typer.Option(help="How each state's reward is drawn.")] = Law.UNIFORM,
    extra: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE:REWARD", help="Reward added at a state, which is then no longer like the others."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(help="The state to favour and to tell apart (default: where the move with least POWER leads)."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Reward functions drawn.")] = 20_000,
    level: Annotated[float, typer.Option(help="Level of Monte Carlo intervals.")] = 0.95,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """If an agent's reward is drawn at random and it acts optimally, how often does it keep its options open?

    The file names a `start`, and `states` with their moves and where each leads, if need be with probabilities.
    """
    from dokimasia.sources.mdp import read_mdp
    from dokimasia.theory.power import BUNDLED, LAWS, Rewards, parse_extra, predict

    mdp = BUNDLED[process]() if process in BUNDLED and not Path(process).exists() else read_mdp(process)
    rewards = Rewards(law=LAWS[law.value], extra=parse_extra(extra or ()))
    prediction = predict(mdp, rewards, discount=discount, state=state, n=draws, level=level, seed=seed)
    return answer(prediction, as_json=as_json, figures=figures)
