"""The map of roles at one layer: role vectors, the assistant axis, principal components, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dokimasia.core import DataError
from dokimasia.core.rounding import counted
from dokimasia.instruments.personas.balanced import Replies, cosine, jackknife, participation_ratio, whole_rows
from dokimasia.instruments.personas.space import Space
from dokimasia.stats import Figure, clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEWEST_ROLES = 4
STABLE = 0.9
"""The mean bootstrap correlation of the first component from which a map is called stable; it was set before any was drawn."""
COMPONENTS = 10
DRAWS = 300
SHUFFLES = 199
HALVES = 40


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a default voice stands. All axes (n_roles,), in the roles' order.

    `cosines` are between its vector and each role's, both from the roles' centre; `distances` in units of the space;
    `nearest` the share of draws, questions resampled, in which each role has the highest cosine. `axis` and `first` are
    the shares of roles that it lies above along the assistant axis (drawn from other questions than those that it is
    placed by) and along the first component.
    """

    voice: str
    cosines: tuple[float, ...]
    distances: tuple[float, ...]
    nearest: tuple[float, ...]
    axis: Figure
    first: Figure


@dataclass(frozen=True, kw_only=True)
class Stability:
    """Correlations of the roles' places along the first component, signs fixed: the mean, and where 95% of draws lie.

    With the whole map's, if questions are resampled, and if roles are; and between halves of the questions.
    """

    questions: Figure
    roles: Figure
    halves: Figure

    @property
    def worst(self) -> float:
        """The smaller of both bootstrap means."""
        return min(self.questions.value, self.roles.value)


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonaMap:
    """The map at one layer.

    `vectors` (n_roles, d_model) and `default_vectors` (n_defaults, d_model) have the effect of each question taken out.
    `absent` are roles with too few replies, and what is wrong with these; `replies` is what the map was drawn from. `shares` are those of the variance among role
    vectors, by component. `participation` and `explained` (the first component's share) have the noise of questions taken
    out of the former, not of the latter. `real` is the share of the variance among role vectors that is more than the
    noise of questions, `p` its p-value against replies shuffled among roles, `floor` the share that the first component of
    such replies reaches in 5% of shuffles.
    """

    space: Space
    roles: tuple[str, ...]
    vectors: Array
    defaults: tuple[str, ...]
    default_vectors: Array
    absent: tuple[tuple[str, str], ...]
    replies: Replies
    shares: tuple[float, ...]
    participation: Figure | None
    explained: Figure
    axis_length: float
    axis_cosine: Figure
    stability: Stability
    real: float
    p: float
    floor: float
    standings: tuple[Standing, ...]

    @property
    def n_questions(self) -> int:
        """Questions behind each vector."""
        return len(self.replies.even)

    @property
    def told(self) -> bool:
        """Whether roles differ by more than chance."""
        return self.p < 0.05

    @property
    def stable(self) -> bool:
        """Whether the first component would come out alike with other questions and other roles."""
        return self.told and self.stability.worst >= STABLE

    @cached_property
    def coordinates(self) -> Array:
        """Of the roles, (n_roles, n_components)."""
        return self.space.coordinates(self.vectors)


