"""The run folder: findings and recorded answers, written atomically, so that a killed run loses nothing.

plan.json             what this run measures, and of what
items.jsonl           the evaluation's items: ids, digests, labels
manifest.json         digests of all the files that this run wrote, reports excepted
findings/NAME.json    one finding an instrument, written as soon as it exists
calls/DIGEST.*        the subject's answers, one file a batch
activations/          its activations, a row a conversation; see activation_store
trained/NAME/         what it was trained into
logs/                 Inspect logs
personas/             the persona map, for other tools
report.html, .md, .json
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path, PurePath
from typing import Any, Literal, NamedTuple, TextIO, TypeVar
from zipfile import BadZipFile

import numpy as np
from pydantic import TypeAdapter

from dokimasia.core import EnvironmentFault, Finding, UserError

UMASK = os.umask(0o077)
os.umask(UMASK)
FINDING = TypeAdapter(Finding)
PARTS = ("", "findings", "calls", "logs")
TEMPORARY = "tmp*.half"
MANIFEST = "manifest.json"
GROWING = "activations/*/*/*.bin"
"""Files that are appended to."""
RECORDED = (
    "plan.json",
    "items.jsonl",
    "findings/*.json",
    "calls/*.npz",
    "logs/*",
    "personas/*",
    "activations/*.json",
    "activations/*/*.json",
    "activations/*/*/*.json",
    GROWING,
    "trained/**/*",
)
"""What the manifest vouches for, hidden files excepted. Reports are made again from these, byte for byte."""

CHUNK = 1 << 20
Held = TypeVar("Held")


class Listed(NamedTuple):
    """What a manifest says of a file. One that grows had `size` bytes then, and the digest is theirs."""

    sha256: str
    size: int | None


class RunFolder:
    """A folder that one process at a time works in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: dict[str, str] = {}
        self._holding: dict[str, Any] = {}
        self._closing = ExitStack()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder and hold its lock; clears away what was left half written."""
        try:
            for name in PARTS:
                (self.path / name).mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise self._trouble(error) from error
        with lock:
            claim(
                lock,
                found="Another dokimasia is at work in it.",
                do="Wait for it, or name another folder with --run.",
            )
            self._clear()
            self._forget_removed()
            try:
                with self._closing:
                    yield
            finally:
                self._holding.clear()
                self._clear()

    def holding(self, name: str, opened: Callable[[Path], AbstractContextManager[Held]]) -> Held:
        """What lies in this part of the folder, opened once, and closed with the folder."""
        if name not in self._holding:
            self._holding[name] = self._closing.enter_context(opened(self.path / name))
        found: Held = self._holding[name]
        return found

    def _clear(self) -> None:
        for leftover in self.leftovers():
            leftover.unlink(missing_ok=True)

    def leftovers(self) -> list[Path]:
        """Temporary files of `write` that a killed process left behind; any other file is somebody else's."""
        found = (path for part in PARTS for path in (self.path / part).glob(TEMPORARY))
        return sorted(path for path in found if path.is_file())

    def write(self, name: str, data: bytes) -> Path:
        """Write a file whole or not at all."""
        target = self.path / name
        temporary = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix="tmp", suffix=".half")
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o666 & ~UMASK)
            os.replace(temporary, target)
            self._written[name] = hashlib.sha256(data).hexdigest()
        except OSError as error:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)
            raise self._trouble(error) from error
        return target

    def write_json(self, name: str, value: Any) -> Path:
        return self.write(name, canonical(value))

    def save(self, finding: Finding, key: str) -> None:
        """Store a finding under its instrument's name, with the key of the plan that asked for it."""
        self.write_json(
            f"findings/{finding.instrument}.json", {"key": key, "finding": FINDING.dump_python(finding, mode="json")}
        )

    def forget(self, instruments: Sequence[str]) -> None:
        """Remove the findings of these instruments, where there are any."""
        for instrument in instruments:
            (self.path / "findings" / f"{instrument}.json").unlink(missing_ok=True)

    def load(self, instrument: str, key: str) -> Finding | None:
        """The stored finding of an instrument, if it answers to this key."""
        try:
            stored = json.loads((self.path / "findings" / f"{instrument}.json").read_text("utf-8"))
            return FINDING.validate_python(stored["finding"]) if stored["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def findings(self) -> list[Finding]:
        """The stored findings of the present plan, in its order; an unreadable one is an error, not a gap."""
        plan = self.plan()
        order = {name: place for place, (name, _) in enumerate(plan["instruments"])}
        found = []
        for path in sorted((self.path / "findings").glob("*.json")):
            try:
                stored = json.loads(path.read_text("utf-8"))
                if stored["key"] == plan["digest"]:
                    found.append(FINDING.validate_python(stored["finding"]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{path} is expected to hold a finding.",
                    f"It does not ({type(error).__name__}).",
                    "Remove it and run the audit again: it measures what is missing.",
                ) from error
        return sorted(found, key=lambda finding: order.get(finding.instrument, len(order)))

    def plan(self) -> dict[str, Any]:
        """The stored plan, or an error if this is no run folder."""
        try:
            plan = json.loads((self.path / "plan.json").read_text("utf-8"))
            return {name: plan[name] for name in plan.keys() | {"instruments", "digest"}}
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise UserError(
                f"{self.path} is expected to be a run folder.",
                "It has no readable plan.json.",
                "Name a folder made by `dokimasia audit`.",
            ) from error

    def noted(self, folder: str) -> None:
        """Take up the digests of files in this part of the folder, which somebody else has written just now."""
        for path in sorted((self.path / folder).glob("*")):
            self._written[f"{folder}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()

    def recorded(self) -> list[str]:
        """Names of the files there are that a manifest vouches for."""
        found = (path for pattern in RECORDED for path in self.path.glob(pattern) if path.is_file())
        names = (path.relative_to(self.path) for path in found)
        return sorted(str(name) for name in names if not any(part.startswith(".") for part in name.parts))

    def manifest(self) -> dict[str, Listed]:
        """What is stored of files by name; empty where there is no manifest."""
        try:
            stored = json.loads((self.path / MANIFEST).read_text("utf-8"))
            sizes = {str(name): int(size) for name, size in stored.get("size", {}).items()}
            return {str(name): Listed(str(digest), sizes.get(name)) for name, digest in stored["sha256"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def compared(self, name: str, listed: Listed) -> Literal["same", "longer", "other"]:
        """What became of a file; `longer` is one that was appended to and is as it was before that."""
        path = self.path / name
        if _digest(path, listed.size) != listed.sha256:
            return "other"
        return "same" if listed.size in (None, path.stat().st_size) else "longer"

    def write_manifest(self) -> None:
        """Store digests. A file that an earlier manifest lists, and that was not written anew, keeps its digest there: a
        rerun does not vouch for what was changed in between.
        """
        before = self.manifest()
        self._list({name: self._listed(name, before.get(name)) for name in self.recorded()})

    def _list(self, files: dict[str, Listed]) -> None:
        self.write_json(
            MANIFEST,
            {
                "sha256": {name: listed.sha256 for name, listed in files.items()},
                "size": {name: listed.size for name, listed in files.items() if listed.size is not None},
            },
        )

    def _forget_removed(self) -> None:
        """List no file that grows and was removed: one that takes its place has nothing to do with it."""
        listed = self.manifest()
        there = {name: item for name, item in listed.items() if item.size is None or (self.path / name).exists()}
        if there != listed:
            self._list(there)

    def _listed(self, name: str, before: Listed | None) -> Listed:
        if name in self._written:
            return Listed(self._written[name], None)
        if before is not None and (before.size is None or self.compared(name, before) != "longer"):
            return before
        path = self.path / name
        size = path.stat().st_size if PurePath(name).match(GROWING) else None
        return Listed(_digest(path, size), size)

    def load_call(self, key: str) -> dict[str, Any] | None:
        """What was recorded under a key; a damaged record counts as none."""
        try:
            data = io.BytesIO((self.path / "calls" / f"{key}.npz").read_bytes())
            with np.load(data, allow_pickle=False) as stored:
                plain = json.loads(bytes(stored["plain"]).decode("utf-8", "surrogatepass"))["plain"]
                return {"plain": plain, "arrays": {name: stored[name] for name in stored.files if name != "plain"}}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def save_call(self, key: str, plain: Any, arrays: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, plain=np.frombuffer(canonical({"plain": plain}), dtype=np.uint8), **arrays)
        self.write(f"calls/{key}.npz", buffer.getvalue())

    def _trouble(self, error: OSError) -> Exception:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            return UserError(
                f"{self.path} is expected to be a folder that can be written to.",
                f"It is not: {error.strerror}.",
                "Name another one with --run.",
            )
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return EnvironmentFault(
                f"The disk of {self.path} is full. What was measured is kept: make room and run the same command again."
            )
        return EnvironmentFault(f"{self.path}: {error}. What was measured is kept: run the same command again.")


def _digest(path: Path, size: int | None) -> str:
    """SHA-256 of a file, or of its first `size` bytes."""
    state, left = hashlib.sha256(), path.stat().st_size if size is None else size
    with path.open("rb") as stream:
        while part := stream.read(min(left, CHUNK)):
            state.update(part)
            left -= len(part)
    return state.hexdigest()


def claim(lock: TextIO, *, found: str, do: str) -> None:
    """Lock an open file until it is closed, or refuse the folder that it lies in: another process holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise UserError(f"{Path(lock.name).parent} is expected to be free.", found, do) from error


def canonical(value: Any) -> bytes:
    """JSON bytes that depend on the value alone."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n").encode(
        "utf-8", "surrogatepass"
    )
