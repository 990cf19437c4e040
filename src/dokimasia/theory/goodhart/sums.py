"""The proxy `U = X + V` of independent error X and value V: its tail, and the value that goes with it, by quadrature.

With `A(v) = E[V - E V; V >= v]`, integration by parts gives

    P(U >= t)              = integral of f_V(v) P(X >= t - v)
    E[V - E V; U >= t]     = integral of A(v) f_X(t - v)

where nothing cancels: all integrands are positive, and every digit holds however far out `t` lies. If V is normal then
`A = sd**2 f_V`, so `E[V | U >= t] = sd**2 h(t)` with `h` the hazard rate of U: value follows the hazard, which falls to nought
in a heavier tail, is constant in an exponential one and grows in a lighter one. That is the whole model in one line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.core import DataError
from dokimasia.theory.goodhart.laws import Law

if TYPE_CHECKING:
    from numpy.typing import NDArray

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
NEGLIGIBLE = 60.0
DEEPEST = 200_000.0


class Logs(NamedTuple):
    """Logarithms at one `t`: of the density of U, of P(U >= t), and of E[V - E V; U >= t]."""

    density: float
    survival: float
    upper_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that is value plus independent error."""

    value: Law
    error: Law

    def logs(self, t: float) -> Logs:
        """Density, tail and upper mean of the proxy at `t`."""
        if not math.isfinite(t):
            raise DataError("A threshold is a number.", f"Found {t}.", "See `limit` for what happens far out.")
        edges = self._edges(t)
        at_edges = self._integrands(t, edges)
        kept = np.zeros(len(edges) - 1, dtype=bool)
        for heights in at_edges:
            pairs = np.maximum(heights[1:], heights[:-1])
            kept |= pairs > pairs.max() - NEGLIGIBLE
        half = np.diff(edges)[kept] / 2
        v = ((edges[1:] + edges[:-1])[kept] / 2)[:, None] + half[:, None] * NODES
        scale = np.log(half[:, None] * WEIGHTS)
        return Logs(*(_log_sum(heights + scale) for heights in self._integrands(t, v)))

    def conditional_mean(self, t: float) -> float:
        """`E[V | U >= t]`."""
        found = self.logs(t)
        return self.value.mean + math.exp(found.upper_mean - found.survival)

    def _integrands(self, t: float, v: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        density, error = self.value.log_density(v), self.error.log_density(t - v)
        return density + error, density + self.error.log_survival(t - v), self.value.upper_mean(v) + error

    def _edges(self, t: float) -> NDArray[np.float64]:
        """Panels in v: smooth for value and for error alike, as deep as anything counts."""
        coarse = np.concatenate([self.value.edges(800.0), np.linspace(0.0, t, 65), t - self.error.edges(800.0)])
        best = float(
            np.min([heights[np.isfinite(heights)].max(initial=-np.inf) for heights in self._integrands(t, coarse)])
        )
        depth = 2 * NEGLIGIBLE - best
        if not depth < DEEPEST:
            raise DataError(
                f"A threshold that the proxy exceeds with a probability of exp(-{DEEPEST:,.0f}) or more is expected.",
                f"Found {t:g}.",
                "See `limit` for what happens further out.",
            )
        value, error = self.value.edges(depth), t - self.error.edges(depth)[::-1]
        inside = error[(error > value[0]) & (error < value[-1])]
        return np.unique(np.concatenate([value, inside]))


class Limit(NamedTuple):
    """Where E[V | U >= t] goes as t grows; `value` may be infinite."""

    value: float
    why: str


def limit(proxy: Proxy) -> Limit:
    """Where does the value of what scores highest go, the harder one selects?

    - error heavier than exponential: back to its mean (theorem 5 of arXiv 2407.14503);
    - exponential of rate L: to `E[V exp(L V)] / E[exp(L V)]`, `L sd**2` for a normal value;
    - lighter: to the most that the value can be (theorem 6 there, for a value without bound).

    Supposes that error and value are independent, and that the value's own tail is lighter than the error's, or both lighter
    than exponential: that holds for the values that this module has, normal and uniform ones.
    """
    value, error = proxy.value, proxy.error
    if error.tail == "heavier":
        return Limit(
            value.mean, "the error's tail is heavier than exponential: what scores highest has the largest error"
        )
    if error.tail == "exponential":
        return Limit(
            value.cumulants(error.rate)[1],
            "the error's tail is exponential: the mean of V under the weights exp(rate V)",
        )
    if math.isinf(value.supremum):
        return Limit(math.inf, "error and value are lighter than exponential: both grow")
    return Limit(
        value.supremum, "the error's tail is lighter than exponential: the value reaches the most that it can be"
    )


def _log_sum(logarithms: NDArray[np.float64]) -> float:
    top = float(logarithms.max())
    return top if math.isinf(top) else top + math.log(float(np.exp(logarithms - top).sum()))


def threshold(proxy: Proxy, log_probability: float) -> float:
    """The `t` that the proxy exceeds with this probability, given by its natural logarithm."""
    if not -DEEPEST / 2 < log_probability < 0:
        raise DataError(
            f"The logarithm of a probability between exp(-{DEEPEST / 2:,.0f}) and 1 is expected.",
            f"Found {log_probability:g}.",
            "Pass for example -10.",
        )
    low, high = -1.0, 1.0
    while proxy.logs(low).survival < log_probability:
        low *= 2
    while proxy.logs(high).survival > log_probability:
        high *= 2
    t = (low + high) / 2
    for _ in range(200):
        found = proxy.logs(t)
        low, high = (t, high) if found.survival > log_probability else (low, t)
        step = t + (found.survival - log_probability) * math.exp(found.survival - found.density)
        step = step if low < step < high else (low + high) / 2
        if abs(step - t) <= 1e-14 * abs(t) + 1e-300 or not low < step < high:
            return step
        t = step
    return t
