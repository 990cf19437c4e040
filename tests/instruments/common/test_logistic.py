import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from dokimasia.core import DataError
from dokimasia.instruments.common.logistic import fitted

ROWS = np.arange(8.0)[:, None]
CLASSES = ROWS[:, 0] > 3


class Broken(LogisticRegression):
    """A fit in which a product raises the flag of invalid values; `leaves` is what it ends with."""

    leaves = 1.0

    def fit(self, rows, classes):
        np.array([np.inf]) - np.array([np.inf])
        self.coef_, self.intercept_ = np.array([[self.leaves]]), np.array([0.0])
        return self


def test_a_fit_is_as_by_hand():
    mine, plain = fitted(LogisticRegression(), ROWS, CLASSES), LogisticRegression().fit(ROWS, CLASSES)
    assert (mine.coef_ == plain.coef_).all()
    assert (mine.intercept_ == plain.intercept_).all()


def test_a_raised_flag_is_no_fault_where_the_outcome_is_finite():
    assert fitted(Broken(), ROWS, CLASSES).coef_ == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_outcome_that_is_no_number_is_refused(value):
    model = Broken()
    model.leaves = value
    with pytest.raises(DataError, match="finite coefficients"):
        fitted(model, ROWS, CLASSES)
