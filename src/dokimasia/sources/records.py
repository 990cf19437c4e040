"""Streams the records of a JSON Lines file or a JSON array, one at a time, with the line that each begins on."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dokimasia.core import SourceError

BLOCK = 1 << 20
LARGEST_RECORD = 1 << 28

Record = tuple[int, Any]


def iterate_records(path: Path) -> Iterator[Record]:
    """Yield (line, value) for every record of `path`, in bounded memory: one record and one block at a time."""
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 16)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise SourceError(
                f"{path}: text in UTF-8 is expected.", "Found UTF-16.", "Convert it: iconv -f UTF-16 -t UTF-8 IN > OUT"
            )
        start = head.removeprefix(codecs.BOM_UTF8).lstrip()
        if not start:
            size = path.stat().st_size
            raise SourceError(
                f"{path}: at least one transcript is expected.",
                "The file is empty." if not size else f"Found {size} bytes of white space at its beginning.",
                "Check that the export finished.",
            )
        yield from _array(path) if start.startswith(b"[") and not _list_a_line(head) else _lines(path)
    except IsADirectoryError as error:
        raise SourceError(f"{path}: a file is expected.", "Found a folder.", "Name a file in it.") from error
    except FileNotFoundError as error:
        raise SourceError(f"{path}: a file is expected.", "There is none.", "Check the path.") from error
    except PermissionError as error:
        raise SourceError(
            f"{path}: a readable file is expected.", "Reading it is not permitted.", "Check its permissions."
        ) from error


def _list_a_line(head: bytes) -> bool:
    """Whether a file that begins with a list goes on after it: then each line holds one."""
    first, _, rest = head.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")
    return bool(rest.strip()) and _whole(first.decode("utf-8", "replace")) is not None


def _lines(path: Path) -> Iterator[Record]:
    number, waiting, begun = 0, "", 0
    with path.open("rb") as stream:
        while raw := stream.readline(LARGEST_RECORD):
            number += 1
            if len(raw) >= LARGEST_RECORD:
                raise SourceError(
                    f"{path}, line {number}: a line of at most {LARGEST_RECORD >> 20} MB is expected.",
                    "Found a longer one.",
                    "Write one record a line (JSON Lines), or a JSON array of records.",
                )
            text = _decode(raw, path, number)
            if not text.strip():
                continue
            if waiting or _opens_document(text):
                begun = begun or number
                waiting += text
                value = _whole(waiting)
                if value is None:
                    if len(waiting) > LARGEST_RECORD:
                        raise SourceError(
                            f"{path}, line {begun}: a JSON value is expected.",
                            "Found one that does not end.",
                            "Write one record a line (JSON Lines).",
                        )
                    continue
                yield begun, value[0]
                waiting, begun = "", 0
                continue
            yield number, _parse(text, path, number)
    if waiting:
        yield begun, _parse(waiting, path, begun)


def _opens_document(text: str) -> bool:
    """Whether a line can only be the beginning of an indented JSON object."""
    return text.strip() == "{"


def _whole(text: str) -> tuple[Any] | None:
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None


def _array(path: Path) -> Iterator[Record]:
    decoder = json.JSONDecoder()
    text, line, ended = "", 1, False
    incremental = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as stream:

        def more(wanted: int) -> bool:
            nonlocal text, ended
            block = stream.read(wanted)
            ended = not block
            try:
                text += incremental.decode(block, final=ended)
            except UnicodeDecodeError as error:
                raise _encoding_error(path, line + text.count("\n"), error) from error
            return not ended

        more(BLOCK)
        opening = text.index("[")
        line += text.count("\n", 0, opening)
        text = text[opening + 1 :]
        while True:
            stripped = text.lstrip(" \t\r\n,")
            line += text.count("\n", 0, len(text) - len(stripped))
            text = stripped
            if not text:
                if more(BLOCK):
                    continue
                raise SourceError(
                    f"{path}, line {line}: the array is expected to end with a ].",
                    "Found the end of the file.",
                    "The file was cut short: export it again.",
                )
            if text[0] == "]":
                rest = text[1:].strip()
                if rest or stream.read(BLOCK).strip():
                    raise SourceError(
                        f"{path}, line {line}: the file is expected to end where the array does.",
                        "Found more after its ].",
                        "Write one array, or one record a line.",
                    )
                return
            size = BLOCK
            while True:
                try:
                    value, end = decoder.raw_decode(text)
                    if end == len(text) and not ended:
                        raise ValueError
                    break
                except RecursionError as error:
                    raise _depth_error(path, line) from error
                except ValueError as error:
                    size *= 2
                    if ended or len(text) > LARGEST_RECORD:
                        raise _syntax_error(path, line, error) from error
                    if _certainly_broken(error, text):
                        raise _syntax_error(path, line, error) from error
                    more(size)
            yield line, value
            line += text.count("\n", 0, end)
            text = text[end:]


def _certainly_broken(error: ValueError, text: str) -> bool:
    """Whether the error stands so far from the end of what was read that more text cannot mend it."""
    unfinished = isinstance(error, json.JSONDecodeError) and error.msg.startswith("Unterminated string")
    return isinstance(error, json.JSONDecodeError) and not unfinished and error.pos < len(text) - 64


def _decode(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise _encoding_error(path, number, error) from error


def _parse(text: str, path: Path, number: int) -> Any:
    try:
        return json.loads(text.rstrip())
    except RecursionError as error:
        raise _depth_error(path, number) from error
    except ValueError as error:
        raise _syntax_error(path, number, error) from error


def _encoding_error(path: Path, line: int, error: UnicodeDecodeError) -> SourceError:
    return SourceError(
        f"{path}, line {line}: text in UTF-8 is expected.",
        f"Found the byte 0x{error.object[error.start]:02x}, which cannot stand there.",
        "Convert the file (for example iconv -f WINDOWS-1252 -t UTF-8 IN > OUT).",
    )


def _depth_error(path: Path, line: int) -> SourceError:
    return SourceError(
        f"{path}, line {line}: a transcript is expected.",
        "Found JSON nested too deep to read.",
        "Keep one conversation a record.",
    )


def _syntax_error(path: Path, line: int, error: ValueError) -> SourceError:
    place = ""
    if isinstance(error, json.JSONDecodeError):
        line += error.lineno - 1
        place = f" (column {error.colno})"
    reason = str(error).split(":")[0].rstrip(".") or "a value that does not end"
    return SourceError(
        f"{path}, line {line}: a JSON value is expected.",
        f"Found broken JSON{place}: {reason}.",
        "Mend or remove that line; nothing was measured.",
    )
