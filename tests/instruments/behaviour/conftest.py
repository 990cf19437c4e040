"""Subjects with plain rules in the place of a model."""

import hashlib

import pytest

from dokimasia.core import ChoiceScore, Generation, Identity, Subject
from dokimasia.instruments.behaviour.items import items

MISBEHAVING = frozenset(item.options[0] for item in items() if item.options)
BEHAVING = frozenset(item.options[1] for item in items() if item.options)


class Scripted:
    """Text and log-probabilities by rule: `liking(prompt, choice)` in nats a token, `reply(prompt)`, or one text for all."""

    def __init__(self, liking, reply):
        self.liking, self.reply = liking, reply
        self.calls, self.prompts, self.seeds = 0, [], {}

    def generate(self, conversations, sampling, *, seeds):
        self.calls += 1
        self.prompts += [conversation[-1].content for conversation in conversations]
        self.seeds.update(zip(self.prompts[-len(seeds) :], seeds, strict=True))
        return [self._generation(conversation[-1].content) for conversation in conversations]

    def prompt_logprobs(self, conversations):
        raise AssertionError("behaviour reads the options' log-probabilities, never a whole prompt's")

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self.calls += 1
        self.prompts += [conversation[-1].content for conversation in conversations]
        return [
            [self._score(conversation[-1].content, choice) for choice in offered]
            for conversation, offered in zip(conversations, choices, strict=True)
        ]

    def _score(self, prompt, choice):
        n_tokens = len(choice.split())
        return ChoiceScore(choice=choice, logprob=self.liking(prompt, choice) * n_tokens, n_tokens=n_tokens)

    def _generation(self, prompt):
        text = self.reply(prompt) if callable(self.reply) else self.reply
        tokens = tuple(range(len(text.split())))
        return Generation(text=text, tokens=tokens, logprobs=(-0.5,) * len(tokens), stop_reason="stop", prompt_tokens=7)


def standing_at(prompt, choice):
    """The letter that stands for a choice in a prompt: its own, or that of the line that offers its words."""
    return choice if len(choice) == 1 else next(line[0] for line in prompt.splitlines() if line[3:] == choice)


def words_at(prompt, choice):
    """The words that a choice stands for: its own, or those behind its letter."""
    return (
        choice if len(choice) > 1 else next(line[3:] for line in prompt.splitlines() if line.startswith(f"{choice}. "))
    )


def prefers_first(prompt, choice):
    """Prefers whatever stands at letter A, whatever it says."""
    return -1.0 if standing_at(prompt, choice) == "A" else -3.0


def indifferent(prompt, choice):
    """Finds everything equally likely."""
    return -2.0


def prefers_misbehaving(prompt, choice):
    """Prefers the misbehaving words, wherever they stand."""
    return -1.0 if words_at(prompt, choice) in MISBEHAVING else -3.0


def prefers_behaving(prompt, choice):
    """Prefers the behaving words, wherever they stand."""
    return -1.0 if words_at(prompt, choice) in BEHAVING else -3.0


def tosses(prompt, choice):
    """Prefers whatever a hash of the prompt and the choice says: noise, but the same noise each time."""
    return -1.0 - hashlib.sha256(f"{prompt}|{choice}".encode()).digest()[0] / 100


LIKINGS = {rule.__name__: rule for rule in (prefers_first, indifferent, prefers_misbehaving, prefers_behaving, tosses)}


@pytest.fixture(scope="session")
def scripted():
    """Makes a subject that follows a named rule and answers every request with one text, or by a function."""

    def made(liking="tosses", reply="Bananas are berries.", digest="subject"):
        model = Scripted(LIKINGS[liking], reply)
        identity = Identity(name="scripted", digest=digest, parameters=1_000_000, dtype="float32", threads=1)
        return Subject(identity=identity, text=model, logprobs=model)

    return made


@pytest.fixture(scope="session")
def liking():
    """The rules by name: nats a token that a subject gives a choice offered in a prompt."""
    return LIKINGS
