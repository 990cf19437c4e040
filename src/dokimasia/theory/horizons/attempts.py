"""One agent's runs as curves are fitted to them: a row for each task."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attempts:
    """How often an agent did each task, and how long the task takes a person. Every array has the axis (n_tasks,).

    `successes` may be fractions: a score of 0.3 counts as 0.3 of a success and 0.7 of a failure. `families` numbers the
    family of each task; tasks of one family stand or fall together.
    """

    minutes: Floats
    runs: NDArray[np.int64]
    successes: Floats
    families: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not len(self.minutes) == len(self.runs) == len(self.successes) == len(self.families):
            sizes = (len(self.minutes), len(self.runs), len(self.successes), len(self.families))
            raise DataError(
                "One time, number of runs, number of successes and family a task.", f"Found {sizes}.", "Check them."
            )
        if not len(self.minutes) or not (np.isfinite(self.minutes) & (self.minutes > 0)).all():
            raise DataError(
                "Human minutes are finite and above 0, of one task at least.", "Found others.", "Leave those tasks out."
            )
        if (self.runs < 1).any() or not ((self.successes >= 0) & (self.successes <= self.runs)).all():
            raise DataError(
                "Successes lie between 0 and the number of runs, which is 1 or more.", "Found others.", "Check them."
            )

    @cached_property
    def x(self) -> Floats:
        """Natural logarithms of the human minutes."""
        return np.asarray(np.log(self.minutes))

    @cached_property
    def weights(self) -> Floats:
        """METR's `invsqrt_task_weight` of the runs of each task: one over the root of the number of tasks in its family.

        A run weighs that over the number of runs of its task. All weights together are the sum over families of the root
        of their number of tasks: the number of independent tasks that these are taken to be worth.
        """
        return np.asarray(1 / np.sqrt(np.bincount(self.families)[self.families]))

    @cached_property
    def rates(self) -> Floats:
        """Share of the runs of each task that succeeded."""
        return self.successes / self.runs

    @cached_property
    def rate(self) -> float:
        """The weighted share of successes."""
        return float(np.average(self.rates, weights=self.weights))

    @cached_property
    def n_families(self) -> int:
        """How many families its tasks are of."""
        return len(np.unique(self.families))
