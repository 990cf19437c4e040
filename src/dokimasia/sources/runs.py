"""Reads tables of runs (who tried which task, how long it takes a person, and how it went) as tallies by agent and task.

JSON Lines, a JSON array, CSV and its like, or Parquet, packed or not; one run a row.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dokimasia.core import SourceError
from dokimasia.sources.faults import RecordError, UnrecognisedError
from dokimasia.sources.records import iterate_records

USUAL: Mapping[str, tuple[str, ...]] = {
    "agent": ("alias", "agent", "model"),
    "task": ("task_id", "task"),
    "family": ("task_family", "family"),
    "minutes": ("human_minutes", "minutes"),
    "score": ("score_binarized", "score"),
}
TRUTHS = {"true": 1.0, "false": 0.0}
SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The names of the columns; None takes the first usual name that there is, METR's before plain ones."""

    agent: str | None = None
    task: str | None = None
    family: str | None = None
    minutes: str | None = None
    score: str | None = None


ANY = Columns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often one agent tried one task, and the sum of its scores; `fractions` of them were neither 0 nor 1."""

    agent: str
    family: str
    task: str
    minutes: float
    runs: int
    score: float
    fractions: int


@dataclass(frozen=True, kw_only=True)
class Runs:
    """What a table of runs comes to: one tally for each agent and task, sorted. `columns` are those that were read."""

    name: str
    rows: int
    tallies: tuple[Tally, ...]
    columns: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Digest of the tallies, 16 hex digits: the same whatever the format and the order of rows."""
        state = hashlib.sha256()
        for item in self.tallies:
            state.update(repr(tuple(asdict(item).values())).encode("utf-8", "surrogatepass"))
        return state.hexdigest()[:16]


def read_runs(path: Path, columns: Columns = ANY) -> Runs:
    """Read a table of runs. What is missing or no number is refused with its line; nothing is left out.

    A score lies between 0 and 1, or is true or false. A task is known by its family and its name, and takes a person the
    same time in every row.
    """
    names: dict[str, str] = {}
    times: dict[tuple[str, str], float] = {}
    sums: dict[tuple[str, str, str], list[float]] = {}
    rows = 0
    try:
        for line, record in iterate_records(path):
            rows += 1
            try:
                if not isinstance(record, dict):
                    raise RecordError(
                        "a run with named columns is expected.", "Found none.", "Write one JSON object a line."
                    )
                names = names or _found(record, columns)
                agent, task, family = (_name(record, names, what) for what in ("agent", "task", "family"))
                minutes = _minutes(record, names)
                if times.setdefault((family, task), minutes) != minutes:
                    raise RecordError(
                        "one human time a task is expected.",
                        f"Found {minutes:g} minutes for {task[:60]!r} after {times[family, task]:g}.",
                        "Give a task of another time another name.",
                    )
                score = _score(record, names)
            except RecordError as error:
                raise error.at(path, line) from None
            tally = sums.setdefault((agent, family, task), [0, 0.0, 0])
            tally[0] += 1
            tally[1] += score
            tally[2] += score not in {0.0, 1.0}
    except UnrecognisedError as error:
        raise SourceError(
            f"{path}: a table of runs is expected.",
            error.found,
            "Name a file in JSON Lines, CSV or Parquet, one run a row.",
        ) from error
    if not rows:
        raise SourceError(f"{path}: at least one run is expected.", "Found none.", "Check that the export finished.")
    tallies = tuple(
        Tally(
            agent=agent,
            family=family,
            task=task,
            minutes=times[family, task],
            runs=int(n),
            score=round(float(score), 9),
            fractions=int(fractions),
        )
        for (agent, family, task), (n, score, fractions) in sorted(sums.items())
    )
    return Runs(name=path.name, rows=rows, tallies=tallies, columns=names)


def _found(record: Mapping[str, Any], columns: Columns) -> dict[str, str]:
    """The name of each column in this table."""
    names = {}
    for what in (item.name for item in fields(Columns)):
        named = getattr(columns, what)
        usual = (named,) if named is not None else USUAL[what]
        there = [name for name in usual if name in record]
        if not there:
            keys = [repr(str(name)[:60]) for name in record]
            more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
            wanted = " or ".join(f"`{name}`" for name in usual)
            raise RecordError(
                f"a column with the {what} of each run is expected, {wanted}.",
                f"Found the columns {', '.join(keys[:SHOWN])}{more}.",
                f"Name it: --{what}-column NAME.",
            )
        names[what] = there[0]
    return names


def _name(record: Mapping[str, Any], names: Mapping[str, str], what: str) -> str:
    value = record.get(names[what])
    if value is None or isinstance(value, dict | list) or not str(value).strip():
        raise RecordError(
            f"the {what} of the run is expected in `{names[what]}`.", f"Found {_shown(value)}.", "Fill it in."
        )
    return str(value).strip()


def _minutes(record: Mapping[str, Any], names: Mapping[str, str]) -> float:
    value = _number(record.get(names["minutes"]))
    if not (math.isfinite(value) and value > 0):
        raise RecordError(
            f"human minutes above 0 are expected in `{names['minutes']}`.",
            f"Found {_shown(record.get(names['minutes']))}.",
            "Leave out tasks whose human time is unknown.",
        )
    return value


def _score(record: Mapping[str, Any], names: Mapping[str, str]) -> float:
    value = record.get(names["score"])
    if value is None or value == "":
        raise RecordError(
            f"a score is expected in `{names['score']}`.",
            "Found none.",
            "Decide what a run without one means: write 0 if it was cut off or failed, as METR does.",
        )
    score = _number(value)
    if not 0 <= score <= 1:
        raise RecordError(
            f"a score between 0 and 1 is expected in `{names['score']}`.",
            f"Found {_shown(value)}.",
            "Name a column that says whether the run succeeded (--score-column NAME), or scale the scores first.",
        )
    return score


def _number(value: Any) -> float:
    """The value as a number; NaN if it is none."""
    if isinstance(value, str):
        value = TRUTHS.get(value.strip().lower(), value)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _shown(value: Any) -> str:
    return "none" if value is None else repr(value if not isinstance(value, str) else value[:60])[:80]
