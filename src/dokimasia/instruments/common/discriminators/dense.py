"""Logistic regression on numbers: one row a transcript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from dokimasia.instruments.common.discriminators.discriminator import Scores
from dokimasia.instruments.common.logistic import fitted, log_odds

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DenseFeatures:
    """Numbers, axes (n_rows, n_features), under a logistic regression of penalty 1/`c`."""

    values: NDArray[np.float64]
    c: float = 1.0
    notes: tuple[str, ...] = ()

    def fit_score(
        self,
        train: NDArray[np.int64],
        positive: NDArray[np.bool_],
        groups: NDArray[np.int64],
        test: NDArray[np.int64],
        *,
        seed: int,
    ) -> Scores:
        return fit_dense(self.values[train], positive, self.values[test], self.c)


def fit_dense(train: NDArray[Any], positive: NDArray[np.bool_], test: NDArray[Any], c: float) -> Scores:
    """Logistic regression on standardised features; rows are transcripts."""
    scaler = StandardScaler().fit(train)
    rows, held_out = scaler.transform(train), scaler.transform(test)
    model = fitted(LogisticRegression(C=c, max_iter=200), rows, positive)
    return centred(log_odds(model, rows), log_odds(model, held_out))


def centred(train: NDArray[np.float64], test: NDArray[np.float64]) -> Scores:
    """Log-odds of test rows, scaled by those of the training rows."""
    spread = float(train.std())
    return Scores((test - train.mean()) / (spread if spread > 1e-12 else 1.0), test)
