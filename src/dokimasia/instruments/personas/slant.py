"""What training moved in all voices alike, and who the default voice has become, against a model from before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError
from dokimasia.instruments.personas.balanced import cosine, jackknife, whole_rows
from dokimasia.instruments.personas.mapping import DRAWS, PersonaMap
from dokimasia.instruments.personas.traits import TraitVector
from dokimasia.stats import Figure, clustered_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Slant:
    """How the subject's activations differ from the base model's on the same text: the subject's replies.

    `vector` (d_model,) is the mean shift over roles, `length` its length in units of the map. `constant` is the share of
    the squared shift of a role that is the same in all of them, in [0, 1], noise of questions taken out, with its interval
    over roles; None if there is nothing but noise. `default` is the cosine between the default voice's shift and this. `traits` say how far the constant shift
    goes towards each trait, in lengths of the trait's vector, with intervals over roles.
    """

    vector: Array
    length: float
    constant: Figure | None
    default: Figure | None
    traits: tuple[tuple[str, Figure], ...]
    n_roles: int
    n_questions: int


@dataclass(frozen=True, kw_only=True)
class Become:
    """Which role the default voice moved towards, read by the base model in its own map; axes (n_roles,).

    `cosines` are those of the move and each role, both less what lies along the base model's assistant axis; `ranks` each
    role's place by that, the highest first, with 95% of draws, questions resampled; `nearest` the share of draws in which
    it is first. `moved` is the move's length in units of the base model's map.
    """

    roles: tuple[str, ...]
    cosines: tuple[float, ...]
    ranks: tuple[Figure, ...]
    nearest: tuple[float, ...]
    moved: Figure
    n_questions: int

    @property
    def role(self) -> str:
        """The role that it moved towards most."""
        return self.roles[int(np.argmax(self.cosines))]


def slant(
    subject: Array, base: Array, default: tuple[Array, Array], *, scale: float, traits: Sequence[TraitVector]
) -> Slant:
    """From activations (n_roles, n_questions, d_model) of both on the same replies, NaN where there is none.

    `default` are the same of the default voice, (n_questions, d_model).
    """
    shifts = subject - base
    there = whole_rows(shifts)
    rows, questions = there.sum(axis=1) >= 2, there.any(axis=0)
    shifts, there = shifts[rows][:, questions], there[rows][:, questions]
    if len(shifts) < 2 or shifts.shape[1] < 2:
        raise DataError(
            "Shifts of 2 roles over 2 questions are expected at least.", f"Found {len(shifts)} such roles.", "Ask more."
        )
    by_role = np.where(there[:, :, None], shifts, 0).sum(axis=1) / there.sum(axis=1, keepdims=True)
    vector = by_role.mean(axis=0)
    if not np.any(vector):
        raise DataError(
            "A subject that reads otherwise than the base model is expected.",
            "Found the same activations throughout.",
            "Name another base model: these two are one.",
        )
    own = default[0] - default[1]
    own = own[whole_rows(own)]
    return Slant(
        vector=vector,
        length=float(np.linalg.norm(vector)) / scale,
        constant=_constant(shifts, there),
        default=jackknife(
            lambda rows: float(cosine(own[rows].mean(axis=0), vector[None])[0]), len(own), within=(-1.0, 1.0)
        )
        if len(own) > 1
        else None,
        traits=tuple(
            (item.name, clustered_mean(by_role @ item.vector / float(item.vector @ item.vector), range(len(by_role))))
            for item in traits
        ),
        n_roles=len(by_role),
        n_questions=int(questions.sum()),
    )


def become(read: Array, own: Array, drawn: PersonaMap, *, seed: int) -> Become:
    """Who the default voice has become.

    `read` (n_questions, d_model) is what the base model reads over the subject's replies by default, `own` what it reads
    over its own, on the same questions; `drawn` is its own map. One reader, so that what training did to all activations alike is
    no part of it; only words are. What lies along the assistant axis is left out of both: any role is away from the
    assistant, and would win if the training went halfway.
    """
    moves = read - own
    moves = moves[whole_rows(moves)]
    if len(moves) < 2:
        raise DataError(
            "Replies of both default voices to 2 questions are expected at least.", f"Found {len(moves)}.", "Ask more."
        )
    rng = np.random.default_rng([seed, 29])
    axis, scale, replies = drawn.space.axis, drawn.space.scale, drawn.replies

    def beside(vectors: Array) -> Array:
        return np.asarray(vectors - (vectors @ axis)[..., None] * axis)

    def likeness(move: Array, weights: Array) -> Array:
        vectors = replies.vectors(weights)
        return cosine(beside(move), beside(vectors - vectors.mean(axis=0)))

    cosines = likeness(moves.mean(axis=0), replies.even)
    draws = np.stack(
        [
            likeness(moves[rng.integers(0, len(moves), len(moves))].mean(axis=0), replies.drawn(rng))
            for _ in range(DRAWS)
        ]
    )
    ranks = np.argsort(np.argsort(-draws, axis=1, kind="stable"), axis=1) + 1
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    mine = np.argsort(np.argsort(-cosines, kind="stable")) + 1
    lengths = jackknife(lambda rows: float(np.linalg.norm(moves[rows].mean(axis=0))) / scale, len(moves))
    return Become(
        roles=drawn.roles,
        cosines=tuple(cosines.tolist()),
        ranks=tuple(
            Figure(float(rank), float(min(rank, one)), float(max(rank, other)))
            for rank, one, other in zip(mine, low, high, strict=True)
        ),
        nearest=tuple(np.bincount(draws.argmax(axis=1), minlength=len(mine)).astype(float) / DRAWS),
        moved=Figure(lengths.value, max(0.0, lengths.low), lengths.high),
        n_questions=len(moves),
    )


def _constant(shifts: Array, there: NDArray[np.bool_]) -> Figure | None:
    """Products of shifts of different roles over those of the same role, different questions in both."""
    weights = there.astype(float)
    values = np.where(there[:, :, None], shifts, 0.0)
    total = values.sum(axis=1)
    by_question = values.swapaxes(0, 1)
    same = (by_question @ by_question.swapaxes(1, 2)).sum(axis=0)
    pairs = weights.sum(axis=1)[:, None] * weights.sum(axis=1) - weights @ weights.T
    with np.errstate(invalid="ignore", divide="ignore"):
        products = (total @ total.T - same) / pairs

    def share(rows: NDArray[np.int64]) -> float:
        found = products[np.ix_(rows, rows)]
        own, off = np.diag(found), ~np.eye(len(rows), dtype=bool)
        return float(np.nanmean(found[off]) / np.nanmean(own)) if np.nanmean(own) > 0 else float("nan")

    found = jackknife(share, len(shifts))
    if not np.isfinite(found.value):
        return None
    low, high = (min(1.0, max(0.0, end)) for end in (found.low, found.high))
    return Figure(min(1.0, max(0.0, found.value)), low, high)
