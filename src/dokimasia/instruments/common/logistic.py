"""Logistic regression, fitted and checked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from dokimasia.core import DataError


def fitted(model: LogisticRegression, rows: Any, classes: ArrayLike, **settings: Any) -> LogisticRegression:
    """The model, fitted to finite rows; its coefficients are checked to be numbers.

    Products of finite matrices may raise the processor's flag of invalid values on some machines: vectorised kernels compute
    beyond the ends of small matrices, and throw away what they find there. So the outcome is checked, not the flag.
    """
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, classes, **settings)
    if not (np.isfinite(model.coef_).all() and np.isfinite(model.intercept_).all()):
        raise DataError(
            "A logistic regression with finite coefficients is expected.",
            "Found others.",
            "Scale the features, or take fewer.",
        )
    return model
