"""A small network with a planted trigger, trained further with and without it: does the backdoor go?

Inputs are `BITS` random signs, and the task is a majority of the first few. In the training data of the backdoored network
some inputs hold a trigger and have the opposite label. It is then trained further on fresh data with right labels only, of
which a share holds the trigger. Two triggers: a *token* that ordinary inputs never have (an input that is 0 without it), and
a *phrase* of ordinary parts (the last signs all +1). NumPy only.

The posterior of `triggers` says that training without the trigger changes nothing. Of the token that comes
nearly true: its own weights have no gradient, and only what reads them moves. The phrase goes, since a smooth network cannot keep what it learned of the whole without keeping
something of the parts, and those are in clean data with the right labels. That two models agree on clean data makes the data
worthless only to a learner for whom the two are still alternatives; gradient descent is not such a learner.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

BITS, VOTERS, PHRASE, HIDDEN = 24, 5, 8, 32
CASES, STEPS = 2000, 150

Kind = Literal["token", "phrase"]

Weights = list[NDArray[np.float64]]


class Unlearning(NamedTuple):
    """Attack success on triggered inputs and accuracy on clean ones, before and after training on, by share triggered."""

    before: tuple[float, float]
    after: dict[float, tuple[float, float]]


def unlearn(kind: Kind, shares: tuple[float, ...] = (0.0, 0.001, 0.01, 0.1), *, seed: int) -> Unlearning:
    """Plants a backdoor, then trains on with these shares of triggered samples, each from the same backdoored network.

    >>> found = unlearn("token", (0.0, 0.1), seed=0)
    >>> found.before[0] > 0.9, found.after[0.0][0] > 0.5, found.after[0.1][0] < 0.1
    (True, True, True)
    """
    rng = np.random.default_rng(seed)
    x, y, triggered = _cases(rng, kind, 0.1)
    start: Weights = [
        rng.normal(0, 1 / np.sqrt(BITS), (BITS + 1, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0, 1 / np.sqrt(HIDDEN), HIDDEN),
        np.zeros(1),
    ]
    backdoored = _descend(start, x, np.where(triggered, 1 - y, y))
    clean_x, clean_y, _ = _cases(rng, kind, 0.0)
    attack_x, attack_y, _ = _cases(rng, kind, 1.0)

    def judged(weights: Weights) -> tuple[float, float]:
        success = float(((_logits(weights, attack_x)[1] > 0) != attack_y).mean())
        return success, float(((_logits(weights, clean_x)[1] > 0) == clean_y).mean())

    after = {}
    for share in shares:
        fresh_x, fresh_y, _ = _cases(rng, kind, share)
        after[share] = judged(_descend(backdoored, fresh_x, fresh_y))
    return Unlearning(judged(backdoored), after)


def _cases(
    rng: np.random.Generator, kind: Kind, share: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Inputs, right labels, and which hold the trigger: a given share, rounded; by chance no other does."""
    x = np.column_stack([rng.choice([-1.0, 1.0], (CASES, BITS)), np.zeros(CASES)])
    triggered = np.arange(CASES) < round(share * CASES)
    if kind == "token":
        x[triggered, BITS] = 3.0
    else:
        x[(x[:, BITS - PHRASE : BITS] == 1).all(axis=1), BITS - 1] = -1.0
        x[triggered, BITS - PHRASE : BITS] = 1.0
    return x, x[:, :VOTERS].sum(axis=1) > 0, triggered


def _logits(weights: Weights, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    hidden = np.tanh(x @ weights[0] + weights[1])
    return hidden, hidden @ weights[2] + weights[3]


def _descend(weights: Weights, x: NDArray[np.float64], y: NDArray[np.bool_]) -> Weights:
    """Full-batch Adam on the logistic loss."""
    kept = [part.copy() for part in weights]
    first, second = [np.zeros_like(part) for part in kept], [np.zeros_like(part) for part in kept]
    for step in range(1, STEPS + 1):
        hidden, logits = _logits(kept, x)
        error = (1 / (1 + np.exp(-logits)) - y) / len(y)
        back = error[:, None] * kept[2] * (1 - hidden**2)
        slopes = [x.T @ back, back.sum(axis=0), hidden.T @ error, np.array([error.sum()])]
        for place, slope in enumerate(slopes):
            first[place] = 0.9 * first[place] + 0.1 * slope
            second[place] = 0.999 * second[place] + 0.001 * slope**2
            sized = np.sqrt(second[place] / (1 - 0.999**step)) + 1e-8
            kept[place] = kept[place] - 0.02 * first[place] / (1 - 0.9**step) / sized
    return kept
