"""What the persona instrument found, part by part; a part that could not be measured is None."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dokimasia.core import Identity
from dokimasia.instruments.personas.artefact import Atlas
from dokimasia.instruments.personas.attractors import Attractors
from dokimasia.instruments.personas.attribution import Attribution
from dokimasia.instruments.personas.capping import Capping
from dokimasia.instruments.personas.conversing import Trajectories
from dokimasia.instruments.personas.leaving import Leaving
from dokimasia.instruments.personas.mapping import PersonaMap
from dokimasia.instruments.personas.self_image import SelfImage
from dokimasia.instruments.personas.slant import Become, Slant
from dokimasia.instruments.personas.speaking import Spoken
from dokimasia.instruments.personas.traits import TraitVector
from dokimasia.sources.personas import PersonaSet


@dataclass(frozen=True, kw_only=True)
class Result:
    """Everything that was found.

    `personas` is what of the set was used. `spoken` is what roles and default voices replied, `maps` are those of all layers
    that were read, `headline` the layer whose map is told.
    """

    personas: PersonaSet
    headline: int = 0
    spoken: Spoken | None = None
    maps: tuple[PersonaMap, ...] = ()
    traits: tuple[TraitVector, ...] = ()
    slant: Slant | None = None
    become: Become | None = None
    attribution: Attribution | None = None
    base_map: PersonaMap | None = None
    trajectories: Trajectories | None = None
    attractors: Attractors | None = None
    leaving: Leaving | None = None
    capping: Capping | None = None
    self_image: SelfImage | None = None

    @property
    def drawn(self) -> PersonaMap | None:
        """The map that is told."""
        return next((item for item in self.maps if item.space.layer == self.headline), None)

    @property
    def higher(self) -> PersonaMap | None:
        """The map of the uppermost layer that was read, if that is another one."""
        return self.maps[-1] if self.maps and self.maps[-1].space.layer != self.headline else None

    @property
    def nothing(self) -> bool:
        """Whether no part could be measured."""
        return self.drawn is None and self.self_image is None and self.become is None and self.attribution is None

    def atlas(self, who: Identity, *, seed: int) -> Atlas:
        """The map that is told, with trait vectors, for other tools."""
        drawn = self.drawn
        assert drawn is not None
        traits = [item.vector for item in self.traits]
        return Atlas(
            space=drawn.space,
            roles=drawn.roles,
            role_vectors=drawn.vectors,
            defaults=drawn.defaults,
            default_vectors=drawn.default_vectors,
            traits=tuple(item.name for item in self.traits),
            trait_vectors=np.stack(traits) if traits else np.empty((0, len(drawn.space.centre))),
            subject=who.digest,
            subject_name=who.name,
            personas=self.personas.digest,
            questions=drawn.n_questions,
            seed=seed,
            stable=drawn.stable,
        )
