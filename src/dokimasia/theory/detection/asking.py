"""A model that may ask instead of answering: when should it, what does that cost, and what can be promised?

An error costs 1 and asking costs `c`. By Chow's rule one answers where the probability of being right is at least `1 - c`.
Here the stated confidence is uniform on (1/2, 1), and the probability of being right at confidence `p` is
`1/2 + slope (p - 1/2)`: calibrated at slope 1, overconfident below, blind at 0. Everything then has a closed form, and a
shift that lowers the slope and leaves confidences as they are shows what no look at confidences can notice.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dokimasia.stats import selective_threshold
from dokimasia.theory.detection.domain import inside, whole, within


class Cases(NamedTuple):
    """Simulated cases: stated `confidence`, and 1 in `errors` where the answer is wrong, both (n_cases,)."""

    confidence: NDArray[np.float64]
    errors: NDArray[np.float64]


class Promises(NamedTuple):
    """Of `tried` calibrations: how many found a threshold, how many of these broke the target at slope of calibration
    and at the shifted slope, and the mean coverage where one was found.
    """

    tried: int
    given: int
    broken: int
    broken_shifted: int
    coverage: float


def answers(confidence: float, ask_cost: float) -> bool:
    """Chow's rule: answer iff the confidence is at least `1 - c`."""
    return confidence >= 1 - ask_cost


def risk(coverage: float, slope: float = 1.0) -> float:
    """The error rate of the most confident share: `(1 - slope)/2 + slope coverage/4`; calibrated, `coverage / 4`."""
    within("A coverage", coverage)
    return (1 - _slope(slope)) / 2 + slope * coverage / 4


def area(slope: float = 1.0) -> float:
    """AURC, the mean of `risk` over coverages: `1/2 - 3 slope / 8`; calibrated, 1/8."""
    return 0.5 - 3 * _slope(slope) / 8


def excess_area(slope: float = 1.0) -> float:
    """E-AURC: the area less that of somebody who knows its errors, `e + (1 - e) ln(1 - e)` at the error rate `e`.

    >>> round(excess_area(), 4)
    0.0908
    """
    e = risk(1.0, slope)
    return area(slope) - (e + (1 - e) * math.log1p(-e))


def total_cost(ask_cost: float, slope: float = 1.0) -> float:
    """Errors and questions under Chow's rule, by stated confidence: `(2 - slope) c (1 - c)` for `c` up to 1/2.

    Beyond, one never asks, and pays the error rate.

    >>> [round(total_cost(c), 4) for c in (0.1, 0.25, 0.4)]
    [0.09, 0.1875, 0.24]
    """
    within("The cost of asking", ask_cost)
    return (2 - _slope(slope)) * ask_cost * (1 - ask_cost) if ask_cost <= 0.5 else risk(1.0, slope)


def asked(ask_cost: float) -> float:
    """The share of cases that are asked about: `1 - 2c` up to one half, and none beyond."""
    return max(0.0, 1 - 2 * within("The cost of asking", ask_cost))


def best_cost(ask_cost: float, slope: float = 1.0) -> float:
    """The same for somebody who knows the slope, and asks where the *true* probability of an error exceeds `c`.

    Of the uniform law a share `1 - 2c` over the slope is in doubt; below `c = (1 - slope)/2` all of it is.
    """
    within("The cost of asking", ask_cost)
    _slope(slope)
    if ask_cost <= (1 - slope) / 2:
        return ask_cost
    if ask_cost >= 0.5:
        return risk(1.0, slope)
    answered = 1 - (1 - 2 * ask_cost) / slope
    return ask_cost * (1 - answered) + answered * risk(answered, slope)


def draw(cases: int, *, slope: float, seed: int) -> Cases:
    """So many cases: uniform confidence, errors as often as the slope says."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, whole("The number of cases", cases))
    wrong = rng.random(cases) >= 0.5 + _slope(slope) * (confidence - 0.5)
    return Cases(confidence, wrong.astype(float))


def promise(
    *, cases: int, target: float, slope: float, shifted: float, tried: int, seed: int, delta: float = 0.05
) -> Promises:
    """How often is "at most `target` of the answers are wrong" false, at home and after the shift?

    Each time a threshold is chosen on that many labelled cases, as `selective_threshold` does; the true risk above it is
    known in closed form.
    """
    inside("The target", target, edge="No number of cases promises an error rate of 0.")
    given = broken = broken_shifted = 0
    coverages = 0.0
    for number in range(tried):
        drawn = draw(cases, slope=slope, seed=seed * 100_003 + number)
        found = selective_threshold(drawn.confidence, drawn.errors, target=target, delta=delta)
        if found is None:
            continue
        covered = 2 * (1 - max(found.threshold, 0.5))
        given, coverages = given + 1, coverages + covered
        broken += risk(covered, slope) > target
        broken_shifted += risk(covered, shifted) > target
    return Promises(tried, given, broken, broken_shifted, coverages / given if given else 0.0)


def _slope(slope: float) -> float:
    return within(
        "The slope of accuracy in confidence", slope, edge="Above 1 accuracy would exceed 1; below 0 it falls."
    )
