"""Everything that the growth model says of a field, as one prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dokimasia.core import DataError, FigureData, Series, Table
from dokimasia.core.figure import interval_dots
from dokimasia.core.rounding import percent
from dokimasia.core.tabulating import Cell
from dokimasia.theory.growth.effort import Field, fraction_done, people_now, share, work, years_to_done
from dokimasia.theory.growth.inputs import Between, Known, Lognormal, Uncertain
from dokimasia.theory.growth.policies import (
    NOTHING,
    Array,
    Draws,
    Inputs,
    Policy,
    Worlds,
    chances,
    drawn_field,
    in_time,
    moved_most,
    one_at_a_time,
    usual_policies,
)
from dokimasia.theory.growth.simulating import simulate
from dokimasia.theory.prediction import Prediction, Value

QUESTION = (
    "Is the field's work done before the dangerous system arrives, and which policy moves the chance of that most?"
)
SOURCE = (
    "Roger Dearnaley's estimate of the alignment field: about a tenth done, growth of 20% a year, error factor 2 to 3; "
    "the integral, the finite past, diminishing returns, lag and policies are derived here"
)
MISLEADS = (
    "It misleads where work cannot be counted in person-years: one missing idea, work that must be done in order, or a share "
    "done that nobody can know. Weights of worlds are the asker's, and every conclusion is conditional on them."
)
PLAUSIBLE = Inputs(
    done=Lognormal(0.1, 2.5), returns=Between(0.5, 1.0), history=Between(15.0, 30.0), lag=Between(0.0, 2.0)
)
"""The source's share done and past growth; the ranges of returns, history and lag are ours."""
EVEN = Worlds()
PERSON_YEARS = Between(3000.0, 6000.0)
POLICIES = usual_policies(
    pause=Known(12.0), size=Known(10.0), growth=Known(0.5), worth=Between(1.5, 3.0), crunch=Known(2.0)
)
SIMULATED = 10_000
MOST_DRAWS = 1_000_000


def predict(
    inputs: Inputs = PLAUSIBLE,
    worlds: Worlds = EVEN,
    policies: Sequence[Policy] = POLICIES,
    *,
    person_years: Uncertain = PERSON_YEARS,
    draws: int = 20_000,
    horizon: float = 30.0,
    level: float = 0.9,
    seed: int = 0,
) -> Prediction:
    """P(done in time) as it goes and under each policy, with the spread that uncertain inputs give.

    Parameters
    ----------
    inputs, worlds, policies:
        What is believed of the field, when the system arrives, and what might be done.
    person_years:
        Work so far, in person-years; only the people at work today follow from it.
    draws:
        Draws of the uncertain inputs; the share done today is integrated, not drawn.
    horizon:
        Years to which curves are drawn.
    level:
        The middle share of the draws that each interval spans.
    """
    if not 100 <= draws <= MOST_DRAWS:
        raise DataError(f"100 to {MOST_DRAWS:,} draws are expected.", f"Found {draws:,}.", "20,000 are plenty.")
    if not 0.0 < horizon <= 150.0:
        raise DataError("A horizon above 0 and at most 150 years is expected.", f"Found {horizon:g}.", "30 shows most.")
    if not 0.0 < level < 1.0:
        raise DataError("A level between 0 and 1 is expected.", f"Found {level:g}.", "0.9 is usual.")
    share(inputs.done.quantile(0.5))
    made = Draws.make(draws, seed=seed)
    base = in_time(inputs, NOTHING, worlds, made)
    effects = [in_time(inputs, policy, worlds, made) - base for policy in policies]
    most = moved_most(effects) if policies else np.zeros(0)
    by_world = chances(inputs, NOTHING, worlds, made)
    simulated, between = simulate(inputs, NOTHING, worlds, n=SIMULATED, seed=seed)
    spread = f"mean of {draws:,} draws of the uncertain inputs; the interval is what they give"
    values = [
        _value("P(done in time), as it goes", base, level, spread),
        Value(
            name="the same, by simulation",
            value=simulated,
            unit="",
            method="step by step, all inputs drawn; Wilson interval",
            low=between.low,
            high=between.high,
            level=0.95,
            n=SIMULATED,
        ),
        *(
            _value(f"P(done in time) if it arrives in {years:g} years", row, level, spread)
            for years, row in zip(worlds.years, by_world, strict=True)
        ),
        *(
            _value(f"what {policy.name} adds", effect, level, "the same draws with and without")
            for policy, effect in zip(policies, effects, strict=True)
        ),
        Value(
            name="P(all is done today already)",
            value=float(inputs.done.at_least(1.0)),
            unit="",
            method="closed form; a lognormal share done has mass above 1",
        ),
        _years(inputs, made, level),
        _people(inputs, person_years, made, level),
    ]
    return Prediction(
        model="growth",
        question=QUESTION,
        headline=_headline(base, policies, effects, most, level),
        parameters=_parameters(inputs, worlds, policies, person_years, draws=draws, level=level, horizon=horizon),
        values=tuple(values),
        assumptions=(
            "work is a rate of people ** returns, added up; nothing has to be done in order",
            "a pause puts off the arrival and leaves research as it is",
            "worlds, field and policies are independent of one another",
        ),
        misleads=MISLEADS,
        source=SOURCE,
        tables=(
            _policy_table(inputs, worlds, policies, made, effects, most, level),
            _input_table(inputs, worlds, made, level),
            source_table(),
            fragility_table(),
        ),
        figures=(
            _effects_figure(policies, effects, level),
            _arrival_figure(inputs, policies, made, horizon),
            _done_figure(inputs, policies, made, horizon, level),
        ),
        seed=seed,
    )


