"""Is it done in time, and which policy moves the chance of that most?

In a world where the dangerous system arrives after `T` years, research is in time if all is done by then. A policy changes
the field, the date, or what research is worth shortly before it; its effect is the difference that it makes to
P(done in time) in the same draws of everything uncertain. What is done today is integrated in closed form, so that only
the other inputs are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dokimasia.core import DataError
from dokimasia.theory.growth.effort import LONGEST, Field, within, work
from dokimasia.theory.growth.inputs import Known, Uncertain

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is believed about a field. No `growth`: it goes on at its past rate. See `Field` for what each means."""

    done: Uncertain
    growth: Uncertain | None = None
    past_growth: Uncertain = field(default_factory=lambda: Known(0.2))
    returns: Uncertain = field(default_factory=lambda: Known(1.0))
    history: Uncertain | None = None
    lag: Uncertain = field(default_factory=lambda: Known(0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What somebody might do. `delay` puts the arrival off by so many months and leaves research alone; `size` multiplies the
    field; `growth` replaces its growth; research of the last `crunch` years before the arrival is worth `worth` times as much.
    """

    name: str
    delay: Uncertain = field(default_factory=lambda: Known(0.0))
    size: Uncertain = field(default_factory=lambda: Known(1.0))
    growth: Uncertain | None = None
    worth: Uncertain = field(default_factory=lambda: Known(1.0))
    crunch: Uncertain = field(default_factory=lambda: Known(0.0))


NOTHING = Policy(name="as it goes")


def usual_policies(
    *, pause: Uncertain, size: Uncertain, growth: Uncertain, worth: Uncertain, crunch: Uncertain
) -> tuple[Policy, ...]:
    """The four that people propose: a pause in months, a larger field, faster growth, better research in the last years."""
    return (
        Policy(name=f"a pause of {pause.spoken()} months", delay=pause),
        Policy(name=f"a field {size.spoken()} times larger", size=size),
        Policy(name=f"growth of {growth.spoken('%')} a year", growth=growth),
        Policy(
            name=f"research worth {worth.spoken()} times in the last {crunch.spoken()} years",
            worth=worth,
            crunch=crunch,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worlds:
    """A distribution of arrival times: `years`, each with its probability."""

    years: tuple[float, ...] = (5.0, 10.0, 20.0, 50.0)
    weights: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)

    def __post_init__(self) -> None:
        if not self.years or len(self.years) != len(self.weights):
            raise DataError(
                "One weight for each arrival is expected.",
                f"Found {len(self.years)} arrivals and {len(self.weights)} weights.",
                "Write each world as YEARS:WEIGHT.",
            )
        within("arrivals", self.years, 0.0, LONGEST, "[0, 200] years", "At 0 it is here.")
        if any(not 0.0 <= weight <= 1.0 for weight in self.weights) or not math.isclose(
            sum(self.weights), 1.0, abs_tol=1e-6
        ):
            raise DataError(
                "Weights between 0 and 1 that sum to 1 are expected.",
                f"Found {', '.join(f'{weight:g}' for weight in self.weights)}, which sum to {sum(self.weights):g}.",
                "Divide each by the sum.",
            )


def parse_worlds(given: Sequence[str]) -> Worlds:
    """Read worlds written as `YEARS:WEIGHT`; without any, the usual four alike."""
    if not given:
        return Worlds()
    try:
        pairs = [(float(years), float(weight)) for years, weight in (text.split(":") for text in given)]
    except ValueError:
        raise DataError(
            "Worlds are expected as YEARS:WEIGHT.", f"Found {', '.join(given)}.", "Write for instance 10:0.25."
        ) from None
    return Worlds(years=tuple(years for years, _ in pairs), weights=tuple(weight for _, weight in pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Uniform numbers behind each uncertain input, `(n,)` each: the same for every policy, so that differences are its own."""

    fields: Array
    policies: Array

    @classmethod
    def make(cls, n: int, *, seed: int) -> Draws:
        """`n` draws, one in each stratum of every input."""
        rng = np.random.default_rng(seed)
        strata = np.array([rng.permutation(n) for _ in range(9)])
        shares = (strata + rng.random((9, n))) / n
        return cls(fields=shares[:5], policies=shares[5:])


def drawn_field(inputs: Inputs, policy: Policy, draws: Draws) -> Field:
    """The field under a policy, one world a draw."""
    growth, past, returns, history, lag = draws.fields
    past_growth = inputs.past_growth.quantile(past)
    coming = policy.growth if policy.growth is not None else inputs.growth
    return Field(
        growth=past_growth if coming is None else coming.quantile(growth),
        past_growth=past_growth,
        returns=inputs.returns.quantile(returns),
        history=np.full(past.shape, np.inf) if inputs.history is None else inputs.history.quantile(history),
        lag=inputs.lag.quantile(lag),
        size=policy.size.quantile(draws.policies[0]),
    )


def multiples(inputs: Inputs, policy: Policy, draws: Draws, years: float) -> Array:
    """All work done by an arrival that is due in `years`, in units of all work until today, one number a draw."""
    drawn = drawn_field(inputs, policy, draws)
    delay = within(
        "a delay", policy.delay.quantile(draws.policies[1]), 0.0, np.inf, "[0, inf) months", "At 0 there is none."
    )
    worth = within(
        "a worth", policy.worth.quantile(draws.policies[2]), 0.0, np.inf, "[0, inf)", "At 1 nothing changes."
    )
    crunch = within(
        "a crunch time", policy.crunch.quantile(draws.policies[3]), 0.0, np.inf, "[0, inf) years", "At 0 there is none."
    )
    arrival = years + delay / 12.0
    total = work(drawn, arrival)
    return np.asarray(1.0 + total + (worth - 1.0) * (total - work(drawn, np.maximum(arrival - crunch, 0.0))))


def chances(inputs: Inputs, policy: Policy, worlds: Worlds, draws: Draws) -> Array:
    """P(done in time) given each draw and world, `(n_worlds, n)`: the share done today is integrated in closed form."""
    return np.array([inputs.done.at_least(1.0 / multiples(inputs, policy, draws, years)) for years in worlds.years])


def in_time(inputs: Inputs, policy: Policy, worlds: Worlds, draws: Draws) -> Array:
    """P(done in time) given each draw, over all worlds, `(n,)`."""
    return np.asarray(np.asarray(worlds.weights) @ chances(inputs, policy, worlds, draws))


def one_at_a_time(inputs: Inputs, worlds: Worlds, draws: Draws, *, level: float) -> list[tuple[str, float, float]]:
    """For each uncertain input, P(done in time) with that input held at either end of its middle `level`."""
    tail = (1.0 - level) / 2.0
    rows = []
    for name in ("growth", "past_growth", "returns", "history", "lag", "done"):
        given: Uncertain | None = getattr(inputs, name)
        if given is None or isinstance(given, Known):
            continue
        ends = (Known(float(given.quantile(tail))), Known(float(given.quantile(1.0 - tail))))
        low, high = (float(in_time(_with(inputs, name, end), NOTHING, worlds, draws).mean()) for end in ends)
        rows.append((name, low, high))
    return rows


def _with(inputs: Inputs, name: str, value: Uncertain) -> Inputs:
    return replace(inputs, **{name: value})


def moved_most(effects: Sequence[Array]) -> Array:
    """For each effect, the share of draws in which none moves P(done in time) more; draws that tie count for each."""
    stacked = np.array(effects)
    return np.asarray((stacked >= stacked.max(axis=0)).mean(axis=1))
