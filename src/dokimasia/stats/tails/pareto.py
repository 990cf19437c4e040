"""The generalised Pareto distribution over a threshold, by maximum likelihood; is it exponential?

Exceedances `y` of a high threshold have density `(1 + xi y / sigma) ** (-1/xi - 1) / sigma` nearly, whatever they come from
(Balkema and de Haan 1974, Pickands 1975). With `theta = xi / sigma` the likelihood has its maximum over `xi` at
`mean(log(1 + theta y))` for each `theta`, so that one dimension is left (Grimshaw 1993), and many samples are fitted at once.
The smallest `xi` that is fitted is -1, below which the likelihood has no maximum; the largest is about 30.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import chdtri

from dokimasia.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BELOW = 1 - np.geomspace(1e-6, 0.97, 18)
ABOVE = np.geomspace(0.01, 1e9, 26)
"""Where the profile likelihood is first looked at: shares of the way to -1/max(y), multiples of 1/median(y)."""
STEPS = 60
EXACT = 1e-10
NARROW = 1e-7
"""A `theta` below this over max(y) counts as nought: differences of logarithms would lose their digits."""
FEWEST = 10
CELLS = 2_000_000


class Fits(NamedTuple):
    """Fits of many samples, axis (n_samples,): `xi`, `sigma`, and `ratio`, twice the log-likelihood over the exponential's."""

    xi: NDArray[np.float64]
    sigma: NDArray[np.float64]
    ratio: NDArray[np.float64]


class ParetoFit(NamedTuple):
    """One fit. `low` and `high` enclose xi at `level` by profile likelihood; `p` is that of xi = 0, two-sided."""

    xi: float
    low: float
    high: float
    level: float
    sigma: float
    k: int
    ratio: float
    p: float

    @property
    def bounded(self) -> bool:
        """Whether the fit lies at the edge of the domain, xi = -1: a tail that ends as abruptly as a uniform one."""
        return self.xi <= -1


def fit_rows(exceedances: NDArray[np.float64]) -> Fits:
    """Fit each row of `exceedances` (n_samples, k), all of them positive."""
    scale = np.median(exceedances, axis=1)
    y = exceedances / scale[:, None]
    longest, mean = y.max(axis=1), y.mean(axis=1)
    grid = np.concatenate([-BELOW[:, None] / longest, np.repeat(ABOVE[:, None], len(y), axis=1)])
    best = np.argmax([_height(theta, y) for theta in grid], axis=0)
    rows = np.arange(len(y))
    theta = _root(y, grid[np.maximum(best - 1, 0), rows], grid[np.minimum(best + 1, len(grid) - 1), rows])
    xi = np.log1p(theta[:, None] * y).mean(axis=1)
    sigma = np.where(xi <= -1, longest, xi / theta)
    xi = np.maximum(xi, -1.0)
    ratio = 2 * y.shape[1] * (np.where(xi <= -1, 1.0, -xi) + np.log(mean / sigma))
    return Fits(xi, sigma * scale, np.maximum(ratio, 0.0))


