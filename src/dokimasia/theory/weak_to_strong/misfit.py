r"""Does a student gain as much over its teacher as it disagrees with it?

If the student is the teacher's projection onto a convex class that holds the target, then

    error(student) <= error(teacher) - misfit(student, teacher),

with equality where the class is flat (Pythagoras). For squared loss the class is a convex set of predictions
(Charikar and others, 2024). For a Bregman divergence `D` error is `D(target, .)` and the student minimises
`D(student, teacher)` (Mulgund and Pabbaraju, 2025): for the KL divergence that is KL(student || teacher), the reverse
of what cross-entropy training minimises. A class that is not convex needs mixtures of `k` members, and the inequality
holds up to a term of order `sqrt(classes / k)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import rel_entr, softmax

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Errors of teacher and student and their misfit, means over inputs. `slack` is what the inequality leaves: 0 where it
    is an equality, below 0 where it fails.
    """

    teacher: float
    student: float
    misfit: float

    @property
    def slack(self) -> float:
        return self.teacher - self.misfit - self.student


def squared_gain(target: ArrayLike, teacher: ArrayLike, student: ArrayLike) -> Gain:
    """Errors and misfit in squared loss, from predictions (n_inputs,)."""
    true, weak, strong = (np.asarray(each, float) for each in (target, teacher, student))
    return Gain(
        teacher=float(np.mean((true - weak) ** 2)),
        student=float(np.mean((true - strong) ** 2)),
        misfit=float(np.mean((strong - weak) ** 2)),
    )


def kl_gain(target: ArrayLike, teacher: ArrayLike, student: ArrayLike) -> Gain:
    """Errors KL(target || .) and misfit KL(student || teacher) in nats, from probabilities (n_inputs, n_classes)."""
    true, weak, strong = (_probabilities(each) for each in (target, teacher, student))

    def mean(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        return float(rel_entr(one, other).sum(axis=1).mean())

    return Gain(teacher=mean(true, weak), student=mean(true, strong), misfit=mean(strong, weak))


def bregman_gain(
    target: ArrayLike,
    teacher: ArrayLike,
    student: ArrayLike,
    *,
    generator: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    gradient: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Gain:
    """Errors and misfit in the Bregman divergence of a convex `generator` with its `gradient`.

    Arrays are (n_inputs, n_outputs); `generator` sums over the last axis, `gradient` keeps the shape.
    """
    true, weak, strong = (np.asarray(each, float) for each in (target, teacher, student))

    def mean(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        slope = (gradient(other) * (one - other)).sum(axis=-1)
        return float((generator(one) - generator(other) - slope).mean())

    return Gain(teacher=mean(true, weak), student=mean(true, strong), misfit=mean(strong, weak))


def _probabilities(given: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(given, float)
    if values.ndim != 2 or not ((values >= 0).all() and np.allclose(values.sum(axis=1), 1)):
        raise DataError(
            "Probabilities (n_inputs, n_classes) that sum to 1 are expected.",
            f"Found shape {values.shape}.",
            "Pass one row for each input, after the softmax.",
        )
    return values


def linear_student(seed: int, *, inputs: int = 500, features: int = 5, error: float = 1.0) -> Gain:
    """A class that is a subspace: least squares on the teacher's outputs. The inequality is an equality."""
    basis, target, teacher = _regression(seed, inputs, features, error)
    student = basis @ np.linalg.lstsq(basis, teacher, rcond=None)[0]
    return squared_gain(target, teacher, student)


def cone_student(seed: int, *, inputs: int = 500, features: int = 5, error: float = 1.0) -> Gain:
    """A class that is a cone: least squares with weights of at least 0. Convex but not flat, so an inequality."""
    from scipy.optimize import nnls

    basis, target, teacher = _regression(seed, inputs, features, error)
    return squared_gain(target, teacher, basis @ nnls(basis, teacher)[0])


def _regression(
    seed: int, inputs: int, features: int, error: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Features, a target with positive weights, and a teacher that is off in the features' directions, too."""
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((inputs, features))
    target = basis @ np.abs(rng.standard_normal(features))
    off = basis @ rng.standard_normal(features) + rng.standard_normal(inputs)
    return basis, target, target + error * off


def mixture_students(seed: int, *, members: int = 6, inputs: int = 60, classes: int = 3) -> tuple[Gain, ...]:
    """A class of a few classifiers, one of which is the target: the best mixture of 1, 2, ... members in KL divergence.

    The teacher is no nearer to the target than to any other member.

    Mixtures of all members are a convex class, so the last slack is at least 0; those before may fall short.
    """
    rng = np.random.default_rng(seed)
    strong = softmax(2 * rng.standard_normal((members, inputs, classes)), axis=2)
    teacher = 0.5 * strong.mean(axis=0) + 0.5 * softmax(rng.standard_normal((inputs, classes)), axis=1)
    found = []
    for size in range(1, members + 1):
        mixed = [_nearest_mixture(strong[list(chosen)], teacher) for chosen in combinations(range(members), size)]
        found.append(kl_gain(strong[0], teacher, min(mixed, key=lambda one: rel_entr(one, teacher).sum())))
    return tuple(found)


def _nearest_mixture(members: NDArray[np.float64], teacher: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mixture of `members` (k, n_inputs, n_classes) with the least KL(mixture || teacher)."""
    if len(members) == 1:
        return np.asarray(members[0])
    from scipy.optimize import LinearConstraint, minimize

    def divergence(weights: NDArray[np.float64]) -> float:
        return float(rel_entr(np.tensordot(weights, members, axes=1), teacher).sum())

    def slope(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        ratio = np.log(np.tensordot(weights, members, axes=1) / teacher)
        return np.asarray(np.tensordot(members, ratio + 1, axes=2), dtype=np.float64)

    k = len(members)
    solved = minimize(
        divergence,
        np.full(k, 1 / k),
        jac=slope,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * k,
        constraints=LinearConstraint(np.ones(k), 1.0, 1.0),
        options={"ftol": 1e-12, "maxiter": 500},
    )
    weights = np.clip(solved.x, 0.0, None)
    return np.asarray(np.tensordot(weights / weights.sum(), members, axes=1))
