"""Everything that the theory of power seeking says of a process, as one prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dokimasia.core import DataError
from dokimasia.core.rounding import percent
from dokimasia.theory.power.bundled import switch
from dokimasia.theory.power.exact import LongRun, Shares, long_run, mean_power, optimal_shares, power
from dokimasia.theory.power.failing import Favoured, favour
from dokimasia.theory.power.mdp import Array, Mdp
from dokimasia.theory.power.optimising import Simulated, simulate
from dokimasia.theory.power.picture import picture
from dokimasia.theory.power.rewards import Rewards
from dokimasia.theory.power.telling import (
    Setting,
    by_law,
    discount_figure,
    favour_figure,
    law_figure,
    law_table,
    orbit_table,
    split_table,
    theorem_table,
)
from dokimasia.theory.power.theorem import Copy, copies, long_run_copies
from dokimasia.theory.power.visits import countable, fraction, recurrent
from dokimasia.theory.prediction import Prediction, Value

QUESTION = "If an agent's reward is drawn at random and it acts optimally, how often does it keep its options open?"
SOURCE = (
    "Turner, Smith, Shah, Critch and Tadepalli, Optimal Policies Tend to Seek Power, arXiv 1912.01683v10: definitions 3.3 to "
    "6.11, proposition 6.9, theorem 6.13, proposition B.1"
)
MOST_DRAWS = 1_000_000
MISLEADS = (
    "It misleads as a forecast: trained models are rarely optimal for a reward, rewards are not drawn alike for every state, "
    "and which states are told apart is a choice of whoever describes the process. It says what most rewards would ask for."
)


def predict(
    mdp: Mdp | None = None,
    rewards: Rewards | None = None,
    *,
    discount: float = 0.9,
    state: str | None = None,
    n: int = 20_000,
    level: float = 0.95,
    seed: int = 0,
) -> Prediction:
    """Shares of rewards for which each move at the start is optimal, POWER of each state, and when the tendency fails.

    Parameters
    ----------
    mdp:
        The process (default: the bundled one with a switch).
    rewards:
        How rewards are drawn (default: independent and uniform on [0, 1]).
    discount:
        How much a step later counts, between 0 and 1.
    state:
        The state that is favoured and told apart, to show assumptions failing (default: where the move leads that
        leads to least POWER).
    n:
        Reward functions drawn.
    level:
        Level of Monte Carlo intervals.
    """
    process = (mdp or switch()).near()
    fraction("a discount", discount)
    fraction("a level", level)
    if not 100 <= n <= MOST_DRAWS:
        raise DataError(f"100 to {MOST_DRAWS:,} draws are expected.", f"Found {n:,}.", "20,000 are plenty.")
    given = rewards or Rewards()
    given.added(process)
    setting = Setting(mdp=process, rewards=given, discount=discount, n=n, seed=seed, level=level)
    if len(setting.names) < 2:
        raise DataError(
            f"A choice at the start, {process.states[process.start]!r}, is expected.",
            "Found one move.",
            "Start where there is something to choose.",
        )
    drawn = simulate(process, given, discount, n=n, seed=seed)
    shares = optimal_shares(process, given, discount)
    powers = [
        mean_power(process, given, discount, place, shares)
        if place == process.start
        else power(process, given, discount, state=place)
        for place in range(len(process.states))
    ]
    known = np.array([drawn.power[place] if value is None else value for place, value in enumerate(powers)])
    after = process.kernel[process.owners == process.start] @ known
    most, least = int(np.argmax(after)), int(np.argmin(after))
    ends = long_run(process, given)
    weak = _weak_state(process, state, least)
    favoured = favour(process, given, discount, state=weak, move=least, n=setting.curve, seed=seed, z=setting.z)
    by_each = by_law(setting)
    found = copies(process)
    also = long_run_copies(process, recurrent(process, process.start)) if countable(process, process.start) else ()
    figures = (
        picture(process, [float(value) for value in known]),
        discount_figure(setting),
        law_figure(setting, by_each, most),
        favour_figure(setting, favoured, least, weak),
    )
    return Prediction(
        model="power",
        question=QUESTION,
        headline=_headline(setting, shares, drawn, after, most, least),
        parameters={
            "process": process.name,
            "start": process.states[process.start],
            "states": len(process.states),
            "law": given.law.name,
            "extra": ", ".join(f"{name}:{value:g}" for name, value in given.extra.items()) or "none",
            "discount": discount,
            "state": process.states[weak],
            "n": n,
            "level": level,
        },
        values=(
            *_share_values(setting, shares, drawn),
            *_power_values(setting, powers, drawn),
            *_long_run_values(setting, ends),
            _half_value(setting, favoured, least, weak),
        ),
        assumptions=(
            "the agent is optimal for its reward, which depends on the state alone and which it knows",
            "rewards of states are independent" + ("" if given.extra else " and alike in law"),
            "the process is finite, fully observed, and the same for every reward",
        ),
        misleads=MISLEADS,
        source=SOURCE,
        tables=(
            *([theorem_table(setting, found, also)] if found or also else []),
            orbit_table(setting),
            law_table(setting, by_each),
            split_table(setting, weak),
        ),
        figures=tuple(figure for figure in figures if figure is not None),
        caveats=_caveats(setting, shares, ends, found),
        seed=seed,
    )


def _weak_state(mdp: Mdp, state: str | None, least: int) -> int:
    if state is None:
        to = [pair for pair in mdp.moves[mdp.start][least].to if pair[0] != mdp.start]
        if to:
            return max(to, key=lambda pair: pair[1])[0]
        return next(place for place in range(len(mdp.states)) if place != mdp.start)
    if state not in mdp.states or mdp.states.index(state) == mdp.start:
        raise DataError(
            f"A state other than the start is expected: {', '.join(mdp.states)}.",
            f"Found {state!r}.",
            "Name one of them.",
        )
    return mdp.states.index(state)


def _headline(setting: Setting, shares: Shares | None, drawn: Simulated, after: Array, most: int, least: int) -> str:
    names = setting.names
    best = drawn.optimal[most] / drawn.n if shares is None else float(shares.optimal[most])
    worst = drawn.optimal[least] / drawn.n if shares is None else float(shares.optimal[least])
    start = setting.mdp.states[setting.mdp.start]
    if after[most] - after[least] < 1e-9:
        return f"At {start!r} every move leads to as much POWER, {after[most]:.3f}: there is none to seek."
    return (
        f"At {start!r}, {names[most]!r} leads to most POWER ({after[most]:.3f}, {names[least]!r} to {after[least]:.3f}) and is "
        f"optimal for {percent(best)} of rewards, {names[least]!r} for {percent(worst)}."
    )


def _share_values(setting: Setting, shares: Shares | None, drawn: Simulated) -> list[Value]:
    values = []
    for place, name in enumerate(setting.names):
        low, high = setting.wilson(drawn.optimal[place])
        named = f"{name}: share of rewards for which it is optimal"
        if shares is not None:
            values.append(
                Value(
                    name=named,
                    value=float(shares.optimal[place]),
                    unit="",
                    method="exact: volume of those rewards",
                )
            )
        values.append(
            Value(
                name=named if shares is None else f"{name}: the same, by simulation",
                value=drawn.optimal[place] / drawn.n,
                unit="",
                method="policy iteration for each reward drawn; Wilson interval",
                low=low,
                high=high,
                level=setting.level,
                n=drawn.n,
            )
        )
    return values


def _power_values(setting: Setting, powers: Sequence[float | None], drawn: Simulated) -> list[Value]:
    values = []
    z = setting.z
    for place, (state, exact) in enumerate(zip(setting.mdp.states, powers, strict=True)):
        mean, error = float(drawn.power[place]), float(drawn.error[place])
        if exact is not None:
            values.append(
                Value(name=f"POWER of {state}", value=exact, unit="", method="exact: integral of the best value")
            )
            continue
        values.append(
            Value(
                name=f"POWER of {state}",
                value=mean,
                unit="",
                method="simulation; normal interval",
                low=mean - z * error,
                high=mean + z * error,
                level=setting.level,
                n=drawn.n,
            )
        )
    return values


def _long_run_values(setting: Setting, ends: LongRun | None) -> list[Value]:
    if ends is None:
        why = "not computed: more policies or states than can be counted, or a law that is neither uniform nor alike"
        return [Value(name="shares in the long run", value=None, unit="", method=why)]
    how = (
        "exact, by counting: ends that are copies of one another have equal shares under every law that is alike"
        if ends.alike
        else "exact: volume of those rewards"
    )
    values = []
    for name, optimal, alone, count in zip(setting.names, ends.optimal, ends.alone, ends.ends, strict=True):
        values.append(
            Value(
                name=f"{name}: leads to the best long run",
                value=float(optimal),
                unit="",
                method=f"{how}; {count} ends are ever best",
            )
        )
        if optimal - alone > 1e-9:
            values.append(
                Value(name=f"{name}: only it leads to the best long run", value=float(alone), unit="", method=how)
            )
    return values


def _half_value(setting: Setting, found: Favoured, least: int, weak: int) -> Value:
    state, move = setting.mdp.states[weak], setting.names[least]
    name = f"extra reward at {state} that makes {move} optimal for half of rewards"
    if found.half == 0.0:
        return Value(name=name, value=0.0, unit="", method="none is needed: it is already optimal for half of them")
    if found.half is None:
        return Value(
            name=name, value=None, unit="", method="none: no amount does, since other moves lead there as well"
        )
    return Value(
        name=name,
        value=found.half,
        unit="",
        method="read off simulated shares",
        low=found.low,
        high=found.high,
        level=setting.level if found.low is not None and found.high is not None else None,
        n=setting.curve,
    )


def _caveats(setting: Setting, shares: Shares | None, ends: LongRun | None, found: Sequence[Copy]) -> tuple[str, ...]:
    said = []
    if shares is None:
        said.append("Shares could not be computed exactly for this process and law; they are simulated.")
    if setting.rewards.extra:
        said.append(
            "Rewards are not alike in law: the theorem speaks of most members of this law's orbit, not of this law."
        )
    if not found:
        said.append("No move leads to a copy of all that another leads to: proposition 6.9 is silent about this start.")
    if ends is not None and ends.alike:
        said.append(
            "In the long run the shares are counted, and hold for every law of independent rewards that are alike."
        )
    return tuple(said)
