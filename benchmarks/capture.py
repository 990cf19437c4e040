"""Pooled capture of all layers against an unsorted batch-32 forward pass of transformers."""

import time

import torch

from benchmarks.chats import chats
from dokimasia.models import load_subject
from dokimasia.models.generation import left_padded

LIMIT = 1.5


def run():
    subject = load_subject("bundled")
    weights = subject.activations._weights
    module = weights.module("bfloat16")
    talk = chats(128, 15, 360)
    prompts = [weights.encode(messages) for messages in talk]
    layers = range(subject.activations.n_layers)

    def plain():
        with torch.inference_mode():
            for start in range(0, len(prompts), 32):
                tokens, mask, positions = left_padded(prompts[start : start + 32], weights.padding)
                module(input_ids=tokens, attention_mask=mask, position_ids=positions)

    def ours():
        subject.activations.activations(talk, layers=layers, pools=("last", "mean"), max_tokens=1024)

    times = {}
    for name, work in (("plain", plain), ("ours", ours)) * 2:
        start = time.perf_counter()
        work()
        times[name] = min(times.get(name, float("inf")), time.perf_counter() - start)
    tokens = sum(map(len, prompts))
    ratio = times["plain"] / times["ours"]
    yield (
        f"{tokens / times['ours']:,.0f} tokens/s pooled at all layers, {tokens / times['plain']:,.0f} in a plain forward "
        f"pass: ratio {ratio:.2f} (limit {LIMIT})",
        ratio >= LIMIT,
    )
