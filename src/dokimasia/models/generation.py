"""Batched sampling that keeps the log-probability of each sampled token, and one random stream a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dokimasia.core import Generation, Sampling, ToolCall

if TYPE_CHECKING:
    import torch


Top = tuple[tuple[int, float], ...]
"""The likeliest tokens at one place with their log-probabilities, in nats, the likeliest first."""


@dataclass(slots=True)
class Row:
    """What was written for one prompt so far."""

    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    tops: list[Top] = field(default_factory=list)
    ended: bool = False


def generate(
    module: Any,
    prompts: Sequence[Sequence[int]],
    sampling: Sampling,
    *,
    seeds: Sequence[int],
    ends: frozenset[int],
    padding: int,
    stops: Callable[[Sequence[int]], bool] | None = None,
) -> list[Row]:
    """Continue every prompt, until the model ends its turn or `stops` says so of the tokens written.

    Rows that ended leave the batch once they are half of it. Log-probabilities are those under the model itself
    (temperature 1, no truncation), in float32.
    """
    import torch

    streams = [np.random.Generator(np.random.Philox(seed)) for seed in seeds]
    found = [Row() for _ in prompts]
    rows = list(range(len(prompts)))
    cache, tokens, mask, positions = read_all_but_last(module, prompts, padding)
    with torch.inference_mode():
        for _ in range(sampling.max_tokens):
            output = module(
                input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
            )
            cache = output.past_key_values
            logprobs = output.logits[:, -1].float().log_softmax(-1).cpu()
            chosen = choose(logprobs, sampling, [streams[row] for row in rows])
            likelihood = logprobs.gather(1, chosen[:, None])[:, 0].tolist()
            tops = _likeliest(logprobs, sampling.top_logprobs)
            alive = []
            for place, (row, token, logprob) in enumerate(zip(rows, chosen.tolist(), likelihood, strict=True)):
                written = found[row]
                if written.ended:
                    continue
                written.tokens.append(token)
                written.logprobs.append(logprob)
                if tops:
                    written.tops.append(tops[place])
                written.ended = token in ends or (stops is not None and stops(written.tokens))
                if not written.ended:
                    alive.append(place)
            if not alive:
                break
            tokens, positions = chosen[:, None], positions + 1
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            if len(alive) <= len(rows) // 2:
                keep = torch.tensor(alive)
                cache.batch_select_indices(keep)
                tokens, positions, mask = tokens[keep], positions[keep], mask[keep]
                rows = [rows[place] for place in alive]
    return found


def stop_check(decode: Callable[[Sequence[int]], str], stop: Sequence[str]) -> Callable[[Sequence[int]], bool] | None:
    """Whether a reply has just written one of these texts; every token spells at least a byte."""
    if not stop:
        return None
    reach = max(len(text.encode()) for text in stop) + 4
    return lambda tokens: any(text in decode(tokens[-reach:]) for text in stop)


def as_generation(text: str, row: Row, prompt_tokens: int, calls: tuple[ToolCall, ...] = ()) -> Generation:
    """Put a row into words."""
    return Generation(
        text=text,
        tokens=tuple(row.tokens),
        logprobs=tuple(row.logprobs),
        stop_reason=("tool_calls" if calls else "stop") if row.ended else "max_tokens",
        prompt_tokens=prompt_tokens,
        tool_calls=calls,
        top_logprobs=tuple(row.tops),
    )


def left_padded(prompts: Sequence[Sequence[int]], padding: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids, attention mask and positions, each (n_prompts, longest)."""
    import torch

    longest = max(map(len, prompts))
    tokens = torch.full((len(prompts), longest), padding, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = torch.tensor(prompt, dtype=torch.long)
        mask[row, longest - len(prompt) :] = 1
    return tokens, mask, (mask.cumsum(1) - 1).clamp(min=0)


def read_all_but_last(
    module: Any, prompts: Sequence[Sequence[int]], padding: int
) -> tuple[Any, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Key-value cache of each prompt but its last token; that token (n_prompts, 1), the mask, and its positions.

    The base model is called, so no logit is computed for the prompt; the last token is then read like any later one.
    """
    import torch

    tokens, mask, positions = left_padded(prompts, padding)
    cache = None
    if tokens.shape[1] > 1:
        with torch.inference_mode():
            cache = module.base_model(
                input_ids=tokens[:, :-1], attention_mask=mask[:, :-1], position_ids=positions[:, :-1], use_cache=True
            ).past_key_values
    return cache, tokens[:, -1:], mask, positions[:, -1:]


def choose(logprobs: torch.Tensor, sampling: Sampling, streams: Sequence[np.random.Generator]) -> torch.Tensor:
    """The next token of each row (n_rows,), from log-probabilities (n_rows, n_vocabulary)."""
    import torch

    if sampling.temperature <= 0:
        return logprobs.argmax(-1)
    chances = (logprobs / sampling.temperature).softmax(-1)
    chances, order = chances.sort(dim=-1, descending=True)
    cumulative = chances.double().cumsum(-1)
    inside = (cumulative - chances) < sampling.top_p
    if sampling.top_k:
        inside[:, sampling.top_k :] = False
    total = (chances * inside).double().sum(-1)
    draws = torch.tensor([stream.random() for stream in streams], dtype=torch.double) * total
    places = torch.searchsorted(cumulative, draws[:, None]).clamp(max=inside.sum(-1, keepdim=True) - 1)
    return order.gather(1, places)[:, 0]


def _likeliest(logprobs: torch.Tensor, count: int) -> list[Top]:
    """The `count` likeliest tokens of each row."""
    if not count:
        return []
    values, tokens = logprobs.topk(min(count, logprobs.shape[-1]), dim=-1)
    return [tuple(zip(*row, strict=True)) for row in zip(tokens.tolist(), values.tolist(), strict=True)]
