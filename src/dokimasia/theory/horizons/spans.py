"""A time horizon with what is unsure about it: chance, and the choice of the curve. It ends where the tasks end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dokimasia.stats import clopper_pearson_lower, clopper_pearson_upper
from dokimasia.theory.horizons.attempts import Attempts
from dokimasia.theory.horizons.comparing import AgentFits
from dokimasia.theory.horizons.curve import Curve

Beyond = Literal["shorter", "longer", ""]
FEWEST_FAMILIES = 5
"""Families below which resampling them gives no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """An interval in human minutes: `low` is 0 where it reaches below the shortest task, `high` None above the longest."""

    low: float
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Human minutes at which success falls to `level`, as far as tasks of such times were tried.

    `value` is None where it lies beyond the `shortest` or the `longest` task, and `beyond` says which. `between` is from
    the least to the most that the curves which may be best say. `chance` is the interval under one curve, `both` that
    under any of them; None where there are too few families for an interval.
    """

    level: float
    value: float | None
    beyond: Beyond
    between: Ends
    chance: Ends | None
    both: Ends | None
    shortest: float
    longest: float


def span(agent: AgentFits, level: float, curve: Curve, rivals: Sequence[Curve], *, confidence: float = 0.95) -> Span:
    """At which human time does this agent's success fall to `level`?

    The value is that of `curve`, one of the `rivals`. Intervals are percentiles over resampled families; `both` runs from
    the lowest end to the highest of all rivals'.
    """
    shortest, longest = float(agent.attempts.minutes.min()), float(agent.attempts.minutes.max())
    tail = (1 - confidence) / 2

    def ends(low: float, high: float) -> Ends:
        return Ends(
            low=0.0 if low < shortest else min(low, longest), high=None if high > longest else max(high, shortest)
        )

    def percentiles(curve: Curve) -> tuple[float, float]:
        found = curve.horizon(agent.of(curve).replicates, level)
        low, high = np.quantile(found, tail, method="lower"), np.quantile(found, 1 - tail, method="higher")
        return float(low), float(high)

    value = point(agent, level, curve)
    points = [point(agent, level, rival) for rival in rivals]
    chance = both = None
    if agent.attempts.n_families >= FEWEST_FAMILIES and len(agent.drawn):
        lows, highs = zip(*map(percentiles, rivals), strict=True)
        chance, both = ends(*percentiles(curve)), ends(min(lows), max(highs))
    beyond: Beyond = "shorter" if value < shortest else "longer" if value > longest else ""
    return Span(
        level=level,
        value=None if beyond else value,
        beyond=beyond,
        between=ends(min(points), max(points)),
        chance=chance,
        both=both,
        shortest=shortest,
        longest=longest,
    )


def point(agent: AgentFits, level: float, curve: Curve) -> float:
    """The horizon that this curve has for this agent, wherever it lies: 0 if there is none, `inf` if it has no end."""
    return float(curve.horizon(agent.of(curve).theta, level))


def beyond_bound(attempts: Attempts, level: float, *, delta: float = 0.05) -> tuple[float, float | None] | None:
    """Where does the horizon lie, if every run succeeded or every run failed? `(low, high)` at one-sided `1 - delta`.

    No curve is assumed; only that success does not rise with the time, and that families stand for others like them. If
    all of m families with a task of t minutes or more succeeded, then success at t minutes is at least the Clopper-Pearson
    bound of m in m; the longest t for which that is `level` is a lower bound. Likewise from above if all failed. None where
    there are too few families, or where some runs succeeded and some did not.
    """
    families = np.unique(attempts.families)
    if (attempts.rates == 1).all():
        longest = np.sort([attempts.minutes[attempts.families == item].max() for item in families])[::-1]
        fit = [float(t) for m, t in enumerate(longest, 1) if clopper_pearson_lower(m, m, delta) >= level]
        return (fit[0], None) if fit else None
    if (attempts.rates == 0).all():
        shortest = np.sort([attempts.minutes[attempts.families == item].min() for item in families])
        fit = [float(t) for m, t in enumerate(shortest, 1) if clopper_pearson_upper(0, m, delta) <= level]
        return (0.0, fit[0]) if fit else None
    return None
