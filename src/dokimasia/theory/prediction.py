"""What a quantitative model says for given parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dokimasia.core import FigureData, Table
from dokimasia.core.tabulating import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One predicted number: `method` is the closed form, the quadrature or the simulation that it comes from.

    `low` and `high` enclose it at `level`: a simulation's Monte Carlo interval of `n` replicates, or the spread that
    uncertain inputs give it. A closed form has none. `value` is None where the model gives none, and `method` says why.
    """

    name: str
    value: float | None
    unit: str
    method: str
    low: float | None = None
    high: float | None = None
    level: float | None = None
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says for these parameters, under which assumptions, and when it misleads.

    `headline` is one plain sentence. `parameters` are those that were used, defaults among them; `seed` is that of the
    simulations, None where there is none. `source` names the literature.
    """

    model: str
    question: str
    headline: str
    parameters: Mapping[str, Cell]
    values: tuple[Value, ...]
    assumptions: tuple[str, ...]
    misleads: str
    source: str
    tables: tuple[Table, ...] = ()
    figures: tuple[FigureData, ...] = ()
    caveats: tuple[str, ...] = ()
    seed: int | None = None
    raw: Mapping[str, object] = field(default_factory=dict)

    def value(self, name: str) -> Value:
        """The value of this name."""
        return {item.name: item for item in self.values}[name]

    def plain(self) -> dict[str, Any]:
        """Everything as JSON types."""
        return asdict(self)
