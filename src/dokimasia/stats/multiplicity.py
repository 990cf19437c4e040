"""Many tests at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dokimasia.stats.intervals import finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def false_discovery_adjusted(p_values: ArrayLike) -> NDArray[np.float64]:
    """At which false-discovery rate would each test be a discovery?

    `p_values` (n_tests,), independent or positively dependent; returns adjusted values on the same axis.

    >>> false_discovery_adjusted([0.01, 0.04, 0.5]).round(3).tolist()
    [0.03, 0.06, 0.5]

    Benjamini and Hochberg (1995), JRSS B 57:289-300.
    """
    values = finite("p_values", p_values)
    order = np.argsort(-values, kind="stable")
    ranks = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(values[order] * len(values) / ranks))
    return adjusted


def holm_adjusted(p_values: ArrayLike) -> NDArray[np.float64]:
    """At which probability of any false discovery at all would each test be a discovery, whatever they depend on?

    `p_values` (n_tests,); returns adjusted values on the same axis.

    >>> holm_adjusted([0.01, 0.04, 0.5]).round(3).tolist()
    [0.03, 0.08, 0.5]

    Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    values = finite("p_values", p_values)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return adjusted
