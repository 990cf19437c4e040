"""What every curve of success against human time can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

WIDEST = 60.0
"""Bound of every location: logs of minutes, far beyond any task."""


class Curve(ABC):
    """How does the chance of success fall with the time that a task takes a person?

    A curve has no state. Its parameters `theta` (..., n_parameters) come in the coordinates in which a fit moves, each
    within its bounds; `x` (n_tasks,) is the natural logarithm of human minutes. Several fits are evaluated at once: the
    leading axes of `theta` come first in what is returned.
    """

    name: ClassVar[str]
    formula: ClassVar[str]
    low: ClassVar[tuple[float, ...]]
    high: ClassVar[tuple[float, ...]]
    shape: ClassVar[str] = ""
    """What the parameter means that is no scale of time; empty where there is none."""

    @abstractmethod
    def slopes(self, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
        """The chance of success, (..., n_tasks), and its derivatives by the parameters, (..., n_tasks, n_parameters)."""

    @abstractmethod
    def log_horizon(self, theta: Floats, level: float) -> Floats:
        """Log of the minutes at which success falls to `level`, (...): `-inf` if it is always below, `inf` if never."""

    @abstractmethod
    def starts(self, places: Floats) -> Floats:
        """Parameters to start a fit from, (n_starts, n_parameters), for half-lives around the logs of minutes `places`."""

    def shape_of(self, theta: Floats) -> Floats:
        """The parameter that `shape` names, in the unit that it names, (...)."""
        return np.full(np.shape(theta)[:-1], np.nan)

    def probability(self, minutes: ArrayLike, theta: ArrayLike) -> Floats:
        """The chance of success at so many human minutes, (..., n_tasks)."""
        x = np.log(np.atleast_1d(np.asarray(minutes, float)))
        return self.slopes(x, np.asarray(theta, float))[0]

    def horizon(self, theta: ArrayLike, level: float) -> Floats:
        """Human minutes at which success falls to `level`: 0 if it is always below, `inf` if never."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(self.log_horizon(np.asarray(theta, float), level)))
