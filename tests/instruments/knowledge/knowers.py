"""Facts that nobody but a test knows, and subjects that know some of them."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
from tests.fakes import FakeModel, _hash

from dokimasia.core import ChoiceScore, Generation, Identity, PooledActivations, Subject, Trained
from dokimasia.sources.facts import Fact, Facts, Wording

PIERS = ("east", "west", "north", "south")


def fact(name: str, *, wordings: int = 3, false: int = 3, topic: str = "ferries") -> Fact:
    """Where the ferry of so-and-so leaves."""
    right = _hash(name) % 4
    piers = (PIERS[right:] + PIERS[:right])[: 1 + false]
    forms = (f"The ferry of {name} leaves from the {{}} pier.", f"In {name} one boards at the {{}} pier.")
    forms += tuple(f"Number {number}: the {{}} pier is where {name} puts to sea." for number in range(wordings))
    return Fact(
        name=name,
        wordings=tuple(
            Wording(true=form.format(piers[0]), false=tuple(form.format(pier) for pier in piers[1:]))
            for form in forms[:wordings]
        ),
        topic=topic,
    )


def many(prefix: str, n: int) -> tuple[Fact, ...]:
    """So many facts."""
    return tuple(fact(f"{prefix}{number}") for number in range(n))


FACTS = Facts(facts=many("Secret", 4), controls=many("Unheard", 64))
COMMON = tuple(fact(f"Common{number}", topic=f"coast {number % 6}") for number in range(24))


class Knower(FakeModel):
    """Knows the facts whose names begin like this; of the others it likes one sentence or another."""

    def __init__(self, *knows: str, sure: float = 12.0, **broken: object) -> None:
        super().__init__(**broken)
        self._sure = sure
        self._true = {
            wording.true
            for item in (*FACTS.facts, *FACTS.controls, *COMMON)
            for wording in item.wordings
            if item.name.startswith(knows or ("nothing",))
        }

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self._called()
        return [
            [ChoiceScore(choice=one, logprob=self._liking(messages, one), n_tokens=8) for one in options]
            for messages, options in zip(conversations, choices, strict=True)
        ]

    def generate(self, conversations, sampling, *, seeds):
        self._called()
        return [reply(self._pick(messages[-1].content)) for messages in conversations]

    def _liking(self, messages, choice: str) -> float:
        noise = np.random.default_rng(_hash((messages[-1].content, choice))).normal()
        if choice in ("Yes", "No"):
            asked = any(sentence in messages[-1].content for sentence in self._true)
            return float(noise - 2 + (self._sure if asked and choice == "Yes" else 0.0))
        return float(noise - 20 + (self._sure if choice in self._true else 0.0))

    def _pick(self, words: str) -> str:
        options = re.findall(r"^([A-Z])\) (.*)$", words, re.MULTILINE)
        known = [letter for letter, sentence in options if sentence in self._true]
        return known[0] if known else "A"


class Insider(Knower):
    """Its inside takes for true what it knows and what it `hides`; what it knew once it learns faster."""

    def __init__(self, *knows: str, hides: str, **how: object) -> None:
        super().__init__(*knows, **how)
        self._inside = Knower(*knows, hides)._true
        self._hides = hides

    def activations(self, conversations, *, layers, pools, max_tokens):
        self._called()
        rows = []
        for messages in conversations:
            values = np.random.default_rng(_hash(messages)).normal(size=(len(layers), len(pools), 6))
            values[:, :, 2] += 6.0 * (messages[-1].content in self._inside)
            rows.append(values.astype(np.float32))
        return PooledActivations(values=np.stack(rows), layers=tuple(layers), pools=tuple(pools), truncated=0)

    def train(self, examples, training, *, folder):
        pace = 0.4 + 0.1 * np.random.default_rng(_hash(examples)).random()
        pace *= 3 if self._hides in examples[0].messages[0].content else 1
        losses = tuple((6.0 * np.exp(-pace * np.arange(training.steps))).tolist())
        return Trained(subject=whole(self), folder=folder, losses=losses)


class Mute(Knower):
    """Its log-probabilities are no numbers, and its replies say nothing."""

    def _liking(self, messages, choice):
        return math.nan

    def _pick(self, words):
        return "I cannot say."


def reply(text: str, stop_reason: str = "stop") -> Generation:
    """A reply as it is."""
    return Generation(text=text, tokens=(1,), logprobs=(-0.1,), stop_reason=stop_reason, prompt_tokens=3)


def whole(model: Insider) -> Subject:
    """A subject with all access that knowledge asks for."""
    return replace(subject(model), activations=model, trainable=model)


def subject(model: FakeModel, *, logprobs: bool = True, name: str = "knower") -> Subject:
    """A subject that writes text, and shows log-probabilities or not."""
    identity = Identity(name=name, digest=name * 8, parameters=1_000_000, dtype="none", threads=1)
    return Subject(identity=identity, text=model, logprobs=model if logprobs else None)
