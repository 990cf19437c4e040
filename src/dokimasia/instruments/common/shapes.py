"""Format and length of very many transcripts, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from dokimasia.core import Access, Transcript
from dokimasia.instruments.common.discriminators import format_counts
from dokimasia.instruments.common.logistic import fitted
from dokimasia.instruments.common.streamed import Fits, StreamedFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class StreamedFormat:
    """`FormatAndLength`, its squared deviations taken from a `centre` that is settled beforehand, axis (23,)."""

    centre: NDArray[np.float64] | None = None
    name: str = "format and length"
    access: Access = "none"

    def settled(self, transcripts: Sequence[Transcript]) -> StreamedFormat:
        return replace(self, centre=format_counts(transcripts).mean(axis=0))

    def features(self, transcripts: Sequence[Transcript]) -> FormatFeatures:
        """Counts, and their squared deviations from the centre."""
        basic = format_counts(transcripts)
        centre = basic.mean(axis=0) if self.centre is None else self.centre
        return FormatFeatures(np.hstack([basic, (basic - centre) ** 2]))


@dataclass(frozen=True, eq=False)
class FormatFeatures(StreamedFeatures):
    """Numbers, axes (n_rows, n_features), under a logistic regression with C = 1, as in `fit_dense`."""

    values: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def taken(self, rows: NDArray[np.int64]) -> FormatFeatures:
        """These rows only."""
        return FormatFeatures(self.values[rows])

    def fit(self, train: NDArray[np.int64], positive: NDArray[np.bool_], *, seed: int) -> Fits:
        """Fit on rows `train`."""
        values = self.values[train]
        mean, spread = values.mean(axis=0), values.std(axis=0)
        spread[spread <= 10 * np.finfo(float).eps * np.abs(mean)] = 1.0  # a column that never varies says nothing
        with threadpool_limits(1):
            model = fitted(LogisticRegression(max_iter=200), (values - mean) / spread, positive)
        weights = (model.coef_[0] / spread)[:, None]
        intercept = model.intercept_ - mean @ weights
        scores = _product(values, weights) + intercept
        return Fits(weights, np.zeros((len(weights), 1)), intercept, scores.mean(axis=0), scores.std(axis=0))

    def score(self, fits: Fits) -> NDArray[np.float64]:
        return _product(self.values, fits.weights) + fits.intercept


def _product(values: NDArray[np.float64], weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Matrix product whose sums do not depend on how many rows or processors there are."""
    return np.asarray(np.einsum("ij,jk->ik", values, weights))
