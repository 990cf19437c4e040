"""A number that somebody is unsure of: known, spread evenly over a range, or lognormal around a median."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from dokimasia.core import DataError

Array = NDArray[np.float64]


class Uncertain(Protocol):
    """A distribution of one input."""

    def quantile(self, share: ArrayLike) -> Array:
        """The value that lies above this share of the distribution."""
        ...

    def at_least(self, bound: ArrayLike) -> Array:
        """The probability of a value at or above `bound`."""
        ...

    def words(self) -> str:
        """As it is written on the command line."""
        ...

    def spoken(self, unit: str = "") -> str:
        """As it is said in a sentence; `%` as the unit makes shares percentages."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """A number without uncertainty."""

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise DataError("A finite number is expected.", f"Found {self.value}.", "Give a number.")

    def quantile(self, share: ArrayLike) -> Array:
        return np.full(np.shape(share), self.value)

    def at_least(self, bound: ArrayLike) -> Array:
        return np.where(np.asarray(bound) <= self.value, 1.0, 0.0)

    def words(self) -> str:
        return f"{self.value:g}"

    def spoken(self, unit: str = "") -> str:
        return _said(self.value, unit)


@dataclass(frozen=True, slots=True)
class Between:
    """Anything from `low` to `high`, each value as likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise DataError("A range LOW:HIGH is expected.", f"Found {self.words()}.", "Put the smaller number first.")

    def quantile(self, share: ArrayLike) -> Array:
        return self.low + (self.high - self.low) * np.asarray(share, dtype=float)

    def at_least(self, bound: ArrayLike) -> Array:
        return np.clip((self.high - np.asarray(bound, dtype=float)) / (self.high - self.low), 0.0, 1.0)

    def words(self) -> str:
        return f"{self.low:g}:{self.high:g}"

    def spoken(self, unit: str = "") -> str:
        return f"{_said(self.low, unit)} to {_said(self.high, unit)}"


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Right within a `factor`, either way, about two times in three: the logarithm's standard deviation is `ln factor`."""

    median: float
    factor: float

    def __post_init__(self) -> None:
        if not (0.0 < self.median < math.inf and 1.0 < self.factor < math.inf):
            raise DataError(
                "A lognormal is expected as MEDIANxFACTOR, median above 0 and factor above 1.",
                f"Found {self.words()}.",
                "A factor of 1 would be certainty: give the number alone.",
            )

    def quantile(self, share: ArrayLike) -> Array:
        return np.asarray(self.median * np.exp(math.log(self.factor) * ndtri(np.asarray(share, dtype=float))))

    def at_least(self, bound: ArrayLike) -> Array:
        above = np.asarray(bound, dtype=float)
        with np.errstate(divide="ignore"):
            return np.asarray(ndtr((math.log(self.median) - np.log(np.maximum(above, 0.0))) / math.log(self.factor)))

    def words(self) -> str:
        return f"{self.median:g}x{self.factor:g}"

    def spoken(self, unit: str = "") -> str:
        return f"about {_said(self.median, unit)}, within a factor of {self.factor:g}"


def parse_uncertain(text: str) -> Uncertain:
    """Read `0.2`, `0.1:0.3` (evenly between) or `0.1x2` (lognormal: median times or divided by a factor)."""
    try:
        if ":" in text:
            low, high = (float(part) for part in text.split(":"))
            return Between(low, high)
        if "x" in text:
            median, factor = (float(part) for part in text.split("x"))
            return Lognormal(median, factor)
        return Known(float(text))
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            "A number, a range or a lognormal is expected: 0.2, 0.1:0.3 or 0.1x2.",
            f"Found {text!r}.",
            "Write one of them.",
        ) from None


def _said(value: float, unit: str) -> str:
    return f"{100.0 * value:g}%" if unit == "%" else f"{value:g}"
