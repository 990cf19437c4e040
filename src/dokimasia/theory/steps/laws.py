"""Times of one approach: the power law of the model, and two laws whose tails are lighter than any power.

Each is at least 1, and has a survival function of its logarithm. The fastest of `Q` has the `Q`-th power of it. A log-normal
time's local tail index grows like the logarithm of the time, a stretched exponential's like its power; the Pareto law's does
not grow, which is what makes its threshold sharp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from dokimasia.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class TimeLaw(Protocol):
    """The law of an approach's time, `X >= 1`."""

    def log_survival(self, log_x: Array) -> Array:
        """`ln P(X > x)` at `ln x >= 0`."""
        ...

    def log_time(self, hazard: Array, approaches: float) -> Array:
        """The `ln x` at which `ln P(X > x)` is minus `hazard / approaches`; may overwrite `hazard`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pareto:
    """`P(X > x) = x**-alpha`."""

    alpha: float

    def __post_init__(self) -> None:
        _check("alpha", self.alpha)

    def log_survival(self, log_x: Array) -> Array:
        return -self.alpha * log_x

    def log_time(self, hazard: Array, approaches: float) -> Array:
        hazard *= 1 / (self.alpha * approaches)
        return hazard


@dataclass(frozen=True, kw_only=True)
class LogNormal:
    """`ln X` is the absolute value of a normal variable of standard deviation `sigma`."""

    sigma: float

    def __post_init__(self) -> None:
        _check("sigma", self.sigma)

    def log_survival(self, log_x: Array) -> Array:
        return np.asarray(math.log(2) + log_ndtr(-log_x / self.sigma))

    def log_time(self, hazard: Array, approaches: float) -> Array:
        return np.asarray(-self.sigma * ndtri_exp(-hazard / approaches - math.log(2)))


@dataclass(frozen=True, kw_only=True)
class Stretched:
    """`P(X > x) = exp(-alpha (x**power - 1) / power)`: the Pareto law as `power` tends to 0, local tail index `alpha x**power`."""

    alpha: float
    power: float

    def __post_init__(self) -> None:
        _check("alpha", self.alpha)
        _check("power", self.power)

    def log_survival(self, log_x: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.asarray(-self.alpha * np.expm1(self.power * log_x) / self.power)

    def log_time(self, hazard: Array, approaches: float) -> Array:
        return np.asarray(np.log1p(self.power * hazard / (self.alpha * approaches)) / self.power)


def _check(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise DataError(
            f"The law's {name} is a positive number.", f"Found {value}.", "Its limits are times of 1 and of no end."
        )
