"""Answers as JSON and arrays, and back: equal values, of the same types, to the last bit of each number."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dokimasia.core import (
    ChoiceScore,
    Delivery,
    EmbeddingGradient,
    Embeddings,
    Generation,
    LensReading,
    SpanActivations,
    TokenLogProbs,
    ToolCall,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = {
    kind.__name__: kind
    for kind in (
        ChoiceScore,
        Delivery,
        EmbeddingGradient,
        Embeddings,
        Generation,
        LensReading,
        SpanActivations,
        TokenLogProbs,
        ToolCall,
    )
}
"""What an answer may consist of, besides lists, tuples, arrays, numbers and text."""


def packed(value: Any) -> tuple[Any, dict[str, NDArray[Any]]]:
    """What JSON can hold of an answer, and its arrays by the names that stand for them."""
    arrays: dict[str, NDArray[Any]] = {}
    return _packed(value, arrays), arrays


def _packed(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if is_dataclass(value):
        return {
            type(value).__name__: {field.name: _packed(getattr(value, field.name), arrays) for field in fields(value)}
        }
    if isinstance(value, tuple):
        return {"tuple": [_packed(item, arrays) for item in value]}
    if isinstance(value, list):
        return [_packed(item, arrays) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def unpacked(plain: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """The answer again. Raises `KeyError`, `TypeError` or `ValueError` for what was not packed here."""
    if isinstance(plain, list):
        return [unpacked(item, arrays) for item in plain]
    if not isinstance(plain, dict):
        return plain
    ((kind, value),) = plain.items()
    if kind == "array":
        return arrays[value]
    if kind == "tuple":
        return tuple(unpacked(value, arrays))
    if kind == "float":
        return float(value)
    return KINDS[kind](**{name: unpacked(part, arrays) for name, part in dict(value).items()})
