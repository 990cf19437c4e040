r"""Which motive does training leave in charge?

Training of strength `eta` multiplies the odds of every motive by `exp(eta * reward)` at each step, so after `N` steps

    share_c  is proportional to  prior_c * exp(eta * N * fitness_c).

It is Bayes' rule with reward in place of log-likelihood, the replicator equation's solution, and what natural policy
gradient does to a softmax over motives. Motives that earn the same keep the odds of their priors for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


LEAST_STRENGTH, MOST_STRENGTH = 1e-12, 1e6


def shares(prior: ArrayLike, fitness: ArrayLike, steps: ArrayLike, *, eta: float) -> NDArray[np.float64]:
    """Share of each motive after so many steps, shape (*steps.shape, n_motives). A prior of 0 stays 0.

    >>> shares([0.5, 0.5], [0.0, 1.0], 2, eta=0.5).round(4).tolist()
    [0.2689, 0.7311]
    """
    check_strength(eta)
    weights, fit, count = np.asarray(prior, float), np.asarray(fitness, float), np.asarray(steps, float)
    if not (np.isfinite(count).all() and (count >= 0).all()):
        raise DataError(
            "Steps are finite numbers of at least 0.", f"Found {steps!r}.", "For endless training, use `in_the_limit`."
        )
    with np.errstate(divide="ignore"):
        logs = np.log(weights) + eta * count[..., None] * (fit - fit.max())
    return np.asarray(np.exp(logs - logsumexp(logs, axis=-1, keepdims=True)))


def in_the_limit(prior: ArrayLike, fitness: ArrayLike) -> NDArray[np.float64]:
    """Shares after endless training: the priors of those that earn most, among those with a prior above 0."""
    weights, fit = np.asarray(prior, float), np.asarray(fitness, float)
    best = np.where((weights > 0) & np.isclose(fit, fit[weights > 0].max(), rtol=0, atol=1e-12), weights, 0.0)
    return np.asarray(best / best.sum())


def steps_to_overtake(ahead: float, behind: float, gap: float, *, eta: float) -> float | None:
    """After how many steps has a motive of prior `behind` the share of one of prior `ahead`, if it earns `gap` more?

    `ln(ahead / behind) / (eta * gap)`; 0 if it was not behind, None if it never will.

    >>> round(steps_to_overtake(0.40, 0.03, 0.001, eta=1.0), 1)
    2590.3
    """
    check_strength(eta)
    if behind >= ahead:
        return 0.0
    if behind <= 0 or gap <= 0:
        return None
    return math.log(ahead / behind) / (eta * gap)


def steps_by_plain_gradient(start: float, end: float, gap: float, *, eta: float) -> float:
    """After how many steps has plain policy gradient taken one of two motives from share `start` to share `end`?

    The gradient of expected reward with respect to a motive's logit is in proportion to its own share, so
    `dw/dN = 2 eta gap w^2 (1 - w)^2`, whose integral is elementary. A rare motive needs about `1 / (2 eta gap start)`
    steps, where `shares` says `ln(1 / start) / (eta gap)`.

    >>> round(steps_by_plain_gradient(0.01, 0.5, 0.1, eta=0.1), 1), round(steps_to_overtake(0.99, 0.01, 0.1, eta=0.1), 1)
    (5409.0, 459.5)
    """
    check_strength(eta)
    if not (0 < start <= end < 1 and gap > 0):
        raise DataError(
            "Shares 0 < start <= end < 1 and a gap above 0 are expected.",
            f"Found start {start}, end {end}, gap {gap}.",
            "A share of 0 or a gap of 0 never moves: the number of steps is infinite.",
        )
    # a - b of the integral's antiderivative 2 ln(w / (1 - w)) + 1 / (1 - w) - 1 / w, without cancellation for start = end
    width = end - start
    rise = 2 * math.log1p(width / (start * (1 - end))) + width / ((1 - end) * (1 - start)) + width / (end * start)
    return rise / (2 * eta * gap)


def prior_sensitivity(share: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """How much does each share move if the log of one prior does? Shape (n_motives of share, n_motives of prior).

    `w_i (1[i = j] - w_j)`, whatever the training: selection never makes the answer independent of the prior.
    """
    weights = np.asarray(share, float)
    return np.asarray(np.diag(weights) - np.outer(weights, weights))


def check_strength(eta: float) -> None:
    """Refuse a strength of selection that is not a positive number, or too extreme to compute with."""
    if not LEAST_STRENGTH <= eta <= MOST_STRENGTH:
        raise DataError(
            f"The strength of selection is a number above 0, from {LEAST_STRENGTH:g} to {MOST_STRENGTH:g}.",
            f"Found {eta}.",
            "At 0 nothing is selected and shares stay priors.",
        )
