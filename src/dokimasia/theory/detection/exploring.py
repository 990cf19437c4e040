"""What a policy never tries, it never learns; and of two goals that agree in training, scale decides which it learns.

*Exploration.* The policy gradient of an action is proportional to its probability: an action of probability 0 has none, and one
of probability `p` is tried after `1/p` samples on average. A policy that keeps away from an action keeps it unlearned.

*Goals.* A policy goes right with logit `w_b s_b + w_c s_c x`: a bias of scale `s_b`, and the side `x` of the coin, 1 or -1, at
scale `s_c`. With the coin always right, gradient ascent from 0 on the probability of reaching it keeps `w` in proportion to
`(s_b, s_c)`, so that at a coin on the left the logit has the sign of `s_b^2 - s_c^2`: the goal that is learned is the one whose
feature is larger, and training says nothing about it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import expit

from dokimasia.core.errors import DataError
from dokimasia.theory.detection.domain import inside, upto, whole, within


class Goals(NamedTuple):
    """Probabilities of going right, with the coin on the right as in training, and with the coin on the left."""

    coin_right: float
    coin_left: float


def first_try(probability: float) -> float:
    """How many samples until an action of this probability is first tried, on average: `1/p`."""
    return 1 / upto("The probability of the action", probability, edge="At 0 it is never tried.")


def steps_to_learn(start: float, end: float, gain: float = 1.0) -> float:
    """How long does exact policy gradient (rate 1) take to raise an action's probability, if it earns `gain` more?

    The logit moves at `gain p (1 - p)`, so the time is `[2 z + exp z - exp(-z)] / gain` between the logits: about
    `1 / (gain start)` for a rare action.

    >>> round(steps_to_learn(1e-4, 0.5)), round(steps_to_learn(1e-6, 0.5))
    (10017, 1000027)
    """
    inside("The first probability", start, edge="At 0 there is no gradient: it is never learned.")
    inside("The last probability", end, low=start, edge="At 1 it takes for ever.")
    inside("The gain", gain, high=math.inf, edge="Without a gain nothing is learned.")
    return (_clock(math.log(end / (1 - end))) - _clock(math.log(start / (1 - start)))) / gain


def goals(bias: float, coin: float, time: float) -> Goals:
    """What the policy does after gradient ascent with the coin always right, from 0, for this time. Closed form.

    The training logit `z` solves `2 z + exp z - exp(-z) = (s_b^2 + s_c^2) time`; at a coin on the left it is
    `z (s_b^2 - s_c^2) / (s_b^2 + s_c^2)`.

    >>> [round(goals(*scales, 6256.0).coin_left, 3) for scales in ((1, 1), (2, 1), (1, 2))]
    [0.5, 0.998, 0.002]
    """
    total = _scales(bias, coin)
    wanted = total * within("The time of training", time, high=1e300)
    low, high = 0.0, 700.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _clock(middle) < wanted else (low, middle)
    left = high * (bias - coin) * (bias + coin) / total
    return Goals(float(expit(high)), float(expit(left)))


def goals_mixed(bias: float, coin: float, time: float, mixed: float, *, tolerance: float = 1e-9) -> Goals:
    """The same where in a share `mixed` of training the coin is on the left; integrated numerically, in log time.

    A small share turns the goal around, late: first the bias is learned as before, then what it costs is unlearned. Where
    one scale is much larger than the other the two happen at very different speeds, which takes a stiff method.
    """
    total = _scales(bias, coin)
    within("The share of coins on the left", mixed)
    end = math.log1p(total * within("The time of training", time, high=1e12))
    speeds = np.array([bias, coin]) ** 2 / total

    def slope(log_time: float, parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the logit's parts by bias and by coin, in the logarithm of 1 + time times the sum of squared scales."""
        right, left = parts[0] + parts[1], parts[0] - parts[1]
        up, down = (1 - mixed) * expit(right) * expit(-right), mixed * expit(left) * expit(-left)
        return np.asarray(math.exp(log_time) * speeds * [up - down, up + down])

    if end == 0:
        return Goals(0.5, 0.5)
    found = solve_ivp(slope, (0.0, end), np.zeros(2), method="LSODA", rtol=tolerance, atol=tolerance)
    if not found.success:
        raise DataError(
            "Scales and a time that can be integrated are expected.", f"{found.message}", "Train for less time."
        )
    by_bias, by_coin = found.y[:, -1]
    return Goals(float(expit(by_bias + by_coin)), float(expit(by_bias - by_coin)))


def reinforce(bias: float, coin: float, *, time: float, rate: float, batch: int, seed: int) -> Goals:
    """The same by REINFORCE on sampled episodes, the coin always right: a check of the flow."""
    rng = np.random.default_rng(seed)
    scales, weights = np.array([bias, coin]), np.zeros(2)
    for _ in range(whole("The number of updates", round(time / rate))):
        p = expit(weights @ scales)
        right = rng.random(batch) < p
        weights = weights + rate * scales * float((right * (1 - p)).mean())  # reward 1 where it went right, else 0
    return Goals(float(expit(weights @ scales)), float(expit(weights @ (scales * [1, -1]))))


def _clock(logit: float) -> float:
    """Time that a logit takes from 0, at unit scale: the integral of `1 / (p (1 - p))`."""
    return 2 * logit + 2 * math.sinh(logit) if abs(logit) < 709 else math.copysign(math.inf, logit)


def _scales(bias: float, coin: float) -> float:
    for name, scale in (("The scale of the bias", bias), ("The scale of the coin's side", coin)):
        within(name, scale, high=1e6, edge="Scales are 0 or more; at 0 the feature is not there.")
    return inside(
        "The sum of squared scales", bias**2 + coin**2, high=math.inf, edge="Without features nothing is learned."
    )
