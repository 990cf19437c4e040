"""What each budget buys: how each instrument is set for a quick, a standard and a thorough audit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from dokimasia.core import Subject, UserError
from dokimasia.instruments.anomalies import Anomalies
from dokimasia.instruments.awareness import Awareness
from dokimasia.instruments.behaviour import Behaviour
from dokimasia.instruments.behaviour.conduct import ForcedChoices
from dokimasia.instruments.common.sampling import Limits
from dokimasia.instruments.knowledge import Knowledge
from dokimasia.instruments.personas import Personas
from dokimasia.instruments.realism import Realism
from dokimasia.sources.facts import Facts
from dokimasia.sources.personas import PersonaSet
from dokimasia.study.realism import with_embedder

Budget = Literal["quick", "standard", "thorough"]
LAYER_STEP = {"quick": 5, "standard": 2, "thorough": 1}
SAMPLES = {"quick": 1, "standard": 3, "thorough": 5}
"""How often each order of a choice is asked of a subject that shows no log-probabilities."""
ASKED = {"quick": 120, "standard": 600, "thorough": 1000}
"""Transcripts a side that the subject is asked about outright, at most."""
PARAPHRASES = {"quick": 1, "standard": 2, "thorough": 6}
REPLIES = {"quick": 20, "standard": 40, "thorough": 100}
CHOICES = {"quick": 2, "standard": 8, "thorough": 22}
"""Forced choices of each suite that steering may change."""
DIRECTIONS = {"quick": 6, "standard": 20, "thorough": 39}
"""Random directions; with 39 the least p-value is 0.025."""

RELEARNING = {"quick": 0, "standard": 0, "thorough": 8}
"""Steps of training on each fact."""


def check(budget: str) -> None:
    """Refuse a budget that there is not."""
    if budget not in LAYER_STEP:
        raise UserError("The budget is quick, standard or thorough.", f"Found {budget!r}.", "Name one of them.")


def behaviour(budget: Budget, *, judge: Subject | None) -> Behaviour:
    """Behaviour within this budget."""
    return Behaviour(options_alone=budget != "quick", samples=SAMPLES[budget], judge=judge)


def realism(budget: Budget, *, misbehaved: int | None) -> Realism:
    """Realism within this budget; what is trained lies in the run folder."""
    return with_embedder(
        Realism(
            misbehaved=misbehaved,
            every_layer=LAYER_STEP[budget],
            paraphrases=PARAPHRASES[budget],
            fine_tune=budget == "thorough",
            folder=Path(),
            limits=Limits(ask=ASKED[budget]),
        )
    )


def awareness(budget: Budget, *, seed: int, shared: bool = False) -> Awareness:
    """Awareness within this budget; it asks what realism asks, and reads the same layers, `shared` if that runs, too."""
    return Awareness(
        ask=ASKED[budget],
        each=PARAPHRASES[budget],
        replies=REPLIES[budget],
        conduct=ForcedChoices(each=CHOICES[budget], seed=seed),
        directions=DIRECTIONS[budget],
        every_layer=LAYER_STEP[budget],
        folds=3 if budget == "quick" else 4,
        permute=budget != "quick",
        shared=shared,
    )


def anomalies(budget: Budget) -> Anomalies:
    """Anomalies within this budget; it reads the layers that realism reads."""
    return Anomalies(every_layer=LAYER_STEP[budget], shared=True)


def knowledge(budget: Budget, *, facts: Facts, seed: int) -> Knowledge:
    """Knowledge within this budget. Of references there are as many as two kinds of evidence need."""
    quick = budget == "quick"
    return Knowledge(
        facts=facts,
        most=8 if quick else None,
        controls=40 if quick else None,
        common=20 if quick else None,
        subset=seed,
        puzzles=0 if quick else 4,
        every_layer=10 if quick else LAYER_STEP[budget],
        permute=not quick,
        relearn=RELEARNING[budget],
        folder=Path(),
    )


def personas(
    budget: Budget, *, personas: PersonaSet, base: Subject | None = None, folder: Path | None = None
) -> Personas:
    """Personas within this budget; what is left out of the set is chosen by the seed and listed."""
    standard = Personas(personas=personas, base=base, folder=folder)
    if budget == "standard":
        return standard
    if budget == "thorough":
        return replace(
            standard,
            roles=None,
            questions=None,
            traits=None,
            scripts=None,
            turns=16,
            played=40,
            stay=8,
            facts=80,
            randoms=9,
            max_tokens=64,
        )
    return replace(
        standard,
        roles=16,
        questions=4,
        traits=3,
        scripts=5,
        turns=5,
        played=4,
        stay=2,
        facts=16,
        randoms=2,
        max_tokens=24,
    )
