"""How much of the work is done after some years of growth? Closed forms, and their inverse.

People, who grow by a rate each year, do work at a rate of `people ** returns`. All work so far, done while the field grew
at its past rate, is the unit; `work` says what the coming years add to it, so that a share `f0` done today is
`f0 * (1 + work)` later. With an endless past, no lag and `g = ln(1 + growth)`, `g_h = ln(1 + past_growth)`:

    f(t) = f0 [1 + (g_h / g) (e^(returns g t) - 1)]

whose limit for `g -> 0` is `f0 (1 + returns g_h t)`. Every integral below is `x exprel(k x)`, which is exact at `k = 0`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import exprel

from dokimasia.core import DataError

Array = NDArray[np.float64]
Numbers = float | Array
"""One number, or an array of draws."""
LONGEST = 200.0
FASTEST = 10.0
LARGEST = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of research; each number may be an array of draws, one world an element.

    `growth` and `past_growth` are shares a year (0.2: a fifth more people each year). `returns` is the exponent of people.
    `history` is the field's age in years, infinite if it is to have grown at its past rate for ever. `lag` is the years
    until somebody who is attracted today does research: until then the field grows as it used to. `size` multiplies the
    field once, from then on.
    """

    growth: Numbers
    past_growth: Numbers = 0.2
    returns: Numbers = 1.0
    history: Numbers = np.inf
    lag: Numbers = 0.0
    size: Numbers = 1.0

    def __post_init__(self) -> None:
        within("a growth rate", self.growth, -1.0, FASTEST, "(-1, 10]", "At -1 everybody leaves at once.")
        within("a past growth rate", self.past_growth, -1.0, FASTEST, "(-1, 10]", "At -1 there was no past.")
        within(
            "returns",
            self.returns,
            -1e-300,
            1.0,
            "[0, 1]",
            "At 0 more people do no more work; at 1 twice as many do twice.",
        )
        finite = np.where(np.isposinf(self.history), LONGEST, self.history)
        within("a history", finite, 0.0, LONGEST, "(0, 200] years, or infinity,", "At 0 nothing was done yet.")
        within(
            "a lag",
            self.lag,
            -1e-300,
            LONGEST,
            "[0, 200] years",
            "At 0 people work from the day that they are attracted.",
        )
        within("a size", self.size, 0.0, LARGEST, "(0, 1000]", "At 0 research stops.")
        endless = np.isinf(self.history) & (np.asarray(self.returns) * np.log1p(self.past_growth) <= 0.0)
        if np.any(endless):
            raise DataError(
                "An endless history needs past growth above 0 and returns above 0.",
                "Found none.",
                "Give the field's age: without growth an endless past has done an infinite amount of work.",
            )


def work(field: Field, years: Numbers) -> Array:
    """The work of the coming `years`, in units of all work so far."""
    after = within("years", years, 0.0, LONGEST, "[0, 200]", "At 0 nothing is added.")
    past, coming = _exponents(field)
    waited = np.minimum(after, field.lag)
    later = after - waited
    return (_integral(past, waited) + _step(field) * _integral(coming, later)) / _past(field)


def fraction_done(done: Numbers, field: Field, years: Numbers) -> Array:
    """The share done after `years`, given the share `done` today. 1 is all; beyond it, that many times as much work."""
    return share(done) * (1.0 + work(field, years))


def years_to_done(done: Numbers, field: Field) -> Array:
    """The years until all is done; infinite for a field that shrinks too fast ever to finish."""
    needed = (1.0 - share(done)) / share(done) * _past(field)
    past, coming = _exponents(field)
    lag = np.asarray(field.lag, dtype=float)
    meanwhile = _integral(past, lag)
    early = _inverse(past, np.minimum(needed, meanwhile))
    late = lag + _inverse(coming, np.maximum(needed - meanwhile, 0.0) / _step(field))
    return np.where(needed <= meanwhile, early, late)


def people_now(person_years: Numbers, *, past_growth: Numbers = 0.2, history: Numbers = np.inf) -> Array:
    """How many people work today, if all `person_years` so far were worked while the field grew at its past rate."""
    spent = within("person-years", person_years, 0.0, np.inf, "(0, inf)", "At 0 nobody worked.")
    field = Field(growth=past_growth, past_growth=past_growth, history=history)
    return spent / _past(field)


def share(done: Numbers) -> Array:
    """A share done today, checked."""
    return within("the share done today", done, 0.0, 1.0, "(0, 1]", "At 0 it is never done; at 1 it is done already.")


def within(what: str, value: Numbers | Sequence[float], low: float, high: float, domain: str, limit: str) -> Array:
    """The value as an array, if all of it lies in `domain`, whose ends are `low` and `high`."""
    found = np.asarray(value, dtype=float)
    inside = ((found >= low) if domain.startswith("[") else (found > low)) & (found <= high)
    if not np.all(inside):
        wrong = found[~inside].flat[0]
        raise DataError(f"For {what}, {domain} is expected.", f"Found {wrong:g}.", limit)
    return found


def _exponents(field: Field) -> tuple[Array, Array]:
    """Growth a year of what the field does, as logarithms: past and coming."""
    returns = np.asarray(field.returns, dtype=float)
    return returns * np.log1p(field.past_growth), returns * np.log1p(field.growth)


def _past(field: Field) -> Array:
    """All work so far, in years of work at today's rate."""
    past, _ = _exponents(field)
    history = np.asarray(field.history, dtype=float)
    finite = np.where(np.isinf(history), 1.0, history)
    with np.errstate(divide="ignore"):
        return np.where(np.isinf(history), 1.0 / past, _integral(-past, finite))


def _step(field: Field) -> Array:
    """The rate of work when the lag is over, in units of today's."""
    past, _ = _exponents(field)
    return np.asarray(np.asarray(field.size, dtype=float) ** field.returns * np.exp(past * field.lag))


def _integral(rate: Array, years: Array) -> Array:
    """The integral of `e^(rate u)` for `u` from 0 to `years`."""
    return np.asarray(years * exprel(rate * years))


def _inverse(rate: Array, area: Array) -> Array:
    """The years after which the integral is `area`."""
    rate, area = np.broadcast_arrays(rate, area)
    inside = rate * area
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.log1p(inside) / rate
    return np.where(inside <= -1.0, np.inf, np.where(rate == 0.0, area, grown))
