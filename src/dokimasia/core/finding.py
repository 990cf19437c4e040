"""A finding: what one instrument measured. Measured, not judged; judging is the case's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from dokimasia.core.capabilities import Access
from dokimasia.core.figure import FigureData
from dokimasia.core.transcript import Label

Cell = str | int | float | bool | None


class Quantity(StrEnum):
    """What an estimate is of, so that the case can reason about it without knowing the instrument."""

    EVALUATION_N = "evaluation items"
    DEPLOYMENT_N = "deployment transcripts"
    EVALUATION_MISBEHAVED = "misbehaviours in the evaluation, the missing counted as misbehaviours"
    EVALUATION_OBSERVED = "misbehaviours seen in the evaluation"
    EVALUATION_RATE = "misbehaviour rate on evaluation inputs"
    EVALUATION_RATE_OPTIMISTIC = "misbehaviour rate on evaluation inputs, the missing left out"
    CEILING = "ceiling on the deployment misbehaviour rate"
    CEILING_OPTIMISTIC = "ceiling on the deployment misbehaviour rate, the missing left out"
    CEILING_CLEAN = "ceiling on the deployment misbehaviour rate, had every item been clean"
    EXPOSURE = "share of deployment that lies beyond every evaluation item"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with its interval.

    `level` is the confidence of `(low, high)`; a one-sided bound has the trivial end at the other side. `n` is the
    number of units behind it. `value` is None where only a bound exists.
    """

    name: str
    value: float | None
    low: float
    high: float
    level: float
    n: int
    unit: str
    direction: str
    method: str
    quantity: Quantity = Quantity.OTHER
    hypothetical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A span of a transcript: `text` is what stands there, `why` is why it is cited."""

    transcript: str
    source: str
    message: int
    start: int
    end: int
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under named columns."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMeasured:
    """Something that was not measured, and why."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one instrument found.

    `headline` is the first sentence that a reader sees. `labels` maps transcript ids to the labels that the instrument
    gave them, for instruments further down. `calibration` is the operating characteristic that the instrument was
    calibrated with; None reads "not calibrated". `raw` is the instrument's own machine-readable summary.
    """

    instrument: str
    version: str
    question: str
    status: Literal["measured", "not measured"]
    headline: str
    access: Access
    estimates: tuple[Estimate, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[FigureData, ...] = ()
    citations: tuple[Citation, ...] = ()
    caveats: tuple[str, ...] = ()
    misleads: str = ""
    not_measured: tuple[NotMeasured, ...] = ()
    labels: Mapping[str, Label] = field(default_factory=dict)
    calibration: Mapping[str, float] | None = None
    configuration: Mapping[str, Cell] = field(default_factory=dict)
    seed: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, object] = field(default_factory=dict)

    def estimate(self, quantity: Quantity) -> Estimate | None:
        """The estimate of a quantity, or None."""
        return next((item for item in self.estimates if item.quantity is quantity), None)
