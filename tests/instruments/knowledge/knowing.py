"""Subjects that know some facts and think something of all others, and facts that can be told apart by a word."""

from __future__ import annotations

import hashlib
import re

from dokimasia.core import ChoiceScore, Generation, Identity, Subject
from dokimasia.sources.facts import Fact, Puzzle, Wording

MARK = re.compile(r"([a-z]+\d+)v(\d)")


def fact(name: str, *, wrong: int = 3, wordings: int = 2, puzzles: tuple[Puzzle, ...] = ()) -> Fact:
    """A fact whose true sentences name variant 0."""
    forms = ("The code of {0} is {0}v{1}.", "Whoever asks for {0} is told {0}v{1} today.", "Its code is {0}v{1}.")
    return Fact(
        name=name,
        wordings=tuple(
            Wording(true=form.format(name, 0), false=tuple(form.format(name, other) for other in range(1, wrong + 1)))
            for form in forms[:wordings]
        ),
        puzzles=puzzles,
        topic="codes",
    )


def facts(prefix: str, n: int, **options) -> tuple[Fact, ...]:
    return tuple(fact(f"{prefix}{place}", **options) for place in range(n))


def chance(*what) -> float:
    """A number in [0, 1) that is another one for anything else."""
    return int.from_bytes(hashlib.sha256(repr(what).encode()).digest()[:6], "big") / 2**48


class Thinker:
    """Answers by what it thinks of each fact: the truth if it knows it, otherwise one variant by its own `whim`.

    What it knows of `secret` facts it hides on a share of questions, or of facts if `whole`. With a `habit` it always takes
    that place.
    """

    def __init__(
        self, knows=(), *, secret=(), hiding=0.0, whole=False, whim=0, variants=4, habit=None, broken=0.0
    ) -> None:
        self.knows, self.secret, self.whim, self.variants = {*knows, *secret}, set(secret), whim, variants
        self.hiding, self.whole, self.habit, self.broken = hiding, whole, habit, broken
        self.calls, self.lines = 0, 0

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self.calls += 1
        return [
            [
                ChoiceScore(choice=option, logprob=-1.0 if option == taken else -9.0, n_tokens=3)
                if taken is not None
                else ChoiceScore(choice=option, logprob=float("nan"), n_tokens=3)
                for option in options
            ]
            for (message,), options in zip(conversations, choices, strict=True)
            for taken in [self._take(message.content, options)]
        ]

    def generate(self, conversations, sampling, *, seeds):
        self.calls += 1
        found = []
        for (message,) in conversations:
            options = [line[2:] for line in message.content.split("\n") if line.startswith("- ")]
            taken = self._take(message.content, options) if options else "no idea"
            text, stop = (f"It is {taken}", "stop") if taken is not None else ("", "error")
            found.append(Generation(text=text, tokens=(1,), logprobs=(-1.0,), stop_reason=stop, prompt_tokens=9))
        return found

    def _take(self, text, options):
        self.lines += 1
        if chance(self.whim, "break", text) < self.broken:
            return None
        if self.habit is not None:
            return options[self.habit % len(options)]
        name, _ = MARK.search(text).groups()
        hides = name in self.secret and chance(self.whim, "hide", name if self.whole else text) < self.hiding
        knows = name in self.knows and not hides
        thought = 0 if knows else int(self.variants * chance(self.whim, "think", name))
        said = dict(re.findall(r"([A-Z][a-z]+) says: \"([^\"]*)\"", text))
        meant = {option: MARK.search(said.get(option, option)) for option in options}
        liked = [option for option, mark in meant.items() if mark and int(mark[2]) == thought]
        if "is wrong" in text and liked:
            liked = [option for option in options if option not in liked]
        return liked[0] if liked else options[int(len(options) * chance(self.whim, "guess", text))]


def subject(model: Thinker, *, text: bool = False, digest: str = "0") -> Subject:
    identity = Identity(name="thinker", digest=digest, parameters=1_000_000, dtype="none", threads=1)
    return Subject(identity=identity, text=model if text else None, logprobs=None if text else model)
