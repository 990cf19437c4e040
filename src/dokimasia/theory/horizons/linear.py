"""Curves that are straight in the log of human time once success is put through a link: logistic, probit, Weibull."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from dokimasia.theory.horizons.curve import WIDEST, Curve

if TYPE_CHECKING:
    from dokimasia.theory.horizons.curve import Floats

STEEPNESS = (0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0, 6.0, 12.0)
STEEPEST = 30.0
FLAT = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


class Linear(Curve):
    """Success depends on `index = theta[0] + theta[1] * x` alone, and falls as the index rises."""

    low: ClassVar[tuple[float, ...]] = (-STEEPEST * WIDEST, 0.0)
    high: ClassVar[tuple[float, ...]] = (STEEPEST * WIDEST, STEEPEST)

    @abstractmethod
    def _success(self, index: Floats) -> tuple[Floats, Floats]:
        """The chance of success and its derivative by the index."""

    @abstractmethod
    def _index(self, level: Floats) -> Floats:
        """The index at which success is `level`."""

    def slopes(self, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
        success, slope = self._success(theta[..., :1] + theta[..., 1:] * x)
        return success, np.stack([slope, slope * x], axis=-1)

    def log_horizon(self, theta: Floats, level: float) -> Floats:
        rise = self._index(np.asarray(level)) - theta[..., 0]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.asarray(np.where(theta[..., 1] > 0, rise / theta[..., 1], np.where(rise >= 0, np.inf, -np.inf)))

    def starts(self, places: Floats) -> Floats:
        slope = np.repeat(STEEPNESS, len(places))
        falling = np.stack([self._index(np.asarray(0.5)) - slope * np.tile(places, len(STEEPNESS)), slope], axis=-1)
        flat = np.stack([self._index(np.asarray(FLAT)), np.zeros(len(FLAT))], axis=-1)
        return np.concatenate([falling, flat])


@final
class Logistic(Linear):
    """Log-odds fall by the same amount with every doubling of the time: METR's curve (Kwa and others 2025, 2503.14499)."""

    name = "logistic"
    formula = "1 / (1 + (t / h50)^b)"
    shape = "fall of the log-odds a doubling"

    def _success(self, index: Floats) -> tuple[Floats, Floats]:
        success = expit(-index)
        return success, -success * expit(index)

    def _index(self, level: Floats) -> Floats:
        return np.asarray(-logit(level))

    def shape_of(self, theta: Floats) -> Floats:
        return np.asarray(theta[..., 1] * np.log(2))


@final
class Probit(Linear):
    """A task is done if its difficulty, normal around the log of its time, is below the agent's ability."""

    name = "probit"
    formula = "Phi(-b ln(t / h50))"
    shape = "fall of the normal score a doubling"

    def _success(self, index: Floats) -> tuple[Floats, Floats]:
        return ndtr(-index), -np.exp(-(index**2) / 2) / np.sqrt(2 * np.pi)

    def _index(self, level: Floats) -> Floats:
        return np.asarray(-ndtri(level))

    def shape_of(self, theta: Floats) -> Floats:
        return np.asarray(theta[..., 1] * np.log(2))


@final
class Weibull(Linear):
    """The hazard of failure rises or falls as a power of the time: below a shape of 1 it falls, as in a mixture."""

    name = "Weibull"
    formula = "2^-((t / h50)^k)"
    shape = "shape k"

    def _success(self, index: Floats) -> tuple[Floats, Floats]:
        hazard = np.exp(np.minimum(index, 50.0))
        success = np.exp(-hazard)
        return success, -success * hazard

    def _index(self, level: Floats) -> Floats:
        return np.asarray(np.log(-np.log(level)))

    def shape_of(self, theta: Floats) -> Floats:
        return np.asarray(theta[..., 1])
