"""Probes that read one layer and one pool: logistic, difference of means, and that difference corrected for covariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.linear_model import LogisticRegression

from dokimasia.instruments.common.logistic import fitted
from dokimasia.instruments.common.probes.reading import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on standardised activations, ridge penalties from strong to weak.

    Each fit starts from the one before it. Alain and Bengio (2016), arXiv 1610.01644.
    """

    penalties: tuple[float, ...] = (1e4, 1e3, 1e2, 1e1)
    name: str = "logistic"
    attends: bool = False

    def fit(
        self, values: NDArray[np.float32], present: NDArray[np.bool_] | None, positive: NDArray[np.bool_]
    ) -> tuple[Reading, ...]:
        rows, mean, spread = standardised(values[:, 0])
        model, found = LogisticRegression(warm_start=True, max_iter=200), []
        for penalty in self.penalties:
            fitted(model.set_params(C=1 / penalty), rows, positive)
            weights = model.coef_[0] / spread
            found.append(Reading(weights=weights, bias=float(model.intercept_[0] - weights @ mean)))
        return tuple(found)


@dataclass(frozen=True)
class DifferenceOfMeans:
    """The line from the mean of the negatives to that of the positives, in the stream's own units.

    The direction that steering uses; a few dimensions of huge variance can drown it. Marks and Tegmark (2023), arXiv
    2310.06824 ("mass-mean probe").
    """

    penalties: tuple[float, ...] = (0.0,)
    name: str = "difference of means"
    attends: bool = False

    def fit(
        self, values: NDArray[np.float32], present: NDArray[np.bool_] | None, positive: NDArray[np.bool_]
    ) -> tuple[Reading, ...]:
        return (_between(*_means(values[:, 0].astype(float), positive)),)


@dataclass(frozen=True)
class CorrectedDifference:
    """The difference of means divided by the covariance within classes (Fisher's discriminant), which is shrunk towards
    equal variances by as much as Ledoit and Wolf's formula says.

    Ledoit and Wolf (2004), Journal of Multivariate Analysis 88:365-411.
    """

    penalties: tuple[float, ...] = (0.0,)
    name: str = "corrected difference"
    attends: bool = False

    def fit(
        self, values: NDArray[np.float32], present: NDArray[np.bool_] | None, positive: NDArray[np.bool_]
    ) -> tuple[Reading, ...]:
        rows = values[:, 0].astype(float)
        low, high = _means(rows, positive)
        inside, _, spread = standardised(rows - np.where(positive[:, None], high, low))
        covariance = ledoit_wolf(inside)
        direction = cho_solve(cho_factor(covariance, overwrite_a=True), (high - low) / spread) / spread
        return (_between(low, high, direction),)


def standardised(rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]:
    """Rows (n_rows, d_model) with mean 0 and spread 1 in each column, and both; a column that never varies becomes 0."""
    mean: NDArray[np.float64] = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean.astype(rows.dtype)
    squares: NDArray[np.float64] = np.einsum("ij,ij->j", centred, centred, dtype=np.float64)
    spread = np.sqrt(squares / len(rows))
    spread[spread <= 1e-6 * np.abs(mean) + 1e-30] = np.inf
    return centred / spread.astype(rows.dtype), mean, spread


def ledoit_wolf(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shrunk covariance (d, d) of centred rows (n, d), towards a multiple of the identity.

    The same as scikit-learn's, at a third of its cost: the squares' sum needs no second product of matrices.
    """
    n, d = centred.shape
    covariance = centred.T @ centred / n
    size = float(np.trace(covariance)) / d
    spread = float((covariance**2).sum())
    noise = float(((centred**2).sum(axis=1) ** 2).sum()) / n - spread
    distance = spread - d * size**2
    share = min(max(noise / n / distance, 0.0), 1.0) if distance > 0 else 1.0
    covariance *= 1 - share
    covariance[np.diag_indices(d)] += share * size + 1e-12
    return np.asarray(covariance)


def _means(rows: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return rows[~positive].mean(axis=0), rows[positive].mean(axis=0)


def _between(
    low: NDArray[np.float64], high: NDArray[np.float64], direction: NDArray[np.float64] | None = None
) -> Reading:
    """Along a direction, 0 halfway between two means."""
    weights = high - low if direction is None else direction
    return Reading(weights=weights, bias=float(-weights @ (low + high) / 2))
