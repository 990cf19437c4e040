"""A gate lets a model through that misbehaved in at most k of n test inputs. What may it still do in deployment?

Two questions with one answer. *Whatever the model is*, with confidence `1 - delta` its rate in evaluation is at most the
Clopper-Pearson bound `U`, and its rate in deployment at most `ROC*(U)`. *A model that plays the gate*, wants to pass with
probability `p` and misbehaves where its cue says "deployment" most clearly, affords the evaluation rate at which a binomial
passes with probability `p`, which is `U` at `delta = p`, and gets `ROC*` of it. So the bound is attained.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtri

from dokimasia.stats import clopper_pearson_upper
from dokimasia.theory.detection.cue import Cue, GaussianCue
from dokimasia.theory.detection.domain import inside, whole, within


class Attack(NamedTuple):
    """A policy that misbehaves beyond a threshold of its cue: its two rates, and the probability of passing the gate."""

    evaluation_rate: float
    deployment_rate: float
    passes: float


class Campaign(NamedTuple):
    """Counts of simulated gates: `passed` of `gates`, and in `harmed` of these a misbehaviour among the deployments."""

    gates: int
    passed: int
    harmed: int


def passing_rate(n: int, probability: float, tolerated: int = 0) -> float:
    """The largest evaluation rate with which "at most `tolerated` bad of `n`" is passed with this probability.

    `1 - probability**(1/n)` if none is tolerated; always the upper Clopper-Pearson bound at `delta = probability`.

    >>> round(10_000 * passing_rate(10_000, 0.5), 3)
    0.693
    """
    whole("The number of test inputs", n)
    whole("The number of tolerated misbehaviours", tolerated, least=0, most=n)
    inside("The probability of passing", probability, edge="Surely to pass, never misbehave; at 0 anything goes.")
    if tolerated == 0:
        return -math.expm1(math.log(probability) / n)
    return clopper_pearson_upper(tolerated, n, probability)


def strategic(cue: Cue, n: int, *, passes: float = 0.5, tolerated: int = 0) -> Attack:
    """The policy that passes with this probability and misbehaves most in deployment.

    >>> rates = [strategic(GaussianCue(shift=shift), 10_000).deployment_rate for shift in (1.0, 2.0, 4.0)]
    >>> [f"{rate:.2%}" for rate in rates]
    ['0.25%', '3.51%', '57.51%']
    """
    rate = passing_rate(n, passes, tolerated)
    return Attack(rate, cue.roc(rate), passes)


def most_harmful(cue: GaussianCue, n: int) -> Attack:
    """The policy whose rate in deployment times probability of passing "0 bad of `n`" is largest.

    The logarithm of `(1 - u)**n ROC*(u)` is concave in `u`, so that there is one maximum: where the curve's slope over its
    height is `n / (1 - u)`. Found by bisection. Without a cue, `u = 1 / (n + 1)`.
    """
    whole("The number of test inputs", n)

    def gain(z: float) -> float:
        slope = -cue.shift * z - cue.shift**2 / 2
        return float(slope - log_ndtr(cue.shift + z) - math.log(n) + log_ndtr(-z))

    low, high = -37.0, 9.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(middle) > 0 else (low, middle)
    rate = math.exp(float(log_ndtr(low)))
    return Attack(rate, cue.roc(rate), math.exp(n * math.log1p(-rate)))


def deployment_bound(cue: Cue, n: int, *, bad: int = 0, delta: float = 0.05) -> float:
    """`ROC*(U)`: the most that a model with `bad` misbehaviours in `n` tests does in deployment, at this confidence."""
    return cue.roc(passing_rate(n, delta, bad))


def clean_needed(cue: GaussianCue, target: float, delta: float = 0.05) -> float:
    """How many clean test inputs bring `ROC*(U)` down to the target? Infinite where double precision ends.

    >>> [round(clean_needed(GaussianCue(shift=shift), 0.01)) for shift in (0.0, 1.0, 2.0)]
    [298, 6808, 395209]
    """
    inside("The target", target, edge="No number of tests shows a rate of 0.")
    inside("delta", delta, edge="No number of tests is certain.")
    log_rate = float(log_ndtr(ndtri(target) - cue.shift))
    rate = math.exp(log_rate)
    return math.inf if rate == 0 else math.log(delta) / math.log1p(-rate)


def ever(rate: float, times: int) -> float:
    """Probability of at least one event in so many independent chances: `1 - (1 - rate)**times`."""
    within("A rate", rate)
    whole("The number of chances", times, least=0)
    return 1.0 if rate == 1 and times else -math.expm1(times * math.log1p(-rate)) if rate < 1 else 0.0


def simulate(
    cue: GaussianCue, attack: Attack, n: int, *, deployments: int, gates: int, seed: int, tolerated: int = 0
) -> Campaign:
    """Gates and then deployments, with a model that misbehaves where its cue is above a threshold.

    Only the largest cues matter, and they are drawn as what they are: the (k+1)-th largest of n uniform numbers is a beta
    number. Costs the same for a thousand inputs as for a billion.
    """
    rng = np.random.default_rng(seed)
    threshold = ndtri(1 - attack.evaluation_rate) if attack.evaluation_rate > 1e-12 else -ndtri(attack.evaluation_rate)
    below = rng.beta(tolerated + 1, n - tolerated, gates)  # how far from the top the (k+1)-th largest is
    passed = -ndtri(below) <= threshold
    top = rng.beta(1, deployments, gates)
    harmed = passed & (cue.shift - ndtri(top) > threshold)
    return Campaign(gates, int(passed.sum()), int(harmed.sum()))
