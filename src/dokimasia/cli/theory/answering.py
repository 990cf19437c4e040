"""How every command of `dokimasia theory` answers: on the terminal, as JSON, and as figures in files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from dokimasia.cli.options import natural
from dokimasia.cli.printing import plain_text, print_json, print_line, print_table
from dokimasia.core import UserError
from dokimasia.show import to_svg
from dokimasia.theory import Prediction, Value

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON: every value, table and figure as data.")]
Figures = Annotated[
    Path | None, typer.Option("--figures", metavar="FOLDER", help="Write each figure there, as an SVG file.")
]
Seed = Annotated[int, typer.Option(callback=natural, help="Seed of the simulations.")]


def answer(prediction: Prediction, *, as_json: bool, figures: Path | None) -> int:
    """Print a prediction, and write its figures if asked."""
    if figures is not None:
        _write(prediction, figures)
    if as_json:
        print_json(prediction.plain())
        return 0
    console = Console()
    print_line(prediction.headline, console)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("", "value", "interval", "how"):
        drawn.add_column(column, overflow="fold")
    for value in prediction.values:
        drawn.add_row(*map(plain_text, (value.name, _number(value), _interval(value), value.method)))
    console.print(drawn)
    for table in prediction.tables:
        print_table(table, console)
    for line in (*(f"Assumed: {item}" for item in prediction.assumptions), *prediction.caveats, prediction.misleads):
        print_line(f"- {line}", console)
    print_line(f"- Source: {prediction.source}", console)
    if figures is not None:
        print(figures)
    return 0


def _write(prediction: Prediction, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for figure in prediction.figures:
            (folder / f"{figure.name}.svg").write_text(to_svg(figure), encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{folder} is expected to be a folder that can be written to.",
            f"It is not: {error.strerror}.",
            "Name another one with --figures.",
        ) from error


def _number(value: Value) -> str:
    return "-" if value.value is None else f"{value.value:.4g} {value.unit}".strip()


def _interval(value: Value) -> str:
    if value.low is None or value.high is None:
        return "-"
    n = "" if value.n is None else f", n = {value.n:,}"
    level = "" if value.level is None else f" at {value.level:.0%}"
    return f"[{value.low:.4g}, {value.high:.4g}]{level}{n}"
