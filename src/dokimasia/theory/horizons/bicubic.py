"""A smooth function of two variables, read off a table with its slopes: many columns a row, quickly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import RectBivariateSpline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dokimasia.theory.horizons.curve import Floats

HERMITE = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [-3, 3, -2, -1], [2, -2, 1, 1]], float)
"""From values and slopes at both ends of a unit interval to the powers of a cubic."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bicubic:
    """A cubic spline over a grid of even steps, as a polynomial in either variable for each cell of it.

    `powers` has the axes (cell of u, cell of v, power of u, power of v); `u` and `v` are first points and steps.
    """

    powers: Floats
    u: tuple[float, float]
    v: tuple[float, float]

    @classmethod
    def through(cls, u: Floats, v: Floats, values: Floats) -> Bicubic:
        """The spline through `values` (n_u, n_v) at points `u` and `v` of even steps."""
        spline, du, dv = RectBivariateSpline(u, v, values), float(u[1] - u[0]), float(v[1] - v[0])
        corners = np.array([[spline(u, v, dx=i, dy=j) * du**i * dv**j for j in (0, 1)] for i in (0, 1)])
        ends = np.array(
            [
                [corners[i, j, m : m + len(u) - 1, n : n + len(v) - 1] for j in (0, 1) for n in (0, 1)]
                for i in (0, 1)
                for m in (0, 1)
            ]
        )
        powers = np.einsum("pe,qf,efuv->uvpq", HERMITE, HERMITE, ends)
        return cls(powers=np.ascontiguousarray(powers), u=(float(u[0]), du), v=(float(v[0]), dv))

    def at(self, u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
        """Values at `u` (..., 1) and `v` (..., n), within the grid, and their slopes by u and by v, each (..., n)."""
        row, s = _place(u, self.u, self.powers.shape[0])
        column, r = _place(v, self.v, self.powers.shape[1])
        cells = self.powers[row, column]
        one = np.ones_like(s)
        along = np.einsum("...p,...pq->...q", np.stack([one, s, s * s, s**3], axis=-1), cells)
        turned = np.einsum("...p,...pq->...q", np.stack([0 * s, one, 2 * s, 3 * s * s], axis=-1), cells)
        value = along[..., 0] + r * (along[..., 1] + r * (along[..., 2] + r * along[..., 3]))
        by_v = along[..., 1] + r * (2 * along[..., 2] + r * 3 * along[..., 3])
        by_u = turned[..., 0] + r * (turned[..., 1] + r * (turned[..., 2] + r * turned[..., 3]))
        return value, by_u / self.u[1], by_v / self.v[1]


def _place(points: Floats, grid: tuple[float, float], cells: int) -> tuple[NDArray[np.int64], Floats]:
    """The cell that each point lies in, and how far into it, from 0 to 1."""
    steps = (points - grid[0]) / grid[1]
    cell = np.clip(steps.astype(np.int64), 0, cells - 1)
    return cell, steps - cell
