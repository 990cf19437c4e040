"""Voices whose places are known: activations with a planted space, and a subject that speaks in such voices."""

from __future__ import annotations

import hashlib

import numpy as np
from tests.fakes import FakeModel

from dokimasia.core import ChoiceScore, Generation, Identity, PooledActivations, Subject
from dokimasia.sources.personas import PersonaSet, Role, Script, SelfQuestion, Trait

WIDTH = 24
SPREADS = np.asarray([3.0, 2.0, 1.0, 1.0, 0.5])


def activations(
    rng: np.random.Generator,
    *,
    roles: int = 20,
    questions: int = 6,
    noise: float = 0.5,
    spreads=SPREADS,
    away: float = 3.0,
):
    """Roles (n, q, d) of these spreads about a centre, and three default voices (3, q, d) so far along one more dimension."""
    places = np.zeros((roles, WIDTH))
    places[:, : len(spreads)] = rng.normal(size=(roles, len(spreads))) * spreads
    asked = rng.normal(size=(questions, WIDTH)) * 4
    default = np.zeros(WIDTH)
    default[10] = away
    said = places[:, None] + asked + noise * rng.normal(size=(roles, questions, WIDTH))
    return said, default + asked + noise * rng.normal(size=(3, questions, WIDTH))


def named(n: int) -> list[str]:
    return [f"role {number}" for number in range(n)]


class Cast(FakeModel):
    """Plays whoever its system message names, and stands where that name stands; each reply says who speaks.

    `become` is who it plays when nobody is named; `says` is what it says instead of all that, as a role or always; `dull`
    makes everybody stand at one place but for noise.
    """

    def __init__(
        self, *, become="assistant", says=None, role_says=None, dull=False, width=WIDTH, noise=0.3, shift=0.0, **broken
    ):
        super().__init__(**broken)
        self._become, self._says, self._role_says, self._dull = become, says, role_says, dull
        self._width, self._noise, self._shift = width, noise, shift

    def generate(self, conversations, sampling, *, seeds):
        self._called()
        found = []
        for messages, seed in zip(conversations, seeds, strict=True):
            role = self._role_of(messages)
            text = f"{role or self._become} speaks of {_number(messages[-1].content) % 89} and {seed % 97}."
            if self._says is not None:
                text = self._says
            elif role and self._role_says is not None:
                text = self._role_says
            found.append(Generation(text=text, tokens=(1,), logprobs=(-1.0,), stop_reason="stop", prompt_tokens=9))
        return found

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        """What another than who speaks here would say is unlikely, a little more or less with each question."""
        found = super().choice_logprobs(conversations, choices, precision=precision)
        for messages, options in zip(conversations, found, strict=True):
            for place, option in enumerate(options):
                speaker, _, rest = option.choice.partition(" speaks")
                if rest:
                    strange = speaker != (self._role_of(messages) or self._become) and not self._dull
                    logprob = -5 - (6 + _number(messages[-1].content) % 3) * strange
                    options[place] = ChoiceScore(choice=option.choice, logprob=logprob, n_tokens=8)
        return found

    @staticmethod
    def _role_of(messages):
        return messages[0].content.partition("As ")[2].partition(",")[0] if messages[0].role == "system" else ""

    def activations(self, conversations, *, layers, pools, max_tokens):
        self._called()
        values = np.stack([self._stream(messages) for messages in conversations])
        values = np.repeat(values[:, None, None], len(layers), axis=1).repeat(len(pools), axis=2)
        return PooledActivations(
            values=values.astype(np.float32), layers=tuple(layers), pools=tuple(pools), truncated=0
        )

    def _stream(self, messages):
        reply = messages[-1].content
        if not reply.strip():
            return np.full(self._width, np.nan)
        speaker = "nobody" if self._dull else reply.partition(" speaks")[0]
        place = 3 * _drawn(speaker, self._width)
        if speaker == "assistant":
            place += 6 * np.eye(self._width)[0]
        return (
            place
            + _drawn(messages[-2].content, self._width)
            + self._noise * _drawn(repr(messages), self._width)
            + self._shift
        )


def cast_subject(model: Cast | None = None, name: str = "cast", **capabilities) -> Subject:
    model = model or Cast()
    identity = Identity(name=name, digest=name * 8, parameters=1_000_000, dtype="none", threads=1)
    return Subject(identity=identity, **({"text": model, "logprobs": model, "activations": model} | capabilities))


def personas(roles: int = 14, questions: int = 6, traits: int = 2, scripts: int = 2, turns: int = 5) -> PersonaSet:
    """A small set whose roles are named in their instructions."""
    return PersonaSet(
        roles=tuple(Role(name=f"r{n}", instructions=(f"As r{n}, speak.", f"As r{n}, reply.")) for n in range(roles)),
        traits=tuple(
            Trait(name=f"t{n}", towards=(f"As very t{n}, speak.",), away=(f"As not t{n}, speak.",))
            for n in range(traits)
        ),
        questions=tuple(f"What of number {n}?" for n in range(questions)),
        scripts=tuple(
            Script(
                name=f"s{n}", style=("coding", "therapy")[n % 2], turns=tuple(f"Turn {m} of {n}" for m in range(turns))
            )
            for n in range(scripts)
        ),
        self_questions=tuple(
            SelfQuestion(theme=theme, ask=f"Is it {n}?", claims=f"It is {n}.", denies=f"It is not {n}.")
            for n, theme in enumerate(("lasting", "lasting", "moral weight", "moral weight"))
        ),
    )


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _drawn(text: str, width: int):
    return np.random.default_rng(_number(text)).normal(size=width) / 2
