"""What would a tail of known kind look like in a sample of this size?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from dokimasia.stats.multiplicity import holm_adjusted
from dokimasia.stats.tails.judging import Verdict, verdict
from dokimasia.stats.tails.pareto import exponential_null, fit_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTROLS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "normal": lambda p: -ndtri(p),
    "exponential": lambda p: -np.log(p),
    "Student t, 3 degrees": lambda p: -stdtrit(3, p),
}
"""Quantiles by upper tail probability. Lighter than exponential, exponential, and heavier (xi = 1/3)."""


class Control(NamedTuple):
    """What samples of one law give, `k` by `k`: the median of xi, its 5% and 95% quantiles; and how often each verdict."""

    name: str
    xi: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    verdicts: dict[Verdict, int]
    samples: int

    def share(self, what: Verdict) -> float:
        """How often samples of this law get this verdict."""
        return self.verdicts.get(what, 0) / self.samples


def control_samples(
    n: int, counts: Sequence[int], *, level: float = 0.95, samples: int = 200, nulls: int = 999, seed: int = 0
) -> tuple[Control, ...]:
    """What does the tail test say of `samples` samples of `n` scores whose tail is known?

    Only the largest order statistics are drawn: in terms of tail probabilities they are partial sums of exponentials over the
    sum of all. The test is that of `judge_tail`, with the same exponential samples to compare with.
    """
    rng = np.random.default_rng([seed, n])
    most = max(counts)
    sums = np.cumsum(rng.exponential(size=(samples, most + 1)), axis=1)
    tail = sums / (sums[:, -1:] + rng.gamma(n - most, size=(samples, 1)))
    found = []
    for name, quantile in CONTROLS.items():
        largest = quantile(tail)
        xi, p = np.empty((len(counts), samples)), np.empty((len(counts), samples))
        for place, k in enumerate(counts):
            fits = fit_rows(largest[:, :k] - largest[:, k : k + 1])
            null = exponential_null(k, nulls, seed)
            xi[place] = fits.xi
            p[place] = (1 + nulls - np.searchsorted(null, fits.ratio, side="left")) / (nulls + 1)
        verdicts: dict[Verdict, int] = {}
        for column in range(samples):
            said = verdict(xi[:, column], holm_adjusted(p[:, column]), 1 - level)
            verdicts[said] = verdicts.get(said, 0) + 1
        low, middle, high = (tuple(part.tolist()) for part in np.quantile(xi, [0.05, 0.5, 0.95], axis=1))
        found.append(Control(name, middle, low, high, verdicts, samples))
    return tuple(found)
