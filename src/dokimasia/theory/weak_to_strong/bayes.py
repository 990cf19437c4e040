r"""What does a Bayesian student learn from a teacher that is aligned in most samples, but not in all?

A teacher misbehaves in a share `q` of samples. The student's hypotheses: *aligned* misbehaves with probability
`error`, *misaligned* with `1 - error`, and *mixture* with a probability of its own, of which it knows a Beta(a, b)
law. After `n` samples with `k` misbehaviours the log odds of aligned against misaligned have moved by

    (n - 2k) ln((1 - error) / error).

A student without the mixture becomes aligned, exponentially fast, if `q < 1/2`: the truth is not in its class, and
aligned is nearer. A student with the mixture learns to misbehave in a share `q`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaln, gammaln, logsumexp, rel_entr, xlog1py, xlogy

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_SAMPLES = 1_000_000
LEAST_ERROR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """Priors of the hypotheses, which are divided by their sum; a prior of 0 leaves a hypothesis out of the class.

    `a` and `b` are the mixture's Beta law of its rate of misbehaviour.
    """

    aligned: float = 0.5
    misaligned: float = 0.5
    mixture: float = 0.0
    error: float = 0.01
    a: float = 1.0
    b: float = 1.0

    def __post_init__(self) -> None:
        priors = self.aligned, self.misaligned, self.mixture
        if not all(math.isfinite(prior) and prior >= 0 for prior in priors) or sum(priors) <= 0:
            raise DataError("Priors of at least 0 are expected, one of them above 0.", f"Found {priors}.", "Mend them.")
        if not (self.error == 0 or LEAST_ERROR <= self.error < 0.5):
            raise DataError(
                f"The error of an aligned hypothesis is 0, or from {LEAST_ERROR:g} to below 0.5.",
                f"Found {self.error}.",
                "At 0.5 aligned and misaligned are the same.",
            )
        if not (0 < self.a < math.inf and 0 < self.b < math.inf):
            raise DataError(
                "A Beta law with a and b above 0 is expected.", f"Found {self.a}, {self.b}.", "Pass 1 and 1."
            )

    def posterior(self, n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
        """Shares of aligned, misaligned and mixture after each count `k` of `n`, (n_counts, 3); NaN where all are refuted."""
        counts = np.asarray(k, float)
        logs = np.stack(
            [
                xlogy(counts, self.error) + xlog1py(n - counts, -self.error),
                xlogy(n - counts, self.error) + xlog1py(counts, -self.error),
                betaln(self.a + counts, self.b + n - counts) - betaln(self.a, self.b),
            ],
            axis=-1,
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = logs + np.log([self.aligned, self.misaligned, self.mixture])
            return np.asarray(np.exp(logs - logsumexp(logs, axis=-1, keepdims=True)))

    def predictive(self, n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
        """Probability that the next sample misbehaves, after each count `k` of `n`; NaN where all are refuted."""
        mixed = (self.a + np.asarray(k, float)) / (self.a + self.b + n)
        rates = np.stack([np.full(mixed.shape, self.error), np.full(mixed.shape, 1 - self.error), mixed], axis=-1)
        return np.asarray((self.posterior(n, k) * rates).sum(axis=-1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Expected after `n` samples: how likely the student is to misbehave, its belief in aligned, and the probability that
    every hypothesis of its class has been refuted. The others are means over the rest, None if the rest is less than half.
    """

    n: int
    misbehaves: float | None
    aligned: float | None
    refuted: float


