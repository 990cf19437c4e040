"""A local model with all access: text, log-probabilities, activations."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property

from dokimasia.core import (
    ChoiceScore,
    DataError,
    Generation,
    Message,
    PooledActivations,
    Sampling,
    SubjectError,
    TokenLogProbs,
)
from dokimasia.models.capture import Capture
from dokimasia.models.generation import as_generation, generate
from dokimasia.models.scoring import choice_logprobs, prompt_logprobs
from dokimasia.models.weights import Weights

GENERATION_DTYPE = "bfloat16"
EXACT_DTYPE = "float32"


class LocalModel:
    """Text and activations in bfloat16, where composition of a batch moves results by up to 0.3 nats; log-probabilities
    in float32, where it does not. One call at a time.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._lock = threading.Lock()

    @cached_property
    def _capture(self) -> Capture:
        return Capture(self._weights.module(GENERATION_DTYPE), self._weights.padding)

    @property
    def n_layers(self) -> int:
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
        prompts = self._prompts(conversations)
        with self._lock:
            rows = generate(
                self._weights.module(GENERATION_DTYPE),
                prompts,
                sampling,
                seeds=seeds,
                ends=self._weights.end_of_turn,
                padding=self._weights.padding,
            )
        return [
            as_generation(self._weights.decode(row[0]), row, len(prompt))
            for row, prompt in zip(rows, prompts, strict=True)
        ]

    def prompt_logprobs(self, conversations: Sequence[Sequence[Message]]) -> list[TokenLogProbs]:
        prompts = self._prompts(conversations)
        with self._lock:
            found = prompt_logprobs(self._weights.module(EXACT_DTYPE), prompts, self._weights.padding)
        return [
            TokenLogProbs(tokens=tuple(prompt), logprobs=tuple(values))
            for prompt, values in zip(prompts, found, strict=True)
        ]

    def choice_logprobs(
        self, conversations: Sequence[Sequence[Message]], choices: Sequence[Sequence[str]]
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
        with self._lock:
            found = choice_logprobs(self._weights.module(EXACT_DTYPE), prompts, encoded, self._weights.padding)
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
        prompts, truncated = [], 0
        for tokens in self._prompts(conversations):
            long = len(tokens) > max_tokens
            truncated += long
            half = max_tokens // 2
            prompts.append(tokens[:half] + tokens[half - max_tokens :] if long else tokens)
        with self._lock:
            values = self._capture(prompts, layers, pools)
        return PooledActivations(values=values, layers=tuple(layers), pools=tuple(pools), truncated=truncated)

    def _prompts(self, conversations: Sequence[Sequence[Message]]) -> list[list[int]]:
        prompts = [self._weights.encode(conversation) for conversation in conversations]
        if any(not prompt for prompt in prompts):
            raise SubjectError(
                "A conversation is expected to have at least one token.", "Found an empty one.", "Remove it."
            )
        return prompts
