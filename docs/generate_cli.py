"""Writes docs/cli.md from the command line itself: `python docs/generate_cli.py`.

Reads what the commands declare (signatures and their `typer.Option` and `typer.Argument`), not what typer prints, so that
the page depends neither on the width of a terminal nor on the version of typer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

from dokimasia.cli.app import app

TARGET = Path(__file__).with_name("cli.md")
HELP = (app.info.context_settings or {}).get("help_option_names", ["--help"])
INTRODUCTION = """\
# Command line

This page is generated from the commands themselves by `docs/generate_cli.py`; a test fails when it is out of date.
"""


def render() -> str:
    """The page, as Markdown."""
    parts = [INTRODUCTION, _prose(str(app.info.help))]
    if app.registered_callback is not None:
        parts.append("## `dokimasia`\n\n" + _section("dokimasia [OPTIONS] COMMAND", app.registered_callback.callback))
    for name, callback in _commands(app):
        parts.append(f"## `dokimasia {name}`\n\n{_prose(inspect.getdoc(callback) or '')}")
        parts.append(_section(_usage(name, callback), callback))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _commands(group: Typer, before: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """Commands with their full names, those of groups after the others."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield before + (command.name or command.callback.__name__.replace("_", "-")), command.callback
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from _commands(inner.typer_instance, f"{before}{inner.name} ")


def main() -> None:
    """Write the page."""
    TARGET.write_text(render(), encoding="utf-8")
    print(TARGET)


def _parameters(callback: Callable[..., Any]) -> Iterator[tuple[str, Any, OptionInfo | ArgumentInfo, Any]]:
    """Name, type, declaration and default of each parameter that is annotated with one."""
    hints = get_type_hints(callback, include_extras=True)
    for name, parameter in inspect.signature(callback).parameters.items():
        hint = hints[name]
        if get_origin(hint) is not Annotated:
            continue
        kind, *notes = get_args(hint)
        for note in notes:
            if isinstance(note, OptionInfo | ArgumentInfo):
                yield name, kind, note, parameter.default


def _usage(command: str, callback: Callable[..., Any]) -> str:
    words = [f"dokimasia {command}", "[OPTIONS]"]
    for name, _, note, default in _parameters(callback):
        if isinstance(note, ArgumentInfo):
            shown = note.metavar or name.upper()
            words.append(shown if default is inspect.Parameter.empty else f"[{shown}]")
    return " ".join(words)


def _section(usage: str, callback: Callable[..., Any] | None) -> str:
    lines = ["```text", usage, "```", ""]
    found = list(_parameters(callback)) if callback is not None else []
    for kind, title in ((ArgumentInfo, "argument"), (OptionInfo, "option")):
        rows = [_row(*entry) for entry in found if isinstance(entry[2], kind)]
        if kind is OptionInfo:
            rows.append(f"| {', '.join(f'`{name}`' for name in HELP)} | - | - | Print the help and exit. |")
        if rows:
            lines += [f"| {title} | value | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def _row(name: str, kind: Any, note: OptionInfo | ArgumentInfo, default: Any) -> str:
    cells = (_names(name, kind, note), _value(kind, note), _default(kind, default), _prose(note.help or ""))
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _names(name: str, kind: Any, note: OptionInfo | ArgumentInfo) -> str:
    if isinstance(note, ArgumentInfo):
        return f"`{note.metavar or name.upper()}`"
    first = (note.default,) if isinstance(note.default, str) else ()  # typer keeps the first declaration there
    plain = "--" + name.replace("_", "-")
    fallback = (plain, plain.replace("--", "--no-", 1)) if kind is bool else (plain,)
    return ", ".join(f"`{option}`" for option in (*first, *(note.param_decls or ())) or fallback)


def _value(kind: Any, note: OptionInfo | ArgumentInfo) -> str:
    if kind is bool:
        return "-"
    if note.metavar:
        return f"`{note.metavar}`"
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    names = {str: "text", int: "whole number", float: "number", Path: "path"}
    return names.get(kind, "text")


def _default(kind: Any, default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    if default is None or kind is bool:
        return "-"
    return f"`{default.value if isinstance(default, Enum) else default}`"


def _prose(text: str) -> str:
    """Help text as Markdown: bold terminal text is code here, and runs of spaces are one."""
    return re.sub(r" +", " ", re.sub(r"^ +", "", re.sub(r"\[/?bold\]", "`", text), flags=re.MULTILINE)) + "\n"


if __name__ == "__main__":
    main()
