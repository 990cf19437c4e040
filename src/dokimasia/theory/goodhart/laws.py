"""Laws of value and error: densities, tails and cumulants, with the panels on which quadrature finds them smooth.

What decides about optimisation is how the tail of the error compares with an exponential one:

- *heavier* (subexponential: Student t, log-normal): a large sum is large by its error;
- *exponential*: value and error share it in fixed parts;
- *lighter* (normal): both must be large, the value with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from scipy.special import gammaln, log_ndtr, ndtri, stdtr, stdtrit

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

Tail = Literal["lighter", "exponential", "heavier"]
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Law(Protocol):
    """A law on the real line, by logarithms, so that no tail underflows."""

    @property
    def name(self) -> str:
        """As in a legend."""
        ...

    @property
    def tail(self) -> Tail:
        """The upper tail, against an exponential one."""
        ...

    @property
    def rate(self) -> float:
        """The `s` from which on `E exp(s X)` is infinite: nought for a heavier tail, infinite for a lighter one."""
        ...

    @property
    def mean(self) -> float:
        """The expectation."""
        ...

    @property
    def supremum(self) -> float:
        """The upper end of the support."""
        ...

    def log_density(self, x: Reals) -> Reals:
        """Logarithm of the density."""
        ...

    def log_survival(self, x: Reals) -> Reals:
        """Logarithm of the probability of `x` or more."""
        ...

    def upper_mean(self, x: Reals) -> Reals:
        """Logarithm of `E[X - mean; X >= x]`, which is positive."""
        ...

    def cumulants(self, s: float) -> tuple[float, float]:
        """`log E exp(s X)` and its derivative, for `0 <= s < rate`."""
        ...

    def quantile(self, uniform: Reals) -> Reals:
        """The value that is exceeded with this probability."""
        ...

    def edges(self, depth: float) -> Reals:
        """Ends of panels on each of which the density is smooth, as far as its logarithm is above `-depth` or so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """Normal with mean 0: the lighter tail."""

    sd: float

    def __post_init__(self) -> None:
        positive("A standard deviation", self.sd)

    @property
    def name(self) -> str:
        return "normal"

    @property
    def tail(self) -> Tail:
        return "lighter"

    @property
    def rate(self) -> float:
        return math.inf

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def supremum(self) -> float:
        return math.inf

    def log_density(self, x: Reals) -> Reals:
        return -0.5 * (x / self.sd) ** 2 - (HALF_LOG_2PI + math.log(self.sd))

    def log_survival(self, x: Reals) -> Reals:
        return np.asarray(log_ndtr(-x / self.sd))

    def upper_mean(self, x: Reals) -> Reals:
        return self.log_density(x) + 2 * math.log(self.sd)

    def cumulants(self, s: float) -> tuple[float, float]:
        return 0.5 * (s * self.sd) ** 2, s * self.sd**2

    def quantile(self, uniform: Reals) -> Reals:
        return np.asarray(-self.sd * ndtri(uniform))

    def edges(self, depth: float) -> Reals:
        half = math.ceil(2 * math.sqrt(2 * depth)) / 2
        return self.sd * np.linspace(-half, half, round(4 * half) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """Evenly between `-half` and `half`: a value that is bounded."""

    half: float

    def __post_init__(self) -> None:
        positive("Half a width", self.half)

    @property
    def name(self) -> str:
        return "uniform"

    @property
    def tail(self) -> Tail:
        return "lighter"

    @property
    def rate(self) -> float:
        return math.inf

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def supremum(self) -> float:
        return self.half

    def log_density(self, x: Reals) -> Reals:
        return np.where(np.abs(x) <= self.half, -math.log(2 * self.half), -np.inf)

    def log_survival(self, x: Reals) -> Reals:
        with np.errstate(divide="ignore"):
            return np.log(np.clip((self.half - x) / (2 * self.half), 0.0, 1.0))

    def upper_mean(self, x: Reals) -> Reals:
        with np.errstate(divide="ignore"):
            return np.log(np.maximum((self.half - x) * (self.half + x), 0.0)) - math.log(4 * self.half)

    def cumulants(self, s: float) -> tuple[float, float]:
        a = s * self.half
        if a < 1e-3:
            return a * a / 6 - a**4 / 180, self.half * (a / 3 - a**3 / 45)
        return a + math.log(-math.expm1(-2 * a) / (2 * a)), self.half * (1 / math.tanh(a) - 1 / a)

    def quantile(self, uniform: Reals) -> Reals:
        return self.half * (1 - 2 * uniform)

    def edges(self, depth: float) -> Reals:
        return self.half * np.linspace(-1, 1, 17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """Exponential with standard deviation (and mean) `sd`."""

    sd: float

    def __post_init__(self) -> None:
        positive("A standard deviation", self.sd)

    @property
    def name(self) -> str:
        return "exponential"

    @property
    def tail(self) -> Tail:
        return "exponential"

    @property
    def rate(self) -> float:
        return 1 / self.sd

    @property
    def mean(self) -> float:
        return self.sd

    @property
    def supremum(self) -> float:
        return math.inf

    def log_density(self, x: Reals) -> Reals:
        return np.where(x >= 0, -np.maximum(x, 0.0) / self.sd - math.log(self.sd), -np.inf)

    def log_survival(self, x: Reals) -> Reals:
        return -np.maximum(x, 0.0) / self.sd

    def upper_mean(self, x: Reals) -> Reals:
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(x, 0.0)) - np.maximum(x, 0.0) / self.sd

    def cumulants(self, s: float) -> tuple[float, float]:
        return -math.log1p(-s * self.sd), self.sd / (1 - s * self.sd)

    def quantile(self, uniform: Reals) -> Reals:
        return -self.sd * np.log(uniform)

    def edges(self, depth: float) -> Reals:
        return self.sd * np.linspace(0, depth, math.ceil(depth / 2) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentT:
    """Student's t with `degrees` of freedom, scaled to standard deviation `sd`: a power law."""

    degrees: float
    sd: float

    def __post_init__(self) -> None:
        positive("A standard deviation", self.sd)
        if not 2 < self.degrees < math.inf:
            raise DataError(
                "Degrees of freedom lie above 2, where the standard deviation is finite.",
                f"Found {self.degrees:g}.",
                "Pass for example 3; without bound the law becomes normal.",
            )

    @property
    def name(self) -> str:
        return f"Student t, {self.degrees:g} degrees"

    @property
    def tail(self) -> Tail:
        return "heavier"

    @property
    def rate(self) -> float:
        return 0.0

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def supremum(self) -> float:
        return math.inf

    @property
    def scale(self) -> float:
        """What a standard t is multiplied by."""
        return self.sd * math.sqrt(1 - 2 / self.degrees)

    def _grown(self, x: Reals) -> Reals:
        """`log(1 + z**2 / degrees)` of the standardised `x`, which may be as large as a float can be."""
        with np.errstate(divide="ignore"):
            return np.logaddexp(0.0, 2 * np.log(np.abs(x / self.scale)) - math.log(self.degrees))

    def log_density(self, x: Reals) -> Reals:
        nu = self.degrees
        front = float(gammaln((nu + 1) / 2) - gammaln(nu / 2)) - 0.5 * math.log(nu * math.pi) - math.log(self.scale)
        return front - (nu + 1) / 2 * self._grown(x)

    def log_survival(self, x: Reals) -> Reals:
        far = x > FAR * self.scale
        outer = np.where(far, x, FAR * self.scale)
        power_law = self.log_density(outer) + np.log(outer / self.degrees)
        return np.where(far, power_law, np.log(stdtr(self.degrees, -np.where(far, 0.0, x) / self.scale)))

    def upper_mean(self, x: Reals) -> Reals:
        nu = self.degrees
        return self.log_density(x) + math.log(self.scale**2 * nu / (nu - 1)) + self._grown(x)

    def cumulants(self, s: float) -> tuple[float, float]:
        return (0.0, 0.0) if s == 0 else (math.inf, math.inf)

    def quantile(self, uniform: Reals) -> Reals:
        return np.asarray(-self.scale * stdtrit(self.degrees, uniform))

    def edges(self, depth: float) -> Reals:
        return _symmetric(self.scale, min(depth / (self.degrees + 1), LARGEST) + 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """Log-normal with standard deviation `sd`, `spread` being that of its logarithm: heavier, though all moments exist."""

    spread: float
    sd: float

    def __post_init__(self) -> None:
        positive("A standard deviation", self.sd)
        positive("The standard deviation of the logarithm", self.spread)

    @property
    def name(self) -> str:
        return "log-normal"

    @property
    def tail(self) -> Tail:
        return "heavier"

    @property
    def rate(self) -> float:
        return 0.0

    @property
    def _centre(self) -> float:
        return math.log(self.sd) - 0.5 * (self.spread**2 + math.log(math.expm1(self.spread**2)))

    @property
    def mean(self) -> float:
        return math.exp(self._centre + self.spread**2 / 2)

    @property
    def supremum(self) -> float:
        return math.inf

    def _z(self, x: Reals) -> Reals:
        with np.errstate(divide="ignore"):
            return (np.log(np.maximum(x, 0.0)) - self._centre) / self.spread

    def log_density(self, x: Reals) -> Reals:
        z = np.where(x > 0, self._z(np.where(x > 0, x, 1.0)), 0.0)
        return np.where(
            x > 0, -0.5 * z**2 - HALF_LOG_2PI - math.log(self.spread) - (self._centre + self.spread * z), -np.inf
        )

    def log_survival(self, x: Reals) -> Reals:
        return np.asarray(log_ndtr(-self._z(x)))

    def upper_mean(self, x: Reals) -> Reals:
        z = self._z(x)
        low, high = np.where(z < 0, z - self.spread, -z), np.where(z < 0, z, self.spread - z)
        high = np.maximum(high, -1e100)
        share = log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))
        return np.asarray(share + math.log(self.mean))

    def cumulants(self, s: float) -> tuple[float, float]:
        return (0.0, self.mean) if s == 0 else (math.inf, math.inf)

    def quantile(self, uniform: Reals) -> Reals:
        return np.exp(self._centre - self.spread * ndtri(uniform))

    def edges(self, depth: float) -> Reals:
        half = math.ceil(2 * (math.sqrt(2 * depth) + self.spread)) / 2
        z = np.linspace(-half, half, round(4 * half) + 1)
        return np.concatenate([[0.0], np.exp(np.minimum(self._centre + self.spread * z, LARGEST))])


FAR = 1e7
"""From so many scales on, a t's tail is a power law to the last digit."""
LARGEST = 600.0
"""Logarithm of the largest number that anything is evaluated at."""


def _symmetric(scale: float, logarithm: float) -> Reals:
    """Panels that widen with distance from nought, out to `scale * exp(logarithm)`."""
    near = np.arange(0.0, 2.0, 0.25)
    far = np.exp(np.arange(math.log(2.0), max(logarithm, 1.0), 0.3))
    side = np.concatenate([near, far])
    return scale * np.concatenate([-side[:0:-1], side])


def positive(what: str, value: float) -> None:
    """Refuse what is not positive and finite."""
    if not 0 < value < math.inf:
        raise DataError(
            f"{what} is positive and finite.",
            f"Found {value:g}.",
            "At nought that part of the proxy would be constant.",
        )
