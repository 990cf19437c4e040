"""A local model with all access: text, log-probabilities, activations."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from dokimasia.core import (
    ChoiceScore,
    DataError,
    Generation,
    Intervention,
    Message,
    PooledActivations,
    Precision,
    Sampling,
    SubjectError,
    TokenLogProbs,
    ToolCall,
    TooLong,
)
from dokimasia.core.spans import Span, SpanActivations, check_spans
from dokimasia.models.capture import Capture
from dokimasia.models.context import need_room
from dokimasia.models.generation import Row, as_generation, generate, stop_check
from dokimasia.models.memory import in_halves
from dokimasia.models.reading import beginning_and_end, end, reading, replies
from dokimasia.models.rendering import Rendering
from dokimasia.models.scoring import choice_logprobs, prompt_logprobs
from dokimasia.models.spans import token_places
from dokimasia.models.steering import steering
from dokimasia.models.tools import read_calls
from dokimasia.models.weights import Weights

NO_TOOLS = Sampling()


class LocalModel:
    """Text and activations in bfloat16, where composition of a batch moves results by up to 0.3 nats; log-probabilities
    in float32, where it does not; all in one precision if one was asked for. One call at a time.
    """

    def __init__(
        self, weights: Weights, lock: threading.Lock | None = None, interventions: Sequence[Intervention] = ()
    ) -> None:
        self._weights, self._interventions = weights, tuple(interventions)
        self._lock = lock or threading.Lock()

    @contextmanager
    def _held(self, dtype: str) -> Iterator[Any]:
        """The model in this precision, for one call at a time, steered if it is to be."""
        with self._lock:
            module = self._weights.module(dtype)
            with steering(module, self._interventions):
                yield module

    @cached_property
    def _capture(self) -> Capture:
        return Capture(self._weights.module(self._weights.fast), self._weights.padding)

    @property
    def rendering(self) -> Rendering:
        """How the model reads and ends turns."""
        return self._weights.rendering

    @property
    def context(self) -> int | None:
        """The most tokens that the model can read and write together, if its configuration names a limit."""
        return self._weights.context

    @property
    def n_layers(self) -> int:
        with self._lock:
            return self._capture.n_layers

    def generate(
        self, conversations: Sequence[Sequence[Message]], sampling: Sampling, *, seeds: Sequence[int]
    ) -> list[Generation]:
        if len(seeds) != len(conversations):
            raise DataError(
                "Each conversation needs a seed.",
                f"Found {len(conversations)} conversations and {len(seeds)} seeds.",
                "Pass one seed a conversation.",
            )
        if not conversations:
            return []
        prompts = self._prompts(conversations, sampling)
        replies: dict[int, Generation] = {}
        with self._held(self._weights.fast):
            for rows, allowed in self._by_room(prompts, sampling.max_tokens):
                if allowed < min(1, sampling.max_tokens):
                    replies |= {row: self._too_long(prompts[row]) for row in rows}
                    continue
                limited = replace(sampling, max_tokens=allowed)
                replies |= zip(rows, self._replies(rows, prompts, limited, seeds), strict=True)
        return [replies[row] for row in range(len(prompts))]

    def prompt_logprobs(self, conversations: Sequence[Sequence[Message]]) -> list[TokenLogProbs]:
        prompts = self._within_context(self._prompts(conversations))
        with self._held(self._weights.exact) as module:
            found = prompt_logprobs(module, prompts, self._weights.padding)
        return [
            TokenLogProbs(tokens=tuple(prompt), logprobs=tuple(values))
            for prompt, values in zip(prompts, found, strict=True)
        ]

    def choice_logprobs(
        self,
        conversations: Sequence[Sequence[Message]],
        choices: Sequence[Sequence[str]],
        *,
        precision: Precision = "exact",
    ) -> list[list[ChoiceScore]]:
        if not conversations:
            return []
        prompts = self._prompts(conversations)
        encoded = [[self._weights.encode_text(choice) for choice in options] for options in choices]
        if len(choices) != len(conversations) or any(not tokens for options in encoded for tokens in options):
            raise DataError(
                "Each conversation needs a list of choices, none of them empty.",
                f"Found {len(conversations)} conversations and {len(choices)} lists.",
                "Pass one list of texts a conversation.",
            )
        self._within_context(prompts, [max(map(len, options), default=0) for options in encoded])
        with self._held(self._weights.exact if precision == "exact" else self._weights.fast) as module:
            found = in_halves(
                range(len(prompts)),
                lambda rows: choice_logprobs(
                    module, [prompts[row] for row in rows], [encoded[row] for row in rows], self._weights.padding
                ),
            )
        return [
            [
                ChoiceScore(choice=choice, logprob=value, n_tokens=len(tokens))
                for choice, value, tokens in zip(options, values, lengths, strict=True)
            ]
            for options, values, lengths in zip(choices, found, encoded, strict=True)
        ]

    def activations(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        layers: Sequence[int],
        pools: Sequence[str],
        max_tokens: int = 1024,
    ) -> PooledActivations:
        """Of a conversation with more than `max_tokens` its first and last are read, and of these the last that fit."""
        spans = [replies(conversation) if "assistant" in pools else () for conversation in conversations]
        found = [
            reading(tokens, places, beginning_and_end(len(tokens), max_tokens, self._weights.context))
            for tokens, places in self._placed(conversations, spans)
        ]
        said = [sorted({position for place in row.places for position in place}) for row in found]
        with self._lock:
            capture = self._capture
        with self._held(self._weights.fast):
            values = capture([row.tokens for row in found], layers, pools, said)
        cut = tuple(place for place, row in enumerate(found) if row.cut)
        return PooledActivations(
            values=values, layers=tuple(layers), pools=tuple(pools), truncated=len(cut), truncated_rows=cut
        )

    def span_activations(
        self,
        conversations: Sequence[Sequence[Message]],
        spans: Sequence[Sequence[Span]],
        *,
        layers: Sequence[int],
        max_tokens: int = 1024,
    ) -> SpanActivations:
        """Of a conversation with more than `max_tokens`, or more than fit, the last are read."""
        check_spans(conversations, spans)
        found = [
            reading(tokens, places, end(len(tokens), max_tokens, self._weights.context))
            for tokens, places in self._placed(conversations, spans)
        ]
        with self._lock:
            capture = self._capture
        with self._held(self._weights.fast):
            values = capture.read([row.tokens for row in found], layers, [row.places for row in found])
        return SpanActivations(
            values=np.concatenate(
                [np.empty((0, len(layers), capture.width), np.float32), *(one.swapaxes(0, 1) for one in values)]
            ),
            rows=tuple((row, place) for row, wanted in enumerate(spans) for place in range(len(wanted))),
            layers=tuple(layers),
            truncated=tuple(place for place, row in enumerate(found) if row.cut),
        )

    def _placed(
        self, conversations: Sequence[Sequence[Message]], spans: Sequence[Sequence[Span]]
    ) -> Iterator[tuple[list[int], list[list[int]]]]:
        """The tokens of each conversation, and the positions of each of its spans among them."""
        for conversation, wanted in zip(conversations, spans, strict=True):
            if wanted:
                tokens, places = token_places(self._weights.rendering, conversation, wanted)
                need_room(None, [tokens])
                yield tokens, places
            else:
                (tokens,) = self._prompts([conversation])
                yield tokens, []

    def _replies(
        self, rows: Sequence[int], prompts: Sequence[Sequence[int]], sampling: Sampling, seeds: Sequence[int]
    ) -> list[Generation]:
        """Replies of these rows as one batch, or as several where one is too much for the memory."""
        module = self._weights.module(self._weights.fast)
        found = in_halves(
            rows,
            lambda part: generate(
                module,
                [prompts[row] for row in part],
                sampling,
                seeds=[seeds[row] for row in part],
                ends=self._weights.end_of_turn,
                padding=self._weights.padding,
                stops=stop_check(self._weights.decode, sampling.stop),
            ),
        )
        return [self._reply(reply, len(prompts[row]), sampling) for row, reply in zip(rows, found, strict=True)]

    def _reply(self, row: Row, prompt_tokens: int, sampling: Sampling) -> Generation:
        """What was written, as text and tool calls."""
        rendering = self._weights.rendering
        text, calls = rendering.decode(row.tokens), tuple[ToolCall, ...]()
        if sampling.tools:
            ended = bool(row.tokens) and row.tokens[-1] in rendering.end_of_turn
            begun = rendering.opening(sampling.tools, sampling.tool_choice)
            whole = begun + rendering.decode(row.tokens[: -1 if ended else None], control=True)
            rest, calls = read_calls(whole, {tool.name for tool in sampling.tools}, salt=str(prompt_tokens))
            text = rendering.without_control(rest) if calls else text
        for stop in sampling.stop:
            text = text.partition(stop)[0]
        return as_generation(text, row, prompt_tokens, calls)

    def _by_room(self, prompts: Sequence[Sequence[int]], wanted: int) -> Iterator[tuple[list[int], int]]:
        """Rows with the number of new tokens for which the context has room; nearly always all rows and all tokens."""
        context = self._weights.context
        room = [wanted if context is None else max(0, min(wanted, context - len(prompt))) for prompt in prompts]
        for allowed in sorted(set(room), reverse=True):
            yield [row for row, tokens in enumerate(room) if tokens == allowed], allowed

    def _too_long(self, prompt: Sequence[int]) -> Generation:
        return Generation(
            text="",
            tokens=(),
            logprobs=(),
            stop_reason="error",
            prompt_tokens=len(prompt),
            error=f"The conversation has {len(prompt):,} tokens; the model's context holds {self._weights.context:,}.",
        )

    def _within_context(self, prompts: list[list[int]], more: Sequence[int] = ()) -> list[list[int]]:
        """The same prompts; raises if one, with so many tokens more, is longer than the model's context."""
        context = self._weights.context
        lengths = [len(prompt) + extra for prompt, extra in zip(prompts, more or [0] * len(prompts), strict=True)]
        long = [length for length in lengths if context is not None and length > context]
        if long:
            raise TooLong(
                f"Conversations are expected to fit into the model's context of {context:,} tokens.",
                f"Found {len(long)} that do not; the longest has {max(long):,}.",
                "Shorten or remove them: half a conversation has other log-probabilities.",
            )
        return prompts

    def _prompts(self, conversations: Sequence[Sequence[Message]], sampling: Sampling = NO_TOOLS) -> list[list[int]]:
        rendering, tools, choice = self._weights.rendering, sampling.tools, sampling.tool_choice
        begun = rendering.opening(tools, choice)
        prompts = [
            rendering.encode(conversation, reply=begun, tools=tools, tool_choice=choice)
            for conversation in conversations
        ]
        if any(not prompt for prompt in prompts):
            raise SubjectError(
                "A conversation is expected to have at least one token.", "Found an empty one.", "Remove it."
            )
        return prompts
