"""Streams the records of a JSON Lines file or a JSON array, one at a time, with the line that each begins on."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dokimasia.core import SourceError

BLOCK = 1 << 20
LARGEST_RECORD = 1 << 28
SPACE = re.compile(r"\s*")
BETWEEN = re.compile(r"[ \t\r\n,]*")
STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')

Record = tuple[int, Any]


def iterate_records(path: Path) -> Iterator[Record]:
    """Yield (line, value) for every record of `path`, in bounded memory: one record and one block at a time."""
    try:
        with path.open("rb") as stream:
            head = stream.read(1 << 16)
            while not head.removeprefix(codecs.BOM_UTF8).strip() and (block := stream.read(BLOCK)):
                head = block
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise SourceError(
                f"{path}: text in UTF-8 is expected.", "Found UTF-16.", "Convert it: iconv -f UTF-16 -t UTF-8 IN > OUT"
            )
        start = head.removeprefix(codecs.BOM_UTF8).lstrip()
        if not start:
            size = path.stat().st_size
            raise SourceError(
                f"{path}: at least one transcript is expected.",
                "The file is empty." if not size else f"Found {size} bytes of white space only.",
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
    except OSError as error:
        raise SourceError(f"{path}: a readable file is expected.", f"{error.strerror}.", "Check the path.") from error


def _list_a_line(head: bytes) -> bool:
    """Whether a file that begins with a list goes on after it: then each line holds one."""
    first, _, rest = head.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")
    return bool(rest.strip()) and _whole(first.decode("utf-8", "replace")) is not None


def _lines(path: Path) -> Iterator[Record]:
    number, begun, depth, size = 0, 0, 0, 0
    waiting: list[str] = []
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
            if not waiting and not text.strip():
                continue
            if not waiting and not _opens_document(text):
                yield number, _parse(text, path, number)
                continue
            begun = begun or number
            waiting.append(text)
            depth += _opened(text)
            size += len(text)
            if depth <= 0:
                yield begun, _parse("".join(waiting), path, begun)
                waiting, begun, depth, size = [], 0, 0, 0
            elif size > LARGEST_RECORD:
                raise SourceError(
                    f"{path}, line {begun}: a JSON value is expected.",
                    "Found one that does not end.",
                    "Write one record a line (JSON Lines).",
                )
    if waiting:
        yield begun, _parse("".join(waiting), path, begun)


def _opens_document(text: str) -> bool:
    """Whether a line can only be the beginning of an indented JSON object."""
    return text.strip() == "{"


def _opened(text: str) -> int:
    """How many more brackets a line opens than it closes, outside its strings (a JSON string ends on its line)."""
    signs = STRING.sub("", text)
    return signs.count("{") + signs.count("[") - signs.count("}") - signs.count("]")


def _whole(text: str) -> tuple[Any] | None:
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return None


def _array(path: Path) -> Iterator[Record]:
    with path.open("rb") as stream:
        window = _Window(path, stream)
        window.skip(SPACE)
        window.advance(window.at + 1)
        while window.skip(BETWEEN) and window.text[window.at] != "]":
            line = window.line
            yield line, window.value()
        if window.at == len(window.text):
            raise SourceError(
                f"{path}, line {window.line}: the array is expected to end with a ].",
                "Found the end of the file.",
                "The file was cut short: export it again.",
            )
        window.advance(window.at + 1)
        if window.skip(SPACE):
            raise SourceError(
                f"{path}, line {window.line}: the file is expected to end where the array does.",
                "Found more after its ].",
                "Write one array, or one record a line.",
            )


class _Window:
    """The part of a file that is being read: `text` from `at` on, which stands on `line`."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.text, self.at, self.line = "", 0, 1
        self._path, self._stream, self._ended = path, stream, False
        self._incremental = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = json.JSONDecoder()

    def advance(self, end: int) -> None:
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def skip(self, expression: re.Pattern[str]) -> bool:
        """Go on behind what `expression` matches, across blocks; whether anything stands there."""
        while True:
            found = expression.match(self.text, self.at)
            assert found is not None
            self.advance(found.end())
            if self.at < len(self.text) or not self._more(BLOCK):
                return self.at < len(self.text)

    def value(self) -> Any:
        """The JSON value that begins here, behind which the window stands afterwards."""
        size = BLOCK
        while True:
            try:
                value, end = self._decoder.raw_decode(self.text, self.at)
                if end < len(self.text) or self._ended:
                    self.advance(end)
                    return value
            except RecursionError as error:
                raise depth_error(self._path, self.line) from error
            except ValueError as error:
                too_long = len(self.text) - self.at > LARGEST_RECORD
                if self._ended or too_long or _certainly_broken(error, self.text):
                    first = self.line - self.text.count("\n", 0, self.at)
                    raise _syntax_error(self._path, first, error) from error
            size *= 2
            self._more(size)

    def _more(self, wanted: int) -> bool:
        """Read on, dropping what was used."""
        block = self._stream.read(wanted)
        self._ended = not block
        try:
            self.text, self.at = self.text[self.at :] + self._incremental.decode(block, final=self._ended), 0
        except UnicodeDecodeError as error:
            before = self.text.count("\n", self.at) + error.object[: error.start].count(b"\n")
            raise _encoding_error(self._path, self.line + before, error) from error
        return not self._ended


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
        raise depth_error(path, number) from error
    except ValueError as error:
        raise _syntax_error(path, number, error) from error


def _encoding_error(path: Path, line: int, error: UnicodeDecodeError) -> SourceError:
    return SourceError(
        f"{path}, line {line}: text in UTF-8 is expected.",
        f"Found the byte 0x{error.object[error.start]:02x}, which cannot stand there.",
        "Convert the file (for example iconv -f WINDOWS-1252 -t UTF-8 IN > OUT).",
    )


def depth_error(path: Path, line: int) -> SourceError:
    """The refusal of a record that Python's recursion limit keeps from being read."""
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
