"""Findings and costs on a terminal, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dokimasia.core import Cost, Finding


def print_finding(finding: Finding, console: Console) -> None:
    """Headline, tables and caveats."""
    console.print(Text(finding.headline))
    for table in finding.tables:
        drawn = Table(box=box.SIMPLE_HEAD, title=Text(table.title, style="bold"), title_justify="left", pad_edge=False)
        for column in table.columns:
            drawn.add_column(Text(column), overflow="fold")
        for row in table.rows:
            drawn.add_row(*(Text("-" if cell is None else str(cell)) for cell in row))
        console.print(drawn)
    for caveat in finding.caveats:
        console.print(Text(f"- {caveat}"))
    console.print(Text(f"- {finding.misleads}"))
    for item in finding.not_measured:
        console.print(Text(f"- Not measured: {item.what}. {item.why}"))


def print_costs(costs: Mapping[str, Cost], folder: Path, console: Console) -> None:
    """What each instrument will ask for."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("instrument", "calls", "tokens", "seconds", "USD"):
        drawn.add_column(column, justify="left" if column == "instrument" else "right")
    for name, cost in [*costs.items(), ("total", sum(costs.values(), Cost()))]:
        drawn.add_row(name, f"{cost.calls:,}", f"{cost.tokens:,}", f"{cost.seconds:,.0f}", f"{cost.usd:.2f}")
    console.print(drawn)
    console.print(
        Text("Tokens and seconds are estimates, from text length and a two-core laptop's speed. Nothing was measured.")
    )
    console.print(Text(f"Run folder: {folder}"))
