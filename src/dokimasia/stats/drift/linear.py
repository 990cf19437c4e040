"""Where does conversation carry it? The linear map from turn to turn, `x' = A x + b + noise`, over several conversations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from dokimasia.core.errors import DataError
from dokimasia.core.rounding import counted
from dokimasia.stats.drift.resampling import Resampler, jackknifed, radius_of
from dokimasia.stats.drift.turns import Turns, gathered, sums
from dokimasia.stats.roc import Figure

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FEWEST_CONVERSATIONS = 3
DRAWS = 399
LARGEST_RADIUS = 1.5
"""Radii beyond it are not told apart: an interval that reaches it is unbounded above."""
STEPS = 9
SMALLEST_SHAPE = 1e-3
WORST_CONDITION = 1e10


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearMap:
    """A map `x' = matrix x + constant + noise` from one turn to the next, by least squares.

    `radius` is the spectral radius: below 1 the map carries every start to `fixed_point`, the more quickly the smaller it
    is. Its value is median-unbiased, which that of `matrix` is not. `spread` is the standard deviation of turns long after
    the start, infinite where the map does not settle. Units are those of the coordinates; one `Figure` a coordinate.
    """

    matrix: NDArray[np.float64]
    constant: NDArray[np.float64]
    noise: NDArray[np.float64]
    radius: Figure
    fixed_point: tuple[Figure, ...]
    spread: tuple[Figure, ...]
    conversations: int
    pairs: int
    missing: int
    confidence: float

    @property
    def half_life(self) -> Figure:
        """Turns until half of a displacement from the fixed point is left, in the direction that returns most slowly."""
        return Figure(*(half_life(end) for end in self.radius))

    def after(self, points: ArrayLike) -> NDArray[np.float64]:
        """Where the map carries points (..., k) in one turn."""
        return np.asarray(np.asarray(points, float) @ self.matrix.T + self.constant)


def half_life(radius: float) -> float:
    """Turns until half is left at this spectral radius: `ln(1/2) / ln(radius)`; infinite from 1 on.

    >>> half_life(0.5), half_life(1.0)
    (1.0, inf)
    """
    return 0.0 if radius <= 0 else math.inf if radius >= 1 else math.log(0.5) / math.log(radius)


def linear_map(
    trajectories: Sequence[ArrayLike], *, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> LinearMap:
    """Where does the turn-to-turn map lead, and how quickly?

    Parameters
    ----------
    trajectories:
        Conversations, arrays of axes (n_turns, k), k from 1 to 3; a turn with a NaN is missing, and no pair spans it.
    draws:
        Simulated sets of conversations behind each tried radius.

    The interval of the radius inverts a test by simulation from maps of a given radius, once of the fitted shape and once
    returning alike in all directions, and takes in what either admits. The fixed point's is Fieller's for the ratio
    `adj(I - A) b / det(I - A)`, with jackknife covariances over conversations and Student's quantile; it is the whole line
    where a map without a fixed point cannot be excluded. The spread's is a jackknife of its logarithm, widened above to
    the spread at the highest radius that is admitted: without an end where that is 1.

    Misleads where conversations differ in what they return to (the map then looks slower than each is) and where the
    coordinates carry much noise of measurement (it looks quicker).
    """
    turns = gathered(trajectories)
    check(turns)
    collected = sums(turns.points, turns.paired)
    fitted, apart = collected.fitted(), collected.without_each()
    matrix, constant = fitted[1:].T, fitted[0]
    residual = turns.after - turns.before @ matrix.T - constant
    noise = residual.T @ residual / (turns.pairs - turns.k - 1)
    student = float(stdtrit(turns.n - 1, 0.5 + confidence / 2))
    radius = _radius(turns, matrix, Resampler.of(turns, draws=draws, seed=seed), (1 - confidence) / 2)
    return LinearMap(
        matrix=matrix,
        constant=constant,
        noise=noise,
        radius=radius,
        fixed_point=_fixed_point(fitted, apart, student),
        spread=_spread(turns, noise, fitted, apart, student, radius),
        conversations=turns.n,
        pairs=turns.pairs,
        missing=turns.missing,
        confidence=confidence,
    )


def shortfall(turns: Turns) -> str | None:
    """Why no map can be fitted to so little, or None."""
    most = int(np.bincount(turns.owner).max()) if turns.pairs else 0
    needed = 2 * (turns.k + 1)
    if turns.n < FEWEST_CONVERSATIONS:
        return f"{counted(turns.n, 'conversation')} with two turns in a row; at least {FEWEST_CONVERSATIONS} are needed"
    if turns.pairs - most < needed:
        return f"{counted(turns.pairs - most, 'pair')} of turns without the longest conversation; at least {needed} are needed"
    return None


def check(turns: Turns) -> None:
    """Raise unless a map can be fitted with each conversation left out, and something is left that it does not predict."""
    short = shortfall(turns)
    if short is not None:
        raise DataError("Enough turns for a map are expected.", f"Found {short}.", "Add conversations.")
    square = sums(turns.points - turns.visited.mean(axis=0), turns.paired).square
    apart = square.sum(axis=0) - square
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", apart), 1e-300))
    if np.linalg.cond(apart / (scale[:, :, None] * scale[:, None, :])).max() > WORST_CONDITION:
        raise DataError(
            "Turns that vary in every coordinate are expected.",
            "Found some that are alike, or vary together.",
            "Keep fewer coordinates, or look at what the model says.",
        )
    fitted = sums(turns.points, turns.paired).fitted()
    left = (turns.after - turns.before @ fitted[1:] - fitted[0]) / turns.visited.std(axis=0)
    if np.linalg.eigvalsh(left.T @ left).min() * WORST_CONDITION < turns.pairs:
        raise DataError(
            "Turns that follow one another with some chance are expected.",
            "Found that a map predicts them exactly.",
            "Look at what the model says: it may repeat itself.",
        )


def _radius(turns: Turns, matrix: NDArray[np.float64], resampler: Resampler, tail: float) -> Figure:
    observed = jackknifed(turns.points, turns.paired)
    shapes = [np.eye(turns.k)]
    if observed.value > SMALLEST_SHAPE and not np.allclose(matrix / observed.value, shapes[0]):
        shapes.append(matrix / observed.value)
    solved = []
    for shape in shapes:
        share_below = cache(partial(resampler.share_below, observed, shape))
        solved.append([_solved(share, share_below) for share in (1 - tail, 0.5, tail)])
    low, high = min(one[0] for one in solved), max(one[2] for one in solved)
    value = min(max(solved[-1][1], low), high)
    return Figure(value, low, math.inf if high >= LARGEST_RADIUS else high)


def _solved(share: float, share_below: Callable[[float], float]) -> float:
    """The radius at which this share of simulated estimates lies as low as the observed one."""
    low, high = 0.0, LARGEST_RADIUS
    for _ in range(STEPS):
        middle = (low + high) / 2
        if share_below(middle) > share:
            low = middle
        else:
            high = middle
    return 0.0 if low == 0 else LARGEST_RADIUS if high == LARGEST_RADIUS else (low + high) / 2


def _fixed_point(fitted: NDArray[np.float64], apart: NDArray[np.float64], student: float) -> tuple[Figure, ...]:
    """Fieller's interval of each coordinate of `(I - A)^-1 b`, a ratio with the same denominator for all."""
    above, below = _ratio(fitted)
    above_apart, below_apart = _ratio(apart)
    figures = []
    for j, top in enumerate(above):
        covariance = np.cov(above_apart[:, j], below_apart, bias=True) * (len(apart) - 1)
        value = float(top / below) if below else math.nan
        figures.append(Figure(value, *_fieller(float(top), float(below), covariance * student**2)))
    return tuple(figures)


