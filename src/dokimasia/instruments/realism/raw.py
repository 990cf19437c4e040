"""The finding as plain values, for machines: nothing is rounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dokimasia.core import NotMeasured
from dokimasia.instruments.realism.blindspots import Cluster
from dokimasia.instruments.realism.measure import Verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.instruments.realism.tells import SuiteRealism
from dokimasia.stats import Reassurance, clean_equivalent


def raw(
    *,
    population: Population,
    verdicts: Sequence[Verdict],
    strongest: Verdict,
    exposed: Verdict,
    failed: Sequence[NotMeasured],
    suites: Sequence[SuiteRealism],
    blind: Sequence[Cluster],
    delta: float,
) -> dict[str, Any]:
    """Everything that docs/realism.md names under JSON, but for what was sampled."""
    exposure = exposed.exposed.exposure.value
    return {
        "n_evaluation": population.n,
        "n_deployment": population.m,
        "misbehaved": population.worst,
        "misbehaved_seen": population.misbehaved,
        "unscored": population.missing,
        "lost": population.lost,
        "hypothetical": not population.run,
        "delta": delta,
        "rate_bound": strongest.pooled.rate_bound,
        "discriminators": [_discriminator(verdict) for verdict in verdicts],
        "strongest": {
            "name": strongest.name,
            "ceiling": _ceiling(strongest, strongest.pooled),
            "ceiling_clean": _ceiling(strongest, strongest.clean),
            "exposure": {"value": exposure, "name": exposed.name},
        },
        "clean_equivalent": _pair(clean_equivalent(strongest.pooled.ceiling, exposure, delta)),
        "effective_sample_size": strongest.effective,
        "controls": [
            {
                "discriminator": verdict.name,
                "control": control.kind,
                "auc": control.auc._asdict(),
                "ceiling": {"value": control.ceiling, "basis": control.basis},
                "n": control.n,
                "m": control.m,
            }
            for verdict in verdicts
            for control in verdict.controls
        ],
        "suites": [{"suite": item.suite, "n": item.n, "auc": item.auc._asdict()} for item in suites],
        "blind_spots": [{"words": list(item.words), "size": item.size, "share": item.share} for item in blind],
        **({"errored": len(failed), "incomplete": "; ".join(item.what for item in failed)} if failed else {}),
    }


def _discriminator(verdict: Verdict) -> dict[str, Any]:
    share, split = verdict.exposed.exposure, verdict.split
    return {
        "name": verdict.name,
        "access": verdict.access,
        "n": verdict.pooled.n,
        "m": verdict.pooled.m,
        "auc": verdict.auc._asdict(),
        "tpr_at_1pct_fpr": verdict.tpr._asdict(),
        "exposure": {"value": share.value, "share": share.share, "h": share.h, "m": share.m},
        "ceiling": _ceiling(verdict, verdict.pooled),
        "ceiling_clean": _ceiling(verdict, verdict.clean),
        "ceiling_optimistic": _ceiling(verdict, verdict.optimistic),
        "ceiling_split": None
        if split is None
        else {"value": split.ceiling, "basis": split.basis, "n": split.n, "m": split.m},
        "grouped_by": verdict.held_out.grouped_by,
        "chosen": sorted(set(verdict.held_out.chosen)),
    }


def _ceiling(verdict: Verdict, found: Reassurance) -> dict[str, Any]:
    return {"value": found.ceiling, "basis": verdict.basis(found)}


def _pair(ends: tuple[float, float | None]) -> dict[str, float | None]:
    return {"low": ends[0], "high": None if ends[1] is None or not np.isfinite(ends[1]) else ends[1]}
