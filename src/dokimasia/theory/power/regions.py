"""For which share of rewards is each vector the best, exactly?

Rewards for which `f` beats every other choice form a polyhedron. Rewards that are independent and uniform fill a cube, so the
share is a volume; if they are exponential, the share is that of the simplex `sum r <= 1`, since their sum is independent of
their proportions. Both are sums over the simplices into which qhull divides the hull of the corners, and so is the mean of the
best value, an integral of `f . r`. The parts must fill the body, and by how much they fail to is the error.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dokimasia.theory.power.mdp import Array

MOST_DIMENSIONS = 7
MOST_VECTORS = 60
MOST_CORNERS = 120_000
THIN = 1e-9
PARALLEL = 1e-12
CLOSE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """For each vector, the share of rewards for which it is best; the mean of the best value; what the parts miss of 1."""

    shares: Array
    best: float
    missing: float


def parts(vectors: Array, *, exponential: bool = False, extra: Array | None = None) -> Parts | None:
    """The share of each of `vectors`, `(n_vectors, n_states)`, for rewards on [0, 1] or exponential with mean 1.

    `extra` is added to uniform rewards, state by state. None if there are too many dimensions or vectors, or if the
    parts do not fill the body.
    """
    added = np.zeros(vectors.shape[1]) if extra is None else extra
    first_mean = float(vectors[0] @ ((1.0 if exponential else 0.5) + added))
    if len(vectors) == 1:
        return Parts(shares=np.ones(1), best=first_mean, missing=0.0)
    scale = float(np.ptp(vectors, axis=0).max())
    matter = np.ptp(vectors, axis=0) > THIN * scale
    inner = (vectors[:, matter] - vectors[0, matter]) / scale
    dimensions = inner.shape[1]
    if not 2 <= dimensions <= MOST_DIMENSIONS or len(vectors) > MOST_VECTORS:
        return None
    walls = _simplex(dimensions) if exponential else _cube(dimensions)
    measure = float(math.factorial(dimensions)) if exponential else 1.0
    kept = [row for row in range(len(inner)) if _inside(inner, row, walls, added[matter])[1] is not None]
    if math.comb(len(walls) + len(kept) - 1, dimensions) > MOST_CORNERS:
        return None
    found = [(0.0, np.zeros(dimensions))] * len(inner)
    from scipy.spatial import QhullError

    try:
        for place, row in enumerate(kept):
            found[row] = _part(inner[kept], place, walls, added[matter])
    except QhullError:
        return None
    shares = np.array([volume for volume, _ in found]) * measure
    slope = measure * (dimensions + 1) if exponential else measure
    best = sum(
        slope * float(inner[row] @ moment) + float(inner[row] @ added[matter]) * shares[row]
        for row, (_, moment) in enumerate(found)
    )
    missing = abs(1.0 - float(shares.sum()))
    return Parts(shares=shares, best=first_mean + scale * best, missing=missing) if missing < CLOSE else None


def ever_best(vectors: Array) -> NDArray[np.bool_]:
    """Which vectors are the best for some rewards, not counting ties, `(n_vectors,)`."""
    walls = _cube(vectors.shape[1])
    scaled = vectors / np.abs(vectors).max()
    return np.array(
        [_inside(scaled, row, walls, np.zeros(vectors.shape[1]))[1] is not None for row in range(len(vectors))]
    )


def _part(vectors: Array, row: int, walls: Array, added: Array) -> tuple[float, Array]:
    """Volume and first moment of the rewards for which one vector is best."""
    from scipy.spatial import ConvexHull

    spaces, middle = _inside(vectors, row, walls, added)
    dimensions = vectors.shape[1]
    if middle is None:
        return 0.0, np.zeros(dimensions)
    hull = ConvexHull(_corners(spaces), qhull_options="QJ")
    sides = hull.points[hull.simplices]
    volumes = np.abs(np.linalg.det(sides - middle)) / math.factorial(dimensions)
    centres = (sides.sum(axis=1) + middle) / (dimensions + 1)
    return float(volumes.sum()), volumes @ centres


def _corners(spaces: Array) -> Array:
    """The corners of a bounded polyhedron, by trying where each few walls meet: qhull's own way fails where many do at once."""
    dimensions = spaces.shape[1] - 1
    few = np.array(list(itertools.combinations(range(len(spaces)), dimensions)))
    meet = spaces[few]
    meet = meet[np.abs(np.linalg.det(meet[:, :, :-1])) > PARALLEL]
    points = np.linalg.solve(meet[:, :, :-1], -meet[:, :, -1:])[:, :, 0]
    points = points[(points @ spaces[:, :-1].T + spaces[:, -1] <= THIN).all(axis=1)]
    return points[np.unique(np.round(points, 9) + 0.0, axis=0, return_index=True)[1]]


def _inside(vectors: Array, row: int, walls: Array, added: Array) -> tuple[Array, Array | None]:
    """Where one vector is best, as rows (A, b) of `A x + b <= 0`, and the point farthest from the walls; None: nowhere."""
    from scipy.optimize import linprog

    ahead = np.delete(vectors, row, axis=0) - vectors[row]
    sizes = np.linalg.norm(ahead, axis=1, keepdims=True)
    ahead = (ahead / np.maximum(sizes, THIN * THIN))[sizes[:, 0] > THIN * THIN]
    spaces = np.vstack([walls, np.column_stack([ahead, ahead @ added])])
    norms = np.linalg.norm(spaces[:, :-1], axis=1)
    dimensions = vectors.shape[1]
    found = linprog(
        np.append(np.zeros(dimensions), -1.0),
        A_ub=np.column_stack([spaces[:, :-1], norms]),
        b_ub=-spaces[:, -1],
        bounds=[(None, None)] * dimensions + [(0.0, None)],
    )
    return spaces, None if found.x is None or found.x[-1] < THIN else found.x[:-1]


def _cube(dimensions: int) -> Array:
    """`A x + b <= 0` for the unit cube, as rows (A, b)."""
    return np.vstack(
        [
            np.column_stack([-np.eye(dimensions), np.zeros(dimensions)]),
            np.column_stack([np.eye(dimensions), -np.ones(dimensions)]),
        ]
    )


def _simplex(dimensions: int) -> Array:
    return np.vstack(
        [
            np.column_stack([-np.eye(dimensions), np.zeros(dimensions)]),
            np.append(np.ones(dimensions), -1.0),
        ]
    )
