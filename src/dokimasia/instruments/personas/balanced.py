"""Activations of voices over the same questions, with what the questions contribute taken out, and statistics of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from dokimasia.stats import Figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Replies:
    """Activations less what the question contributes: the roles' mean there; `ground` (d_model,) is the mean of these.

    `roles` (n_roles, n_questions, d_model) and `defaults` (n_defaults, n_questions, d_model); `there` (n_roles,
    n_questions) and `defaults_there` say which were read. The others are 0, and no part of any mean.
    """

    roles: Array
    defaults: Array
    there: NDArray[np.bool_]
    defaults_there: NDArray[np.bool_]
    ground: Array

    @classmethod
    def of(cls, roles: Array, defaults: Array) -> Replies:
        """From activations with NaN where nothing was read; a question that no role answered is left out."""
        used = whole_rows(roles).any(axis=0)
        roles, defaults = roles[:, used], defaults[:, used]
        questions = np.nanmean(roles, axis=0)
        return cls(
            roles=_read(roles - questions),
            defaults=_read(defaults - questions),
            there=whole_rows(roles),
            defaults_there=whole_rows(defaults),
            ground=questions.mean(axis=0),
        )

    @property
    def even(self) -> Array:
        """Every question once, (n_questions,)."""
        return np.ones(self.roles.shape[1])

    @cached_property
    def real(self) -> float:
        """The share of the variance among role vectors that is more than noise of questions; below 0 if it is less."""
        seen = self.vectors(self.even)
        single, _ = self.moments
        twice = np.isfinite(single)
        return float(single[twice].mean() / (seen[twice] ** 2).sum(axis=1).mean()) if twice.any() else 0.0

    @cached_property
    def moments(self) -> tuple[Array, Array]:
        """Products of what different questions say: (n_roles,) squared lengths, (n_roles, n_roles) squared products.

        Noise of questions does not bias either.
        """
        weights = self.there.astype(float)
        by_question = self.roles.swapaxes(0, 1)
        grams = by_question @ by_question.swapaxes(1, 2)
        both = weights @ weights.T
        pairs = both * (both - 1)
        total = self.roles.sum(axis=1)
        n = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            single = ((total**2).sum(axis=1) - np.einsum("qrr->r", grams)) / (n * (n - 1))
            products = (grams.sum(axis=0) ** 2 - (grams**2).sum(axis=0)) / pairs
        return single, products

    def vectors(self, weights: Array) -> Array:
        """Role vectors (n_roles, d_model), questions weighted; 0, the mean role, for one that answered none of these."""
        return _weighted(self.roles, self.there * weights)

    def default_vectors(self, weights: Array) -> Array:
        """The same of the default voices, (n_defaults, d_model)."""
        return _weighted(self.defaults, self.defaults_there * weights)

    def drawn(self, rng: np.random.Generator) -> Array:
        """How often each question is drawn with replacement, (n_questions,)."""
        n = self.roles.shape[1]
        return rng.multinomial(n, np.full(n, 1 / n)).astype(float)

    def halves(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Weights of two halves of the questions."""
        chosen = np.zeros(self.roles.shape[1])
        chosen[rng.permutation(len(chosen))[: len(chosen) // 2]] = 1
        return chosen, 1 - chosen


def whole_rows(values: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Which activations (..., d_model) are numbers throughout, (...)."""
    return np.asarray(np.isfinite(values).all(axis=-1))


def participation_ratio(replies: Replies) -> Figure | None:
    """Over how many dimensions are roles spread out? The square of the summed variances over the sum of their squares.

    Products of different roles and of different questions only: neither the noise of questions nor the number of roles
    biases them much, where the plain ratio cannot exceed the number of roles and grows with noise. Interval by jackknife
    over roles, of the logarithm; no end is below 1 or above the width of the stream, which are the least and the most there can
    be. None where the products are below zero: there is nothing but noise.
    """
    single, products = replies.moments

    def ratio(rows: NDArray[np.int64]) -> float:
        rows = rows[np.isfinite(single[rows])]
        lengths, squares = single[rows], products[np.ix_(rows, rows)]
        off = ~np.eye(len(rows), dtype=bool) & np.isfinite(squares)
        if not off.any():
            return float("nan")
        above = (lengths.sum() ** 2 - (lengths**2).sum()) / (len(rows) * (len(rows) - 1))
        below = squares[off].mean()
        return float(above / below) if above > 0 and below > 0 else float("nan")

    found = jackknife(lambda rows: float(np.log(ratio(rows))), len(single))
    if not np.isfinite(found.value):
        return None
    most = np.log(replies.roles.shape[2])
    return Figure(*(float(np.exp(np.clip(end, 0.0, most))) for end in found))


def jackknife(
    statistic: Callable[[NDArray[np.int64]], float],
    n: int,
    *,
    within: tuple[float, float] | None = None,
    confidence: float = 0.95,
) -> Figure:
    """A statistic of rows, with Student's interval from leaving out each of the `n` rows in turn.

    Efron and Stein (1981), Annals of Statistics 9:586-596.
    """
    rows = np.arange(n)
    value = statistic(rows)
    left = np.asarray([statistic(np.delete(rows, row)) for row in range(n)])
    if not np.isfinite([value, *left]).all():
        return Figure(value, -np.inf, np.inf)
    reach = float(stdtrit(n - 1, 0.5 + confidence / 2) * np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))
    low, high = value - reach, value + reach
    return Figure(value, low, high) if within is None else Figure(value, max(within[0], low), min(within[1], high))


def cosine(one: Array, other: Array) -> Array:
    """Cosines (..., n_rows) between vectors (..., d_model) and rows (n_rows, d_model)."""
    lengths = np.linalg.norm(one, axis=-1, keepdims=True) * np.linalg.norm(other, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(one @ other.T / lengths))


def _read(values: Array) -> Array:
    """The same with 0 where nothing was read."""
    return np.asarray(np.where(whole_rows(values)[:, :, None], values, 0.0))


def _weighted(values: Array, weights: Array) -> Array:
    """Means (n, d_model) of values (n, n_questions, d_model) with such weights, 0 where all of these are."""
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray((weights[:, None] @ values)[:, 0] / np.where(total > 0, total, 1.0))
