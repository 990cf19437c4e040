"""Why a bound on divergence does not bound a heavy-tailed reward: theorem 1 of *Catastrophic Goodhart* (arXiv 2407.14503).

Take the base policy and give the outputs whose score is `t` or more the total weight `w`, in the proportions they had. That costs

    KL = w ln(w / p) + (1 - w) ln((1 - w) / (1 - p)),   p the weight that they had,

which is about `w ln(1/p)`. If the tail is heavier than exponential then `ln(1/p)` grows more slowly than `t`, and with `w` a little
more than `1/t` the mean score grows without bound while the divergence goes to nought. With a normal tail `ln(1/p)` grows like
`t**2`, and the same weights cost more and more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.core import DataError

if TYPE_CHECKING:
    from dokimasia.theory.goodhart.laws import Law


FARTHEST = -1e10


class Reweighted(NamedTuple):
    """A policy that puts `weight` on scores of `threshold` or more: its mean score, and nats from the base policy."""

    threshold: float
    weight: float
    mean: float
    kl: float


def reweighted(score: Law, threshold: float, weight: float) -> Reweighted:
    """The policy whose outputs of `threshold` or more have `weight` in total, everything else as before."""
    if not 0 < weight < 1 or not math.isfinite(threshold) or threshold >= score.supremum:
        raise DataError(
            "A weight strictly between 0 and 1, on scores that exist, is expected.",
            f"Found {weight:g} on scores of {threshold:g} or more.",
            "Pass for example 0.01; at 0 and 1 a part of the base policy would be gone.",
        )
    at = np.asarray([threshold])
    log_p = float(score.log_survival(at)[0])
    if not -math.inf < log_p < 0:
        raise DataError(
            "A threshold with scores on both sides is expected.",
            f"Found {threshold:g}.",
            "Choose it inside the support.",
        )
    rest = math.log1p(-math.exp(log_p)) if log_p < -1e-300 else -math.inf
    surplus = float(score.upper_mean(at)[0])
    above, below = math.exp(surplus - log_p), -math.exp(surplus - rest)
    return Reweighted(
        threshold=threshold,
        weight=weight,
        mean=score.mean + weight * above + (1 - weight) * below,
        kl=weight * (math.log(weight) - log_p) + (1 - weight) * (math.log1p(-weight) - rest),
    )


def cheap_reward(score: Law, *, mean: float, kl: float) -> Reweighted | None:
    """A policy whose mean score is above `mean` within `kl` nats of the base policy, found by theorem 1; None without one.

    Looks at thresholds up to the largest number of a float and at the weight that the mean needs: for a heavy tail it finds one
    whatever is asked, short of that. For a lighter tail it may find none though a policy of another form would do.
    """
    low = max(mean, score.mean, 1.0)
    for threshold in np.exp(np.arange(math.log(low) + 0.5, 500.0, 0.25)).tolist():
        log_p = float(score.log_survival(np.asarray([threshold]))[0])
        if log_p < FARTHEST:
            return None
        weight = (1 + 1e-6) * max(mean - score.mean, 1e-12) / threshold
        if not (log_p < 0 and math.exp(log_p) < weight < 1):
            continue
        found = reweighted(score, threshold, weight)
        if found.mean > mean and found.kl < kl:
            return found
    return None
