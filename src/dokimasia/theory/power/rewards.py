"""Which rewards an agent might have: one number a state, drawn from a law."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from dokimasia.core import DataError
from dokimasia.theory.power.mdp import Array, Mdp


class Law(Protocol):
    """The law of one state's reward."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        """Independent draws."""
        ...


LARGEST_EXTRA = 1e9


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any reward in [0, 1], alike: the most ignorant law on an interval."""

    name: str = "uniform"

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        return rng.random(shape)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Few states worth much more than most; mean 1."""

    name: str = "exponential"

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        return rng.standard_exponential(shape)


@dataclass(frozen=True, slots=True)
class Normal:
    """As often bad as good; mean 0, deviation 1."""

    name: str = "normal"

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        return rng.standard_normal(shape)


@dataclass(frozen=True, slots=True)
class Heavy:
    """A state in a thousand worth far more than all others: Pareto with tail index 2.5."""

    name: str = "heavy"

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        return rng.pareto(2.5, shape)


@dataclass(frozen=True, slots=True)
class Sparse:
    """A reward of 1 in one state of ten, and nothing elsewhere: ties are common."""

    name: str = "sparse"

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        return (rng.random(shape) < 0.1).astype(float)


LAWS: Mapping[str, Law] = {law.name: law for law in (Uniform(), Exponential(), Normal(), Heavy(), Sparse())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewards:
    """Independent rewards of one law; `extra` is added at named states, which are then no longer like the others."""

    law: Law = field(default_factory=Uniform)
    extra: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in self.extra.values()):
            raise DataError("Finite extra rewards are expected.", "Found others.", "Give a number for each state.")

    def added(self, mdp: Mdp) -> Array:
        """What is added at each state, `(n_states,)`."""
        unknown = [name for name in self.extra if name not in mdp.states]
        if unknown:
            raise DataError(
                f"Extra rewards at states of the process are expected: {', '.join(mdp.states)}.",
                f"Found {unknown[0]!r}.",
                "Name one of its states.",
            )
        return np.array([self.extra.get(name, 0.0) for name in mdp.states])

    def draw(self, mdp: Mdp, n: int, rng: np.random.Generator) -> Array:
        """`n` reward functions, `(n, n_states)`."""
        return self.law.draw((n, len(mdp.states)), rng) + self.added(mdp)


def parse_extra(given: Sequence[str]) -> dict[str, float]:
    """Read extra rewards written as `STATE:REWARD`."""
    found: dict[str, float] = {}
    for text in given:
        state, _, value = text.rpartition(":")
        try:
            found[state] = float(value)
        except ValueError:
            state = ""
        if not state or not abs(found[state]) <= LARGEST_EXTRA:
            raise DataError(
                f"Extra rewards are expected as STATE:REWARD, at most {LARGEST_EXTRA:g} either way.",
                f"Found {text!r}.",
                "Write for instance off:0.5.",
            )
    return found