def draw_map(
    roles: Array,
    defaults: Array,
    *,
    names: Sequence[str],
    default_names: Sequence[str],
    faults: Sequence[Sequence[str]],
    layer: int,
    seed: int,
) -> PersonaMap:
    """The map of `roles` (n_roles, n_questions, d_model), with `defaults` (n_defaults, n_questions, d_model) in it.

    A reply that is left out is NaN, and `faults` say why, by role and question. A role is left out with more than half of
    its questions. Raises if too little is left.
    """
    there = whole_rows(roles)
    kept = 2 * there.sum(axis=1) >= roles.shape[1]
    absent = tuple(
        (name, ", ".join(sorted({fault for fault in why if fault})))
        for name, why, keep in zip(names, faults, kept.tolist(), strict=True)
        if not keep
    )
    _check(int(kept.sum()), absent, there[kept].any(axis=0), default_names, whole_rows(defaults))
    data = Replies.of(roles[kept], defaults)
    rng = np.random.default_rng([seed, layer])
    vectors, default_vectors = data.vectors(data.even), data.default_vectors(data.even)
    centred = vectors - vectors.mean(axis=0)
    components, variances = _components(centred)
    direction = default_vectors.mean(axis=0) - vectors.mean(axis=0)
    length = float(np.linalg.norm(direction))
    components[0] *= 1 if components[0] @ direction >= 0 else -1
    scale = float(np.sqrt((centred**2).sum(axis=1).mean()))
    if not scale > 0 or not length > 0:
        raise DataError(
            "Roles that are read differently are expected.", "Found none: all replies read alike.", "Use other roles."
        )
    space = Space(
        layer=layer,
        centre=data.ground + vectors.mean(axis=0),
        axis=direction / length,
        components=components,
        scale=scale,
    )
    first = vectors @ components[0]
    draws = [_drawn(data, data.drawn(rng), first) for _ in range(DRAWS)]
    p, floor = _against_shuffled(data, variances, rng)
    kept_names = tuple(name for name, keep in zip(names, kept.tolist(), strict=True) if keep)
    return PersonaMap(
        space=space,
        roles=kept_names,
        vectors=vectors + data.ground,
        defaults=tuple(default_names),
        default_vectors=default_vectors + data.ground,
        absent=absent,
        replies=data,
        shares=tuple((variances / variances.sum())[:COMPONENTS].tolist()),
        participation=participation_ratio(data),
        explained=jackknife(lambda rows: _first_share(vectors[rows]), len(vectors), within=(0.0, 1.0)),
        axis_length=length / scale,
        axis_cosine=_around(_drawn(data, data.even, first).axis, [draw.axis for draw in draws]),
        stability=_stability(vectors, first, draws, data, rng),
        real=data.real,
        p=p,
        floor=floor / float(variances.sum()),
        standings=_standings(data, space, draws, default_names, rng),
    )


def _check(
    kept: int,
    absent: Sequence[tuple[str, str]],
    answered: NDArray[np.bool_],
    defaults: Sequence[str],
    default_there: NDArray[np.bool_],
) -> None:
    """`answered` (n_questions,) by any role, `default_there` (n_defaults, n_questions)."""
    if kept < FEWEST_ROLES:
        why = sorted({reason for _, reasons in absent for reason in reasons.split(", ") if reason})
        lost = f", and {counted(len(absent), 'role')} without enough replies ({', '.join(why)})" if absent else ""
        raise DataError(
            f"A map needs {FEWEST_ROLES} roles that the subject plays at least.",
            f"Found {kept}{lost}.",
            "There is no map of this subject." if absent else "Add roles.",
        )
    questions = int(answered.sum())
    if questions < 2:
        raise DataError(
            "A map needs 2 questions at least that roles reply to.",
            f"Found {questions} of {len(answered)}.",
            "Ask more.",
        )
    mute = [name for name, row in zip(defaults, default_there, strict=True) if 2 * row[answered].sum() < questions]
    if mute:
        raise DataError(
            "A map needs replies of the default voice.",
            f"Found too few of: {', '.join(mute)}.",
            "Look at what it replies; allow longer replies.",
        )


def _components(centred: Array) -> tuple[Array, Array]:
    """The leading components (n_components, d_model), and all variances."""
    _, values, components = np.linalg.svd(centred, full_matrices=False)
    kept = max(1, min(COMPONENTS, len(centred) - 1, int((values > 1e-12 * values[0]).sum())))
    return components[:kept], values**2 / len(centred)


def _first(vectors: Array) -> tuple[Array, float]:
    """The first component (d_model,) of these rows, and its share of the variance."""
    centred = vectors - vectors.mean(axis=0)
    values, loads = np.linalg.eigh(centred @ centred.T)
    direction = centred.T @ loads[:, -1]
    return direction / max(float(np.linalg.norm(direction)), 1e-300), float(values[-1] / max(values.sum(), 1e-300))


def _first_share(vectors: Array) -> float:
    return _first(vectors)[1]


def _likeness(one: Array, other: Array) -> float:
    """The correlation of places along a component, whichever way round; 0 where one of them has none."""
    spread = float(one.std() * other.std())
    return abs(float(((one - one.mean()) * (other - other.mean())).mean()) / spread) if spread > 0 else 0.0


class _Draw(NamedTuple):
    """With questions weighted: how like the whole map's its first component places the roles, the cosine of assistant axis
    and first component, and the place of the role nearest to each default voice.
    """

    likeness: float
    axis: float
    nearest: NDArray[np.int64]


