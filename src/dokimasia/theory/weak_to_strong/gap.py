r"""How much of the gap between a weak teacher and the strong ceiling did the student recover?

`PGR = (student - weak) / (ceiling - weak)` is a ratio of two noisy differences. Where the gap is not clearly there,
no finite interval can cover such a ratio as often as it promises: Fieller's set then is everything but an interval,
or everything, and that is the answer here, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PSEUDO = 4.0  # items added when variances are estimated, half of them right: none is 0 because all items were right


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The share of the gap recovered; 1 is all of it, below 0 is worse than the teacher.

    `value`, `low` and `high` are None where the gap may be none, and `reason` then says why. `gap` is ceiling less teacher,
    with its interval.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    gap: float
    gap_low: float
    gap_high: float
    reason: str = ""


def recovered(weak: float, student: float, ceiling: float, *, n: int, level: float = 0.95) -> Recovered:
    """The share of the gap recovered, from three accuracies on separate test sets of `n` items each.

    On one common test set this is too wide, as a rule: pass the items to `recovered_on_items`.

    >>> found = recovered(0.60, 0.75, 0.80, n=2000)
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (0.75, 0.63, 0.87)
    >>> recovered(0.60, 0.61, 0.62, n=500).reason
    'the ceiling is not clearly above the teacher: the gap lies in [-0.040, 0.080]'
    """
    for name, value in (("weak", weak), ("student", student), ("ceiling", ceiling)):
        if not 0 <= value <= 1:
            raise DataError(f"The accuracy `{name}` lies in [0, 1].", f"Found {value}.", "Pass a share, not percent.")
    if n < 1:
        raise DataError("One item or more is expected.", f"Found {n}.", "Pass the number of test items.")
    rates = (np.array([weak, student, ceiling]) * n + PSEUDO / 2) / (n + PSEUDO)
    return _fieller((weak, student, ceiling), np.diag(rates * (1 - rates) / (n + PSEUDO)), n, level)


def recovered_on_items(weak: ArrayLike, student: ArrayLike, ceiling: ArrayLike, *, level: float = 0.95) -> Recovered:
    """The share of the gap recovered, from each item being right (1) or wrong (0) by teacher, student and ceiling.

    All three (n_items,) on the same items in the same order; items are independent.
    """
    right = np.stack([np.asarray(each, float).ravel() for each in (weak, student, ceiling)])
    if right.shape[1] < 1 or not np.isin(right, (0.0, 1.0)).all():
        raise DataError(
            "Items that are right (1) or wrong (0) are expected.",
            f"Found {right.shape[1]} items with values in [{right.min(initial=math.inf)}, {right.max(initial=-math.inf)}].",
            "Count what could not be scored as wrong.",
        )
    n = right.shape[1]
    half = PSEUDO / 2
    rates = (right.sum(axis=1) + half) / (n + PSEUDO)
    both = (right @ right.T + half / 2 + np.eye(3) * half / 2) / (n + PSEUDO)
    covariance = (both - np.outer(rates, rates)) / (n + PSEUDO)
    weak_rate, student_rate, ceiling_rate = right.mean(axis=1).tolist()
    return _fieller((weak_rate, student_rate, ceiling_rate), covariance, n, level)


def _fieller(accuracy: tuple[float, float, float], covariance: NDArray[np.float64], n: int, level: float) -> Recovered:
    """All ratios r for which `student - weak - r * (ceiling - weak)` is within z standard errors of 0."""
    if not 0 < level < 1:
        raise DataError("The level lies strictly between 0 and 1.", f"Found {level}.", "Pass for example 0.95.")
    z = float(ndtri(0.5 + level / 2))
    weak, student, ceiling = accuracy
    gain, gap = student - weak, ceiling - weak
    contrast = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    (v_gain, both), (_, v_gap) = (contrast @ covariance @ contrast.T).tolist()
    half = z * math.sqrt(v_gap)
    found = Recovered(
        value=None, low=None, high=None, level=level, n=n, gap=gap, gap_low=gap - half, gap_high=gap + half
    )
    if gap - half <= 0:
        less = "below" if gap + half < 0 else "not clearly above"
        return replace(
            found, reason=f"the ceiling is {less} the teacher: the gap lies in [{gap - half:.3f}, {gap + half:.3f}]"
        )
    a, b, c = gap**2 - z**2 * v_gap, gain * gap - z**2 * both, gain**2 - z**2 * v_gain
    root = math.sqrt(max(b**2 - a * c, 0.0))
    return replace(found, value=gain / gap, low=(b - root) / a, high=(b + root) / a)
