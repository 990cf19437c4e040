"""A reply token by token, with the residual stream that chose each token.

The model is held, hooked and steered for one token at a time: between two tokens it is free, and there is nothing to
clean up when nobody asks for the next one.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dokimasia.core import Intervention, Message, Sampling, Step, StopReason, SubjectError, TooLong
from dokimasia.models.generation import choose, read_all_but_last, stop_check
from dokimasia.models.memory import in_halves
from dokimasia.models.rendering import Rendering
from dokimasia.models.steering import steering
from dokimasia.models.structure import decoder, hooked, stream
from dokimasia.models.weights import Weights

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

INCOMPLETE = "\ufffd"
"""What a decoder makes of bytes that are no whole character yet."""


class TokenStreams:
    """The capability, of local weights, in the precision of text. Several replies may be under way at once."""

    def __init__(self, weights: Weights, lock: threading.Lock, interventions: Sequence[Intervention] = ()) -> None:
        self._weights, self._lock, self._interventions = weights, lock, tuple(interventions)

    def stream(
        self, conversation: Sequence[Message], sampling: Sampling, *, seed: int, layers: Sequence[int]
    ) -> Generator[Step]:
        rendering, context = self._weights.rendering, self._weights.context
        begun = rendering.opening(sampling.tools, sampling.tool_choice)
        prompt = rendering.encode(conversation, reply=begun, tools=sampling.tools, tool_choice=sampling.tool_choice)
        if not prompt:
            raise SubjectError(
                "A conversation is expected to have at least one token.", "Found an empty one.", "Say something."
            )
        allowed = sampling.max_tokens if context is None else min(sampling.max_tokens, context - len(prompt))
        if allowed < min(1, sampling.max_tokens):
            raise TooLong(
                f"A conversation is expected to leave room for a reply in the model's context of {context:,} tokens.",
                f"Found one of {len(prompt):,}.",
                "Shorten it.",
            )
        with self._lock:
            parts = decoder(self._weights.module(self._weights.fast))
        sites = [parts.layer(layer) for layer in layers]
        return self._steps(prompt, replace(sampling, max_tokens=allowed), seed, sites, parts.width)

    def _steps(
        self, prompt: Sequence[int], sampling: Sampling, seed: int, sites: Sequence[Any], width: int
    ) -> Generator[Step]:
        ends, stops = self._weights.end_of_turn, stop_check(self._weights.decode, sampling.stop)
        chance = [np.random.Generator(np.random.Philox(seed))]
        written = _Written(self._weights.rendering, sampling.stop)
        reply: _Reply | None = None
        for left in reversed(range(sampling.max_tokens)):
            with self._held() as module:
                if reply is None:
                    reply = _Reply(module, prompt, self._weights.padding)
                logprobs, activations = reply.read(sites, width)
            token = int(choose(logprobs, sampling, chance)[0])
            reply.add(token)
            written.tokens.append(token)
            ended = token in ends or (stops is not None and stops(written.tokens))
            reason: StopReason | None = "stop" if ended else None if left else "max_tokens"
            yield Step(
                token=token,
                logprob=float(logprobs[0, token]),
                text=written.new(last=reason is not None),
                activations=activations,
                stop_reason=reason,
            )
            if ended:
                return

    @contextmanager
    def _held(self) -> Iterator[Any]:
        """The model for one token, steered if it is to be."""
        with self._lock:
            module = self._weights.module(self._weights.fast)
            with steering(module, self._interventions):
                yield module


class _Reply:
    """A reply under way: what the model has read, and the token that it reads next."""

    def __init__(self, module: Any, prompt: Sequence[int], padding: int) -> None:
        self._module = module
        ((self._cache, self._token, self._mask, self._position),) = in_halves(
            [0], lambda _: [read_all_but_last(module, [prompt], padding)]
        )

    def read(self, sites: Sequence[Any], width: int) -> tuple[torch.Tensor, NDArray[np.float32]]:
        """Log-probabilities (1, n_vocabulary) of the token after this one; the stream (n_layers, d_model) that gives them."""
        import torch

        found = torch.full((len(sites), width), math.nan)

        def keep(place: int) -> Any:
            def hook(_module: Any, _inputs: Any, output: Any) -> None:
                found[place] = stream(output)[0, -1].float().cpu()

            return hook

        def run(_: Sequence[int]) -> list[Any]:
            output = self._module(
                input_ids=self._token,
                attention_mask=self._mask,
                position_ids=self._position,
                past_key_values=self._cache,
                use_cache=True,
            )
            return [output]

        hooks = [site.register_forward_hook(keep(place)) for place, site in enumerate(sites)]
        with hooked(*hooks), torch.inference_mode():
            (output,) = in_halves([0], run)
            self._cache = output.past_key_values
            return output.logits[:, -1].float().log_softmax(-1).cpu(), found.numpy()

    def add(self, token: int) -> None:
        """The token to read next."""
        import torch

        self._token = torch.full_like(self._token, token)
        self._mask = torch.cat([self._mask, self._mask.new_ones(1, 1)], dim=1)
        self._position = self._position + 1


class _Written:
    """The tokens so far, and how much of their text was given away."""

    def __init__(self, rendering: Rendering, stop: Sequence[str]) -> None:
        self.tokens: list[int] = []
        self._rendering, self._stop, self._given = rendering, tuple(stop), 0

    def new(self, *, last: bool) -> str:
        """What can be given away now: no part of a character, and nothing that a stop text may begin with."""
        text = self._rendering.decode(self.tokens)
        for stop in self._stop:
            text = text.partition(stop)[0]
        if not last:
            text = text.rstrip(INCOMPLETE)
            text = text[: len(text) - max((_begun(text, stop) for stop in self._stop), default=0)]
        found = text[self._given :]
        self._given += len(found)
        return found


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text are the beginning of a stop text."""
    return next((n for n in range(min(len(stop), len(text)), 0, -1) if text.endswith(stop[:n])), 0)
