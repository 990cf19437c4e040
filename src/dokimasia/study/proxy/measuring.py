"""What is measured of a proxy: its tails beside controls, best of n, and value in the tail where there is a gold score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError, NotMeasured
from dokimasia.sources.scores import Scores
from dokimasia.stats import tails
from dokimasia.theory.goodhart import (
    InTail,
    Selection,
    Tilted,
    best_of_n_observed,
    errors_of,
    tilted_observed,
    value_in_tail,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

TELLS = 0.8
"""How often controls must be told from an exponential tail before silence counts as "close to exponential"."""
SCORES, ERROR = "the scores", "the error"
ROUNDING = 1e-9
LARGEST = 1e100
"""Squares of scores must be numbers, too."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """One upper tail: the test at each threshold, other estimators, the mean excess, and controls of the same size."""

    what: str
    test: tails.TailTest
    hill: tuple[tails.TailIndex, ...]
    moment: tuple[tails.TailIndex, ...]
    pickands: tuple[tails.TailIndex, ...]
    excess: tuple[tails.MeanExcess, ...]
    controls: tuple[tails.Control, ...]

    @property
    def enough(self) -> bool:
        """Whether a tail as light as a normal's or as heavy as a t's with 3 degrees would have been seen."""
        light, _, heavy = self.controls
        return light.share("lighter") >= TELLS and heavy.share("heavier") >= TELLS


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that was measured of one file of scores; `judged` is the tail that the answer rests on."""

    scores: Scores
    judged: Tail | None
    other: Tail | None
    selection: Selection
    tilted: Tilted | None
    in_tail: tuple[InTail, ...]
    missing: tuple[NotMeasured, ...] = field(default=())


def measure_proxy(scores: Scores, *, seed: int) -> Measured:
    """Measure it; scores that are not finite are counted and refused."""
    _check("proxy", scores.proxy_column, scores.proxy)
    proxy, gold = scores.proxy, scores.gold
    missing: list[NotMeasured] = []
    if gold is None:
        judged = _tail(SCORES, proxy, seed, missing)
        selection = best_of_n_observed(proxy, None, seed=seed)
        why = "There is no gold score: name one with --gold."
        missing += [NotMeasured(what=what, why=why) for what in ("tail of the error", "independence", "gold score")]
        return Measured(
            scores=scores,
            judged=judged,
            other=None,
            selection=selection,
            tilted=None,
            in_tail=(),
            missing=tuple(missing),
        )
    _check("gold", scores.gold_column or "gold", gold)
    _, error = errors_of(proxy, gold)
    if np.ptp(error) <= ROUNDING * np.ptp(proxy):
        why = "The proxy is a rising function of the gold score: there is no error."
        missing.append(NotMeasured(what=f"tail of {ERROR}", why=why))
        judged = None
    else:
        judged = _tail(ERROR, error, seed, missing)
    other = _tail(SCORES, proxy, seed, missing)
    in_tail = value_in_tail(proxy, gold, seed=seed)
    if not in_tail:
        missing.append(NotMeasured(what="independence", why=f"Found {len(proxy)} outputs; it takes 200 or more."))
    return Measured(
        scores=scores,
        judged=judged,
        other=other,
        selection=best_of_n_observed(proxy, gold, seed=seed),
        tilted=tilted_observed(proxy, gold, seed=seed),
        in_tail=in_tail,
        missing=tuple(missing),
    )


def _tail(what: str, values: NDArray[np.float64], seed: int, missing: list[NotMeasured]) -> Tail | None:
    counts = tails.thresholds(len(values))
    centred = values - np.median(values)
    try:
        test = tails.judge_tail(values, counts, seed=seed)
        return Tail(
            what=what,
            test=test,
            hill=tuple(tails.hill(centred, k) for k in counts),
            moment=tuple(tails.moment(centred, k) for k in counts),
            pickands=_pickands(values, counts, missing),
            excess=tails.mean_excess(values, counts),
            controls=tails.control_samples(len(values), counts, seed=seed),
        )
    except DataError as error:
        missing.append(NotMeasured(what=f"tail of {what}", why=str(error)))
        return None


def _pickands(
    values: NDArray[np.float64], counts: Sequence[int], missing: list[NotMeasured]
) -> tuple[tails.TailIndex, ...]:
    try:
        return tuple(tails.pickands(values, k - k % 4) for k in counts)
    except DataError as error:
        missing.append(NotMeasured(what="Pickands' estimator", why=str(error)))
        return ()


def _check(what: str, column: str, values: NDArray[np.float64]) -> None:
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if nan or infinite:
        raise DataError(
            f"Every output has a finite {what} score in `{column}`.",
            f"Found {nan} missing or not-a-number and {infinite} infinite among {len(values)}.",
            "Decide what they stand for: an output that could not be scored is no ordinary one, and leaving it out hides it.",
        )
    if np.abs(values).max(initial=0.0) > LARGEST:
        raise DataError(
            f"{what.capitalize()} scores of at most {LARGEST:g} are expected.",
            f"Found {np.abs(values).max():g} in `{column}`.",
            "Divide them by a constant: nothing here depends on the unit.",
        )
    if len(values) and values.min() == values.max():
        raise DataError(
            f"A {what} score tells outputs apart.",
            f"All {len(values)} in `{column}` are {values[0]:g}.",
            "Name another column.",
        )
