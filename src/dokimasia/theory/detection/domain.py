"""Which parameters a model takes: each check says the domain, and what happens at its edge."""

from __future__ import annotations

import math

from dokimasia.core.errors import DataError


def inside(name: str, value: float, *, low: float = 0.0, high: float = 1.0, edge: str) -> float:
    """`value`, strictly between `low` and `high`; `edge` says what the limit would be."""
    if not low < value < high:
        raise DataError(f"{name} lies strictly between {low:g} and {high:g}.", f"Found {value}.", edge)
    return float(value)


def upto(name: str, value: float, *, high: float = 1.0, edge: str) -> float:
    """`value`, above 0 and at most `high`; `edge` says what happens at 0."""
    if not 0 < value <= high:
        raise DataError(f"{name} lies above 0 and is at most {high:g}.", f"Found {value}.", edge)
    return float(value)


def within(
    name: str, value: float, *, low: float = 0.0, high: float = 1.0, edge: str = "Pass a number in it."
) -> float:
    """`value` in `[low, high]`, finite."""
    if not (low <= value <= high and math.isfinite(value)):
        top = "infinity, exclusive" if high == math.inf else f"{high:g}"
        raise DataError(f"{name} lies between {low:g} and {top}.", f"Found {value}.", edge)
    return float(value)


def whole(name: str, value: float, *, least: int = 1, most: int = 10**15) -> int:
    """`value` as a whole number of at least `least`."""
    if not (math.isfinite(value) and value == int(value) and least <= value <= most):
        raise DataError(
            f"{name} is a whole number from {least} to {most:,}.", f"Found {value}.", "Pass one in that range."
        )
    return int(value)
