"""Are a few among many special? Evidence from labels that are exchangeable if nothing is, and looks of which each may see
the last one's units again.

If nothing sets the labelled units apart, their labels might as well have fallen on any others: given all values, each choice
of so many units is as likely as another. So an exponential of the sum over labelled units, divided by its mean over all
choices, has expectation 1, whatever the values are and however they hang together within a unit.

Such e-values from several looks at the same units depend on each other in ways that nobody knows. Their sum with fixed
weights that sum to 1 still never reaches `1/alpha` with a probability above `alpha`: it only grows, and its end has
expectation 1 at most (Markov). Multiplying them, as `log_e_process` does with fresh observations, would not be allowed.

Vovk and Wang (2021), Annals of Statistics 49:1736-1754 (averages of e-values); Fisher's exact argument for labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, logsumexp

from dokimasia.core.errors import DataError
from dokimasia.stats.intervals import finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TILTS = np.geomspace(1.0, 32.0, 6)
"""Rates of the exponentials that are averaged, in 1/unit of the values: fit for shares."""


def log_e_labels(strata: Sequence[tuple[ArrayLike, ArrayLike]]) -> float:
    """How strongly do labelled units' higher values speak against "the labels are exchangeable"? In nats.

    `strata` are pairs (values of labelled units, values of others); labels are exchangeable within a stratum only. One with
    an empty side says nothing. 0 is no evidence, `ln(1/alpha)` a reason to alarm at level `alpha` at a single look.

    >>> round(log_e_labels([([1, 1, 1, 1], [0, 0, 0, 0, 0, 0])]), 2)  # 210 choices; ln(210) = 5.35
    4.91
    >>> log_e_labels([([1, 1], [1, 1])])
    0.0
    """
    total = np.zeros(len(TILTS))
    for labelled, others in strata:
        first, second = finite("labelled", labelled), finite("others", others)
        if len(first) and len(second):
            total += _tilted(first, second)
    return float(logsumexp(total) - math.log(len(TILTS)))


def log_e_looks(log_e: ArrayLike, *, planned: int) -> NDArray[np.float64]:
    """Evidence after each look, (n_looks,), in nats, from one e-value a look: their sum with weights that sum to 1.

    Nine tenths of the weight go in equal parts to the looks that are `planned`, the rest to those after them, the j-th of
    which has `1 / (j (j + 1))` of it. Alarm at level `alpha` where the sum first reaches `ln(1/alpha)`: it never falls, so an
    alarm stays. Holds however the looks depend on each other, and whenever one stops.

    >>> log_e_looks([0.0, 0.0, 20.0, 0.0], planned=3).round(2).tolist()
    [-1.2, -0.51, 18.8, 18.8]
    """
    values = finite("log_e", log_e)
    if planned < 1:
        raise DataError("At least one look is planned.", f"Found {planned}.", "Pass for example 30.")
    after = np.maximum(1, np.arange(1, len(values) + 1) - planned)
    weights = np.where(np.arange(len(values)) < planned, 0.9 / planned, 0.1 / (after * (after + 1.0)))
    return np.asarray(np.logaddexp.accumulate(values + np.log(weights)))


def _tilted(labelled: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each tilt, the log of exp(tilt * sum over the labelled) over its mean over all choices of as many units."""
    values = np.concatenate([labelled, others])
    if np.isinf(values).any():
        raise DataError("Values that are finite are expected.", "Found an infinite one.", "Pass bounded scores.")
    values -= values.mean()
    chosen = len(labelled)
    sums = np.full((len(TILTS), chosen + 1), -np.inf)  # log of the elementary symmetric sums of 0, 1, ... units
    sums[:, 0] = 0.0
    for value in values:
        sums[:, 1:] = np.logaddexp(sums[:, 1:], sums[:, :-1] + (TILTS * value)[:, None])
    choices = gammaln(len(values) + 1) - gammaln(chosen + 1) - gammaln(len(others) + 1)
    found = TILTS * values[:chosen].sum() - (sums[:, -1] - choices)
    return np.asarray(found if np.ptp(values) else np.zeros(len(TILTS)))
