"""dokimasia examines a language model before it is deployed, and says how far the result should reassure.

    audit(model, ...)            the whole examination: a run folder with findings and a report
    realism(evaluation, ...)     how far an evaluation speaks for a deployment, from two files
    awareness(model=...)         does a model know that it is tested, and does it matter to what it does?
    anomalies(inputs, trusted)   which inputs make a model work differently from a trusted set?
    knowledge(facts, model=...)  does a model know something that it should not?
    personas(model=...)          which characters live in it, and where does conversation carry it?
    fit_tripwire(facts, ...)     a tripwire that a monitor can load
    proxy(scores)                is a reward safe to optimise, and how hard?
    horizon(runs)                how long are the tasks that each agent can do?
    capture_corpus(corpus, ...)  activations of very many transcripts, by many workers, into one store
    open_run(folder)             the findings of a run folder, without a model
    compare(run, run)            two runs on the same items: flips, paired difference, ties
    plan_for(target, ...)        how many items, like which blind spots, for a target ceiling
    verify(run)                  is a run folder what it says it is?
    draw(finding, name, axes=)   a finding's figure on your own axes
    load_subject(model)          a model, with its text, log-probabilities and activations
    stats, theory                numbers about numbers; what should happen

Importing this is light: what is named above is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dokimasia import stats, theory
    from dokimasia.models import load_subject
    from dokimasia.show import draw
    from dokimasia.study.anomalies import anomalies
    from dokimasia.study.audit import audit
    from dokimasia.study.awareness import awareness
    from dokimasia.study.comparing import compare
    from dokimasia.study.corpus import capture_corpus
    from dokimasia.study.horizon import horizon
    from dokimasia.study.knowledge import knowledge
    from dokimasia.study.personas import personas
    from dokimasia.study.planning import plan_for
    from dokimasia.study.proxy import proxy
    from dokimasia.study.realism import realism
    from dokimasia.study.run import open_run
    from dokimasia.study.tripwires import fit_tripwire
    from dokimasia.study.verifying import verify

__all__ = [
    "anomalies",
    "audit",
    "awareness",
    "capture_corpus",
    "compare",
    "draw",
    "fit_tripwire",
    "horizon",
    "knowledge",
    "load_subject",
    "open_run",
    "personas",
    "plan_for",
    "proxy",
    "realism",
    "stats",
    "theory",
    "verify",
]
__version__ = "0.1.0"

_HOMES = {
    "anomalies": "dokimasia.study.anomalies",
    "audit": "dokimasia.study.audit",
    "awareness": "dokimasia.study.awareness",
    "capture_corpus": "dokimasia.study.corpus",
    "compare": "dokimasia.study.comparing",
    "draw": "dokimasia.show",
    "fit_tripwire": "dokimasia.study.tripwires",
    "horizon": "dokimasia.study.horizon",
    "knowledge": "dokimasia.study.knowledge",
    "load_subject": "dokimasia.models",
    "open_run": "dokimasia.study.run",
    "personas": "dokimasia.study.personas",
    "plan_for": "dokimasia.study.planning",
    "proxy": "dokimasia.study.proxy",
    "realism": "dokimasia.study.realism",
    "verify": "dokimasia.study.verifying",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in ("stats", "theory"):
        return importlib.import_module(f"dokimasia.{name}")
    raise AttributeError(f"module 'dokimasia' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
