"""Does conversation lead to one place or to several? A drift field that may bend, kept only where it predicts better.

The field is the linear map plus what it leaves, smoothed: `f(x) = A x + b + sum_i w_i(x) r_i`, with Gaussian weights `w` around
the turns that were seen (Nadaraya and Watson's estimate, guided by a line as in Glad 1998, Scandinavian Journal of Statistics
25:649-668). With a wide bandwidth it is the linear map itself. One that smooths the next turn instead would be drawn towards
the middle of the data wherever it is wide, and see attractors where there are none. One turn's weight is added for the
linear map, which so holds where nothing was seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtrit

from dokimasia.stats.drift.linear import check
from dokimasia.stats.drift.turns import Turns, gathered, sums
from dokimasia.stats.roc import Figure

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Onward = Callable[[NDArray[np.float64]], NDArray[np.float64]]

BANDWIDTHS = (0.1, 0.15, 0.22, 0.33, 0.5, 0.75, 1.1)
"""Tried beside the linear map, in standard deviations of the turns."""
STARTS = 200
FLOW = 400
STILL = 1e-4
NEWTON = 20
SAME = 0.05
"""Fixed points this near one another, in standard deviations of the turns, are one."""
FEWEST_BASIN = 2
"""Conversations that must have been in a basin for its attractor to count."""


class FixedPoint(NamedTuple):
    """Where the field stands still: `place` (k,), `radius` of the map's Jacobian there, and the share of turns that flow to it."""

    place: tuple[float, ...]
    radius: float
    basin: float

    @property
    def stable(self) -> bool:
        """Whether it attracts what is near."""
        return self.radius < 1


@dataclass(frozen=True, kw_only=True, eq=False)
class DriftField:
    """Where each place is carried in one turn, and where that comes to rest.

    `bandwidth` is in standard deviations of the turns; None says that the linear map does. `gain` is by how much the field's
    squared error is below that of the linear map on conversations that neither has seen, as a share of the latter's, with
    the bandwidth chosen without the conversation too. `unsettled` is the share of turns that flow to no fixed point.
    """

    coefficients: NDArray[np.float64]
    bandwidth: float | None
    gain: Figure
    fixed_points: tuple[FixedPoint, ...]
    unsettled: float
    before: NDArray[np.float64]
    left: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def attractors(self) -> tuple[FixedPoint, ...]:
        """The fixed points that are stable."""
        return tuple(point for point in self.fixed_points if point.stable)

    def after(self, points: ArrayLike) -> NDArray[np.float64]:
        """Where points (n, k) are carried in one turn, (n, k)."""
        return _carried(
            np.asarray(points, float), self.coefficients, self.bandwidth, self.before, self.left, self.scale
        )


def drift_field(trajectories: Sequence[ArrayLike], *, confidence: float = 0.95) -> DriftField:
    """Does conversation lead to one place or to several?

    The field bends only if it predicts conversations that it has not seen better than the linear map does: the lower end of
    `gain`, from Student's interval over conversations, is above 0. A stable point counts if turns of at least two
    conversations flow to it. Parameters as for `linear_map`.

    Misleads where every conversation has a place of its own: the field then bends around each.
    """
    turns = gathered(trajectories)
    check(turns)
    scale = turns.visited.std(axis=0)
    errors = _errors(turns, scale)
    gain = _gain(errors, confidence)
    coefficients = sums(turns.points, turns.paired).fitted()
    left = turns.after - turns.before @ coefficients[1:] - coefficients[0]
    bandwidth = _smoothest(errors) if gain.low > 0 else None
    found, unsettled = _resting(turns, coefficients, bandwidth, left, scale)
    return DriftField(
        coefficients=coefficients,
        bandwidth=bandwidth,
        gain=gain,
        fixed_points=found,
        unsettled=unsettled,
        before=turns.before,
        left=left,
        scale=scale,
    )


