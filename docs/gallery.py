"""Writes the gallery while the documentation is built: every model of `dokimasia theory` as its command draws it by default."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from dokimasia.cli.theory import COMMANDS

PAGE = Path(__file__).parent / "theory" / "gallery.md"
INTRODUCTION = """\
# Gallery

Every figure of every model, as `dokimasia theory MODEL --figures FOLDER` draws it with the options left as they are.
"""


def write() -> None:
    """Write the page, unless it is there as it would be written."""
    parts = [INTRODUCTION]
    for command in COMMANDS:
        name = command.__name__.replace("_", "-")
        with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed:
            command(as_json=True, figures=Path(folder))
            drawn = {path.stem: path.read_text(encoding="utf-8") for path in Path(folder).glob("*.svg")}
        answer = json.loads(printed.getvalue())
        question = (inspect.getdoc(command) or "").splitlines()[0]
        parts.append(f"## {name}\n\n{question} {answer['headline']} Command: `dokimasia theory {name}`.\n")
        parts += [
            f"### {figure['title']}\n\n```{{raw}} html\n<figure>{drawn[figure['name']]}</figure>\n```\n\n"
            f"{escape(figure['caption'], quote=False)}\n"
            for figure in answer["figures"]
        ]
    text = "\n".join(parts)
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
