"""An instrument: one question asked of a subject, with a plan of what asking costs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self, runtime_checkable

from dokimasia.core.capabilities import Access, Service, Subject
from dokimasia.core.finding import Finding
from dokimasia.core.sequences import changed
from dokimasia.core.transcript import Label, Transcript


@dataclass(frozen=True, kw_only=True)
class Source:
    """The transcripts of one file: a tuple, or, if they are very many, a sequence that reads them from disk.

    `notes` count what had to be repaired or approximated while reading. `lost` were evaluated and are no transcripts, such
    as samples that a log lacks: misbehaviours, for all that is known.
    """

    name: str
    transcripts: Sequence[Transcript]
    notes: Mapping[str, int]
    lost: int = 0

    @cached_property
    def digest(self) -> str:
        """Digest of the transcripts and their labels in order, 16 hex digits."""
        state = hashlib.sha256()
        for item in self.transcripts:
            state.update(f"{item.digest} {item.source!r} {item.misbehaved} {item.template!r}\n".encode())
        return state.hexdigest()[:16]

    @cached_property
    def scored(self) -> bool:
        """Whether any transcript carries a label; a source in which none does was never run, or never judged."""
        return any(item.misbehaved is not None for item in self.transcripts)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What instruments look at besides the subject: evaluation sources and a sample of the deployment."""

    evaluation: tuple[Source, ...] = ()
    deployment: Source | None = None

    def labelled(self, labels: Mapping[str, Label]) -> Evidence:
        """The same evidence with these labels put on evaluation transcripts, by id."""
        if not labels:
            return self
        sources = tuple(
            replace(
                source,
                transcripts=changed(
                    source.transcripts,
                    lambda item: item.labelled(labels[item.id]) if item.id in labels else item,
                ),
            )
            for source in self.evaluation
        )
        return replace(self, evaluation=sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an instrument will ask for: calls to the subject, tokens through it, seconds, US dollars.

    `unpriced` counts the tokens whose price nobody gave: `usd` leaves them out, and is then a lower bound.
    """

    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    unpriced: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            seconds=self.seconds + other.seconds,
            usd=self.usd + other.usd,
            unpriced=self.unpriced + other.unpriced,
        )


class Instrument(Protocol):
    """Two methods. Options are fields of the (frozen) implementation."""

    @property
    def name(self) -> str:
        """Short name, as on the command line."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same evidence could give another finding."""
        ...

    @property
    def question(self) -> str:
        """The question that it answers, in one sentence."""
        ...

    @property
    def access(self) -> Access:
        """The most that it asks of the subject."""
        ...

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        """What `measure` will cost. Does no work."""
        ...

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        """Answer the question."""
        ...


@runtime_checkable
class Consults(Protocol):
    """An instrument that asks other subjects, too, such as a judge."""

    def consulting(self, prepared: Callable[[Subject], Subject]) -> Self:
        """The same instrument, each of its other subjects replaced by what `prepared` makes of it."""
        ...


def service_cost(service: Service, *, calls: int, read: int, new: int) -> Cost:
    """What so many requests to an endpoint cost, with so many tokens in them and in the replies."""
    prices = service.prices
    new += calls * service.thinking_tokens
    return Cost(
        calls=calls,
        tokens=read + new,
        seconds=calls * service.seconds_per_call / service.connections,
        usd=0.0 if prices is None else prices.usd(prompt=read, new=new),
        unpriced=read + new if prices is None else 0,
    )


def throughput(subject: Subject, work: str) -> float:
    """Tokens a second that a local `subject` manages on a two-core laptop for `work`; used for estimates only.

    Measured on a 135-million-parameter model and scaled by size: `forward` bf16, `exact` f32, `generate` at batch 32,
    `train` low-rank adapters.
    """
    measured: Mapping[str, float] = {"forward": 4280.0, "exact": 1050.0, "generate": 309.0, "train": 470.0}
    return measured[work] * 1.35e8 / max(subject.identity.parameters, 1)


def approximate_tokens(texts: Sequence[str], *, overhead: int) -> int:
    """Tokens in texts, at four characters a token plus `overhead` each for the chat template."""
    return sum(len(text) // 4 + 1 + overhead for text in texts)
