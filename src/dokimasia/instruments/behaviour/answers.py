"""Asking the subject everything, in batches that the plan fixes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dokimasia.core import ChoiceScore, Generation, LogProbs, Message, Sampling, Text
from dokimasia.instruments.behaviour.items import Item, Order
from dokimasia.instruments.behaviour.reading import ORDERS, choices

CHOICE_BATCH = 8
TEXT_BATCH = 40


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the subject answered: choice scores by item and order, replies by item."""

    chosen: Mapping[tuple[str, Order], Sequence[ChoiceScore]]
    alone: Mapping[tuple[str, Order], Sequence[ChoiceScore]]
    written: Mapping[str, Generation]


def ask(
    logprobs: LogProbs, text: Text, items: Sequence[Item], *, sampling: Sampling, seed: int, options_alone: bool
) -> Answers:
    """Ask every item. Batches hold items of similar length and do not depend on what was answered before."""
    forced = [item for item in items if item.options is not None]
    return Answers(
        chosen=_choose(logprobs, [(item, order, item.presented(order)) for item in forced for order in ORDERS]),
        alone=_choose(logprobs, [(item, order, item.options_alone(order)) for item in forced for order in ORDERS])
        if options_alone
        else {},
        written=_write(text, [item for item in items if item.options is None], sampling, seed),
    )


def row_seed(seed: int, identifier: str) -> int:
    """A seed for one item, the same whatever stands beside it."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{identifier}".encode()).digest()[:4], "big")


def _choose(
    logprobs: LogProbs, questions: Sequence[tuple[Item, Order, tuple[Message, ...]]]
) -> dict[tuple[str, Order], Sequence[ChoiceScore]]:
    ordered = sorted(questions, key=lambda question: (_length(question[2]), question[0].id, question[1]))
    found: dict[tuple[str, Order], Sequence[ChoiceScore]] = {}
    for start in range(0, len(ordered), CHOICE_BATCH):
        batch = ordered[start : start + CHOICE_BATCH]
        scores = logprobs.choice_logprobs([messages for *_, messages in batch], [choices(item) for item, *_ in batch])
        found.update({(item.id, order): values for (item, order, _), values in zip(batch, scores, strict=True)})
    return found


def _write(text: Text, items: Sequence[Item], sampling: Sampling, seed: int) -> dict[str, Generation]:
    ordered = sorted(items, key=lambda item: (_length(item.messages), item.id))
    found: dict[str, Generation] = {}
    for start in range(0, len(ordered), TEXT_BATCH):
        batch = ordered[start : start + TEXT_BATCH]
        replies = text.generate(
            [item.messages for item in batch], sampling, seeds=[row_seed(seed, item.id) for item in batch]
        )
        found.update({item.id: reply for item, reply in zip(batch, replies, strict=True)})
    return found


def _length(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)
