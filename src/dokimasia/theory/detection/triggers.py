"""How many samples find a backdoor's trigger, or train it away?

A backdoored model and a clean one agree wherever the trigger is absent. So clean data have a likelihood ratio of 1, and the
odds of "backdoored" stay what they were, however many clean samples one trains on. A sample shows the trigger with
probability `q`; where it does and the model is seen to behave, that had probability `residual` in a backdoored model and 1
in a clean one, and the odds fall by that factor.

Three questions have three numbers of samples. The *mean* odds after n samples are `odds (1 - q (1 - residual))^n`; the mean
is dominated by runs without any trigger. The *typical* run loses `q ln(1/residual)` a sample. And to be *assured*, one
wants enough triggers in 95% of runs: a binomial quantile. The first is what the literature gives.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from dokimasia.core.errors import DataError
from dokimasia.theory.detection.domain import inside, upto, whole

MOST = 10**15
LEAST = 1e-280


def samples_to_find(trigger: float, miss: float = 0.05) -> float:
    """So many samples hold a trigger at least once, but for a probability `miss`: `ln(miss) / ln(1 - q)`.

    >>> round(samples_to_find(1e-4))
    29956
    """
    _trigger(trigger)
    inside("The probability of missing it", miss, edge="No number of samples is certain.")
    return 1.0 if trigger == 1 else math.log(miss) / math.log1p(-trigger)


def samples_on_average(trigger: float, factor: float, residual: float = 0.01) -> float:
    """So many samples divide the *mean* odds of a backdoor by `factor`: `ln(factor) / -ln(1 - q (1 - residual))`.

    >>> [round(samples_on_average(trigger, 1000), 1) for trigger in (1e-4, 0.01, 1.0)]
    [69771.9, 694.3, 1.5]
    """
    _trigger(trigger)
    inside("The residual", residual, edge="At 0 one trigger settles it; at 1 behaving says nothing.")
    return _log_factor(factor) / -math.log1p(-trigger * (1 - residual))


def samples_typically(trigger: float, factor: float, residual: float = 0.01) -> float:
    """So many samples divide the odds by `factor` in a typical run: `ln(factor) / (q ln(1/residual))`."""
    _trigger(trigger)
    inside("The residual", residual, edge="At 0 one trigger settles it; at 1 behaving says nothing.")
    return _log_factor(factor) / (trigger * -math.log(residual))


def samples_assured(trigger: float, factor: float, residual: float = 0.01, miss: float = 0.05) -> int:
    """So many samples divide the odds by `factor` but for a probability `miss`: enough hold the trigger.

    >>> samples_assured(1e-4, 1000), triggers_needed(1000, 0.01)
    (47437, 2)
    """
    _trigger(trigger)
    inside("The probability of missing it", miss, edge="No number of samples is certain.")
    needed = triggers_needed(factor, residual)

    def enough(n: int) -> bool:
        return n >= needed and (trigger == 1 or float(betainc(needed, n - needed + 1, trigger)) >= 1 - miss)

    high = needed
    while not enough(high):
        if high > MOST:
            raise DataError(
                f"At most {MOST:.0e} samples are counted.",
                f"Found a trigger in {trigger} of them.",
                "At 0 no number of samples is enough.",
            )
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def triggers_needed(factor: float, residual: float) -> int:
    """How many triggered samples divide the odds by `factor`?"""
    inside("The residual", residual, edge="At 0 one trigger settles it; at 1 behaving says nothing.")
    return math.ceil(_log_factor(factor) / -math.log(residual) - 1e-12)


def tries_to_guess(vocabulary: int, length: int, miss: float = 0.05) -> tuple[float, float]:
    """How many tries find a trigger of so many tokens: by guessing it whole, and token by token?

    Whole: one in `vocabulary**length` is right. Token by token needs a signal for a trigger that is right in part (a loss,
    an attention pattern): at most `vocabulary * length` tries. A trigger that shows nothing until it is complete, such as
    a cryptographic one, leaves the first alone.
    """
    whole("The vocabulary", vocabulary, least=2)
    whole("The trigger's length", length)
    chance = float(vocabulary) ** -length
    first = math.inf if chance == 0 else samples_to_find(chance, miss)
    return first, float(vocabulary * length)


def simulate(
    trigger: float, samples: int, *, odds: float, residual: float, runs: int, seed: int
) -> NDArray[np.float64]:
    """The odds of a backdoor after so many samples, (n_runs,): each holds the trigger or not, and the model behaved."""
    rng = np.random.default_rng(seed)
    seen = rng.binomial(whole("The number of samples", samples, least=0), _trigger(trigger), runs)
    return np.asarray(odds * residual**seen)


def _trigger(trigger: float) -> float:
    edge = "At 0 no number of samples changes anything: that is what a backdoor is made for."
    if 0 < trigger < LEAST:
        raise DataError(
            f"The probability that a sample holds the trigger is at least {LEAST:g}.", f"Found {trigger}.", edge
        )
    return upto("The probability that a sample holds the trigger", trigger, edge=edge)


def _log_factor(factor: float) -> float:
    inside("The factor by which the odds are to fall", factor, low=1.0, high=math.inf, edge="Pass for example 1000.")
    return math.log(factor)
