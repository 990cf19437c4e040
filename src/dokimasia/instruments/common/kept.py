"""Artefacts on disk: a record as JSON, numbers beside it as safetensors, both under a checksum; no torch and no pickle.

The checksums show damage and careless edits. They are no signature: whoever rewrites all files can make them fit.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dokimasia.core import EnvironmentFault, UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of artefact: its `name` as a noun, its files (`tensors` None: it has none), and how one is made anew."""

    name: str
    layout: int
    record: str
    tensors: str | None
    again: str
    source: str

    @property
    def files(self) -> str:
        """Its files by name."""
        return self.record if self.tensors is None else f"{self.record} and {self.tensors}"


def keep(folder: Path, kind: Kind, record: Mapping[str, Any], data: bytes | None = None) -> None:
    """Write it into a folder; the same artefact gives the same bytes, and the record comes last."""
    whole: dict[str, Any] = {**record, "layout": kind.layout}
    if data is not None:
        whole["tensors"] = hashlib.sha256(data).hexdigest()
    whole["checksum"] = _checksum(whole)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if kind.tensors is not None and data is not None:
            _write(folder / kind.tensors, data)
        _write(folder / kind.record, json.dumps(whole, indent=1, sort_keys=True).encode() + b"\n")
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise UserError(
            f"{folder} is expected to be a folder that can be written to.",
            f"It is not: {error.strerror}.",
            "Name another one.",
        ) from error
    except OSError as error:
        raise EnvironmentFault(f"{folder}: the {kind.name} could not be written: {error.strerror}.") from error


def kept(folder: Path, kind: Kind) -> tuple[Mapping[str, Any], bytes]:
    """The record and the tensors' bytes, both as they were written."""
    try:
        record = json.loads((folder / kind.record).read_text(encoding="utf-8"))
        data = b"" if kind.tensors is None else (folder / kind.tensors).read_bytes()
    except OSError as error:
        raise UserError(
            f"{folder} is expected to hold a {kind.name}, {kind.files}.",
            f"Reading failed: {error.strerror}.",
            kind.source,
        ) from error
    except ValueError as error:
        raise broken(folder, kind, f"{kind.record} is no JSON") from error
    layout = record.get("layout") if isinstance(record, dict) else None
    if not isinstance(record, dict) or layout != kind.layout:
        raise UserError(
            f"{folder}: a {kind.name} of layout {kind.layout} is expected.", f"Found {layout}.", f"{kind.again}."
        )
    if record.get("checksum") != _checksum(record):
        raise broken(folder, kind, f"{kind.record} does not match its checksum")
    if kind.tensors is not None and record.get("tensors") != hashlib.sha256(data).hexdigest():
        raise broken(folder, kind, f"{kind.tensors} does not match its checksum")
    return record, data


def broken(folder: Path, kind: Kind, problem: str) -> UserError:
    """An error that says what is wrong with what lies there."""
    return UserError(
        f"{folder} is expected to hold a {kind.name} as it was saved.",
        f"{problem}.",
        f"{kind.again}, and find out who changed it.",
    )


def _checksum(record: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in record.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
