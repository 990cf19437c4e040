"""Something that may abstain: how right is it where it answers, how well does it choose, and what can be promised?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.core.errors import DataError
from dokimasia.stats.intervals import Interval, clopper_pearson, clopper_pearson_upper, finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

COVERAGES = tuple(place / 20 for place in range(20, 0, -1))
"""Coverages among which `selective_threshold` looks, fixed before any data."""


class RiskCoverage(NamedTuple):
    """`risk` is the mean loss of the share `coverage` that one is most confident of; both (n,), coverage ascending to 1."""

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]


class Promise(NamedTuple):
    """Answer where the confidence is above `threshold`; see `selective_threshold`.

    Of the calibration cases a share `coverage` is answered, `errors` of `answered` wrongly; `bound` is the upper limit of
    the risk there.
    """

    threshold: float
    coverage: float
    errors: int
    answered: int
    bound: float


class Stress(NamedTuple):
    """What became of a promise on other data: the share answered, the risk there with its interval, and the verdict."""

    coverage: float
    risk: float | None
    interval: Interval
    broken: bool


def risk_coverage(confidence: ArrayLike, losses: ArrayLike) -> RiskCoverage:
    """What is the mean loss of the cases that one is most confident of, for each share of cases?

    `confidence` (n_cases,), higher means more certain; `losses` (n_cases,) at least 0, 1 for an error. Cases of equal
    confidence are taken in random order, on average.

    >>> risk_coverage([0.9, 0.8, 0.7, 0.6], [0, 0, 1, 1]).risk.round(2).tolist()
    [0.0, 0.0, 0.33, 0.5]
    """
    sure, lost = _cases(confidence, losses)
    order = np.argsort(-sure, kind="stable")
    _, tie = np.unique(-sure, return_inverse=True)
    average = np.bincount(tie, weights=lost) / np.bincount(tie)
    numbers = np.arange(1, len(sure) + 1)
    return RiskCoverage(numbers / len(sure), np.cumsum(average[tie][order]) / numbers)


def aurc(confidence: ArrayLike, losses: ArrayLike) -> float:
    """The mean risk over all coverages; lower is better. Mixes how often one errs with how well one knows it.

    Geifman and El-Yaniv (2017), arXiv 1705.08500.
    """
    return float(risk_coverage(confidence, losses).risk.mean())


def e_aurc(confidence: ArrayLike, losses: ArrayLike) -> float:
    """By how much does the mean risk exceed that of somebody who knows each loss? In [0, 1]; 0 is perfect choosing.

    The perfect chooser's is computed on the very losses; for errors at a rate `e` and many cases it is
    `e + (1 - e) ln(1 - e)`, in the limit.

    >>> e_aurc([0.9, 0.8, 0.7, 0.6], [0, 0, 1, 1])
    0.0

    Geifman, Uziel and El-Yaniv (2019), arXiv 1805.08206.
    """
    sure, lost = _cases(confidence, losses)
    return aurc(sure, lost) - aurc(-lost, lost)


def selective_threshold(
    confidence: ArrayLike,
    errors: ArrayLike,
    *,
    target: float,
    delta: float = 0.05,
    coverages: Sequence[float] = COVERAGES,
) -> Promise | None:
    """Above which confidence may one answer, so that at most a share `target` of the answers is wrong?

    Parameters
    ----------
    confidence, errors:
        (n_cases,) of labelled cases from the same source as those to come; errors are 0 or 1. A case that could not be
        judged is an error.
    target, delta:
        The promise is wrong with probability at most `delta`, over the draw of the calibration cases.
    coverages:
        Shares of cases at which a threshold is tried, fixed before looking at the data.

    Returns the promise of largest coverage whose Clopper-Pearson bound at `delta / len(coverages)` keeps the target, or
    None where there is none: then always ask. Cases above an order statistic of the confidences are a sample from above
    that threshold, so each bound holds, and the division makes the choice among them harmless.

    Misleads as soon as cases come from elsewhere: nothing in it notices. See `stress_test`.

    >>> sure = np.arange(1000) / 1000
    >>> wrong = (np.arange(1000) % 2 == 0) & (sure < 0.5)
    >>> promise = selective_threshold(sure, wrong, target=0.1)
    >>> promise.threshold, promise.coverage, promise.errors, round(promise.bound, 3)
    (0.449, 0.55, 25, 0.076)

    Geifman and El-Yaniv (2017), arXiv 1705.08500, with Bonferroni's correction over fixed coverages in place of a search.
    """
    sure, wrong = _cases(confidence, errors)
    for name, share in (("target", target), ("delta", delta)):
        if not 0 < share < 1:
            raise DataError(
                f"{name} lies strictly between 0 and 1.",
                f"Found {share}.",
                "Pass for example 0.05; no number of cases promises an error rate of 0.",
            )
    if not np.isin(wrong, (0, 1)).all():
        raise DataError("errors are 0 or 1.", "Found other numbers.", "Pass 1 where the answer is wrong.")
    if not coverages or not all(0 < share <= 1 for share in coverages):
        raise DataError("Coverages lie in (0, 1].", f"Found {list(coverages)}.", "Pass for example [1, 0.5, 0.1].")
    descending = np.sort(sure)[::-1]
    for share in sorted(coverages, reverse=True):
        kept = math.floor(share * len(sure) + 1e-9)
        threshold = -math.inf if kept == len(sure) else float(descending[kept])
        above = sure > threshold
        answered, missed = int(above.sum()), int(wrong[above].sum())
        bound = clopper_pearson_upper(missed, answered, delta / len(coverages))
        if bound <= target:
            return Promise(threshold, answered / len(sure), missed, answered, bound)
    return None


def stress_test(
    promise: Promise, confidence: ArrayLike, errors: ArrayLike, *, target: float, level: float = 0.95
) -> Stress:
    """Does a promise survive these other cases? `broken` where even the risk's lower limit is above the target.

    `confidence` and `errors` as in `selective_threshold`, from a shifted source. The threshold stays what it is.
    """
    sure, wrong = _cases(confidence, errors)
    above = sure > promise.threshold
    answered, missed = int(above.sum()), int(wrong[above].sum())
    ends = clopper_pearson(missed, answered, level)
    risk = missed / answered if answered else None
    return Stress(answered / len(sure), risk, ends, ends.low > target)


def _cases(confidence: ArrayLike, losses: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sure, lost = finite("confidence", confidence), finite("losses", losses)
    if len(sure) != len(lost) or not len(sure) or (lost < 0).any():
        raise DataError(
            "One loss, at least 0, for each confidence, and one case at least.",
            f"Found {len(sure)} confidences and {len(lost)} losses.",
            "Pass both for every case.",
        )
    return sure, lost
