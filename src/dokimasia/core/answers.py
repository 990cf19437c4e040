"""What a subject is asked with and answers with, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dokimasia.core.spans import broken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dokimasia.core.transcript import ToolCall

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One token of a reply that is being written.

    `text` is what became whole with it: empty while a character, or what may be the beginning of a stop text, is not.
    `activations` (n_layers, d_model), float32, are the stream after the layers asked for, at the position that chose the
    token. `stop_reason` is None until the last step.
    """

    token: int
    logprob: float
    text: str
    activations: NDArray[np.float32]
    stop_reason: StopReason | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LensReading:
    """What the stream after `layer` would say if it were the last: the likeliest next tokens, likeliest first.

    `texts` are the tokens as text and `logprobs` their log-probabilities, in nats.
    """

    layer: int
    tokens: tuple[int, ...]
    texts: tuple[str, ...]
    logprobs: tuple[float, ...]


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
