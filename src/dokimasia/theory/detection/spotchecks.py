"""Random checks of live traffic: a bound on misbehaviour in deployment that needs no realistic evaluation.

Each live input is reviewed with a probability `p(x)` of our choosing, by a coin that the model cannot see before it acts.
What is reviewed has the law `R` with `dR/dD = p(x) / mean(p)`, so that the density ratio of traffic to reviews is
`mean(p) / p(x)`, at most `M = mean(p) / min(p)`. Hence `m_D <= M U`, `U` being the Clopper-Pearson bound of what the reviews
found; with a constant probability `M` is 1. A reviewer who sees a misbehaviour with probability `a` makes it `M U / a`.
"""

from __future__ import annotations

import math

import numpy as np

from dokimasia.stats import clopper_pearson_upper
from dokimasia.theory.detection.domain import inside, upto, whole, within


def density_cap(mean: float, least: float) -> float:
    """`M`, the largest density ratio of traffic to reviews; at least 1."""
    upto("The least probability of a review", least, edge="What is never reviewed is not bounded.")
    within("The mean probability of a review", mean, low=least)
    return mean / least


def spot_bound(bad: int, reviewed: int, *, cap: float = 1.0, sensitivity: float = 1.0, delta: float = 0.05) -> float:
    """`min(1, M U / a)`: the most that the model does in deployment, at confidence `1 - delta`.

    >>> spot_bound(0, 1000) < 0.003 < spot_bound(0, 1000, cap=4.0) < 0.012
    True
    """
    upto("The reviewer's sensitivity", sensitivity, edge="A reviewer who sees nothing says nothing.")
    within("The density cap", cap, low=1.0, high=math.inf)
    return min(1.0, cap * clopper_pearson_upper(bad, reviewed, delta) / sensitivity)


def reviews_needed(target: float, *, cap: float = 1.0, sensitivity: float = 1.0, delta: float = 0.05) -> float:
    """How many clean reviews bring the bound to the target: `ln delta / ln(1 - target a / M)`."""
    inside("The target", target, edge="No number of reviews shows a rate of 0.")
    within("The density cap", cap, low=1.0, high=math.inf)
    return math.log(delta) / math.log1p(-target * sensitivity / cap)


def failures(
    rate: float,
    *,
    least: float,
    most: float,
    exposed: float,
    inputs: int,
    months: int,
    seed: int,
    delta: float = 0.05,
) -> tuple[int, int]:
    """In how many of so many months was the bound below the true rate, and in how many would `U` alone have been?

    A share `exposed` of traffic is reviewed with probability `least`, the rest with `most`. The model knows that, and
    misbehaves on a share `rate` of all traffic, all of it where reviews are rarest.
    """
    inside("The least probability of a review", least, edge="What is never reviewed is not bounded.")
    within("The most probable review", most, low=least)
    within("The share that is rarely reviewed", exposed)
    within("The rate of misbehaviour", rate, high=exposed, edge="It happens within the share that is rarely reviewed.")
    whole("The number of inputs", inputs)
    rng = np.random.default_rng(seed)
    cap = density_cap(exposed * least + (1 - exposed) * most, least)
    kinds = rng.multinomial(inputs, [rate, exposed - rate, 1 - exposed], size=months)
    reviewed = rng.binomial(kinds, [least, least, most])
    bounds = [
        (
            spot_bound(int(row[0]), int(row.sum()), cap=cap, delta=delta),
            spot_bound(int(row[0]), int(row.sum()), delta=delta),
        )
        for row in reviewed
    ]
    return sum(bound < rate for bound, _ in bounds), sum(alone < rate for _, alone in bounds)
