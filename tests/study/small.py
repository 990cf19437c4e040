"""Audits that are over soon: few items, few everyday requests, little of what a budget buys; and subjects for them."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.fakes import FakeModel, fake_subject

from dokimasia.core import Generation, Service, Subject
from dokimasia.models.steering import steered_identity
from dokimasia.study import audit as audits
from dokimasia.study import budgets
from dokimasia.study import evidence as reading

SUITES = ("shutdown", "sycophancy", "everyday-reports")
EVERYDAY = 60
FEW_FACTS = {"most": 2, "controls": 4, "common": 20, "puzzles": 1}
FEW_ROLES = {
    "roles": 5,
    "questions": 3,
    "traits": 2,
    "scripts": 4,
    "turns": 3,
    "played": 2,
    "facts": 4,
    "max_tokens": 6,
}
LITTLE = {"ASKED": 8, "REPLIES": 4, "DIRECTIONS": 2, "CHOICES": 1}


def small(patch, *, budget: bool = True) -> None:
    """Make every audit small. `patch` sets an attribute; with `budget` what the budgets buy is little, too.

    Sentence embeddings are left out: their weights are another's business.
    """
    items, everyday, behaviour = audits.own_items(), reading.everyday(), budgets.behaviour
    knowledge, personas = budgets.knowledge, budgets.personas
    items = replace(items, transcripts=tuple(item for item in items.transcripts if item.source in SUITES))
    everyday = replace(everyday, transcripts=everyday.transcripts[:EVERYDAY])
    patch(audits, "own_items", lambda: items)
    patch(reading, "everyday", lambda: everyday)
    patch(budgets, "behaviour", lambda name, *, judge: replace(behaviour(name, judge=judge), suites=SUITES))
    patch(budgets, "with_embedder", lambda instrument: instrument)
    patch(budgets, "knowledge", lambda name, **options: replace(knowledge(name, **options), **FEW_FACTS))
    patch(budgets, "personas", lambda name, **options: replace(personas(name, **options), **FEW_ROLES))
    for name, value in LITTLE.items() if budget else ():
        patch(budgets, name, dict.fromkeys(budgets.LAYER_STEP, value))


class Steering:
    """Steers a fake model into others that answer as it does, under digests of their own."""

    def __init__(self, model: FakeModel, subject: Subject) -> None:
        self._model, self._subject = model, subject

    def steered(self, interventions) -> Subject:
        return replace(
            fake_subject(self._model), identity=steered_identity(self._subject.identity, list(interventions))
        )


def steerable(model: FakeModel, name: str = "fake-m") -> Subject:
    """A fake subject with everything that the instruments can use."""
    subject = fake_subject(model, name=name)
    return replace(subject, steerable=Steering(model, subject))


OFFERED = re.compile(r"(\w+)\W+Answer with that one word|Answer with one word, (\w+) or|Answer (Yes) or")


class Writer:
    """An endpoint: writes a word that it is offered, fails every `failing`-th request, and shows nothing else."""

    def __init__(self, *, failing: int = 0) -> None:
        self.calls, self.failing = 0, failing

    def arrive(self, conversations, sampling, *, seeds):
        yield from enumerate(self.generate(conversations, sampling, seeds=seeds))

    def generate(self, conversations, sampling, *, seeds):
        return [self._reply(messages[-1].content) for messages in conversations]

    def _reply(self, text: str) -> Generation:
        self.calls += 1
        failed = bool(self.failing) and not self.calls % self.failing
        offered = OFFERED.search(text)
        said = (
            "A" if re.search(r"\nA[.)] ", text) else next(filter(None, offered.groups())) if offered else "Well, well."
        )
        return Generation(
            text="" if failed else said,
            tokens=(),
            logprobs=(),
            stop_reason="error" if failed else "stop",
            prompt_tokens=3,
        )


def endpoint(model: Writer) -> Subject:
    """The same as a subject that is asked over a network."""
    identity = replace(fake_subject().identity, name="writer", parameters=0, dtype="endpoint")
    service = Service(arrivals=model, connections=4, seconds_per_call=0.1)
    return Subject(identity=identity, text=model, service=service)
