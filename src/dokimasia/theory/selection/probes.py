"""Which situation should be tried, to learn most about the motive?

A probe is a situation outside training. Each motive misbehaves there with a probability of its own, so what is seen
in `tries` independent attempts is a binomial count, and what it is expected to tell about the motive is their mutual
information, summed exactly over the counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr, gammaln, logsumexp, xlog1py, xlogy

from dokimasia.core import DataError
from dokimasia.theory.selection.hypotheses import Hypotheses

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


MOST_TRIES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What trying one situation is expected to tell, in bits, of `entropy` bits that are to be learnt.

    `if_clean` and `if_bad` are the motives' shares after no attempt and after every attempt misbehaved, None if that
    cannot happen.
    """

    situation: str
    information: float
    entropy: float
    misbehaves: float
    if_clean: tuple[float, ...] | None
    if_bad: tuple[float, ...] | None


def count_likelihood(rate: ArrayLike, tries: int) -> NDArray[np.float64]:
    """Probability of each number of misbehaviours among `tries`, shape (n_motives, tries + 1)."""
    return np.exp(_log_likelihood(rate, tries))


def _log_likelihood(rate: ArrayLike, tries: int) -> NDArray[np.float64]:
    if not 1 <= tries <= MOST_TRIES:
        raise DataError(
            f"From 1 to {MOST_TRIES:,} attempts at a probe are expected.",
            f"Found {tries}.",
            "With more, all is learnt that the probe can tell.",
        )
    rates, counts = np.asarray(rate, float)[:, None], np.arange(tries + 1.0)
    choose = gammaln(tries + 1) - gammaln(counts + 1) - gammaln(tries - counts + 1)
    return np.asarray(choose + xlogy(counts, rates) + xlog1py(tries - counts, -rates))


def expected_information(share: ArrayLike, rate: ArrayLike, *, tries: int = 1) -> float:
    """How many bits are `tries` attempts expected to tell about which motive it is? In [0, entropy of the shares].

    >>> expected_information([0.5, 0.5], [0.0, 1.0]), expected_information([0.5, 0.5], [0.3, 0.3])
    (1.0, 0.0)
    """
    weights = np.asarray(share, float)
    held = weights > 0
    logs = _log_likelihood(np.asarray(rate, float)[held], tries)
    mixed = logsumexp(logs, b=weights[held, None], axis=0)
    likelihood = np.exp(logs)
    told = np.subtract(logs, mixed, out=np.zeros_like(logs), where=likelihood > 0) / np.log(2)
    return max(0.0, float(weights[held] @ (likelihood * told).sum(axis=1)))


def posterior(share: ArrayLike, rate: ArrayLike, *, misbehaved: int, tries: int) -> NDArray[np.float64] | None:
    """The motives' shares once `misbehaved` of `tries` attempts did; None if no motive allows it."""
    joint = np.asarray(share, float) * count_likelihood(rate, tries)[:, misbehaved]
    return None if joint.sum() == 0 else np.asarray(joint / joint.sum())


def rank_probes(hypotheses: Hypotheses, share: ArrayLike, *, tries: int = 1) -> tuple[Probe, ...]:
    """Every deployment situation as a probe, the most telling first."""
    weights = np.asarray(share, float)
    entropy = float(entr(weights).sum() / np.log(2))

    def told(rate: NDArray[np.float64], misbehaved: int) -> tuple[float, ...] | None:
        after = posterior(weights, rate, misbehaved=misbehaved, tries=tries)
        return None if after is None else tuple(after.tolist())

    probes = [
        Probe(
            situation=situation.name,
            information=expected_information(weights, rate, tries=tries),
            entropy=entropy,
            misbehaves=float(weights @ rate),
            if_clean=told(rate, 0),
            if_bad=told(rate, tries),
        )
        for situation, rate in zip(hypotheses.deployment, hypotheses.misbehaviour.T, strict=True)
    ]
    return tuple(sorted(probes, key=lambda probe: -probe.information))
