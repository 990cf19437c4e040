"""A tripwire on disk: words and settings as JSON, its probe beside it, all under checksums; read without torch or pickle.

The checksums show damage and careless edits. They are no signature: whoever rewrites all files can make them fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dokimasia.control.reading import Rate, StreamReading
from dokimasia.control.statements import Matcher, Statement
from dokimasia.control.tripwire import Tripwire
from dokimasia.core import UserError
from dokimasia.instruments.common import probes
from dokimasia.instruments.common.kept import Kind, broken, keep, kept

KIND = Kind(
    name="tripwire",
    layout=1,
    record="tripwire.json",
    tensors=None,
    again="Fit and save it again",
    source="Name a folder that `save` or `dokimasia tripwire` wrote.",
)
PROBE = "probe"
PROBE_FILES = ("probe.json", "probe.safetensors")
MEASURED = ("window", "aimed", "threshold_data")


def save(tripwire: Tripwire, folder: Path) -> None:
    """Write the tripwire into a folder; the same tripwire gives the same bytes, and the record comes last."""
    reading = tripwire.reading
    record: dict[str, Any] = {
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
    keep(folder, KIND, record)


def load(folder: Path, *, model: str | None) -> Tripwire:
    """The tripwire in a folder, for the model with this digest (`subject.identity.digest`).

    Its probe refuses any other model. `None` stands for a model of which only the words are known: the tripwire is then
    its matcher alone, and its remarks say so.
    """
    record, _ = kept(folder, KIND)
    try:
        found = _tripwire(record, folder, model)
        intact = model is None or found.digest == record["digest"]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise broken(folder, KIND, f"It makes no tripwire: {error!r}") from error
    if not intact:
        raise broken(folder, KIND, "Its digest is another tripwire's")
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
            raise broken(folder, KIND, f"The probe in {PROBE} is not the one that was saved with it")
        reading = StreamReading(
            probe=probes.load(folder / PROBE, digest=model),
            **{name: stored[name] for name in MEASURED},
            false_alarms=Rate(**stored["false_alarms"]),
            caught=Rate(**stored["caught"]),
        )
    matcher = Matcher(statements=statements, share=words["share"], reach=words["reach"])
    return Tripwire(matcher=matcher, reading=reading, facts=record["facts"], remarks=remarks)


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each of the probe's files, hex; a file that is not there has none."""
    paths = {name: folder / PROBE / name for name in PROBE_FILES}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.is_file()}
