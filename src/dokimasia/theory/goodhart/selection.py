"""Best of n: draw n outputs, keep the one that the proxy likes best. What is its value?

Given the second largest proxy, the largest is a draw from what lies above it. So for `n >= 2`

    E[V of the best] = E[ E[V | U >= t] ],   t the second largest of n proxies,

with density `n (n - 1) F(t)**(n - 2) f(t) P(U >= t)`: best of n is conditioning at a threshold that moves with n, and goes
where `E[V | U >= t]` goes. With normal value and error it is `sd_v**2 / sd_u` times the mean of the largest of n normals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.core import DataError
from dokimasia.theory.goodhart.sums import NODES, WEIGHTS, Proxy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]
    Rows = NDArray[np.float64]

MARGIN = 45.0
NEGLIGIBLE = 36.0
BLOCK = 1 << 20
MOST_REPLICATES = 1_000_000


class Simulated(NamedTuple):
    """A Monte Carlo mean with its standard error, of `n` replicates."""

    mean: float
    error: float
    n: int


def best_of_n(proxy: Proxy, counts: Sequence[int]) -> tuple[float, ...]:
    """The expected value of the best of n by the proxy, for each n of `counts`, by quadrature.

    Any n from 1 to 10^12; all of them share one pass over the tail.
    """
    _check(counts)
    larger = [n for n in counts if n > 1]
    if not larger:
        return (proxy.value.mean,) * len(counts)
    weights, logs = _pass(proxy, min(larger), max(larger))
    found = []
    for n in counts:
        gain = float(np.exp(_integrand(n, logs)) @ weights) if n > 1 else 0.0
        found.append(proxy.value.mean + gain)
    return tuple(found)


def _integrand(n: int, logs: Rows) -> Reals:
    """Logarithm of the second largest's density times `E[V - E V | U >= t]`."""
    density, survival, upper_mean = logs
    below = np.log1p(-np.minimum(np.exp(survival), 1 - 1e-16))
    return np.asarray(math.log(n) + math.log(n - 1) + (n - 2) * below + density + upper_mean)


def _pass(proxy: Proxy, fewest: int, most: int) -> tuple[Reals, Rows]:
    """Weights of nodes in t, and the logarithms there, wherever any n between the two has something to add."""
    depth = math.log(most) + MARGIN
    edges = np.unique(np.concatenate([proxy.value.edges(depth), proxy.error.edges(depth)]))
    at_edges = _rows(proxy, edges)
    widths = np.log(np.gradient(edges))
    kept = np.zeros(len(edges) - 1, dtype=bool)
    for n in (fewest, most):
        heights = _integrand(n, at_edges) + widths
        kept |= np.maximum(heights[1:], heights[:-1]) > heights.max() - NEGLIGIBLE
    half = np.diff(edges)[kept][:, None] / 2
    t = (edges[1:] + edges[:-1])[kept][:, None] / 2 + half * NODES
    return (half * WEIGHTS).ravel(), _rows(proxy, t.ravel())


def _rows(proxy: Proxy, points: Reals) -> Rows:
    return np.asarray([proxy.logs(float(t)) for t in points]).T


def simulate_best_of_n(proxy: Proxy, n: int, *, replicates: int, seed: int) -> Simulated:
    """The same by drawing: memory does not grow with the number of replicates."""
    _check([n])
    if not 2 <= replicates <= MOST_REPLICATES:
        raise DataError(
            f"A simulation takes from two replicates to {MOST_REPLICATES:,}.",
            f"Found {replicates}.",
            "Pass for example 1000.",
        )
    rng = np.random.default_rng([seed, n])
    best = np.empty(replicates)
    rows = max(1, BLOCK // n)
    for start in range(0, replicates, rows):
        size = min(rows, replicates - start)
        top, kept = np.full(size, -np.inf), np.empty(size)
        for done in range(0, n, BLOCK):
            shape = (size, min(BLOCK, n - done))
            value = proxy.value.quantile(rng.random(shape))
            scores = value + proxy.error.quantile(rng.random(shape))
            place = scores.argmax(axis=1)
            row = np.arange(size)
            better = scores[row, place] > top
            top = np.where(better, scores[row, place], top)
            kept = np.where(better, value[row, place], kept)
        best[start : start + size] = kept
    return Simulated(float(best.mean()), float(best.std(ddof=1)) / math.sqrt(replicates), replicates)


def _check(counts: Sequence[int]) -> None:
    bad = [n for n in counts if n != int(n) or not 1 <= n <= 10**12]
    if bad:
        raise DataError(
            "Best of n takes whole numbers from 1 to 10^12.",
            f"Found {bad[0]}.",
            "See `limit` for what happens without bound.",
        )
