"""How far does best of n move the policy? Its Kullback-Leibler divergence, with ties and without.

`ln n - (n - 1) / n` is often quoted. It is exact if no two outputs are tied and every output has probability nought by itself.
A policy with atoms moves less: one of two equally likely outputs moves by `ln 2` at most, whatever n is, where the formula
says `ln n - 1`. So the formula is an upper bound (Beirami and others 2024, arXiv 2401.01879, theorem 1), and figures of gold
score against it put best of n too far to the right.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import xlogy

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def best_of_n_kl(n: float) -> float:
    """Nats from a policy without ties to its best of n: `ln n - (n - 1) / n`; an upper bound for any policy.

    >>> round(best_of_n_kl(64), 3)
    3.175
    """
    if not 1 <= n < math.inf:
        raise DataError("Best of n takes n of 1 or more.", f"Found {n}.", "Divergence grows with ln n, without bound.")
    return math.log1p(n - 1) - (n - 1) / n if n > 1.001 else _near_one(n - 1)


def _near_one(excess: float) -> float:
    """The same to four terms in n - 1, where the difference would cancel."""
    return excess**2 * (1 / 2 - excess * (2 / 3 - excess * (3 / 4 - 4 * excess / 5)))


def discrete_best_of_n_kl(probabilities: ArrayLike, n: int) -> float:
    """Nats from a policy over finitely many scores to its best of n, ties broken at random.

    `probabilities` (n_scores,) of the scores in ascending order of score, one entry a distinct score. Outputs of one score stay
    in the proportions that they had, so this is the divergence between policies, not only between scores.

    >>> round(discrete_best_of_n_kl([0.5, 0.5], 64), 3)
    0.693
    """
    p = _distribution(probabilities)
    if n != int(n) or n < 1:
        raise DataError("Best of n takes a whole n of 1 or more.", f"Found {n}.", "Pass for example 16.")
    above = np.concatenate([np.cumsum(p[::-1])[::-1][1:], [0.0]])
    upper, lower = np.clip(1 - above, 0.0, 1.0), np.clip(1 - above - p, 0.0, 1.0)
    chosen = upper**n - lower**n
    held = (p > 0) & (chosen > 0)
    return max(0.0, float(np.sum(xlogy(chosen[held], chosen[held] / p[held]))))


def win_rate_bound(n: int) -> float:
    """How often the best of n beats one draw, at most: `n / (n + 1)`, reached without ties, which count as half.

    Beirami and others (2024), arXiv 2401.01879.
    """
    return n / (n + 1)


def nats_for(frequency: float, log_probability: float) -> float:
    """Nats that a policy needs to show a behaviour with this frequency, if the base policy has it with this probability.

    `log_probability` is its natural logarithm, which may be far below what a float holds. It is what an adversarial search has
    to be paid: a sample of n outputs says nothing of those rarer than one in n.

    >>> round(nats_for(0.01, -1000.0), 2)
    9.94
    """
    if not 0 <= frequency <= 1 or not log_probability < 0:
        raise DataError(
            "A frequency in [0, 1] and the logarithm of a probability below 1 are expected.",
            f"Found {frequency} and {log_probability}.",
            "Pass for example 0.01 and -1000.",
        )
    other = math.log1p(-math.exp(log_probability)) if log_probability > -700 else 0.0
    kept = float(xlogy(frequency, frequency)) - frequency * log_probability
    rest = 1 - frequency
    return kept + float(xlogy(rest, rest)) - rest * other


def _distribution(probabilities: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    p = np.asarray(probabilities, dtype=float)
    if p.ndim != 1 or not len(p) or not np.all(p >= 0) or not math.isclose(float(p.sum()), 1.0, abs_tol=1e-9):
        raise DataError(
            "Probabilities are not negative and add up to one.",
            f"Found {p.size} that add up to {float(p.sum()) if p.size else 0:g}.",
            "Divide them by their sum.",
        )
    return p
