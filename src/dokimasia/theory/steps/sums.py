"""How long do `n` subtasks take? The law of `S_n = T_1 + ... + T_n`, exactly and in the limit.

Exactly, `P(S_n <= t)` is the inverse Laplace transform of `exp(-n s) M(s)**n`, along a path through its saddle point.
Pareto laws are infinitely divisible, so `n` may be any positive real number. In the limit of many subtasks

    a < 1       S_n / n**(1/a) -> one-sided stable law with transform exp(-Gamma(1 - a) s**a)
    a = 1       S_n / n - ln n -> Landau's law plus 1 - Euler's constant
    1 < a < 2   (S_n - n mean) / n**(1/a) -> stable law with transform exp(-Gamma(1 - a) s**a), Gamma being negative
    a >= 2      S_n / n -> mean, with Gaussian fluctuations

so that the median grows like `n**max(1, 1/a)`, with a factor `ln n` at `a = 1`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from dokimasia.core.errors import DataError
from dokimasia.theory.steps.budget import length_at
from dokimasia.theory.steps.path import log_integral
from dokimasia.theory.steps.searching import root
from dokimasia.theory.steps.step import checked_index, mean_time
from dokimasia.theory.steps.transform import log_transform, tilted_moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Complex = NDArray[np.complex128]

MOST_EXACT = 1e12  # subtasks for which a float has digits enough, if `a` is at least 1; below 1 any number is well


def sum_within(time: float, n: float, *, a: float) -> float:
    """How likely are `n` subtasks to be done within `time`? Exact, to some 11 digits; one minus it to as many decimals.

    >>> round(sum_within(4.0, 1, a=0.5), 12)
    0.5
    """
    return math.exp(log_sum_within(time, n, a=a))


def log_sum_within(time: float, n: float, *, a: float) -> float:
    """The logarithm of `sum_within`, right far below the smallest number that a float holds; -inf up to `time = n`."""
    if math.isnan(time):
        raise DataError("A time is expected.", "Found no number.", "Give it in units of the least time of a subtask.")
    return log_spare_within(time - n, n, a=a)


def log_spare_within(spare: float, n: float, *, a: float) -> float:
    """The same of the time that `n` subtasks take beyond the least, `S_n - n`, which may be small beside `n`."""
    checked_index(a)
    _check_count(n)
    if a >= 1 and n > MOST_EXACT:
        raise DataError(
            f"At most {MOST_EXACT:g} subtasks are summed exactly if Q * alpha is at least 1.",
            f"Found {n:g}.",
            "Take the limit laws, `limit_median` and `limit_horizon`.",
        )
    if spare <= 0:
        return -math.inf
    if math.isinf(spare):
        return 0.0

    def slope(log_s: float) -> float:
        s = math.exp(log_s)
        return s * spare - n * tilted_moments(a, s)[0] - 1

    saddle = math.exp(root(slope, -math.log(spare), math.log((n + 1) / spare), tolerance=1e-6))
    start = complex(log_transform(a, np.array([saddle + 0j]))[0])

    def exponent(offset: Complex) -> Complex:
        found = n * (log_transform(a, saddle * (1 + offset[0])) - start) + saddle * spare * offset[0]
        return np.asarray(found[None])

    sharpness = 1 + n * tilted_moments(a, saddle)[1]
    found = saddle * spare + n * start.real + float(log_integral(exponent, np.array([sharpness]))[0])
    return min(found, 0.0)


def time_within(share: float, n: float, *, a: float) -> float:
    """By which time are `n` subtasks done with probability `share`? Exact; infinite where no float is large enough.

    >>> round(time_within(0.5, 1, a=0.5), 9)
    4.0
    """
    checked_index(a)
    if not 1 <= n < math.inf:
        raise DataError("At least one subtask is expected.", f"Found {n}.", "None at all take no time.")
    if not 0 < share < 1:
        raise DataError("A share lies between 0 and 1.", f"Found {share}.", "Pass 0.5 for the median.")
    # if each W is within w with a probability of share**(1 / n), their sum is at least w and at most n w
    log_time = -math.log(-math.expm1(math.log(share) / n)) / a
    least = log_time + math.log(-math.expm1(-log_time))
    low, high = least - 1, min(least + math.log(n) + 1, 709.0)

    def exceeds(log_spare: float) -> float:
        return log_spare_within(math.exp(log_spare), n, a=a) - math.log(share)

    if low > high or exceeds(high) < 0:
        return math.inf
    return n + math.exp(root(exceeds, low, high, tolerance=1e-13))


def limit_median(n: float, *, a: float) -> float:
    """The median of `S_n` that the limit laws give: for large `n`, and slowly reached where `a` is near 1.

    >>> round(limit_median(1.0, a=0.5), 4), round(limit_median(1.0, a=1.0), 4)
    (3.4528, 1.7786)
    """
    _check_count(n)
    if checked_index(a) < 1:
        log_factor = (float(gammaln(1 - a)) - math.log(length_at(0.5, a=a))) / a
        total = log_factor + math.log(n) / a
        return math.exp(total) if total < 700 else math.inf
    if a == 1:
        return n * (math.log(n) + skewed_median(1.0) + 1 - float(np.euler_gamma))
    if a < 2:
        factor = math.exp(float(gammaln(1 - a)) / a)  # of the absolute value of Gamma
        return n * mean_time(a) + skewed_median(a) * factor * math.pow(n, 1 / a)
    return n * mean_time(a)


def median_growth(a: float) -> float:
    """The slope of the median against `n` on logarithmic axes, `max(1, 1 / a)`, for large `n`."""
    return max(1.0, 1 / checked_index(a))


def skewed_median(a: float) -> float:
    """The median of the stable law with `E exp(-s X) = exp(s**a)` for `1 < a < 2`, or `exp(s ln s)`, Landau's, for 1.

    >>> round(skewed_median(1.0), 6)
    1.35578
    """
    if not 1 <= a < 2:
        raise DataError("A stable law of index from 1 up to 2 is expected.", f"Found {a}.", "See `length_at` below 1.")

    def power(s: Complex) -> Complex:
        return np.asarray(s * np.log(s) if a == 1 else s**a)

    def slope(s: float) -> float:
        return math.log(s) + 1 if a == 1 else a * s ** (a - 1)

    def log_within(x: float) -> float:
        saddle = math.exp(root(lambda y: x + slope(math.exp(y)) - math.exp(-y), -300.0, 300.0, tolerance=1e-9))
        sharpness = 1 + (saddle if a == 1 else a * (a - 1) * saddle**a)
        start = complex(power(np.array([saddle + 0j]))[0])
        inner = log_integral(lambda o: saddle * x * o + power(saddle * (1 + o)) - start, np.array([sharpness]))
        return saddle * x + start.real + float(inner[0])

    low, high = (0.0, 3.0) if a == 1 else (-1.0, 1.0)
    return root(lambda x: log_within(x) - math.log(0.5), low, high, tolerance=1e-13)


def _check_count(n: float) -> None:
    if not 0 < n < math.inf:
        raise DataError("A positive number of subtasks is expected.", f"Found {n}.", "None at all take no time.")
