"""Held-out scores on a common scale, as probabilities, and against a threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from dokimasia.instruments.common.logistic import fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How raw scores are read; all of it from scores of rows that the probe did not see.

    A score is 0 halfway between the class means and 1 a spread (within classes) above. Log-odds are `slope * score +
    intercept` (Platt's scaling), which hold at the share of positives that they were fitted on. What exceeds `threshold`
    is called positive.
    """

    centre: float
    spread: float
    slope: float
    intercept: float
    threshold: float

    def score(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((raw - self.centre) / self.spread)

    def probability(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(expit(self.slope * score + self.intercept))


def fitted_scale(raw: NDArray[np.float64], positive: NDArray[np.bool_], *, fpr: float) -> Scale:
    """From held-out raw scores (n_rows,) with both kinds among them."""
    low, high = raw[~positive], raw[positive]
    inside = np.concatenate([low - low.mean(), high - high.mean()])
    centre, spread = float((low.mean() + high.mean()) / 2), float(inside.std())
    spread = spread if spread > 1e-12 * (abs(centre) + 1e-300) else 1.0
    score = (raw - centre) / spread
    slope, intercept = _platt(score, positive)
    return Scale(
        centre=centre,
        spread=spread,
        slope=slope,
        intercept=intercept,
        threshold=threshold(score[~positive], score[positive], fpr),
    )


def threshold(negative: NDArray[np.float64], positive: NDArray[np.float64], fpr: float) -> float:
    """Halfway between the lowest score that at most a share `fpr` of these negatives exceed and the next positive above.

    The lowest alone would be at the very edge of the negatives where the classes lie far apart, and any drift would lift
    them over it. Where there are fewer than 1/fpr negatives, none of them exceeds it.
    """
    edge = float(np.sort(negative)[::-1][int(np.floor(fpr * len(negative) + 1e-9))])
    above = positive[positive > edge]
    return (edge + float(above.min())) / 2 if len(above) else edge


def _platt(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of log-odds. Each label counts a little as its opposite, so that perfect separation gives no
    certainty; a slope that would turn scores round is 0.

    Platt (1999), "Probabilistic outputs for support vector machines".
    """
    m, n = int(positive.sum()), int((~positive).sum())
    towards = np.where(positive, (m + 1) / (m + 2), 1 / (n + 2))
    model = fitted(
        LogisticRegression(C=1e8, tol=1e-8, max_iter=1000),
        np.concatenate([score, score])[:, None],
        np.repeat([True, False], len(score)),
        sample_weight=np.concatenate([towards, 1 - towards]),
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return (slope, intercept) if slope > 0 else (0.0, float(np.log((m + 1) / (n + 1))))