def source_table() -> Table:
    """The source's own case: an endless past at 20% a year, no lag, work in proportion to people."""
    rows = []
    for done in (0.1, 0.15, 0.2):
        for growth in (0.2, 0.5):
            field = Field(growth=growth)
            five, ten = (float(fraction_done(done, field, years)) for years in (5.0, 10.0))
            rows.append((done, growth, round(five, 3), round(ten, 3), round(float(years_to_done(done, field)), 1)))
    return Table(
        name="growth-source",
        title="Share done, in the source's own case",
        columns=("done today", "growth a year", "after 5 years", "after 10 years", "all done after, years"),
        rows=tuple(rows),
        note="Beyond 1 it is done that many times over.",
    )


def fragility_table() -> Table:
    """What one departure at a time from the source's own case does, with 10% done."""
    rows: list[tuple[Cell, ...]] = []
    for growth in (0.2, 0.5):
        cases = {
            "the source's own case": Field(growth=growth),
            "diminishing returns, people ** 0.5": Field(growth=growth, returns=0.5),
            "a past of 10 years": Field(growth=growth, history=10.0),
            "a lag of 2 years": Field(growth=growth, lag=2.0),
        }
        for name, field in cases.items():
            chance = [
                round(float(Lognormal(0.1, factor).at_least(1.0 / (1.0 + work(field, years)))), 3)
                for years in (5.0, 10.0)
                for factor in (2.0, 3.0)
            ]
            ten = round(float(fraction_done(0.1, field, 10.0)), 3)
            rows.append((growth, name, ten, *chance))
    return Table(
        name="growth-fragility",
        title="What the source's case hangs on: 10% done today, right within a factor",
        columns=(
            "growth a year",
            "case",
            "done after 10 years",
            "P(done) at 5, factor 2",
            "at 5, factor 3",
            "at 10, factor 2",
            "at 10, factor 3",
        ),
        rows=tuple(rows),
    )


def _value(name: str, given: Array, level: float, method: str, unit: str = "") -> Value:
    """A mean over draws, with the middle of what they give; one number alone where nothing differs between them."""
    low, high = _middle(given, level)
    if high - low < 1e-12:
        return Value(name=name, value=float(given[0]), unit=unit, method="closed form: no drawn input changes it")
    return Value(
        name=name,
        value=float(given.mean()),
        unit=unit,
        method=method,
        low=low,
        high=high,
        level=level,
        n=len(given),
    )


def _middle(given: Array, level: float) -> tuple[float, float]:
    low, high = np.quantile(given, ((1.0 - level) / 2.0, (1.0 + level) / 2.0))
    return float(low), float(high)


def _years(inputs: Inputs, draws: Draws, level: float) -> Value:
    median = float(inputs.done.quantile(0.5))
    found = years_to_done(median, drawn_field(inputs, NOTHING, draws))
    name = "years until all is done, at the median share done today"
    if np.isinf(found).any():
        never = float(np.isinf(found).mean())
        return Value(
            name=name, value=None, unit="years", method=f"infinite, because {percent(never)} of draws never finish"
        )
    return _value(name, found, level, "inverse of the closed form; mean over draws", "years")


def _people(inputs: Inputs, person_years: Uncertain, draws: Draws, level: float) -> Value:
    drawn = drawn_field(inputs, NOTHING, draws)
    now = people_now(person_years.quantile(draws.policies[0]), past_growth=drawn.past_growth, history=drawn.history)
    return _value("people at work today", now, level, f"from {person_years.words()} person-years so far")


def _headline(base: Array, policies: Sequence[Policy], effects: Sequence[Array], most: Array, level: float) -> str:
    low, high = _middle(base, level)
    said = f"As it goes, all is done in time with probability {base.mean():.2f}"
    if high - low > 1e-12:
        said += f" ({low:.2f} to {high:.2f} over the uncertain inputs)"
    if not effects:
        return f"{said}."
    best = int(np.argmax([effect.mean() for effect in effects]))
    if effects[best].mean() < 1e-9:
        return f"{said}; none of the policies raises it."
    return (
        f"{said}; {policies[best].name} moves that most, by {effects[best].mean():+.2f}, and more than any other "
        f"in {percent(float(most[best]), 0)} of draws."
    )