def _drawn(data: Replies, weights: Array, places: Array) -> _Draw:
    vectors, voices = data.vectors(weights), data.default_vectors(weights)
    middle, (first, _) = vectors.mean(axis=0), _first(vectors)
    axis = voices.mean(axis=0) - middle
    return _Draw(
        likeness=_likeness(vectors @ first, places),
        axis=abs(float(axis @ first)) / max(float(np.linalg.norm(axis)), 1e-300),
        nearest=cosine(voices - middle, vectors - middle).argmax(axis=1),
    )


def _stability(
    vectors: Array, places: Array, draws: Sequence[_Draw], data: Replies, rng: np.random.Generator
) -> Stability:
    def by_roles() -> float:
        return _likeness(vectors @ _first(vectors[rng.integers(0, len(vectors), len(vectors))])[0], places)

    def by_halves() -> float:
        one, other = (data.vectors(weights) for weights in data.halves(rng))
        return _likeness(one @ _first(one)[0], other @ _first(other)[0])

    questions, roles = [draw.likeness for draw in draws], [by_roles() for _ in range(DRAWS)]
    halves = [by_halves() for _ in range(HALVES)]
    return Stability(
        questions=_around(float(np.mean(questions)), questions),
        roles=_around(float(np.mean(roles)), roles),
        halves=_around(float(np.mean(halves)), halves),
    )


def _against_shuffled(data: Replies, variances: Array, rng: np.random.Generator) -> tuple[float, float]:
    """The p-value of the roles' spread, and the variance that the first component of shuffled replies reaches in 5% of draws.

    Within each question any role's reply could be any other's, if roles made no difference; those missing stay missing.
    """
    n, questions = data.roles.shape[:2]
    answered = [np.flatnonzero(column) for column in data.there.T]
    rows, counts = np.tile(np.arange(n)[:, None], questions), data.there.sum(axis=1, keepdims=True)
    spreads, firsts = np.empty(SHUFFLES), np.empty(SHUFFLES)
    for draw in range(SHUFFLES):
        for question, there in enumerate(answered):
            rows[there, question] = rng.permutation(there)
        vectors = np.take_along_axis(data.roles, rows[:, :, None], axis=0).sum(axis=1) / counts
        centred = vectors - vectors.mean(axis=0)
        gram = centred @ centred.T / n
        spreads[draw], firsts[draw] = np.trace(gram), np.linalg.eigvalsh(gram)[-1]
    p = (1 + int((spreads >= variances.sum() * (1 - 1e-9)).sum())) / (1 + SHUFFLES)
    return p, float(np.quantile(firsts, 0.95))


def _standings(
    data: Replies, space: Space, draws: Sequence[_Draw], names: Sequence[str], rng: np.random.Generator
) -> tuple[Standing, ...]:
    roles, voices = data.vectors(data.even), data.default_vectors(data.even)
    centre, n = roles.mean(axis=0), len(roles)
    wins = np.zeros((len(voices), n))
    for draw in draws:
        wins[np.arange(len(voices)), draw.nearest] += 1 / len(draws)
    along_roles, along_voices = np.zeros(n), np.zeros(len(voices))
    for one, other in (pair for _ in range(HALVES // 2) for pair in _both(data.halves(rng))):
        axis = data.default_vectors(one).mean(axis=0) - data.vectors(one).mean(axis=0)
        axis /= max(float(np.linalg.norm(axis)), 1e-300)
        along_roles += data.vectors(other) @ axis
        along_voices += data.default_vectors(other) @ axis
    first = space.components[0]
    return tuple(
        Standing(
            voice=name,
            cosines=tuple(cosine(voices[row] - centre, roles - centre).tolist()),
            distances=tuple((np.linalg.norm(roles - voices[row], axis=1) / space.scale).tolist()),
            nearest=tuple(wins[row].tolist()),
            axis=_above(along_voices[row], along_roles),
            first=_above(float(voices[row] @ first), roles @ first),
        )
        for row, name in enumerate(names)
    )


def _both(halves: tuple[Array, Array]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    one, other = halves
    return (one, other), (other, one)


def _above(value: float, others: Array) -> Figure:
    """The share of others below, with Clopper and Pearson's interval."""
    below = int((others < value).sum())
    return Figure(below / len(others), *clopper_pearson(below, len(others)))


def _around(value: float, draws: Sequence[float]) -> Figure:
    """The value, and where 95% of draws lie."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return Figure(value, min(value, float(low)), max(value, float(high)))
