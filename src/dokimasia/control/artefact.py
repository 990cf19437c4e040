"""A tripwire on disk: words and settings as JSON, its probe beside it, all under checksums; read without torch or pickle.

The checksums show damage and careless edits. They are no signature: whoever rewrites all files can make them fit.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dokimasia.control.reading import Rate, StreamReading
from dokimasia.control.statements import Matcher, Statement
from dokimasia.control.tripwire import Tripwire
from dokimasia.core import EnvironmentFault, UserError
from dokimasia.instruments.common import probes

LAYOUT = 1
RECORD, PROBE = "tripwire.json", "probe"
PROBE_FILES = ("probe.json", "probe.safetensors")
MEASURED = ("window", "aimed", "threshold_data")


def save(tripwire: Tripwire, folder: Path) -> None:
    """Write the tripwire into a folder; the same tripwire gives the same bytes, and the record comes last."""
    reading = tripwire.reading
    record: dict[str, Any] = {
        "layout": LAYOUT,
        "digest": tripwire.digest,
        "facts": tripwire.facts,
        "remarks": list(tripwire.remarks),
        "matcher": asdict(tripwire.matcher),
        "reading": None,
    }
    if reading is not None:
        probes.save(reading.probe, folder / PROBE)
        record["reading"] = {
            **{name: getattr(reading, name) for name in MEASURED},
            "false_alarms": asdict(reading.false_alarms),
            "caught": asdict(reading.caught),
            "model": reading.probe.subject,
            "files": _digests(folder),
        }
    record["checksum"] = _checksum(record)
    part = folder / f"{RECORD}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(part, folder / RECORD)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise UserError(
            f"{folder} is expected to be a folder that can be written to.",
            f"It is not: {error.strerror}.",
            "Name another one.",
        ) from error
    except OSError as error:
        raise EnvironmentFault(f"{folder}: the tripwire could not be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def load(folder: Path, *, model: str | None) -> Tripwire:
    """The tripwire in a folder, for the model with this digest (`subject.identity.digest`).

    Its probe refuses any other model. `None` stands for a model of which only the words are known: the tripwire is then
    its matcher alone, and its remarks say so.
    """
    record = _read(folder)
    try:
        found = _tripwire(record, folder, model)
        intact = model is None or found.digest == record["digest"]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise _broken(folder, f"It makes no tripwire: {error!r}") from error
    if not intact:
        raise _broken(folder, "Its digest is another tripwire's")
    return found


def _tripwire(record: Mapping[str, Any], folder: Path, model: str | None) -> Tripwire:
    words, stored, remarks = record["matcher"], record["reading"], tuple(record["remarks"])
    statements = tuple(
        Statement(fact=one["fact"], text=one["text"], answer=tuple(one["answer"]), context=tuple(one["context"]))
        for one in words["statements"]
    )
    reading = None
    if stored is not None and model is None:
        remarks += ("The probe was left out, since no model was named.",)
    elif stored is not None and model is not None:
        if stored["files"] != _digests(folder):
            raise _broken(folder, f"The probe in {PROBE} is not the one that was saved with it")
        reading = StreamReading(
            probe=probes.load(folder / PROBE, digest=model),
            **{name: stored[name] for name in MEASURED},
            false_alarms=Rate(**stored["false_alarms"]),
            caught=Rate(**stored["caught"]),
        )
    matcher = Matcher(statements=statements, share=words["share"], reach=words["reach"])
    return Tripwire(matcher=matcher, reading=reading, facts=record["facts"], remarks=remarks)


def _read(folder: Path) -> Mapping[str, Any]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{folder} is expected to hold a tripwire, {RECORD}.",
            f"Reading failed: {error.strerror}.",
            "Name a folder that `save` or `dokimasia tripwire` wrote.",
        ) from error
    except ValueError as error:
        raise _broken(folder, f"{RECORD} is no JSON") from error
    layout = record.get("layout") if isinstance(record, dict) else None
    if not isinstance(record, dict) or layout != LAYOUT:
        raise UserError(
            f"{folder}: a tripwire of layout {LAYOUT} is expected.", f"Found {layout}.", "Fit and save it again."
        )
    if record.get("checksum") != _checksum(record):
        raise _broken(folder, f"{RECORD} does not match its checksum")
    return record


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each of the probe's files, hex; a file that is not there has none."""
    paths = {name: folder / PROBE / name for name in PROBE_FILES}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.is_file()}


def _checksum(record: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in record.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _broken(folder: Path, problem: str) -> UserError:
    return UserError(
        f"{folder} is expected to hold a tripwire as it was saved.",
        f"{problem}.",
        "Fit and save it again, and find out who changed it.",
    )
