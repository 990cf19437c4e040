"""A ledger of looks: one JSON line each, appended, so that a killed process loses at most the look that it was at.

The first line says what the ledger is about; looks at something else are refused. A last line that is not whole was being
written when a process was killed or a disk was full: it is removed, and that is said.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dokimasia.core import DokimasiaError, EnvironmentFault, UserError
from dokimasia.instruments.knowledge.again import Row
from dokimasia.study.store import claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One look. `state` is which subject was asked: the digest of its weights, and what the digest does not cover."""

    look: int
    state: str
    model: str
    rounds: tuple[str, ...]
    rows: tuple[Row, ...]
    log_e: float | None
    log_evidence: float
    alarm: bool


ENTRY = TypeAdapter(Entry)


class Looks:
    """A ledger that one process at a time writes to; see `opened`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: list[Entry] = []
        self.repaired = ""

    @classmethod
    @contextmanager
    def opened(cls, path: Path, header: dict[str, Any]) -> Iterator[Looks]:
        """The ledger with this header, locked; begun if there is none, repaired if its last line is torn."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("a")
        except OSError as error:
            raise _trouble(path, error) from error
        with lock:
            claim(
                lock,
                found=f"Another process is asking for the ledger {path.name} in it.",
                do="Wait for it, or name another ledger.",
            )
            looks = cls(path)
            looks._read(header)
            yield looks

    def append(self, entry: Entry) -> None:
        """Write a look behind the others, whole or not at all."""
        self._write(json.dumps(ENTRY.dump_python(entry, mode="json"), allow_nan=False))
        self.entries.append(entry)

    def _read(self, header: dict[str, Any]) -> None:
        first = json.dumps(header, sort_keys=True)
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise _trouble(self._path, error) from error
        *lines, torn = data.split(b"\n")
        if not lines:
            if not first.encode().startswith(torn):
                raise self._foreign("it does not begin like one")
            self._cut(len(torn))
            self._write(first)
            return
        self._check(lines[0], header)
        for place, line in enumerate(lines[1:], start=2):
            try:
                self.entries.append(ENTRY.validate_json(line))
            except ValueError as error:
                raise UserError(
                    f"{self._path} is expected to hold a look on every line.",
                    f"Line {place} is none: something else has written to it.",
                    "Restore it from a copy, or begin another ledger.",
                ) from error
        self._cut(len(torn))

    def _check(self, line: bytes, header: dict[str, Any]) -> None:
        try:
            found = json.loads(line)
        except ValueError as error:
            raise self._foreign("its first line is no JSON") from error
        if not isinstance(found, dict) or found.get("ledger") != header["ledger"]:
            raise self._foreign("its first line says nothing of looks")
        for name, value in header.items():
            if found.get(name) != value:
                raise UserError(
                    f"{self._path} is expected to be about the same {name}.",
                    f"It was begun with {found.get(name)!r}, and now {value!r} is asked for.",
                    "Ask as before, or begin another ledger: its error rate holds for what it was begun with.",
                )

    def _foreign(self, why: str) -> UserError:
        return UserError(
            f"{self._path} is expected to be a ledger of looks, or a new file.",
            f"It is neither: {why}.",
            "Name another file.",
        )

    def _cut(self, torn: int) -> None:
        """Take off the bytes after the last whole line."""
        if torn:
            os.truncate(self._path, self._path.stat().st_size - torn)
            self.repaired = (
                f"The last line of {self._path.name} was not whole ({torn:,} bytes): a process was stopped while it wrote. "
                "It was removed, and its look counts as never made."
            )

    def _write(self, line: str) -> None:
        data, before = f"{line}\n".encode("ascii"), self._path.stat().st_size
        try:
            with self._path.open("ab", buffering=0) as stream:
                if stream.write(data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(stream.fileno())
        except OSError as error:
            with suppress(OSError):
                os.truncate(self._path, before)
            raise _trouble(self._path, error) from error


def _trouble(path: Path, error: OSError) -> DokimasiaError:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return UserError(
            f"{path} is expected to be a file that can be written to.",
            f"It is not: {error.strerror}.",
            "Name another one.",
        )
    what = f"The disk of {path} is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"{path}: {error}"
    return EnvironmentFault(
        f"{what}. The looks before are kept, this one is not: make room and run the same command again."
    )
