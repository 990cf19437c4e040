"""dokimasia examines a language model before it is deployed, and says how far the result should reassure.

    audit(model, ...)            the whole examination: a run folder with findings and a report
    realism(evaluation, ...)     how far an evaluation speaks for a deployment, from two files
    load_subject(model)          a model, with its text, log-probabilities and activations
    stats                        intervals, ROC, reassurance

Importing this is light: what is named above is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dokimasia import stats
    from dokimasia.models import load_subject
    from dokimasia.study.audit import audit
    from dokimasia.study.realism import realism

__all__ = ["audit", "load_subject", "realism", "stats"]
__version__ = "0.1.0"

_HOMES = {"audit": "dokimasia.study.audit", "realism": "dokimasia.study.realism", "load_subject": "dokimasia.models"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "stats":
        return importlib.import_module("dokimasia.stats")
    raise AttributeError(f"module 'dokimasia' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
