"""KL-regularised optimisation: the policy that maximises `E U - beta KL`, and what a divergence can buy at all.

The optimum weights every output by `exp(U / beta)`. With independent error the weights factor, so the error is tilted by
itself and the value by itself: with `s = 1 / beta` and cumulant functions `K`,

    E V = K_V'(s),   E U = K_V'(s) + K_X'(s),   KL = s E U - K_V(s) - K_X(s).

Theorem 4 of *Catastrophic Goodhart* (arXiv 2407.14503) says that `E V` grows without bound as beta falls. It needs tails that are
lighter than **any** exponential. If the proxy has an exponential tail of rate L, which "light-tailed" as defined there admits,
then `E exp(U / beta)` is infinite for every `beta <= 1 / L`, `E U - beta KL` has no maximum, and the optimum does not exist;
down to there `E V` stays below the limit of conditioning, `K_V'(L)`. With a heavier tail no beta has an optimum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from dokimasia.theory.goodhart.laws import Law, positive
from dokimasia.theory.goodhart.sums import Proxy

HALVINGS = 200


class Optimum(NamedTuple):
    """The KL-regularised optimum: expected value and proxy, and nats from the base policy."""

    value: float
    proxy: float
    kl: float


def smallest_beta(proxy: Proxy) -> float:
    """The beta at and below which there is no optimum: nought if there always is, infinite if there never is."""
    rate = min(proxy.value.rate, proxy.error.rate)
    return math.inf if rate == 0 else 1 / rate


def regularised(proxy: Proxy, beta: float) -> Optimum | None:
    """The policy that maximises `E U - beta KL`, or None where that has no maximum (see `smallest_beta`)."""
    positive("The strength of regularisation, beta,", beta)
    return _tilted(proxy, 1 / beta) if beta > smallest_beta(proxy) else None


def regularised_at(proxy: Proxy, kl: float) -> Optimum | None:
    """The optimum that lies `kl` nats from the base policy, or None where there is none."""
    positive("A divergence", kl)
    rate = min(proxy.value.rate, proxy.error.rate)
    if rate == 0:
        return None
    return _tilted(proxy, _solve(lambda s: _tilted(proxy, s).kl, kl, rate))


def bound(value: Law, kl: float) -> float:
    """The most that E V can be within `kl` nats of the base policy, whatever the proxy and however it depends on the value.

    The infimum over s of `(kl + log E exp(s (V - E V))) / s` (Donsker and Varadhan), `sd sqrt(2 kl)` for a normal value. It is
    attained by tilting with the value itself, and is infinite for a value without exponential moments. It goes to nought with
    `kl`: a policy near the base cannot have lost its value nor gained any, while its proxy may be anything if the error is heavy.
    """
    positive("A divergence", kl)
    if value.rate == 0:
        return math.inf
    if math.isfinite(value.supremum):
        most = _surplus(value, LARGE_TILT / value.supremum)
        if most <= kl:
            return value.supremum
    s = _solve(lambda s: _surplus(value, s), kl, value.rate)
    cumulant, _ = value.cumulants(s)
    return (kl + cumulant) / s


LARGE_TILT = 1e12


def _surplus(value: Law, s: float) -> float:
    cumulant, mean = value.cumulants(s)
    return s * mean - cumulant


def _tilted(proxy: Proxy, s: float) -> Optimum:
    of_value, value = proxy.value.cumulants(s)
    of_error, error = proxy.error.cumulants(s)
    return Optimum(value=value, proxy=value + error, kl=s * (value + error) - of_value - of_error)


def _solve(divergence: Callable[[float], float], kl: float, rate: float) -> float:
    """The tilt at which an increasing divergence is `kl`, below `rate`."""
    low, high = 0.0, 1.0 if math.isinf(rate) else rate
    if math.isinf(rate):
        while divergence(high) < kl:
            high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if divergence(middle) < kl else (low, middle)
    return (low + high) / 2
