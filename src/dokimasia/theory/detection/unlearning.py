"""A small network with a planted trigger, trained further with and without it: does the backdoor go?

Inputs are `bits` random signs, and the task is a majority of some of them. In the backdoored network's training data some
inputs have the trigger (the last signs all +1) and the opposite label. It is then trained further on fresh data of which a
share holds the trigger, now with the right label. What the two-layer network learned of the trigger stays where training
data never show it. NumPy only; a fraction of a second.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BITS, VOTERS, TRIGGER, HIDDEN = 24, 5, 8, 32
CASES, STEPS = 4000, 300

Weights = list[NDArray[np.float64]]


class Unlearning(NamedTuple):
    """Attack success on triggered inputs and accuracy on clean ones, before and after training on, by share triggered."""

    before: tuple[float, float]
    after: dict[float, tuple[float, float]]


def unlearn(shares: tuple[float, ...] = (0.0, 0.001, 0.01, 0.1), *, seed: int) -> Unlearning:
    """Plants a backdoor, then trains on with these shares of triggered samples, each from the same backdoored network.

    >>> found = unlearn((0.0, 0.1), seed=0)
    >>> found.before[0] > 0.9, found.after[0.0][0] > 0.9, found.after[0.1][0] < 0.1
    (True, True, True)
    """
    rng = np.random.default_rng(seed)
    x, y, triggered = _cases(rng, 0.1)
    start: Weights = [
        rng.normal(0, 1 / np.sqrt(BITS), (BITS, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0, 1 / np.sqrt(HIDDEN), HIDDEN),
        np.zeros(1),
    ]
    backdoored = _descend(start, x, np.where(triggered, 1 - y, y))
    clean_x, clean_y, _ = _cases(rng, 0.0)
    attack_x, attack_y, _ = _cases(rng, 1.0)

    def judged(weights: Weights) -> tuple[float, float]:
        success = float(((_logits(weights, attack_x)[1] > 0) != attack_y).mean())
        return success, float(((_logits(weights, clean_x)[1] > 0) == clean_y).mean())

    after = {}
    for share in shares:
        fresh_x, fresh_y, _ = _cases(rng, share)
        after[share] = judged(_descend(backdoored, fresh_x, fresh_y))
    return Unlearning(judged(backdoored), after)


def _cases(rng: np.random.Generator, share: float) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Inputs, right labels, and which hold the trigger: a given share, rounded; by chance no other does."""
    x = rng.choice([-1.0, 1.0], (CASES, BITS))
    x[(x[:, -TRIGGER:] == 1).all(axis=1), -1] = -1.0
    triggered = np.arange(CASES) < round(share * CASES)
    x[triggered, -TRIGGER:] = 1.0
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
