"""Curves of a constant hazard of failure: alone, below a ceiling, and varying between tasks; and no hazard at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
from scipy.special import expit, logit

from dokimasia.theory.horizons.curve import WIDEST, Curve

if TYPE_CHECKING:
    from dokimasia.theory.horizons.curve import Floats

LN2 = float(np.log(2))
CERTAIN = 12.0
"""Bound of log-odds: a chance of 6e-6 on either side."""
CEILINGS = (0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 0.97, 0.995)
FRAILTIES = (-3.0, -2.0, -1.3, -0.7, 0.0, 1.0, 2.5, 5.0)


@final
class Constant(Curve):
    """Success does not depend on the time: what any other curve has to beat."""

    name = "constant"
    formula = "c"
    low = (-CERTAIN,)
    high = (CERTAIN,)
    shape = "rate c"

    def slopes(self, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
        success = expit(theta) + 0 * x
        return success, (success * (1 - success))[..., None]

    def log_horizon(self, theta: Floats, level: float) -> Floats:
        return np.where(expit(theta[..., 0]) > level, np.inf, -np.inf)

    def starts(self, places: Floats) -> Floats:
        return np.asarray(logit(CEILINGS))[:, None]

    def shape_of(self, theta: Floats) -> Floats:
        return np.asarray(expit(theta[..., 0]))


@final
class Exponential(Curve):
    """A constant chance of failure in every minute of the task: Ord's half-life (2025, arXiv 2505.05115).

    Then h80 = 0.322 h50. `theta[0]` is minus the log of the mean time to failure.
    """

    name = "exponential"
    formula = "2^-(t / h50)"
    low = (-WIDEST,)
    high = (WIDEST,)

    def slopes(self, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
        hazard = np.exp(np.minimum(theta + x, 50.0))
        success = np.exp(-hazard)
        return success, (-success * hazard)[..., None]

    def log_horizon(self, theta: Floats, level: float) -> Floats:
        return np.asarray(np.log(-np.log(level)) - theta[..., 0])

    def starts(self, places: Floats) -> Floats:
        return np.asarray(np.log(LN2) - places)[:, None]


@final
class CeilingExponential(Curve):
    """A share 1 - c of tasks is out of reach whatever their time; the others fail at a constant rate.

    `theta` is the log-odds of c and minus the log of the mean time to failure. Above c there is no horizon.
    """

    name = "ceiling x exponential"
    formula = "c 2^-(t / h)"
    low = (-CERTAIN, -WIDEST)
    high = (CERTAIN, WIDEST)
    shape = "ceiling c"

    def slopes(self, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
        reach = expit(theta[..., :1])
        hazard = np.exp(np.minimum(theta[..., 1:] + x, 50.0))
        success = reach * np.exp(-hazard)
        return success, np.stack([success * (1 - reach), -success * hazard], axis=-1)

    def log_horizon(self, theta: Floats, level: float) -> Floats:
        margin = np.log(expit(theta[..., 0]) / level)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(margin > 0, np.log(np.abs(margin)) - theta[..., 1], -np.inf))

    def starts(self, places: Floats) -> Floats:
        ceiling = np.repeat(logit(CEILINGS), len(places))
        return np.stack([ceiling, np.log(LN2) - np.tile(places, len(CEILINGS))], axis=-1)

    def shape_of(self, theta: Floats) -> Floats:
        return np.asarray(expit(theta[..., 0]))


@final
class Lomax(Curve):
    """A constant hazard that differs between tasks, by a gamma distribution of index r around its mean: (1 + t / (r tau))^-r.

    `theta` is the log of the mean hazard, 1 / tau, and the log of r; r without end is the exponential.
    """

    name = "Lomax"
    formula = "(1 + t / (r tau))^-r"
    low = (-WIDEST, -6.0)
    high = (WIDEST, 8.0)
    shape = "frailty index r"

    def slopes(self, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
        index = np.exp(theta[..., 1:])
        z = theta[..., :1] - theta[..., 1:] + x
        past, share = np.logaddexp(0.0, z), expit(z)
        success = np.exp(-index * past)
        return success, np.stack([-success * index * share, success * index * (share - past)], axis=-1)

    def log_horizon(self, theta: Floats, level: float) -> Floats:
        past = -np.log(level) / np.exp(theta[..., 1])
        return np.asarray(past + np.log(-np.expm1(-past)) + theta[..., 1] - theta[..., 0])

    def starts(self, places: Floats) -> Floats:
        frailty = np.repeat(FRAILTIES, len(places))
        half = np.stack([np.zeros(len(frailty)), frailty], axis=-1)
        return np.stack([self.log_horizon(half, 0.5) - np.tile(places, len(FRAILTIES)), frailty], axis=-1)

    def shape_of(self, theta: Floats) -> Floats:
        return np.asarray(np.exp(theta[..., 1]))
