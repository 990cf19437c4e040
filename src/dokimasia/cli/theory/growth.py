"""`dokimasia theory growth`."""

from __future__ import annotations

from typing import Annotated

import typer

from dokimasia.cli.theory.answering import AsJson, Figures, Seed, answer

HOW = "a number, a range (0.1:0.3) or a lognormal (0.1x2)"


def growth(
    done: Annotated[str, typer.Option(metavar="SHARE", help=f"Share of the work done today: {HOW}.")] = "0.1x2.5",
    growth: Annotated[
        str | None,
        typer.Option(metavar="RATE", help="Growth from now on, 0.2 for 20% a year (default: as in the past)."),
    ] = None,
    past_growth: Annotated[str, typer.Option(metavar="RATE", help="Growth of the field until today.")] = "0.2",
    returns: Annotated[
        str, typer.Option(metavar="POWER", help="Work is people to this power: 1 in proportion, below 1 diminishing.")
    ] = "0.5:1",
    history: Annotated[
        str, typer.Option(metavar="YEARS", help="Age of the field; `endless` for growth for ever.")
    ] = "15:30",
    lag: Annotated[str, typer.Option(metavar="YEARS", help="Until somebody attracted today does research.")] = "0:2",
    person_years: Annotated[str, typer.Option(metavar="N", help="Person-years worked so far.")] = "3000:6000",
    world: Annotated[
        list[str] | None,
        typer.Option(
            metavar="YEARS:WEIGHT", help="A world in which the system arrives then (default: 5, 10, 20, 50 alike)."
        ),
    ] = None,
    pause: Annotated[str, typer.Option(metavar="MONTHS", help="Policy: the arrival is put off.")] = "12",
    size: Annotated[str, typer.Option(metavar="TIMES", help="Policy: a larger field.")] = "10",
    faster: Annotated[str, typer.Option(metavar="RATE", help="Policy: another growth from now on.")] = "0.5",
    worth: Annotated[str, typer.Option(metavar="TIMES", help="Policy: what crunch-time research is worth.")] = "1.5:3",
    crunch: Annotated[str, typer.Option(metavar="YEARS", help="How long crunch time lasts, before the arrival.")] = "2",
    horizon: Annotated[float, typer.Option(metavar="YEARS", help="How far curves are drawn.")] = 30.0,
    level: Annotated[float, typer.Option(help="The middle share of draws that each interval spans.")] = 0.9,
    draws: Annotated[int, typer.Option(help="Draws of the uncertain inputs.")] = 20_000,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """Is the field's work done in time, and which policy moves the chance of that most?

    Every input is a number, an even range LOW:HIGH, or a lognormal MEDIANxFACTOR.
    """
    from dokimasia.theory.growth import Inputs, parse_uncertain, parse_worlds, predict, usual_policies

    asked = Inputs(
        done=parse_uncertain(done),
        growth=None if growth is None else parse_uncertain(growth),
        past_growth=parse_uncertain(past_growth),
        returns=parse_uncertain(returns),
        history=None if history == "endless" else parse_uncertain(history),
        lag=parse_uncertain(lag),
    )
    policies = usual_policies(
        pause=parse_uncertain(pause),
        size=parse_uncertain(size),
        growth=parse_uncertain(faster),
        worth=parse_uncertain(worth),
        crunch=parse_uncertain(crunch),
    )
    prediction = predict(
        asked,
        parse_worlds(world or ()),
        policies,
        person_years=parse_uncertain(person_years),
        draws=draws,
        horizon=horizon,
        level=level,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)
