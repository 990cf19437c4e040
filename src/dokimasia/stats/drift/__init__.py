"""Drift along conversations: the turn-to-turn map and what it leads to.

Everywhere trajectories are a sequence of conversations, arrays of axes (n_turns, k) with k from 1 to 3 coordinates; turns with a
NaN are missing. A conversation is the unit of all uncertainty.
"""

from dokimasia.stats.drift.attracting import Attraction, Verdict, attraction
from dokimasia.stats.drift.field import DriftField, FixedPoint, drift_field
from dokimasia.stats.drift.linear import LinearMap, half_life, linear_map, stationary_covariance

__all__ = [
    "Attraction",
    "DriftField",
    "FixedPoint",
    "LinearMap",
    "Verdict",
    "attraction",
    "drift_field",
    "half_life",
    "linear_map",
    "stationary_covariance",
]