def _height(theta: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean log-likelihood at the best xi for each row's theta; -inf where that xi is below -1."""
    xi = np.log1p(theta[:, None] * y).mean(axis=1)
    return np.asarray(np.where(xi < -1, -np.inf, -np.log(xi / theta) - xi - 1))


def _slope(theta: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The slope of that likelihood in theta, up to a positive factor (Grimshaw 1993, equation 2.3)."""
    grown = 1 + theta[:, None] * y
    return np.asarray(((1 + np.log(grown).mean(axis=1)) * (1 / grown).mean(axis=1) - 1) / theta**2)


def _root(y: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the slope falls through nought, by the Illinois variant of false position; an end where it never does."""
    f_low, f_high = _slope(low, y), _slope(high, y)
    at = np.where(f_low <= 0, low, high)
    inside = (f_low > 0) & (f_high < 0)
    side, nought = np.zeros(len(y)), NARROW / y.max(axis=1)
    for _ in range(STEPS):
        if not inside.any():
            break
        step = np.where(inside, (low * f_high - high * f_low) / np.where(inside, f_high - f_low, 1.0), at)
        at = np.where(np.abs(step) < nought, nought, step)
        f_at = _slope(at, y)
        rising = f_at > 0
        f_high = np.where(rising & (side > 0), f_high / 2, np.where(rising, f_high, f_at))
        f_low = np.where(~rising & (side < 0), f_low / 2, np.where(rising, f_at, f_low))
        low, high = np.where(rising, at, low), np.where(rising, high, at)
        side = np.where(rising, 1.0, -1.0)
        inside &= (high - low > EXACT * np.maximum(np.abs(at), 1.0)) & (np.abs(f_at) * np.maximum(at**2, 1.0) > EXACT)
    return at


def fit_pareto(exceedances: ArrayLike, *, level: float = 0.95, nulls: int = 499, seed: int = 0) -> ParetoFit:
    """How heavy is the tail that these exceedances of a threshold come from, and could it be exponential?

    Parameters
    ----------
    exceedances:
        (k,) positive numbers, how far each score lies above the threshold; at least 10.
    level:
        Coverage of the interval of xi, by profile likelihood.
    nulls, seed:
        Exponential samples of the same size that the likelihood ratio of xi = 0 is compared with. It does not depend on
        the scale, so this parametric bootstrap is an exact Monte Carlo test: p is never below `1 / (nulls + 1)`.

    Misleads where scores are tied or depend on one another, and below xi = -1/2, where likelihood loses its usual laws.

    >>> import numpy as np
    >>> fit = fit_pareto(np.random.default_rng(0).exponential(size=400))
    >>> fit.low < 0 < fit.high, fit.p > 0.05
    (True, True)

    Grimshaw (1993), Technometrics 35:185-191; Davison and Smith (1990), JRSS B 52:393-442.
    """
    y = np.asarray(exceedances, dtype=float)
    if y.ndim != 1 or len(y) < FEWEST or not np.isfinite(y).all() or y.min() <= 0:
        raise DataError(
            f"Exceedances are at least {FEWEST} positive numbers.",
            f"Found {y.size}, the smallest {y.min() if y.size else 'none'}.",
            "Subtract the threshold, and keep what lies above it.",
        )
    fits = fit_rows(y[None, :])
    xi, sigma, ratio = (float(part[0]) for part in fits)
    low, high = _interval(y / np.median(y), xi / sigma * float(np.median(y)), ratio, level)
    null = exponential_null(len(y), nulls, seed)
    p = (1 + int(np.sum(null >= ratio))) / (len(null) + 1)
    return ParetoFit(xi=xi, low=low, high=high, level=level, sigma=sigma, k=len(y), ratio=ratio, p=p)


@lru_cache(maxsize=64)
def exponential_null(k: int, nulls: int, seed: int) -> NDArray[np.float64]:
    """Likelihood ratios of xi = 0 in exponential samples of size `k`, ascending."""
    rng = np.random.default_rng([seed, k])
    rows = max(1, CELLS // k)
    parts = [fit_rows(rng.exponential(size=(min(rows, nulls - done), k))).ratio for done in range(0, nulls, rows)]
    return np.asarray(np.sort(np.concatenate(parts)))


def _interval(y: NDArray[np.float64], theta: float, ratio: float, level: float) -> tuple[float, float]:
    """Where twice the profile log-likelihood of xi lies within the chi-squared quantile of its maximum, at `theta`.

    For each theta there is one xi at which theta is best, `1 / mean(1 / (1 + theta y)) - 1`, increasing in theta: the
    profile is traced along theta, and needs no maximisation.
    """
    exponential = -math.log(float(y.mean())) - 1
    target = exponential + (ratio - float(chdtri(1, 1 - level))) / (2 * len(y))
    longest = float(y.max())

    def traced(theta: float) -> tuple[float, float]:
        if abs(theta) * longest < NARROW:
            return 0.0, exponential
        grown = 1 + theta * y
        xi = 1 / float((1 / grown).mean()) - 1
        return xi, -math.log(xi / theta) - (1 + 1 / xi) * float(np.log(grown).mean())

    def crossing(inside: float, outside: float) -> float:
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if traced(middle)[1] >= target else (inside, middle)
        return traced(inside)[0]

    edge = -(1 - EXACT) / longest
    theta = max(theta, edge)
    far = max(theta, 1.0)
    while traced(far)[1] >= target:
        far *= 2
    low = -1.0 if traced(edge)[1] >= target else crossing(theta, edge)
    return low, crossing(theta, far)
