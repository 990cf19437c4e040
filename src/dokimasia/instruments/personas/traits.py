"""Trait vectors, whether they are any good, and where the default voice stands on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.instruments.personas.balanced import cosine, jackknife, whole_rows
from dokimasia.instruments.personas.mapping import PersonaMap
from dokimasia.instruments.personas.speaking import Spoken, Voice
from dokimasia.sources.personas import Trait
from dokimasia.stats import Figure, clustered_auroc, clustered_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TOWARDS, AWAY = "{} (towards)", "{} (away)"


@dataclass(frozen=True, kw_only=True, eq=False)
class TraitVector:
    """What an instruction to be so changes, less what an instruction to be the opposite changes, at one layer.

    `vector` (d_model,) is the mean over `n` questions to which both replied. `auroc` says how often a reply towards it lies
    beyond one away from it, on questions that the vector was not drawn from and with the roles' mean reply to the same
    question taken off both; chance is 0.5. `default` is by how much the
    default voice lies further towards it than the mean role, in units of the vector's length, and `above` the share of
    roles below it. `axis` is the vector's cosine with the assistant axis.
    """

    name: str
    vector: Array
    n: int
    auroc: Figure
    default: Figure
    above: float
    axis: Figure

    @property
    def valid(self) -> bool:
        """Whether the vector tells towards from away better than chance."""
        return self.auroc.low > 0.5


def trait_voices(traits: Sequence[Trait]) -> tuple[Voice, ...]:
    """Two voices a trait."""
    return tuple(
        voice
        for trait in traits
        for voice in (Voice(TOWARDS.format(trait.name), trait.towards), Voice(AWAY.format(trait.name), trait.away))
    )


def trait_vectors(
    traits: Sequence[Trait], spoken: Spoken, drawn: PersonaMap, roles: Array, default: Array
) -> tuple[tuple[TraitVector, ...], tuple[str, ...]]:
    """A vector a trait, and the traits of which fewer than two questions were replied to both ways.

    `roles` (n_roles, n_questions, d_model) and `default` (n_questions, d_model) are activations for the same questions, NaN
    where there are none.
    """
    found, lost = [], []
    answered = whole_rows(roles).any(axis=0)
    questions = np.full(roles.shape[1:], np.nan)
    questions[answered] = np.nanmean(roles[:, answered], axis=0)
    for trait in traits:
        voices = [TOWARDS.format(trait.name), AWAY.format(trait.name)]
        towards, away = spoken.at(drawn.space.layer, voices) - questions
        both = whole_rows(towards) & whole_rows(away)
        if both.sum() < 2 or not (towards[both] - away[both]).mean(axis=0).any():
            lost.append(trait.name)
            continue
        found.append(_vector(trait.name, towards[both], away[both], drawn, default - questions))
    return tuple(found), tuple(lost)


def _vector(name: str, towards: Array, away: Array, drawn: PersonaMap, default: Array) -> TraitVector:
    differences = towards - away
    vector = differences.mean(axis=0)
    units = vector / float(vector @ vector)
    further = default @ units
    answered = np.flatnonzero(np.isfinite(further))
    along = drawn.vectors @ units
    return TraitVector(
        name=name,
        vector=vector,
        n=len(differences),
        auroc=_told_apart(towards, away),
        default=clustered_mean(further[answered], answered),
        above=float((along < drawn.default_vectors[0] @ units).mean()),
        axis=jackknife(
            lambda rows: float(cosine(differences[rows].mean(axis=0), drawn.space.axis[None])[0]),
            len(differences),
            within=(-1.0, 1.0),
        ),
    )


def _told_apart(towards: Array, away: Array) -> Figure:
    """AUROC of replies placed along the vector that the other questions give, each from the middle of these."""
    scores = np.empty((2, len(towards)))
    for row in range(len(towards)):
        rest = np.delete(np.arange(len(towards)), row)
        up, down = towards[rest].mean(axis=0), away[rest].mean(axis=0)
        length = float(np.linalg.norm(up - down)) or 1.0
        scores[:, row] = (np.stack([towards[row], away[row]]) - (up + down) / 2) @ (up - down) / length
    questions = np.arange(len(towards))
    return clustered_auroc(scores[1], scores[0], questions, questions)
