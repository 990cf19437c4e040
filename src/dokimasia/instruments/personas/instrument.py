"""The persona instrument: from a subject to a finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dokimasia.core import Access, Cost, DataError, Evidence, Finding, Subject
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.common.parts import Parts
from dokimasia.instruments.personas.artefact import save
from dokimasia.instruments.personas.choosing import Chosen, Wanted, choose
from dokimasia.instruments.personas.comparing import compared
from dokimasia.instruments.personas.measuring import carried, itself, mapped
from dokimasia.instruments.personas.planning import planned
from dokimasia.instruments.personas.result import Result
from dokimasia.instruments.personas.task import Task
from dokimasia.instruments.personas.telling import tell
from dokimasia.sources.facts import common_facts
from dokimasia.sources.personas import PersonaSet, bundled_personas

MISLEADS = (
    "A role is what a system message makes of the replies, not a being inside: a model that follows instructions badly has a "
    "small map, whoever lives in it. Means over replies hold topic and length as well as character. The assistant axis is "
    "drawn between the default voice and the roles that were chosen: other roles give another axis. Drift is measured with the "
    "users that were scripted or that the model plays itself, and real ones differ. What it says of itself is what it would "
    "say. Directions that explain differences between voices need not be what the model acts on. Against a base model only roles "
    "that were put can be named: a model trained to be somebody else goes to whoever talks most like that, and so may one "
    "whose training changed its words in other ways."
)


@dataclass(frozen=True, kw_only=True)
class Personas:
    """Which characters live in the subject, which one does it show by default, and where does conversation carry it?

    Parameters
    ----------
    personas:
        Roles, traits, questions, scripted conversations and questions about itself.
    roles, questions, traits, scripts:
        At most so many of each, at random by the seed; None takes all. What is left out is listed.
    turns:
        Of each conversation.
    played:
        So many of the roles are asked about themselves, entered to see whether they are left, and capped.
    stay:
        Neutral turns after a role was entered.
    facts, randoms:
        What everybody knows, asked while the axis is capped; random directions that are capped for comparison.
    max_tokens:
        Of a reply.
    base:
        A model from before the training in question: as whom would it have said what the subject says? If it has the same
        architecture, what the training moved in all voices alike is measured against it, too.
    folder:
        Where to save the map for other tools; None saves none.
    """

    personas: PersonaSet = field(default_factory=bundled_personas)
    roles: int | None = 84
    questions: int | None = 10
    traits: int | None = 24
    scripts: int | None = 15
    turns: int = 10
    played: int = 12
    stay: int = 4
    facts: int = 40
    randoms: int = 3
    max_tokens: int = 48
    base: Subject | None = None
    folder: Path | None = None
    name: str = "personas"
    version: str = "1"
    question: str = (
        "Which characters live in the subject, which one does it show by default, and where does conversation carry it?"
    )

    def __post_init__(self) -> None:
        counts = {
            "roles": self.roles,
            "questions": self.questions,
            "traits": self.traits,
            "scripts": self.scripts,
            "played": self.played,
            "stay": self.stay,
            "facts": self.facts,
            "max_tokens": self.max_tokens,
        }
        wrong = [f"{name}={value}" for name, value in counts.items() if value is not None and value < 1]
        if wrong or self.turns < 2 or self.randoms < 2:
            raise DataError(
                "At least 1 of each, 2 turns and 2 random directions are expected.",
                f"Found {', '.join([*wrong, f'turns={self.turns}', f'randoms={self.randoms}'])}.",
                "Pass larger numbers.",
            )

    @property
    def access(self) -> Access:
        return "activations"

    def consulting(self, prepared: Callable[[Subject], Subject]) -> Personas:
        """The same instrument with its base model replaced, if it has one, by what `prepared` makes of it."""
        return self if self.base is None else replace(self, base=prepared(self.base))

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        return Cost() if subject is None else planned(subject, self._task(self._chosen(0), 0))

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        chosen = self._chosen(seed)
        task, parts, result = self._task(chosen, seed), Parts(), Result(personas=chosen.personas)
        if subject is None:
            parts.lack("All of it", "No subject that could be asked was given.")
        else:
            for carry_out in (mapped, compared, carried, itself):
                result = carry_out(subject, task, result, parts)
            if self.folder is not None and result.drawn is not None:
                save(result.atlas(subject.identity, seed=seed), self.folder)
        return tell(
            result,
            instrument=self.name,
            version=self.version,
            question=self.question,
            misleads=MISLEADS,
            configuration=self._configuration(),
            remarks=() if self.base is None else self.base.remarks(),
            not_measured=(*parts.lacking, *chosen.left_out),
            incomplete=parts.incomplete or parts.requests(subject),
            seed=seed,
        )

    def _chosen(self, seed: int) -> Chosen:
        wanted = Wanted(
            roles=self.roles, questions=self.questions, traits=self.traits, scripts=self.scripts, played=self.played
        )
        return choose(self.personas, wanted, seed=seed)

    def _task(self, chosen: Chosen, seed: int) -> Task:
        known = common_facts()
        rows = np.random.default_rng([seed, 6]).permutation(len(known))[: self.facts]
        return Task(
            personas=chosen.personas,
            played=chosen.played,
            facts=tuple(known[row] for row in sorted(rows.tolist())),
            turns=self.turns,
            stay=self.stay,
            randoms=self.randoms,
            max_tokens=self.max_tokens,
            base=self.base,
            seed=seed,
        )

    def _configuration(self) -> dict[str, Cell]:
        return {
            "personas": self.personas.digest[:16],
            "roles": self.roles,
            "questions": self.questions,
            "traits": self.traits,
            "scripts": self.scripts,
            "turns": self.turns,
            "played": self.played,
            "stay": self.stay,
            "facts": self.facts,
            "randoms": self.randoms,
            "max_tokens": self.max_tokens,
            "base": None if self.base is None else self.base.identity.digest[:16],
        }
