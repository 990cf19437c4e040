"""Findings, costs, checks and models on a terminal, readable at 80 columns."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dokimasia.core import Cost, Finding
from dokimasia.core import Table as Rows
from dokimasia.core.wording import visible

if TYPE_CHECKING:
    from dokimasia.models.available import ModelEntry


STYLES = {"ok": "green", "warning": "yellow", "unknown": "yellow", "missing": "red", "changed": "red"}


def print_json(value: object) -> None:
    """One JSON object, or list, on standard output."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")


def print_line(line: str, console: Console, *, soft_wrap: bool = False) -> None:
    """Text as it is, wrapped at words unless `soft_wrap` leaves that to the terminal."""
    console.print(plain_text(line), soft_wrap=soft_wrap)


def print_finding(finding: Finding, console: Console) -> None:
    """Headline, tables and caveats."""
    console.print(plain_text(finding.headline))
    for table in finding.tables:
        print_table(table, console)
    for caveat in (*finding.caveats, finding.misleads):
        console.print(plain_text(f"- {caveat}"))
    for item in finding.not_measured:
        console.print(plain_text(f"- Not measured: {item.what}. {item.why}"))


def print_table(table: Rows, console: Console) -> None:
    """A table of a finding or a prediction; one that would have to break words is told row by row."""
    if not _fits(table, console.width):
        _print_rows(table, console)
        return
    drawn = Table(box=box.SIMPLE_HEAD, title=plain_text(table.title, "bold"), title_justify="left", pad_edge=False)
    for column in table.columns:
        drawn.add_column(plain_text(column), overflow="fold")
    for row in table.rows:
        drawn.add_row(*(plain_text("-" if cell is None else cell) for cell in row))
    console.print(drawn)


def _fits(table: Rows, width: int) -> bool:
    """Whether the longest words of all columns stand side by side, two blanks between columns."""
    columns = zip(table.columns, *table.rows, strict=True)
    longest = [max(len(word) for cell in column for word in [*visible(cell).split(), ""]) for column in columns]
    return sum(longest) + 2 * (len(longest) - 1) <= width


def _print_rows(table: Rows, console: Console) -> None:
    console.print(plain_text(table.title, "bold"))
    for row in table.rows:
        drawn = Table.grid(padding=(0, 2, 0, 0))
        for name, cell in zip(table.columns, row, strict=True):
            drawn.add_row(plain_text(name, "dim"), plain_text("-" if cell is None else cell))
        console.print(drawn)
        console.print()


def print_costs(costs: Mapping[str, Cost], folder: Path, console: Console) -> None:
    """What each instrument will ask for."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("instrument", "calls", "tokens", "seconds", "USD"):
        drawn.add_column(column, justify="left" if column == "instrument" else "right")
    total = sum(costs.values(), Cost())
    for name, cost in [*costs.items(), ("total", total)]:
        usd = "unknown" if cost.unpriced else f"{cost.usd:.2f}"
        drawn.add_row(name, f"{cost.calls:,}", f"{cost.tokens:,}", f"{cost.seconds:,.0f}", usd)
    console.print(drawn)
    console.print(
        plain_text(
            "Tokens and seconds are estimates, from text length and a two-core laptop's speed. Nothing was measured."
        )
    )
    if total.unpriced:
        console.print(plain_text("The endpoint's prices are unknown: give --price-in and --price-out."))
    console.print(plain_text(f"Run folder: {folder}"))


def print_checks(rows: Sequence[tuple[str, str, str, str]], console: Console) -> None:
    """Name, status, what was found, what to do; one check a row."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("check", "status", "found"):
        drawn.add_column(column, overflow="fold")
    for name, status, found, do in rows:
        drawn.add_row(
            plain_text(name), plain_text(status, STYLES[status]), plain_text(f"{found}\n{do}" if do else found)
        )
    console.print(drawn)


def print_models(entries: Sequence[ModelEntry], console: Console) -> None:
    """One model a row, with the name to pass."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("model", "kind", "MB", "access and notes"):
        drawn.add_column(column, overflow="fold", justify="right" if column == "MB" else "left")
    for entry in entries:
        size = "-" if entry.n_bytes is None else f"{entry.n_bytes / 1e6:,.0f}"
        ready = entry.access if entry.ready else "not ready"
        drawn.add_row(
            plain_text(entry.model), plain_text(entry.kind), size, plain_text("\n".join([ready, *entry.notes]))
        )
    console.print(drawn)


def plain_text(value: object, style: str = "") -> Text:
    """Text whose control characters are made visible: what transcripts say does not steer the terminal."""
    return Text(visible(value), style=style)
