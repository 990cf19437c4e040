"""Numbers as text, with bounds rounded outward so that what is printed is never better than what was found."""

from __future__ import annotations

import math


def percent_up(rate: float, digits: int = 1) -> str:
    """An upper bound in percent, rounded up.

    >>> percent_up(0.17032)
    '17.1%'
    """
    return _percent(math.ceil(round(rate * 100 * 10**digits, 6)) / 10**digits, digits)


def percent_down(rate: float, digits: int = 1) -> str:
    """A lower bound in percent, rounded down.

    >>> percent_down(0.17092)
    '17.0%'
    """
    return _percent(math.floor(round(rate * 100 * 10**digits, 6)) / 10**digits, digits)


def percent(rate: float, digits: int = 1) -> str:
    """A rate in percent, to the nearest."""
    return _percent(rate * 100, digits)


def percent_range(low: float, high: float) -> str:
    """An interval in percent, ends rounded outward.

    >>> percent_range(0.1234, 0.4321)
    '[12.3%, 43.3%]'
    """
    return f"[{percent_down(low)}, {percent_up(high)}]"


def number_up(value: float, digits: int = 3) -> str:
    """An upper end, rounded up."""
    return f"{math.ceil(round(value * 10**digits, 6)) / 10**digits:.{digits}f}"


def number_down(value: float, digits: int = 3) -> str:
    """A lower end, rounded down."""
    return f"{math.floor(round(value * 10**digits, 6)) / 10**digits:.{digits}f}"


def counted(n: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "item"), counted(1200, "item")
    ('1 item', '1,200 items')
    """
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def _percent(value: float, digits: int) -> str:
    return "100%" if value == 100 else f"{value:.{digits}f}%"