def learned(student: Student, q: float, n: int) -> Learned:
    """What the student is expected to have learnt after `n` samples: an exact sum over counts.

    >>> round(learned(Student(), 0.1, 100).misbehaves, 4)
    0.01
    >>> round(learned(Student(aligned=0.45, misaligned=0.45, mixture=0.1), 0.1, 100).misbehaves, 4)
    0.1054
    """
    _check_share(q)
    if not 0 <= n <= MOST_SAMPLES:
        raise DataError(
            f"Samples from 0 to {MOST_SAMPLES:,} are expected.",
            f"Found {n}.",
            "Far beyond, the student believes in the limit.",
        )
    k = np.arange(n + 1)
    weight = np.exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, q) + xlog1py(n - k, -q))
    weight /= weight.sum()
    predictive, belief = student.predictive(n, k), student.posterior(n, k)[:, 0]
    alive = ~np.isnan(predictive)
    kept = float(weight[alive].sum())
    if kept < 0.5:
        return Learned(n=n, misbehaves=None, aligned=None, refuted=1 - kept)
    return Learned(
        n=n,
        misbehaves=float(weight[alive] @ predictive[alive]) / kept,
        aligned=float(weight[alive] @ belief[alive]) / kept,
        refuted=max(0.0, 1 - kept),
    )


def drift(q: float, error: float) -> float:
    """Expected change of the log odds of aligned against misaligned a sample, in nats; infinite for an error of 0.

    >>> round(drift(0.1, 0.01), 3)
    3.676
    """
    _check_share(q)
    Student(error=error)
    if q == 0.5:
        return 0.0
    return (1 - 2 * q) * (math.inf if error == 0 else math.log((1 - error) / error))


def crossover(student: Student, q: float, *, most: int = MOST_SAMPLES) -> int | None:
    """After how many samples does a mixture overtake aligned, in expected log odds? None if not within `most`.

    About `(ln(prior of aligned / prior of mixture) + ln(n) / 2) / KL(q || error)`: half the logarithm of `n` is what a
    hypothesis with a rate of its own pays for fitting it.
    """
    _check_share(q)
    if student.mixture == 0:
        return None
    if student.aligned == 0:
        return 0

    def ahead(n: int) -> bool:
        k = np.arange(n + 1)
        logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, q) + xlog1py(n - k, -q)
        fit = betaln(student.a + k, student.b + n - k) - betaln(student.a, student.b)
        expected = float(np.exp(logs) @ fit)
        rival = float(xlogy(n * q, student.error) + xlog1py(n * (1 - q), -student.error))
        return expected + math.log(student.mixture) >= rival + math.log(student.aligned)

    low, high = 0, 1
    if ahead(0):
        return 0
    while not ahead(high):
        low, high = high, 2 * high
        if high > most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ahead(middle) else (middle, high)
    return high


def kl_bernoulli(q: float, error: float) -> float:
    """KL(q || error) of two coins, in nats."""
    return float(rel_entr(q, error) + rel_entr(1 - q, 1 - error))


def simulate(student: Student, q: float, n: int, *, runs: int, seed: int) -> tuple[float, float]:
    """The student's probability of misbehaviour after `n` sampled lessons, one after the other: mean and standard error.

    Beliefs are multiplied by likelihoods lesson by lesson; the count appears nowhere.
    """
    _check_share(q)
    if student.error == 0 or not 2 <= runs <= MOST_SAMPLES or n < 1:
        raise DataError(
            f"An error above 0, from 2 to {MOST_SAMPLES:,} runs and 1 lesson or more are expected.",
            f"Found {student.error}, {runs} and {n}.",
            "For an error of 0 ask `learned`.",
        )
    rng = np.random.default_rng(seed)
    total = student.aligned + student.misaligned + student.mixture
    belief = np.tile(np.array([student.aligned, student.misaligned, student.mixture]) / total, (runs, 1))
    a, b = np.full(runs, student.a), np.full(runs, student.b)
    for _ in range(n):
        bad = rng.random(runs) < q
        rates = np.stack([np.full(runs, student.error), np.full(runs, 1 - student.error), a / (a + b)], axis=1)
        belief *= np.where(bad[:, None], rates, 1 - rates)
        belief /= belief.sum(axis=1, keepdims=True)
        a, b = a + bad, b + ~bad
    rates = np.stack([np.full(runs, student.error), np.full(runs, 1 - student.error), a / (a + b)], axis=1)
    found = (belief * rates).sum(axis=1)
    return float(found.mean()), float(found.std(ddof=1) / math.sqrt(runs))


def _check_share(q: float) -> None:
    if not 0 <= q <= 1:
        raise DataError("The teacher's share of misbehaviour lies in [0, 1].", f"Found {q}.", "Pass a share.")
