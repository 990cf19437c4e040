"""Reads scores of outputs: a proxy, alone or with a gold score, from NumPy arrays, tables and JSON Lines."""

from __future__ import annotations

import codecs
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dokimasia.core import SourceError
from dokimasia.sources.binaries import binary
from dokimasia.sources.faults import RecordError
from dokimasia.sources.json_records import Record
from dokimasia.sources.opening import opened
from dokimasia.sources.records import HEAD, iterate_records
from dokimasia.sources.tables import DELIMITERS, delimiter, table_records

NUMPY = b"\x93NUMPY"
PROXIES = ("proxy", "score", "reward", "scores", "rewards", "proxy_score", "reward_score")
LONGEST_HEADER = 10_000
SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Scores:
    """A proxy score for each output, (n,), and a gold score if there is one, with the names of their columns.

    What is no finite number is kept as it was read: who measures counts it, and refuses.
    """

    name: str
    proxy: NDArray[np.float64]
    gold: NDArray[np.float64] | None = None
    proxy_column: str = "proxy"
    gold_column: str | None = None

    @cached_property
    def digest(self) -> str:
        """Digest of the numbers in order, 16 hex digits."""
        state = hashlib.sha256(np.ascontiguousarray(self.proxy).tobytes())
        if self.gold is not None:
            state.update(b"gold" + np.ascontiguousarray(self.gold).tobytes())
        return state.hexdigest()[:16]


def read_scores(path: str | Path, *, proxy: str | None = None, gold: str | None = None) -> Scores:
    """Read the columns `proxy` and `gold` of a file.

    A NumPy array has one axis, or two with columns called 0, 1, ... or by the fields of its type. A table (CSV, TSV, Parquet,
    JSON Lines, any of them packed) has named columns; numbers alone, one a line, are a proxy. Without `proxy` the only column of
    numbers is taken, or one with a usual name such as `score` or `reward`. An empty cell and `null` are not-a-number.
    """
    path = Path(path)
    with opened(path) as stream:
        head = stream.read(HEAD)
    if head.startswith(NUMPY):
        columns = _array_columns(path)
    else:
        _refuse_binaries(path, head)
        columns = _table_columns(path, head)
    chosen = proxy if proxy is not None else _usual(path, columns, gold)
    for name in (chosen, gold):
        if name is not None and name not in columns:
            raise SourceError(
                f"{path}: the column `{name}` is expected.", f"Found {_listed(columns)}.", "Name one of these."
            )
    return Scores(
        name=path.name,
        proxy=_numbers(path, chosen, columns[chosen]),
        gold=None if gold is None else _numbers(path, gold, columns[gold]),
        proxy_column=chosen,
        gold_column=gold,
    )


def _array_columns(path: Path) -> dict[str, Any]:
    try:
        with opened(path) as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=LONGEST_HEADER)
    except (ValueError, MemoryError, OverflowError, TypeError, EOFError, SyntaxError) as error:
        pickled = "allow_pickle" in str(error)
        raise SourceError(
            f"{path}: a whole NumPy array of numbers is expected.",
            "Found one of Python objects, which is a program and is never loaded."
            if pickled
            else f"Found a damaged one ({str(error).splitlines()[0][:120] if str(error) else type(error).__name__}).",
            "Save it as numbers: numpy.save(FILE, numpy.asarray(scores, dtype=float))."
            if pickled
            else "Copy or export it again.",
        ) from error
    if array.dtype.names:
        return {name: array[name] for name in array.dtype.names}
    if array.ndim == 1:
        return {"proxy": array}
    if array.ndim == 2:
        return {str(column): array[:, column] for column in range(array.shape[1])}
    raise SourceError(
        f"{path}: an array of one axis, or of one row an output, is expected.",
        f"Found the shape {array.shape}.",
        "Reshape it.",
    )


def _refuse_binaries(path: Path, head: bytes) -> None:
    found = binary(head)
    if found is not None:
        raise SourceError(
            f"{path}: a file of scores is expected.", f"Found {found[0]}.", "Name a NumPy array or a table."
        )


def _table_columns(path: Path, head: bytes) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    rows = 0
    for line, record in _records(path, head):
        if isinstance(record, RecordError):
            raise record
        if not isinstance(record, dict | int | float) and record is not None:
            raise SourceError(
                f"{path}, line {line}: a number or a record of numbers is expected.",
                f"Found {str(record)[:60]!r}.",
                'Write one number a line, or records such as {"proxy": 0.5, "gold": 1}.',
            )
        row = record if isinstance(record, dict) else {"proxy": record}
        for name in row:
            columns.setdefault(name, [None] * rows)
        rows += 1
        for name, cells in columns.items():
            cells.append(row.get(name))
    if not rows:
        raise SourceError(f"{path}: at least one score is expected.", "Found none.", "Check that the export finished.")
    return columns


def _records(path: Path, head: bytes) -> Iterator[Record]:
    """Records of a file of any known form; a table of a single column, which transcripts would not be taken from, too."""
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    first = text.partition(b"\n")[0].strip()
    if first and _single(text) and delimiter(head) is None:
        with opened(path) as stream:
            yield from table_records(path, stream, ",")
    else:
        yield from iterate_records(path)


def _single(text: bytes) -> bool:
    """Whether this begins like a column of numbers under a name."""
    lines = [line.strip() for line in text.split(b"\n", 2)[:2]]
    name = lines[0].decode("utf-8", "replace").strip('"')
    return (
        len(lines) == 2
        and name.isprintable()
        and not any(sign in name for sign in DELIMITERS + "[{")
        and _number(name) is None
        and _number(lines[1].decode("utf-8", "replace").strip('"')) is not None
    )


def _usual(path: Path, columns: dict[str, Any], gold: str | None) -> str:
    numeric = [name for name, cells in columns.items() if name != gold and _all_numbers(cells)]
    usual = [name for name in numeric if name.lower() in PROXIES]
    if len(numeric) == 1 or len(usual) == 1:
        return (usual or numeric)[0]
    raise SourceError(
        f"{path}: the column of the proxy is expected to be named.",
        f"Found {_listed(columns)}.",
        "Name it with --proxy, and that of the gold score, if there is one, with --gold.",
    )


def _all_numbers(cells: Any) -> bool:
    if isinstance(cells, np.ndarray):
        return cells.dtype.kind in "fiub"
    return all(_number(cell) is not None for cell in cells)


def _numbers(path: Path, name: str, cells: Any) -> NDArray[np.float64]:
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind not in "fiub" or cells.ndim != 1:
            raise SourceError(
                f"{path}: numbers are expected in the column `{name}`.",
                f"Found the type {cells.dtype} with {cells.ndim} axes.",
                "Save it as real numbers, one an output.",
            )
        return cells.astype(np.float64)
    found = [_number(cell) for cell in cells]
    bad = next((place for place, number in enumerate(found) if number is None), None)
    if bad is not None:
        raise SourceError(
            f"{path}: numbers are expected in the column `{name}`.",
            f"Found {str(cells[bad])[:60]!r} in row {bad + 1}, and {sum(number is None for number in found)} such in all.",
            "Convert the column, or name another one.",
        )
    return np.asarray(found, dtype=np.float64)


def _number(cell: Any) -> float | None:
    """A cell as a number; an empty one is not-a-number, anything else None."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    if isinstance(cell, bool | int | float | str):
        try:
            return float(cell)
        except (ValueError, OverflowError):
            return None
    return None


def _listed(columns: dict[str, Any]) -> str:
    names = [f"`{name}`" for name in columns]
    more = len(names) - SHOWN
    return "the columns " + ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
