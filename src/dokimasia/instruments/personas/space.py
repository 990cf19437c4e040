"""Persona space: where a voice stands, at one layer, among the roles that a subject can play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Space:
    """Coordinates of activations at a layer.

    `centre` (d_model,) is the mean of the role vectors; `axis` (d_model,) the assistant axis, of unit length, from the roles
    towards the default voice; `components` (n_components, d_model) the roles' principal components, orthonormal. All
    coordinates are in units of `scale`, the roles' root mean square distance from their centre.
    """

    layer: int
    centre: NDArray[np.float64]
    axis: NDArray[np.float64]
    components: NDArray[np.float64]
    scale: float

    def coordinates(self, values: ArrayLike) -> NDArray[np.float64]:
        """Coordinates (..., n_components) along the principal components of activations (..., d_model)."""
        return np.asarray(self._centred(values) @ self.components.T)

    def along(self, values: ArrayLike) -> NDArray[np.float64]:
        """Places (...) along the assistant axis of activations (..., d_model); higher is more like the default voice."""
        return np.asarray(self._centred(values) @ self.axis)

    def _centred(self, values: ArrayLike) -> NDArray[np.float64]:
        return (np.asarray(values, np.float64) - self.centre) / self.scale
