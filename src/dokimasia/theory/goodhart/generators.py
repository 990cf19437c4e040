"""Samples of proxy and gold whose error is planted: independent, dependent, or there in the extreme only.

Each returns the pairs, for whoever wants to know what a method says of them. What the theorems suppose is the first; nothing says
that a real reward obeys it, and both others have limits of their own, whatever the tail.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtr

from dokimasia.core import DataError
from dokimasia.theory.goodhart.laws import HALF_LOG_2PI, Law, positive
from dokimasia.theory.goodhart.sums import NODES, WEIGHTS, Proxy

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pairs(NamedTuple):
    """Proxy and gold of each output, (n,)."""

    proxy: NDArray[np.float64]
    gold: NDArray[np.float64]


def independent(proxy: Proxy, n: int, *, seed: int) -> Pairs:
    """Error that knows nothing of the value."""
    rng = np.random.default_rng(seed)
    value, error = proxy.value.quantile(rng.random(n)), proxy.error.quantile(rng.random(n))
    return Pairs(value + error, value)


def dependent(error: Law, correlation: float, n: int, *, value_sd: float = 1.0, seed: int) -> Pairs:
    """Error that is large where the value is high (positive `correlation`) or low (negative): a normal copula."""
    _check_correlation(correlation)
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(n)
    value = value_sd * (correlation * z + math.sqrt(1 - correlation**2) * rng.standard_normal(n))
    return Pairs(value + error.quantile(ndtr(-z)), value)


def dependent_mean(correlation: float, t: float, *, value_sd: float, error_sd: float) -> float:
    """`E[V | U >= t]` where value and error are normal with this correlation.

    The slope of value on proxy is `sd_v (sd_v + correlation sd_x) / sd_u**2`. It is negative, so that any selection lowers the value,
    if errors run against values by more than `-sd_v / sd_x`: no heavy tail is needed.
    """
    _check_correlation(correlation)
    covariance = value_sd * (value_sd + correlation * error_sd)
    spread = math.sqrt(value_sd**2 + error_sd**2 + 2 * correlation * value_sd * error_sd)
    z = t / spread
    return covariance / spread * math.exp(-z * z / 2 - HALF_LOG_2PI - float(log_ndtr(-z)))


def extremal(n: int, *, turn: float, slope: float, noise: float, seed: int) -> Pairs:
    """A proxy that is right up to a point: beyond `turn` standard deviations the gold score falls by `slope` as the proxy rises.

    The proxy is what both follow plus normal `noise`. A sample that seldom reaches the turn shows nothing of it.
    """
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal(n)
    return Pairs(latent + noise * rng.standard_normal(n), np.minimum(latent, turn - slope * (latent - turn)))


def extremal_mean(u: float, *, turn: float, slope: float, noise: float) -> float:
    """The gold score of `extremal` outputs whose proxy is `u`: `E min(Z, turn - slope (Z - turn))`, Z normal given u."""
    centre, spread = u / (1 + noise**2), noise / math.sqrt(1 + noise**2)
    if spread == 0:
        return min(centre, turn - slope * (centre - turn))
    z = (centre - turn) / spread
    beyond = spread * (z * float(ndtr(z)) + math.exp(-z * z / 2 - HALF_LOG_2PI))
    return centre - (1 + slope) * beyond


def local_error_mean(t: float, *, error_sd: float = 2.0, half: float = 1.0) -> float:
    """`E[V | V + X >= t]` for V standard normal and X normal where `|V| <= half` and nought elsewhere.

    A footnote of *Catastrophic Goodhart* (both versions of its text) gives 0 as the limit for `error_sd` 2 and `half` 1. It is 1,
    or `half` in general: a large proxy needs a large error, so V lies in [-half, half], and the weight there grows like
    `exp(v t / error_sd**2)`, which piles up at the upper end. (That the limit is finite though all tails are light stands.)
    """
    positive("The error's standard deviation", error_sd)
    positive("Half the width", half)
    panels = np.linspace(-half, half, 401)
    wide = np.diff(panels)[:, None] / 2
    v = (panels[1:] + panels[:-1])[:, None] / 2 + wide * NODES
    logs = log_ndtr((v - t) / error_sd) - v**2 / 2 - HALF_LOG_2PI
    outer = max(t, half)
    shift = max(float(logs.max()), float(log_ndtr(-outer)))
    weight = np.exp(logs - shift) * wide * WEIGHTS
    mass = float(weight.sum()) + math.exp(float(log_ndtr(-outer)) - shift)
    mean = float((weight * v).sum()) + _height(outer, shift)
    if t < -half:
        mass += (float(ndtr(-half)) - float(ndtr(t))) * math.exp(-shift)
        mean += _height(t, shift) - _height(half, shift)
    return mean / mass


def _height(x: float, shift: float) -> float:
    """The normal density, over `exp(shift)`."""
    return math.exp(-x * x / 2 - HALF_LOG_2PI - shift)


def _check_correlation(correlation: float) -> None:
    if not -1 < correlation < 1:
        raise DataError(
            "A correlation lies strictly between -1 and 1.",
            f"Found {correlation:g}.",
            "At the ends value and error would be the same thing.",
        )
