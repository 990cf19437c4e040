"""Independent steps within a fixed budget, as a curve against human time: the time stands for the number of steps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, final

import numpy as np

from dokimasia.theory.horizons.bicubic import Bicubic
from dokimasia.theory.horizons.curve import WIDEST, Curve
from dokimasia.theory.steps.budget import log_success_probability

if TYPE_CHECKING:
    from dokimasia.theory.horizons.curve import Floats

LARGEST_INDEX = 0.95
INDICES = (0.0, 0.15, 0.35, 0.55, 0.75, 0.9)
SHORTEST, LONGEST = -14.0, 4.0
"""Logs of length over scale between which success is told apart from 1 and from 0."""
GRID = (60, 361)
HALVINGS = 50


@final
class Steps(Curve):
    """A task is a chain of steps, each as hard as any other, and there is a budget for the whole (`theory.steps`).

    `theta` is minus the log of the budget's scale in minutes, and -ln(1 - a) for the index a = Q alpha. At a = 0 this is
    the exponential; larger indices bend it towards a step, so that its hazard never falls with the time. The exact law is
    read off a table that is right to 1e-5.
    """

    name = "independent steps"
    formula = "Mittag-Leffler survival of t / tau"
    low = (-WIDEST, 0.0)
    high = (WIDEST, -float(np.log1p(-LARGEST_INDEX)))
    shape = "index a"

    def slopes(self, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
        length = np.clip(theta[..., :1] + x, SHORTEST, LONGEST)
        log_hazard, by_bend, by_length = _table().at(theta[..., 1:], length)
        hazard = np.exp(log_hazard)
        success = np.exp(-hazard)
        return success, (-success * hazard)[..., None] * np.stack([by_length, by_bend], axis=-1)

    def log_horizon(self, theta: Floats, level: float) -> Floats:
        bend = theta[..., 1:]
        low, high = np.full(bend.shape, SHORTEST), np.full(bend.shape, LONGEST)
        aim, table = np.log(-np.log(level)), _table()
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            short = table.at(bend, middle)[0] < aim
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return np.asarray(((low + high) / 2)[..., 0] - theta[..., 0])

    def starts(self, places: Floats) -> Floats:
        bend = np.repeat(-np.log1p(-np.asarray(INDICES)), len(places))
        at_one = np.stack([np.zeros(len(bend)), bend], axis=-1)
        return np.stack([self.log_horizon(at_one, 0.5) - np.tile(places, len(INDICES)), bend], axis=-1)

    def shape_of(self, theta: Floats) -> Floats:
        return np.asarray(-np.expm1(-theta[..., 1]))


@cache
def _table() -> Bicubic:
    """Log of minus the log of success, over -ln(1 - a) and the log of length over scale, where it is nearly straight."""
    bend = np.linspace(0, Steps.high[1], GRID[0])
    length = np.linspace(SHORTEST, LONGEST, GRID[1])
    rows = [np.log(-log_success_probability(np.exp(length), a=float(-np.expm1(-item)))) for item in bend]
    return Bicubic.through(bend, length, np.asarray(rows))
