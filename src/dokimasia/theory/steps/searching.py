"""Where does an increasing function cross zero? Chandrupatla's method: inverse quadratic interpolation that never fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def root(function: Callable[[float], float], low: float, high: float, *, tolerance: float) -> float:
    """The number in [low, high], within `tolerance`, where `function` crosses zero from below. Its values may be infinite.

    >>> round(root(lambda x: x * x - 2, 0.0, 2.0, tolerance=1e-12), 10)
    1.4142135624

    Chandrupatla (1997), Advances in Engineering Software 28:145-149.
    """
    last, value = high, function(high)
    other, across = low, function(low)
    if across >= 0 or value <= 0:
        return low if across >= 0 else high
    share = 0.5
    while True:
        x = last + share * (other - last)
        found = function(x)
        if (found > 0) == (value > 0):
            third, beyond = last, value
        else:
            third, beyond = other, across
            other, across = last, value
        last, value = x, found
        width = abs(other - last)
        if value == 0 or width <= max(tolerance, 4e-16 * abs(last)):
            return last
        share = 0.5
        if across != beyond:
            xi, phi = (last - other) / (third - other), (value - across) / (beyond - across)
            if phi * phi < xi and (1 - phi) ** 2 < 1 - xi:
                share = value / (across - value) * beyond / (across - beyond)
                share += (third - last) / (other - last) * value / (beyond - value) * across / (beyond - across)
        least = tolerance / 2 / width
        share = min(max(share, least), 1 - least)