def _parameters(
    inputs: Inputs,
    worlds: Worlds,
    policies: Sequence[Policy],
    person_years: Uncertain,
    *,
    draws: int,
    level: float,
    horizon: float,
) -> dict[str, Cell]:
    return {
        "done": inputs.done.words(),
        "growth": "as in the past" if inputs.growth is None else inputs.growth.words(),
        "past_growth": inputs.past_growth.words(),
        "returns": inputs.returns.words(),
        "history": "endless" if inputs.history is None else inputs.history.words(),
        "lag": inputs.lag.words(),
        "worlds": ", ".join(
            f"{years:g}:{weight:g}" for years, weight in zip(worlds.years, worlds.weights, strict=True)
        ),
        "policies": "; ".join(policy.name for policy in policies),
        "person_years": person_years.words(),
        "draws": draws,
        "level": level,
        "horizon": horizon,
    }


def _policy_table(
    inputs: Inputs,
    worlds: Worlds,
    policies: Sequence[Policy],
    draws: Draws,
    effects: Sequence[Array],
    most: Array,
    level: float,
) -> Table:
    base = chances(inputs, NOTHING, worlds, draws).mean(axis=1)
    rows: list[tuple[Cell, ...]] = []
    for place in np.argsort([-effect.mean() for effect in effects], kind="stable"):
        worldly = chances(inputs, policies[place], worlds, draws).mean(axis=1) - base
        cells = (effects[place].mean(), *_middle(effects[place], level), most[place], *worldly)
        rows.append((policies[place].name, *(round(float(cell), 3) for cell in cells)))
    return Table(
        name="growth-policies",
        title="What each policy adds to P(done in time), the greatest first",
        columns=(
            "policy",
            "adds",
            "low",
            "high",
            "share of draws in which it adds most",
            *(f"if it arrives in {years:g} years" for years in worlds.years),
        ),
        rows=tuple(rows),
        note=f"Low and high: the middle {level:.0%} over the uncertain inputs. Differences are between the same draws.",
    )


def _input_table(inputs: Inputs, worlds: Worlds, draws: Draws, level: float) -> Table:
    ends = one_at_a_time(inputs, worlds, draws, level=level)
    ends.sort(key=lambda row: -abs(row[2] - row[1]))
    return Table(
        name="growth-inputs",
        title="P(done in time) with one input held at an end of its middle range, the others as they are",
        columns=("input", "at its low end", "at its high end"),
        rows=tuple((name, round(low, 3), round(high, 3)) for name, low, high in ends),
        note=f"Ends of the middle {level:.0%}. A row that spans much says what is worth finding out.",
    )


def _effects_figure(policies: Sequence[Policy], effects: Sequence[Array], level: float) -> FigureData:
    points = [(row, float(effect.mean()), *_middle(effect, level)) for row, effect in enumerate(effects)]
    return FigureData(
        name="growth-policies",
        title="What each policy adds to P(done in time)",
        kind="dots",
        x_label="added to P(done in time)",
        y_label="",
        series=(interval_dots("effect", points),),
        rows=tuple(policy.name for policy in policies),
        free=True,
        reference=0.0,
        caption=f"Mean and middle {level:.0%} over the uncertain inputs.",
    )


def _arrival_figure(inputs: Inputs, policies: Sequence[Policy], draws: Draws, horizon: float) -> FigureData:
    years = np.linspace(0.0, horizon, 61)
    worlds = [Worlds(years=(float(year),), weights=(1.0,)) for year in years]
    return FigureData(
        name="growth-arrival",
        title="P(done in time) against the arrival",
        kind="curves",
        x_label="years until the arrival as it goes",
        y_label="P(done in time)",
        series=tuple(
            Series(
                name=policy.name,
                x=tuple(map(float, years)),
                y=tuple(float(in_time(inputs, policy, world, draws).mean()) for world in worlds),
                style="line" if policy is not NOTHING else "dashed",
            )
            for policy in (NOTHING, *policies)
        ),
        caption="As it goes, the curve is also the share of runs in which all is done by that year.",
    )


def _done_figure(inputs: Inputs, policies: Sequence[Policy], draws: Draws, horizon: float, level: float) -> FigureData:
    years = np.linspace(0.0, horizon, 61)
    median = float(inputs.done.quantile(0.5))
    series = []
    for policy in (NOTHING, *(policy for policy in policies if policy.growth is not None)):
        drawn = drawn_field(inputs, policy, draws)
        shares = [fraction_done(median, drawn, float(year)) for year in years]
        ends = [_middle(row, level) for row in shares]
        series.append(
            Series(
                name=policy.name,
                x=tuple(map(float, years)),
                y=tuple(float(np.median(row)) for row in shares),
                low=tuple(low for low, _ in ends),
                high=tuple(high for _, high in ends),
            )
        )
    return FigureData(
        name="growth-done",
        title="Share of the work that is done",
        kind="curves",
        x_label="years from today",
        y_label="share done (1: all)",
        series=tuple(series),
        y_log=True,
        free=True,
        caption=f"From the median share done today; bands: the middle {level:.0%} over the other inputs.",
    )
