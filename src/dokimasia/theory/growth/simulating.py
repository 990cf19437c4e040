"""The same question answered by adding up small steps: nothing here uses a closed form but the draws themselves."""

from __future__ import annotations

import numpy as np

from dokimasia.stats.intervals import Interval, wilson
from dokimasia.theory.growth.effort import Field
from dokimasia.theory.growth.policies import Array, Draws, Inputs, Policy, Worlds, drawn_field

PAST_STEPS = 1000
COMING_STEPS = 500
NEGLIGIBLE = 40.0


def simulate(
    inputs: Inputs, policy: Policy, worlds: Worlds, *, n: int, seed: int, level: float = 0.95
) -> tuple[float, Interval]:
    """The share of `n` simulated worlds in which all is done in time, and Wilson's interval for it.

    A world draws every input, the share done today and the arrival included. Its people do research step by step: the
    past until today, then the years until the arrival.
    """
    rng = np.random.default_rng(seed)
    draws = Draws(fields=rng.random((5, n)), policies=rng.random((4, n)))
    drawn = drawn_field(inputs, policy, draws)
    due = np.asarray(worlds.years)[rng.choice(len(worlds.years), n, p=worlds.weights)]
    arrival = due + policy.delay.quantile(draws.policies[1]) / 12.0
    rushed = arrival - policy.crunch.quantile(draws.policies[3])
    worth = policy.worth.quantile(draws.policies[2])
    coming = np.zeros(n)
    for step in range(COMING_STEPS):
        at = (step + 0.5) / COMING_STEPS * arrival
        coming += people(drawn, at) ** drawn.returns * np.where(at > rushed, worth, 1.0) * arrival / COMING_STEPS
    done = inputs.done.quantile(rng.random(n)) * (1.0 + coming / _past(drawn))
    k = int((done >= 1.0).sum())
    return k / n, wilson(k, n, level)


def people(field: Field, years: Array) -> Array:
    """How many do research then, in units of today: who is attracted today starts when the lag is over."""
    past, coming = np.add(1.0, field.past_growth), np.add(1.0, field.growth)
    after = np.maximum(years - field.lag, 0.0)
    return np.where(years < field.lag, past**years, field.size * past**field.lag * coming**after)


def _past(field: Field) -> Array:
    """Work so far. An endless past is cut where what was done before is negligible."""
    with np.errstate(divide="ignore"):
        enough = NEGLIGIBLE / (np.asarray(field.returns) * np.log1p(field.past_growth))
    length = np.where(np.isinf(field.history), enough, field.history)
    total = np.zeros(length.shape)
    for step in range(PAST_STEPS):
        ago = (step + 0.5) / PAST_STEPS * length
        total += np.add(1.0, field.past_growth) ** (-ago * np.asarray(field.returns)) * length / PAST_STEPS
    return total
