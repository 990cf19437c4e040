r"""Does policy-gradient learning select motives as the replicator equation says?

A policy with one logit for each motive draws a motive, acts on it in a training situation, and earns 0 or 1. Three
learners, of which the model describes one:

* *natural gradient*: the step is `eta` times the estimated advantage. In expectation it is the replicator's.
* *plain gradient* (REINFORCE): the step is `eta` times share times advantage. Rare motives are seldom drawn and grow
  more slowly, in a time of `1 / share` instead of `ln(1 / share)`.
* *situated*: natural gradient on logits of their own for each situation. Each situation selects by its own rewards,
  so motives that earn the same there keep their priors there, however much they differ elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, softmax

from dokimasia.core import DataError
from dokimasia.theory.selection.hypotheses import Hypotheses
from dokimasia.theory.selection.shares import check_strength

if TYPE_CHECKING:
    from numpy.typing import NDArray


MOST_STEPS = 20_000
MOST_EPISODES = 1_000_000
MOST_UPDATES = 5_000_000


class Learner(Enum):
    """Which policy gradient learns."""

    NATURAL = "natural gradient"
    PLAIN = "plain gradient"
    SITUATED = "natural gradient, logits of each situation"


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """Shares at `steps`, weighted by situations' shares of training: `mean` over runs with its interval, (n, n_motives).

    `situations` is the mean share in each situation at the last step, (n_training, n_motives).
    """

    steps: NDArray[np.int64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    situations: NDArray[np.float64]
    runs: int
    level: float

    @property
    def low(self) -> NDArray[np.float64]:
        return np.clip(self.mean - self._half, 0.0, 1.0)

    @property
    def high(self) -> NDArray[np.float64]:
        return np.clip(self.mean + self._half, 0.0, 1.0)

    @property
    def _half(self) -> NDArray[np.float64]:
        return self.error * float(ndtri(0.5 + self.level / 2))


def learn(
    hypotheses: Hypotheses,
    learner: Learner,
    *,
    steps: int,
    eta: float,
    batch: int = 4096,
    runs: int = 32,
    points: int = 41,
    level: float = 0.95,
    seed: int,
) -> Learnt:
    """Train `runs` policies by `learner`, each step on `batch` sampled episodes, and record shares at `points` steps."""
    check_strength(eta)
    _check_steps(steps)
    if not (2 <= batch <= MOST_EPISODES and 2 <= runs <= MOST_EPISODES and points >= 2):
        raise DataError(
            f"From 2 to {MOST_EPISODES:,} episodes a step and runs, and 2 points or more, are expected.",
            f"Found {batch}, {runs} and {points}.",
            "An interval needs runs that can differ.",
        )
    if runs * steps > MOST_UPDATES:
        raise DataError(
            f"At most {MOST_UPDATES:,} updates, runs times steps, are expected.",
            f"Found {runs * steps:,}.",
            "Ask for fewer runs, or raise eta and take fewer steps: what counts is their product.",
        )
    if not 0 < level < 1:
        raise DataError("The level lies strictly between 0 and 1.", f"Found {level}.", "Pass for example 0.95.")
    rng = np.random.default_rng(seed)
    prior, reward, situation = hypotheses.priors, hypotheses.rewards.T, hypotheses.training_shares
    own = learner is Learner.SITUATED
    with np.errstate(divide="ignore"):
        logits = np.log(np.broadcast_to(prior, (runs, len(situation) if own else 1, len(prior)))).copy()
    recorded = np.unique(np.linspace(0, steps, points).round().astype(np.int64))
    mean, error = np.empty((len(recorded), len(prior))), np.empty((len(recorded), len(prior)))
    place = 0
    for step in range(steps + 1):
        share = softmax(logits, axis=2)
        if step == recorded[place]:
            overall = (share * situation[:, None]).sum(axis=1) if own else share[:, 0]
            mean[place] = overall.mean(axis=0)
            error[place] = overall.std(axis=0, ddof=1) / math.sqrt(runs)
            place += 1
        if step == steps:
            break
        drawn = (situation[:, None] * share).reshape(runs, -1)
        count = rng.multinomial(batch, drawn / drawn.sum(axis=1, keepdims=True)).reshape(runs, *reward.shape)
        earned = rng.binomial(count, reward)
        if not own:
            count, earned = count.sum(axis=1, keepdims=True), earned.sum(axis=1, keepdims=True)
        total = count.sum(axis=2, keepdims=True)
        baseline = earned.sum(axis=2, keepdims=True) / np.maximum(total, 1)
        above = earned - baseline * count
        if learner is Learner.PLAIN:
            logits += eta * above / batch
        else:
            expected = share * np.maximum(total, 1)
            logits += eta * np.divide(above, expected, out=np.zeros_like(above), where=expected > 0)
    return Learnt(
        steps=recorded,
        mean=mean,
        error=error,
        situations=np.broadcast_to(share.mean(axis=0), reward.shape),
        runs=runs,
        level=level,
    )


def plain_gradient_shares(
    hypotheses: Hypotheses, *, steps: int, eta: float, points: int = 41
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What plain gradient is expected to leave: its steps without the noise. Steps, and shares (n, n_motives)."""
    check_strength(eta)
    _check_steps(steps)
    fitness = hypotheses.fitness
    with np.errstate(divide="ignore"):
        logits = np.log(hypotheses.priors)
    recorded = np.unique(np.linspace(0, steps, points).round().astype(np.int64))
    wanted, kept = set(recorded.tolist()), []
    for step in range(steps + 1):
        share = softmax(logits)
        if step in wanted:
            kept.append(share)
        logits = logits + eta * share * (fitness - share @ fitness)
    return recorded, np.array(kept)


def _check_steps(steps: int) -> None:
    if not 1 <= steps <= MOST_STEPS:
        raise DataError(
            f"From 1 to {MOST_STEPS:,} steps of learning are expected.",
            f"Found {steps}.",
            "Raise eta and take fewer: what counts is their product.",
        )
