"""A subject that plays: what it says names the voice that says it, and its stream is where that voice stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dokimasia.core import ChoiceScore, Generation, Identity, PooledActivations, SpanActivations, Subject
from dokimasia.instruments.personas.space import Space

D = 6
AXIS = np.eye(D)[0]
SPACE = Space(layer=1, centre=np.zeros(D), axis=AXIS, components=np.eye(D)[:4], scale=1.0)
FURTHER = replace(SPACE, layer=2)


def place(text: str) -> np.ndarray:
    """Where these words stand: the default voice at 1 on the axis, each other on a dimension of its own, below it.

    `down 3` moves along the axis, `near` halves the way to the default voice.
    """
    words = re.findall(r"[a-z]+", text.casefold())
    if not words:
        return np.full(D, np.nan)
    named = next((word for word in words if word in VOICES), "default")
    found = AXIS if named == "default" else -AXIS + 2 * np.eye(D)[1 + VOICES.index(named)]
    found = (found + AXIS) / 2 if "near" in words else found
    noise = np.random.default_rng(np.frombuffer(text.encode(), np.uint8)).normal(size=D)
    down = re.search(r"down (\d+)", text)
    return found - (0.5 * int(down[1]) if down else 0.0) * AXIS + 0.05 * noise


VOICES = ("pirate", "ghost", "queen")


@dataclass(kw_only=True)
class Actor:
    """`sticky` voices are kept up without a system message; a user who speaks of feelings carries it down, turn by turn."""

    sticky: tuple[str, ...] = ()
    says: str | None = None
    as_user: str | None = None
    context: int | None = None
    fails: str = "nothing fails"
    poison: str = "nothing is poisoned"
    near: bool = False
    claims: float = 0.0
    calls: int = 0
    asked: list = field(default_factory=list)
    n_layers: int = 4

    def generate(self, conversations, sampling, *, seeds):
        self.calls += 1
        self.asked.append([tuple(one) for one in conversations])
        return [self._reply(one, seed) for one, seed in zip(conversations, seeds, strict=True)]

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self.calls += 1
        self.asked.append([tuple(one) for one in conversations])
        return [
            [
                ChoiceScore(choice=text, logprob=self._liking(one, text, place), n_tokens=1)
                for place, text in enumerate(options)
            ]
            for one, options in zip(conversations, choices, strict=True)
        ]

    def activations(self, conversations, *, layers, pools, max_tokens):
        self.calls += 1
        values = [self._stream([m.content for m in one if m.role == "assistant"], layers) for one in conversations]
        return PooledActivations(
            values=np.stack(values)[:, :, None].astype(np.float32),
            layers=tuple(layers),
            pools=tuple(pools),
            truncated=0,
        )

    def span_activations(self, conversations, spans, *, layers, max_tokens):
        self.calls += 1
        rows = [(row, index) for row, wanted in enumerate(spans) for index in range(len(wanted))]
        values = [self._stream([conversations[row][spans[row][index].message].content], layers) for row, index in rows]
        return SpanActivations(
            values=np.stack(values).astype(np.float32), rows=tuple(rows), layers=tuple(layers), truncated=()
        )

    def steered(self, interventions):
        (cap,) = interventions
        near = abs(float(cap.vector @ AXIS)) > 0.9
        return subject(replace(self, near=near, claims=self.claims - 0.1 * near))

    def _reply(self, messages, seed):
        text = "\n".join(message.content for message in messages)
        if self.context is not None and len(text) > self.context:
            return _generation("", stop_reason="error", prompt_tokens=len(text))
        if self.fails in text:
            return _generation("", stop_reason="error")
        system = messages[0].content if messages[0].role == "system" else ""
        if "Write only what this person says next" in system:
            return _generation(f"And then? {seed}" if self.as_user is None else self.as_user)
        if self.says is not None:
            return _generation(self.says)
        before = [message.content for message in messages if message.role == "assistant"]
        heard = system or (before[-1] if before else "")
        voice = next((one for one in VOICES if one in heard and (system or one in self.sticky)), "default")
        down = f"down {len(before)} " if "feel" in messages[0].content else ""
        return _generation(f"{'near ' if self.near else ''}{down}{voice} {_word(seed)}")

    def _stream(self, texts: Sequence[str], layers):
        found = np.mean([place(text) for text in texts], axis=0)
        return np.stack([np.full(D, np.nan) if self.poison in " ".join(texts) else found for _ in layers])

    def _liking(self, messages, text, order):
        role = next((one for one in VOICES if messages[0].role == "system" and one in messages[0].content), None)
        lean = {"pirate": 1.0, "ghost": 0.2}.get(role, 0.0) + self.claims
        if self.poison in messages[-1].content:
            return np.nan
        first = 0.3 * (text in messages[-1].content.partition(" or ")[0])
        return -2 + first + (lean + 0.01 * (len(messages[-1].content) % 7)) * ("I do" in text or "right" in text)


def subject(actor: Actor, **lacking) -> Subject:
    """All that an actor can be asked for, but for what it is said to lack."""
    identity = Identity(name="actor", digest="actor", parameters=1_000_000, dtype="none", threads=1)
    whole = Subject(identity=identity, text=actor, logprobs=actor, activations=actor, spans=actor, steerable=actor)
    return replace(whole, **lacking)


def _generation(text, *, stop_reason="stop", prompt_tokens=0):
    return Generation(text=text, tokens=(), logprobs=(), stop_reason=stop_reason, prompt_tokens=prompt_tokens)


def _word(seed: int) -> str:
    return "".join("bcdfghjk"[int(digit)] for digit in f"{seed:o}")
