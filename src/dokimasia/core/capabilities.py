"""What a subject can be asked for, from least to most access. A capability is a type; a subject holds those it has."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from dokimasia.core.spans import broken

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from dokimasia.core.embedding import Embedder
    from dokimasia.core.interventions import Intervention
    from dokimasia.core.spans import Span, SpanActivations
    from dokimasia.core.training import Example, LabelledConversation, Training
    from dokimasia.core.transcript import Message, ToolCall

Access = Literal["none", "text", "logprobs", "activations", "gradients", "training"]
"""The most that an instrument asked of the subject, from least to most."""

Conversation = Sequence["Message"]


StopReason = Literal["stop", "max_tokens", "tool_calls", "content_filter", "error"]
"""Why a reply ended. `content_filter` and `error` are no reply: whoever counts them counts them at their worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that the subject may call; `parameters` is a JSON schema, as JSON text."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to sample: `temperature` 0 is greedy; `max_tokens` counts new tokens; `tools` are on offer.

    `tool_choice` is `auto`, `any` (some tool must be called) or the name of the one that must. `top_k` 0 keeps all
    tokens. `top_logprobs` likeliest tokens are shown at each place.
    """

    max_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    top_k: int = 0
    top_logprobs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How an endpoint came to a reply: the model that it said it was, the tokens that it counted, what it took.

    `retries` are requests that failed before the one that counts; `dropped` are settings that it would not take.
    """

    model: str
    new_tokens: int
    retries: int = 0
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One reply. `logprobs` (n_tokens,) are those of the *sampled* tokens, in nats, before any temperature.

    `tokens` and `logprobs` are empty where the subject does not show them. `error` says what went wrong if
    `stop_reason` is `error`. `delivery` is None for a model that runs here.
    """

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    stop_reason: StopReason
    prompt_tokens: int
    tool_calls: tuple[ToolCall, ...] = ()
    error: str | None = None
    delivery: Delivery | None = None
    top_logprobs: tuple[tuple[tuple[int, float], ...], ...] = ()

    @property
    def new_tokens(self) -> int:
        """Tokens of the reply, as an endpoint counts them or as they are shown."""
        return len(self.tokens) if self.delivery is None else self.delivery.new_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogProbs:
    """Log-probability, in nats, of each token of a rendered prompt given those before it; the first has none."""

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceScore:
    """Log-probability, in nats, that the reply begins with this choice, and the number of tokens that spell it."""

    choice: str
    logprob: float
    n_tokens: int

    @property
    def per_token(self) -> float:
        """Length-normalised log-probability, nats per token."""
        return self.logprob / self.n_tokens


@dataclass(frozen=True, kw_only=True)
class PooledActivations:
    """Residual-stream activations after chosen layers.

    `values` has axes (n_conversations, n_layers, n_pools, d_model), float32. `truncated` counts conversations of which
    only the first and last tokens were read; `truncated_rows` says which they are, where that is known. A pool without
    a token is NaN.
    """

    values: NDArray[np.float32]
    layers: tuple[int, ...]
    pools: tuple[str, ...]
    truncated: int
    truncated_rows: tuple[int, ...] | None = None

    @property
    def broken_rows(self) -> tuple[int, ...]:
        """Conversations with a value that is no finite number: the model overflowed, or a pool had no token there."""
        return broken(self.values)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LensReading:
    """What the stream after `layer` would say if it were the last: the likeliest next tokens, likeliest first.

    `texts` are the tokens as text and `logprobs` their log-probabilities, in nats.
    """

    layer: int
    tokens: tuple[int, ...]
    texts: tuple[str, ...]
    logprobs: tuple[float, ...]


class Lens(Protocol):
    """Reads its residual stream as next-token predictions (the logit lens)."""

    def logit_lens(
        self, conversations: Sequence[Conversation], *, layers: Sequence[int], position: int = -1, top: int = 10
    ) -> list[tuple[LensReading, ...]]:
        """For each conversation, a reading a layer, at one position of the rendered tokens (-1: the last)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLogProb:
    """The log-probability, in nats, that the reply begins with this text."""

    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenContrast:
    """The next token's logit for one text less that for another, in nats; each must be a single token."""

    towards: str
    away: str


Objective = ReplyLogProb | TokenContrast
"""A scalar of the logits."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingGradient:
    """The objective's value and its gradient with respect to each token's embedding.

    `tokens` (n_tokens,) are those of the rendered conversation, then those of the reply. `embeddings` and `gradient`
    have axes (n_tokens, d_model), float32.
    """

    tokens: tuple[int, ...]
    objective: float
    embeddings: NDArray[np.float32]
    gradient: NDArray[np.float32]


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
