"""Generation at batch 32 against the `generate` loop of transformers, greedy, the same prompts."""

import time

import torch

from benchmarks.chats import chats
from dokimasia.core import Sampling
from dokimasia.models import load_subject
from dokimasia.models.generation import left_padded

LIMIT = 0.95
NEW_TOKENS = 64


def run():
    subject = load_subject("bundled")
    weights = subject.text._weights
    module = weights.module("bfloat16")
    talk = chats(32, 10, 60)
    prompts = [weights.encode(messages) for messages in talk]

    def plain():
        tokens, mask, _ = left_padded(prompts, weights.padding)
        with torch.inference_mode():
            output = module.generate(
                input_ids=tokens,
                attention_mask=mask,
                do_sample=False,
                max_new_tokens=NEW_TOKENS,
                pad_token_id=weights.padding,
            )
        new = output[:, tokens.shape[1] :]
        return int((new != weights.padding).sum())

    def ours():
        replies = subject.text.generate(talk, Sampling(max_tokens=NEW_TOKENS), seeds=[0] * len(talk))
        return sum(len(reply.tokens) for reply in replies)

    speeds = {}
    for name, work in (("plain", plain), ("ours", ours)) * 2:
        start = time.perf_counter()
        tokens = work()
        speeds[name] = max(speeds.get(name, 0.0), tokens / (time.perf_counter() - start))
    ratio = speeds["ours"] / speeds["plain"]
    yield (
        f"{speeds['ours']:.0f} tokens/s with log-probabilities, {speeds['plain']:.0f} in transformers' generate: "
        f"ratio {ratio:.2f} (limit {LIMIT})",
        ratio >= LIMIT,
    )
