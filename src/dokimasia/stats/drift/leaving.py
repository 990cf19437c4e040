"""How much of a displacement is left after some turns?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtrit

from dokimasia.core.errors import DataError
from dokimasia.stats.drift.ratios import fieller
from dokimasia.stats.intervals import Interval
from dokimasia.stats.roc import Figure

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Remaining(NamedTuple):
    """The share of a displacement that is left at a turn: 1 all, 0 none, below 0 beyond where undisplaced ones are.

    `turn` counts from 0, where displaced conversations begin. `n` and `n_base` conversations of either kind have this turn;
    `missing` displaced ones do not, and enter the interval as anything from 0 to 1.
    """

    turn: int
    share: Figure
    n: int
    n_base: int
    missing: int


def remaining(
    displaced: Sequence[ArrayLike], base: Sequence[ArrayLike], *, confidence: float = 0.95
) -> tuple[Remaining, ...]:
    """How much of the displacement with which these conversations begin is left at each turn?

    Parameters
    ----------
    displaced:
        Conversations, arrays of axes (n_turns, k) or (n_turns,), that begin away from where they otherwise would.
    base:
        The same without the displacement, turn for turn. What carries both kinds alike is not counted as leaving or staying.

    Where the mean of the displaced conversations stands at a turn less that of the others, along the line from the mean
    start of the others to that of the displaced, as a share of that line's length. The interval is Fieller's for the ratio of
    the two means, each conversation one unit, with Student's quantile at one degree of freedom less than the smaller group
    has; it is the whole line where the groups' starts are not told apart, or a group has fewer than two conversations. It
    holds for each turn by itself.

    Misleads where conversations that stay displaced end early: what is missing is then not like what is there, and the
    interval, which takes it as anything from 0 to 1, is wide.
    """
    away, home = _laid(displaced), _laid(base)
    if not away.size or not home.size or away.shape[2] != home.shape[2]:
        raise DataError(
            "Displaced and other conversations with the same coordinates are expected.",
            f"Found {len(displaced)} and {len(base)}, of {away.shape[2]} and {home.shape[2]} coordinates.",
            "Pass at least one of each.",
        )
    away, home = (one[~np.isnan(one[:, 0]).any(axis=1)] for one in (away, home))
    if not len(away) or not len(home):
        raise DataError("A first turn is expected.", "Found none.", "Pass conversations from their start.")
    line = away[:, 0].mean(axis=0) - home[:, 0].mean(axis=0)
    length = float(np.linalg.norm(line))
    if length == 0:
        raise DataError("A displacement is expected.", "Found the same start in both groups.", "Displace one of them.")
    far, near = away @ line / length**2, home @ line / length**2
    turns = min(far.shape[1], near.shape[1])
    return tuple(_at(turn, far, near, confidence) for turn in range(turns))


def _laid(trajectories: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Conversations (n, longest, k), NaN where they end."""
    arrays = [np.asarray(one, float) for one in trajectories]
    arrays = [one[:, None] if one.ndim == 1 else one for one in arrays]
    if len({one.shape[1:] for one in arrays}) > 1:
        shapes = sorted({one.shape for one in arrays})
        raise DataError("Conversations with the same coordinates are expected.", f"Found {shapes}.", "Align them.")
    k = arrays[0].shape[1] if arrays else 0
    laid = np.full((len(arrays), max((len(one) for one in arrays), default=0), k), np.nan)
    for place, one in enumerate(arrays):
        laid[place, : len(one)] = one
    return laid


def _at(turn: int, far: NDArray[np.float64], near: NDArray[np.float64], confidence: float) -> Remaining:
    there, others = ~np.isnan(far[:, turn]), ~np.isnan(near[:, turn])
    n, n_base = int(there.sum()), int(others.sum())
    missing = len(far) - n
    if not n or not n_base:
        return Remaining(turn, Figure(math.nan, -math.inf, math.inf), n, n_base, missing)
    start, now = near[others, 0], near[others, turn]
    shift = far[:, 0].mean() - near[:, 0].mean()
    value = (far[there, turn].mean() - now.mean()) / shift
    ends = []
    for filled in (0.0, 1.0):
        here = np.where(there, far[:, turn], now.mean() + filled * shift)
        ends.append(_ends(np.array([here, far[:, 0]]), np.array([now, start]), confidence))
    low, high = min(one.low for one in ends), max(one.high for one in ends)
    return Remaining(turn, Figure(float(value), min(low, float(value)), max(high, float(value))), n, n_base, missing)


def _ends(far: NDArray[np.float64], near: NDArray[np.float64], confidence: float) -> Interval:
    """The ends of the ratio of two differences of means, from (2, n_conversations) of either group: numerator, denominator."""
    fewest = min(far.shape[1], near.shape[1])
    if fewest < 2:
        return Interval(-math.inf, math.inf)
    above, below = far.mean(axis=1) - near.mean(axis=1)
    covariance = np.cov(far) / far.shape[1] + np.cov(near) / near.shape[1]
    return fieller(float(above), float(below), covariance, float(stdtrit(fewest - 1, 0.5 + confidence / 2)))
