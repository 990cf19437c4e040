"""Logistic regression, fitted and checked."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def fitted(model: LogisticRegression, rows: Any, classes: ArrayLike, **settings: Any) -> LogisticRegression:
    """The model, fitted to these rows; its coefficients are checked to be numbers.

    Products of finite matrices may raise the processor's flag of invalid values on some machines: vectorised kernels compute
    beyond the ends of small matrices, and throw away what they find there. So the outcome is checked, not the flag.
    """
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, classes, **settings)
    found = np.append(model.coef_, model.intercept_)
    if not np.isfinite(found).all():
        raise DataError(
            "A logistic regression with finite coefficients is expected.",
            f"Found {np.isfinite(found).sum()} of {len(found)} finite, on {len(rows)} rows.",
            "Look for features of huge or constant value.",
        )
    return model


def log_odds(model: LogisticRegression, rows: Any) -> NDArray[np.float64]:
    """What the model says of these rows, (n_rows,)."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.asarray(model.decision_function(rows))