def _carried(
    points: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    bandwidth: float | None,
    before: NDArray[np.float64],
    left: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> NDArray[np.float64]:
    line = points @ coefficients[1:] + coefficients[0]
    if bandwidth is None:
        return np.asarray(line)
    weight = np.exp(-_apart(points / scale, before / scale) / (2 * bandwidth**2))
    return np.asarray(line + weight @ left / (1 + weight.sum(axis=1, keepdims=True)))


def _apart(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances (len(x), len(y))."""
    return np.asarray(np.maximum((x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * x @ y.T, 0.0))


def _errors(turns: Turns, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared errors of each conversation when it was left out, (1 + n_bandwidths, n_conversations); the linear map's first.

    Coordinates count in units of the standard deviation of what the linear map leaves.
    """
    before, after = turns.before, turns.after
    apart = sums(turns.points, turns.paired).without_each()
    errors = np.zeros((1 + len(BANDWIDTHS), turns.n))
    fitted = sums(turns.points, turns.paired).fitted()
    unit = np.maximum((after - before @ fitted[1:] - fitted[0]).std(axis=0), 1e-12 * scale)
    for number, coefficients in enumerate(apart):
        own = turns.owner == number
        left = after - before @ coefficients[1:] - coefficients[0]
        errors[0, number] = ((left[own] / unit) ** 2).sum()
        distance = _apart(before[own] / scale, before[~own] / scale)
        for place, bandwidth in enumerate(BANDWIDTHS, start=1):
            weight = np.exp(-distance / (2 * bandwidth**2))
            bent = weight @ left[~own] / (1 + weight.sum(axis=1, keepdims=True))
            errors[place, number] = (((left[own] - bent) / unit) ** 2).sum()
    return errors


def _gain(errors: NDArray[np.float64], confidence: float) -> Figure:
    """The share of the linear map's squared error that the field saves, each conversation's bandwidth chosen by the others."""
    n = errors.shape[1]
    chosen = (errors.sum(axis=1, keepdims=True) - errors).argmin(axis=0)
    saved = errors[0] - errors[chosen, np.arange(n)]
    base = float(errors[0].mean()) or 1.0
    reach = float(stdtrit(n - 1, 0.5 + confidence / 2)) * float(saved.std(ddof=1)) / math.sqrt(n)
    return Figure(*((float(saved.mean()) + shift) / base for shift in (0.0, -reach, reach)))


def _smoothest(errors: NDArray[np.float64]) -> float | None:
    """The widest bandwidth whose errors are within a standard error, over conversations, of the best one's."""
    worse = errors - errors[errors.sum(axis=1).argmin()]
    reach = worse.std(axis=1, ddof=1) * math.sqrt(errors.shape[1])
    near = [bandwidth for bandwidth, fine in zip(BANDWIDTHS, (worse.sum(axis=1) <= reach)[1:], strict=True) if fine]
    return max(near, default=None)


def _resting(
    turns: Turns,
    coefficients: NDArray[np.float64],
    bandwidth: float | None,
    left: NDArray[np.float64],
    scale: NDArray[np.float64],
) -> tuple[tuple[FixedPoint, ...], float]:
    """Fixed points among the places visited, stable ones first by their basins, and the share of turns that reach none."""

    def onward(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return _carried(points, coefficients, bandwidth, turns.before, left, scale)

    low, high = turns.visited.min(axis=0), turns.visited.max(axis=0)
    every = max(1, math.ceil(len(turns.visited) / STARTS))
    starts, owners = turns.visited[::every], np.nonzero(turns.present)[0][::every]
    side = {1: 40, 2: 10, 3: 5}[turns.k]
    axes = [np.linspace(low[j], high[j], side) for j in range(turns.k)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, turns.k)
    ends = starts
    for _ in range(FLOW):
        last, ends = ends, np.clip(onward(ends), low - 10 * scale, high + 10 * scale)
        if (np.abs(ends - last) < STILL * scale).all():
            break
    rests = np.unique(np.round(ends / (SAME / 5 * scale)), axis=0) * (SAME / 5 * scale)
    solved = _newton(onward, np.concatenate([rests, grid]), scale)
    within = ((solved >= low) & (solved <= high)).all(axis=1)
    places: list[NDArray[np.float64]] = []
    for point in solved[within]:
        if all(np.linalg.norm((point - other) / scale) > SAME for other in places):
            places.append(point)
    if not places:
        return (), 1.0
    away = np.sqrt(_apart(ends / scale, np.array(places) / scale))
    reached = np.where(away.min(axis=1) <= SAME, away.argmin(axis=1), -1)
    found = []
    for number, place in enumerate(places):
        jacobian = _jacobian(onward, place[None], scale)[0]
        radius = float(np.abs(np.linalg.eigvals(jacobian)).max())
        if radius >= 1 or len(set(owners[reached == number])) >= FEWEST_BASIN:
            basin = float((reached == number).mean()) if radius < 1 else 0.0
            found.append(FixedPoint(tuple(map(float, place)), radius, basin))
    found.sort(key=lambda point: (not point.stable, -point.basin, point.place))
    return tuple(found), 1.0 - sum(point.basin for point in found)


def _jacobian(onward: Onward, points: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Derivatives of the map at points (n, k), (n, k, k), by central differences."""
    steps = 1e-4 * np.diag(scale)
    return np.stack([(onward(points + step) - onward(points - step)) / (2 * step.sum()) for step in steps], axis=-1)


def _newton(onward: Onward, points: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the map stands still, from these starts, those that converge, (n, k)."""
    k = points.shape[1]
    for _ in range(NEWTON):
        slope = np.eye(k) - _jacobian(onward, points, scale)
        slope += 1e-9 * np.eye(k)
        step = np.linalg.solve(slope, (onward(points) - points)[..., None])[..., 0]
        points = points + np.clip(step, -0.5 * scale, 0.5 * scale)
    rest = np.abs(onward(points) - points) / scale
    return np.asarray(points[(rest < 1e-6).all(axis=1)])
