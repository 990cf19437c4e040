"""What a model's stream is like at the pieces of a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.control.pieces import pieces
from dokimasia.core import Message, Span, SpanReading

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 8
MOST_TOKENS = 4096


def read_pieces(
    spans: SpanReading, conversations: Sequence[Sequence[Message]], places: Sequence[int], layers: Sequence[int]
) -> list[NDArray[np.float32]]:
    """For each conversation the states (n_pieces, n_layers, d_model) at the pieces of one of its messages.

    What is read at the calls of tools is the mean over the whole message. NaN where the model was shown nothing.
    """
    found: list[NDArray[np.float32]] = []
    for start in range(0, len(conversations), BATCH):
        batch = conversations[start : start + BATCH]
        wanted = [_spans(one[place], place) for one, place in zip(batch, places[start : start + BATCH], strict=True)]
        values = spans.span_activations(batch, wanted, layers=layers, max_tokens=MOST_TOKENS).values
        found += np.split(values, np.cumsum([len(one) for one in wanted])[:-1])
    return found


def _spans(message: Message, place: int) -> list[Span]:
    whole, length = Span(message=place), len(message.content)
    return [
        Span(message=place, start=start, end=end) if end <= length else whole for start, end in pieces(message.text)
    ]
