"""Predicted numbers, said as what they are: a closed form, or the result of so many draws."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dokimasia.stats import clopper_pearson
from dokimasia.theory.prediction import Value

LEVEL = 0.95


def exact(name: str, value: float, method: str, *, unit: str = "") -> Value:
    """A closed form or an exact recursion; where it is infinite the value is None, and the method says so."""
    if not math.isfinite(value):
        return Value(name=name, value=None, unit=unit, method=f"{method}; infinite")
    return Value(name=name, value=float(value), unit=unit, method=method)


def counted(name: str, events: int, draws: int, method: str) -> Value:
    """A simulated share, with its exact interval; no draws, no value."""
    if draws == 0:
        return Value(name=name, value=None, unit="share", method=f"{method}: no draw to count", n=0)
    low, high = clopper_pearson(events, draws, LEVEL)
    return Value(name=name, value=events / draws, unit="share", method=method, low=low, high=high, level=LEVEL, n=draws)


def averaged(name: str, draws: NDArray[np.float64], method: str, *, unit: str = "") -> Value:
    """A simulated mean, with its normal interval."""
    mean = float(draws.mean())
    half = float(ndtri(0.5 + LEVEL / 2) * draws.std(ddof=1) / math.sqrt(len(draws)))
    return Value(
        name=name,
        value=mean,
        unit=unit,
        method=method,
        low=mean - half,
        high=mean + half,
        level=LEVEL,
        n=len(draws),
    )
