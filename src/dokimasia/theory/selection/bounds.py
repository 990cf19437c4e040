"""How often will the model misbehave in deployment, if the motives' shares, or only their priors' rough size, are
known?

Training data cannot tell apart motives that earn the same, so the rate is not identified: it is bounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A rate with its bounds, and which motives attain them (None: a mixture of several)."""

    expected: float
    low: float
    high: float
    lowest: int | None = None
    highest: int | None = None


def bounds_over_motives(share: ArrayLike, rate: ArrayLike, *, least: float) -> Bounds:
    """Between which rates lies deployment, if any motive of share `least` or more may be the true one?

    Misleads where `least` was chosen after the shares were seen: a motive just below it counts for nothing.
    """
    weights, rates = np.asarray(share, float), np.asarray(rate, float)
    if not 0 <= least <= 1:
        raise DataError("The least share that counts lies in [0, 1].", f"Found {least}.", "Pass for example 0.01.")
    kept = np.flatnonzero((weights >= least) & (weights > 0))
    if not len(kept):
        raise DataError(
            f"A motive of share {least:g} or more is expected.",
            f"Found {weights.max():.3g} at most.",
            "Lower the least share that counts.",
        )
    lowest, highest = int(kept[np.argmin(rates[kept])]), int(kept[np.argmax(rates[kept])])
    return Bounds(
        expected=float(weights @ rates),
        low=float(rates[lowest]),
        high=float(rates[highest]),
        lowest=lowest,
        highest=highest,
    )


def bounds_over_priors(share: ArrayLike, rate: ArrayLike, *, factor: float) -> Bounds:
    """Between which rates lies deployment, if every prior may be too large or too small by `factor`? Exact.

    The rate is a ratio of linear functions of the priors, so an extreme one multiplies the priors of all motives above
    some rate by `factor` and divides the others, or the other way round: those few are tried. Factors act on shares as
    they do on priors, whatever the training.
    """
    weights, rates = np.asarray(share, float), np.asarray(rate, float)
    if not (math.isfinite(factor) and factor >= 1):
        raise DataError(
            "The factor by which priors may be wrong is 1 or more.",
            f"Found {factor}.",
            "In the limit of large factors the bounds are those over all motives.",
        )
    return Bounds(
        expected=float(weights @ rates),
        low=-_greatest(weights, -rates, factor),
        high=_greatest(weights, rates, factor),
    )


def _greatest(weights: NDArray[np.float64], rates: NDArray[np.float64], factor: float) -> float:
    order = np.argsort(-rates, kind="stable")
    sorted_weights, sorted_rates = weights[order], rates[order]
    raised = np.tri(len(rates) + 1, len(rates), k=-1, dtype=bool)  # the first 0, 1, ..., n motives
    odds = np.where(raised, factor, 1 / factor) * sorted_weights
    return float((odds @ sorted_rates / odds.sum(axis=1)).max())
