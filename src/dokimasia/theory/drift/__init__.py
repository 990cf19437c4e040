"""Drift along conversations: what turns look like that return to one place, to either of two, or to none.

Each process has closed forms (`half_life`, `radius`, `stationary`) and an exact simulation, so that an estimate from
`stats.drift` can be held against what was planted.
"""

from dokimasia.theory.drift.ornstein import Ornstein, permuted, random_walk
from dokimasia.theory.drift.wells import DoubleWell

__all__ = ["DoubleWell", "Ornstein", "permuted", "random_walk"]