def _ratio(fitted: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`adj(I - A) b`, (..., k), and `det(I - A)`, (...), by Cramer's rule."""
    rest = np.eye(fitted.shape[-1]) - np.swapaxes(fitted[..., 1:, :], -1, -2)
    columns = []
    for j in range(fitted.shape[-1]):
        replaced = rest.copy()
        replaced[..., :, j] = fitted[..., 0, :]
        columns.append(np.linalg.det(replaced))
    return np.stack(columns, axis=-1), np.asarray(np.linalg.det(rest))


def _fieller(above: float, below: float, joint: NDArray[np.float64]) -> tuple[float, float]:
    """Ratios that `above - ratio * below = 0` does not contradict, from the joint covariance times the squared quantile."""
    a, b, c = below**2 - joint[1, 1], above * below - joint[0, 1], above**2 - joint[0, 0]
    if a <= 0:  # a map without a fixed point is not excluded
        return -math.inf, math.inf
    reach = math.sqrt(max(float(b * b - a * c), 0.0)) / a
    return float(b / a - reach), float(b / a + reach)


def stationary_covariance(matrix: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """The covariance S = A S A' + noise of turns long after the start; infinite where the map does not settle."""
    k = len(matrix)
    if radius_of(matrix) >= 1:
        return np.full((k, k), math.inf)
    solved = np.linalg.solve(np.eye(k * k) - np.kron(matrix, matrix), noise.ravel())
    return np.asarray(solved.reshape(k, k))


def _spread(
    turns: Turns,
    noise: NDArray[np.float64],
    fitted: NDArray[np.float64],
    apart: NDArray[np.float64],
    student: float,
    radius: Figure,
) -> tuple[Figure, ...]:
    whole = _log_spread(fitted, noise)
    each = np.array([_log_spread(one, _noise_without(turns, one, left)) for left, one in enumerate(apart)])
    found, n, most = radius_of(fitted[1:].T), turns.n, np.full(turns.k, math.inf)
    if radius.high < 1 and found > 0:
        slowest = fitted.copy()
        slowest[1:] *= radius.high / found
        most = _log_spread(slowest, noise)
    figures = []
    for value, others, end in zip(whole, each.T, most, strict=True):
        if not math.isfinite(value) or not np.isfinite(others).all():
            figures.append(Figure(math.exp(value), 0.0, math.inf))
            continue
        centre = n * value - (n - 1) * others.mean()
        reach = student * math.sqrt((n - 1) * float(others.var()))
        low, high = min(centre - reach, value), max(centre + reach, value, end)
        figures.append(
            Figure(*(math.exp(min(log, 700.0)) if log < math.inf else math.inf for log in (value, low, high)))
        )
    return tuple(figures)


def _log_spread(fitted: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(np.diag(stationary_covariance(fitted[1:].T, noise)), 1e-300)) / 2)


def _noise_without(turns: Turns, fitted: NDArray[np.float64], left: int) -> NDArray[np.float64]:
    kept = turns.owner != left
    residual = turns.after[kept] - turns.before[kept] @ fitted[1:] - fitted[0]
    return np.asarray(residual.T @ residual / (kept.sum() - turns.k - 1))
