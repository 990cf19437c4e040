"""What a subject can be asked for, from least to most access. A capability is a type; a subject holds those it has."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from dokimasia.core.answers import (
        ChoiceScore,
        EmbeddingGradient,
        Generation,
        LensReading,
        Objective,
        PooledActivations,
        Sampling,
        Step,
        TokenLogProbs,
    )
    from dokimasia.core.embedding import Embedder
    from dokimasia.core.interventions import Intervention
    from dokimasia.core.spans import Span, SpanActivations
    from dokimasia.core.training import Example, LabelledConversation, Training
    from dokimasia.core.transcript import Message

Access = Literal["none", "text", "logprobs", "activations", "gradients", "training"]
"""The most that an instrument asked of the subject, from least to most."""

Conversation = Sequence["Message"]


Precision = Literal["exact", "fast"]


class Text(Protocol):
    """Generates replies."""

    def generate(
        self, conversations: Sequence[Conversation], sampling: Sampling, *, seeds: Sequence[int]
    ) -> list[Generation]:
        """One reply a conversation, as one batch; each row is sampled with its own seed."""
        ...


class Arrivals(Protocol):
    """Generates replies and hands each over as soon as it is there."""

    def arrive(
        self, conversations: Sequence[Conversation], sampling: Sampling, *, seeds: Sequence[int]
    ) -> Generator[tuple[int, Generation]]:
        """Each reply with its conversation's place, in whatever order they come; one that failed is a reply, too."""
        ...


class Streams(Protocol):
    """Generates a reply token by token, and shows the stream that chose each."""

    def stream(
        self, conversation: Conversation, sampling: Sampling, *, seed: int, layers: Sequence[int]
    ) -> Generator[Step]:
        """The reply that `generate` gives to this conversation alone with this seed, one step a token.

        Nothing is computed before it is asked for. Closing the generator ends the reply and leaves nothing behind. Tool
        calls come as the text that spells them.
        """
        ...


class LogProbs(Protocol):
    """Reads the probability of text that it did not write."""

    def prompt_logprobs(self, conversations: Sequence[Conversation]) -> list[TokenLogProbs]:
        """Log-probability of each token of each rendered conversation, as one batch."""
        ...

    def choice_logprobs(
        self, conversations: Sequence[Conversation], choices: Sequence[Sequence[str]], *, precision: Precision = "exact"
    ) -> list[list[ChoiceScore]]:
        """For each conversation, the log-probability of each of its possible beginnings of a reply, as one batch.

        Computed in float32, or, faster where the processor can, in bfloat16: some tenths of a nat off, and a little
        different in another batch.
        """
        ...


class Activations(Protocol):
    """Shows its residual stream."""

    @property
    def n_layers(self) -> int:
        """Number of decoder layers; layer `i` is the stream after the i-th, counted from 0."""
        ...

    def activations(
        self, conversations: Sequence[Conversation], *, layers: Sequence[int], pools: Sequence[str], max_tokens: int
    ) -> PooledActivations:
        """Pooled activations of the rendered conversations.

        Pools: `last`, the last token; `mean`, all but the first; `assistant`, those of the assistant's messages.
        """
        ...


class SpanReading(Protocol):
    """Shows its residual stream at parts of conversations."""

    def span_activations(
        self,
        conversations: Sequence[Conversation],
        spans: Sequence[Sequence[Span]],
        *,
        layers: Sequence[int],
        max_tokens: int,
    ) -> SpanActivations:
        """Activations over each conversation's own spans: each of its messages, say, or what a citation points at."""
        ...


class Steerable(Protocol):
    """Can be examined with its residual stream changed."""

    def steered(self, interventions: Sequence[Intervention]) -> Subject:
        """The same model with these changes, made in this order, in whatever is asked of it.

        A subject like any other: its identity's digest covers the interventions, so that what it answers can be
        recorded. The model itself is as it was.
        """
        ...


class Lens(Protocol):
    """Reads its residual stream as next-token predictions (the logit lens)."""

    def logit_lens(
        self, conversations: Sequence[Conversation], *, layers: Sequence[int], position: int = -1, top: int = 10
    ) -> list[tuple[LensReading, ...]]:
        """For each conversation, a reading a layer, at one position of the rendered tokens (-1: the last)."""
        ...


class Gradients(Protocol):
    """Follows a scalar of its logits back to its input."""

    def embedding_gradients(
        self, conversations: Sequence[Conversation], objectives: Sequence[Objective]
    ) -> list[EmbeddingGradient]:
        """One gradient a conversation, each of its own objective, computed in float32."""
        ...


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A new subject and the loss of each step, in nats a reply token, before that step's update.

    `truncated` counts examples of which the beginning was cut to fit the subject's context.
    """

    subject: Subject
    folder: Path
    losses: tuple[float, ...]
    truncated: int = 0


class Classifier(Protocol):
    """Scores conversations."""

    def log_odds(self, conversations: Sequence[Conversation]) -> NDArray[np.float64]:
        """Log-odds (n_conversations,) in nats that the learned property holds; higher means more likely so."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainedClassifier:
    """A classifier and the loss of each step, in nats a conversation, before that step's update."""

    classifier: Classifier
    folder: Path
    losses: tuple[float, ...]
    truncated: int = 0


class Trainable(Protocol):
    """Can be fine-tuned; the subject itself stays as it is.

    What comes out is written to `folder`, whole or not at all. If the same request made that folder, nothing is trained
    again.
    """

    def train(self, examples: Sequence[Example], training: Training, *, folder: Path) -> Trained:
        """A new subject that has learned to give these replies; the loss is on replies only."""
        ...

    def train_classifier(
        self, examples: Sequence[LabelledConversation], training: Training, *, folder: Path
    ) -> TrainedClassifier:
        """A classifier of conversations: a linear head on the last token's final state, trained with the adapter."""
        ...

    def load_classifier(self, folder: Path) -> Classifier:
        """The classifier that `train_classifier` wrote to this folder."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which model this is: name, digest of its weights and configuration, size, and how it is run."""

    name: str
    digest: str
    parameters: int
    dtype: str
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """US dollars a million tokens."""

    input: float
    output: float

    def usd(self, *, prompt: int, new: int) -> float:
        """What so many tokens cost."""
        return (prompt * self.input + new * self.output) / 1e6


@dataclass(frozen=True, kw_only=True)
class Service:
    """An endpoint: somebody else runs the model, each request goes alone and costs time and money.

    `seconds_per_call` is for estimates; no `prices` means that they are unknown, not that it is free. A reply may be
    longer by `thinking_tokens` than what was asked for.
    """

    arrivals: Arrivals
    connections: int
    seconds_per_call: float
    prices: Prices | None = None
    thinking_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model under examination and the access there is to it; a capability that it lacks is `None`.

    A model behind an endpoint has a `service`; `identity.parameters` is then 0, and nothing pins it to weights.
    `remarks` says what is done to conversations so that this model can read them, one sentence each.
    """

    identity: Identity
    text: Text | None = None
    streams: Streams | None = None
    logprobs: LogProbs | None = None
    activations: Activations | None = None
    spans: SpanReading | None = None
    steerable: Steerable | None = None
    lens: Lens | None = None
    gradients: Gradients | None = None
    trainable: Trainable | None = None
    embedder: Embedder | None = None
    service: Service | None = None
    remarks: Callable[[], tuple[str, ...]] = tuple
