"""Who finishes `n` subtasks within a fixed budget? Success against length, in the limit of a large budget.

For `a < 1` the sum of `n` subtasks' times over `n**(1/a)` tends to a one-sided stable law, so that within a budget `B`

    P(success | n) = G(n / scale),   scale = B**a / Gamma(1 - a),
    G(x) = sum_k (-x)**k / (k! Gamma(1 - a k)) = (1 / 2 pi i) int exp(s - x s**a) ds / s,

which says that the number of subtasks done by the time `B` has a Mittag-Leffler law. At `a = 0` this is `exp(-x)`, a
constant hazard per subtask (Ord's half-life); at `a = 1/2` it is `erfc(x / 2)`, which is `erfc(n sqrt(pi / 4 B))`; as `a`
tends to 1 it becomes a step at `x = 1`. The hazard per subtask never falls with `n`.

Failure is summed as the series while `x` is small. Success is the integral through its saddle point, to some 12 digits for
every `a`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expm1, gamma, gammaln, log1p, rgamma

from dokimasia.core.errors import DataError
from dokimasia.theory.steps.path import log_integral
from dokimasia.theory.steps.searching import root

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Complex = NDArray[np.complex128]

TERMS = 52
SMALL = 0.5  # below this, TERMS terms of the series are enough for any a


def budget_scale(budget: float, *, a: float) -> float:
    """How many subtasks is a budget good for, roughly? `budget**a / Gamma(1 - a)`, the unit of length of the curve."""
    _check_index(a)
    if not budget > 0:
        raise DataError(
            "A budget is a positive time.", f"Found {budget}.", "Give it in units of the least time of one."
        )
    return math.exp(a * math.log(budget) - float(gammaln(1 - a)))


def success_probability(n: ArrayLike, *, a: float, scale: ArrayLike = 1.0) -> Array:
    """How likely are `n` subtasks to be done within the budget of this `scale`? In [0, 1], of the shape of `n / scale`.

    Parameters
    ----------
    n, scale:
        Number of subtasks (any real number from 0), and `budget_scale(budget, a=a)`.
    a:
        Index `Q * alpha` of the fastest approach's time, from 0 up to, not including, 1.

    Misleads where the budget is small: it is the limit of large budgets. `sums.sum_within` is exact for any.

    >>> success_probability([0.0, 1.0, 2.0], a=0.0, scale=1.0).round(4)
    array([1.    , 0.3679, 0.1353])

    Feller (1971), An Introduction to Probability Theory II, XIII.8; Ord (2025), arXiv 2505.05115 for a = 0.
    """
    return np.exp(log_success_probability(n, a=a, scale=scale))


def log_success_probability(n: ArrayLike, *, a: float, scale: ArrayLike = 1.0) -> Array:
    """The natural logarithm of `success_probability`, right far below the smallest number that a float holds."""
    x = _ratio(n, scale, a)
    found = np.empty_like(x)
    small = x <= SMALL
    found[small] = np.log1p(-_failure_series(x[small], a))
    found[~small] = _log_success_on_path(x[~small], a)
    return found


def failure_probability(n: ArrayLike, *, a: float, scale: ArrayLike = 1.0) -> Array:
    """One minus `success_probability`, with all its digits where success is nearly certain.

    >>> f"{failure_probability(1e-30, a=0.5):.4e}"
    '5.6419e-31'
    """
    x = _ratio(n, scale, a)
    found = np.empty_like(x)
    small = x <= SMALL
    found[small] = _failure_series(x[small], a)
    found[~small] = -np.expm1(_log_success_on_path(x[~small], a))
    return found


def length_at(share: float, *, a: float, scale: float = 1.0) -> float:
    """How many subtasks are done with probability `share`? The inverse of `success_probability`, a real number.

    >>> round(length_at(0.5, a=0.0), 6), round(length_at(0.8, a=0.0) / length_at(0.5, a=0.0), 3)
    (0.693147, 0.322)
    """
    if not 0 < share < 1:
        raise DataError("A share lies between 0 and 1.", f"Found {share}.", "Pass 0.5 for the usual time horizon.")

    def misses(log_n: float) -> float:
        if share < 0.5:
            return math.log(share) - float(log_success_probability(math.exp(log_n), a=a))
        return float(failure_probability(math.exp(log_n), a=a)) / (1 - share) - 1

    return scale * math.exp(root(misses, -745.0, 40.0, tolerance=1e-14))


def _ratio(n: ArrayLike, scale: ArrayLike, a: float) -> Array:
    _check_index(a)
    length, unit = np.asarray(n, dtype=np.float64), np.asarray(scale, dtype=np.float64)
    if not (length >= 0).all():
        raise DataError("Numbers of subtasks are at least 0.", f"Found {length.min()}.", "Leave out what is no number.")
    if not (unit > 0).all():
        raise DataError("A budget's scale is positive.", f"Found {unit.min()}.", "Pass what `budget_scale` gives.")
    return np.asarray(length / unit)


def _check_index(a: float) -> None:
    if not 0 <= a < 1:
        raise DataError(
            "The limit law of success within a fixed budget needs an index Q * alpha from 0 up to, not including, 1.",
            f"Found {a}.",
            "From 1 on success is a step: at B / ln B subtasks for 1, at B (1 - 1/a) above; ask for the exact sum.",
        )


def _failure_series(x: Array, a: float) -> Array:
    """Sum over k from 1 of `x**k Gamma(a k) sin(pi (1 - a) k) / (pi k!)`, the same as the series of `1 - G`."""
    k = np.arange(1, TERMS + 1)
    if a < 0.5:
        terms = -((-1.0) ** k) * rgamma(1 - a * k) / gamma(k + 1)
    else:
        terms = np.sin(np.pi * (1 - a) * k) / np.pi * np.exp(gammaln(a * k) - gammaln(k + 1))
    return np.asarray(x * np.polynomial.polynomial.polyval(x, terms))


def _log_success_on_path(x: Array, a: float) -> Array:
    """The integral through its saddle; the exponent is written so that no digits cancel where `a` is near 0 or 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        saddle = _saddle(x, a)
        weight = (saddle - 1) / a if a >= 0.5 else x * saddle**a  # x * saddle**a
        found = (1 - (1 - a) * saddle) / a if a >= 0.5 else saddle - weight
        sharpness = 1 + (1 - a) * a * weight
    inside = np.isfinite(found) & np.isfinite(sharpness)
    found[~inside] = -np.inf
    at, by, lead = saddle[inside, None], weight[inside, None], found[inside, None]

    def exponent(offset: Complex) -> Complex:
        if a < 0.5:
            return at * offset - by * expm1(a * log1p(offset))
        return lead * offset - by * (1 + offset) * expm1((a - 1) * log1p(offset))

    found[inside] += log_integral(exponent, sharpness[inside])
    return found


def _saddle(x: Array, a: float) -> Array:
    """The root of `s - a x s**a = 1`, by Newton's method from above, where the left side is convex."""
    if a == 0:
        return np.ones_like(x)
    saddle = np.exp(np.log(a * x) / (1 - a)) + 1 / (1 - a)
    for _ in range(50):
        step = (saddle - a * x * saddle**a - 1) / (1 - a * a * x * saddle ** (a - 1))
        saddle = np.where(np.isfinite(step), saddle - step, saddle)
        if not (np.abs(step) > 4e-16 * saddle).any():  # nan where the saddle is beyond all floats
            break
    return np.asarray(saddle)
