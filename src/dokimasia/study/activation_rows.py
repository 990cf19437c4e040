"""Rows of one width on disk, appended in parts: a part that was not written whole is never read.

values.bin   the numbers, row after row
rows.bin     44 bytes a row: its key, the checksum of its numbers, a flag, and a checksum of these

A part's numbers are on the disk before its entries are written, and an entry counts only if its own checksum holds. So
whatever moment a process is killed at, the next one finds whole rows, and writes over what lies behind them.
"""

from __future__ import annotations

import errno
import os
import zlib
from array import array
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError, DokimasiaError, EnvironmentFault, UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENTRY = np.dtype([("key", "S32"), ("values", "<u4"), ("flag", "<u4"), ("check", "<u4")])
CHECKED = ENTRY.itemsize - 4
READ_BYTES = 1 << 24


class Damaged(EnvironmentFault):
    """The numbers of these keys are not what was written; they are forgotten, and can be appended again."""

    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        super().__init__(
            f"{path}: {len(keys)} rows are not what was written; the disk or another program changed them. Remove the "
            "folder that they lie in and run the same command again."
        )
        self.keys = tuple(keys)


class _Known:
    """Where each key's row is, and the checksum and the flag of each row."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.sums = array("I")
        self.flags = bytearray()

    def add(self, entry: np.void) -> None:
        self.places[entry["key"].decode()] = len(self.sums)
        self.sums.append(int(entry["values"]))
        self.flags.append(bool(entry["flag"]))


class Rows:
    """Rows of `width` numbers in a folder, found by key; a key that was appended again is found where it came last."""

    def __init__(self, folder: Path, *, width: int, dtype: np.dtype[np.floating]) -> None:
        self._values, self._entries = folder / "values.bin", folder / "rows.bin"
        self._width, self._dtype = width, dtype

    @cached_property
    def _known(self) -> _Known:
        """What the whole entries say, in the order of the rows."""
        try:
            data = self._entries.read_bytes() if self._entries.exists() else b""
            rows = self._values.stat().st_size // self._row_bytes if self._values.exists() else 0
        except OSError as error:
            raise trouble(self._entries, error) from error
        known = _Known()
        for entry in np.frombuffer(data, ENTRY, count=min(len(data) // ENTRY.itemsize, rows)):
            if _check(entry) != entry["check"]:
                break
            known.add(entry)
        return known

    @property
    def _row_bytes(self) -> int:
        return self._width * self._dtype.itemsize

    def __contains__(self, key: str) -> bool:
        return key in self._known.places

    def flag(self, key: str) -> bool:
        """The flag that was given with this key."""
        return bool(self._known.flags[self._known.places[key]])

    def append(self, keys: Sequence[str], values: NDArray[np.float32], flags: Sequence[bool]) -> None:
        """Write rows (n_keys, width) behind the others; after this returns, they survive whatever happens."""
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(values.reshape(len(keys), self._width), self._dtype)
        if (np.isfinite(values) & ~np.isfinite(rows).reshape(values.shape)).any():
            raise DataError(
                f"Activations are expected to fit into {self._dtype}.",
                f"Found one of {np.nanmax(np.abs(values)):.3g}.",
                "Store them in float32.",
            )
        entries = np.zeros(len(keys), ENTRY)
        entries["key"], entries["flag"] = [key.encode() for key in keys], flags
        entries["values"] = [zlib.crc32(row.data) for row in rows]
        entries["check"] = [_check(entry) for entry in entries]
        there = len(self._known.sums)
        try:
            _write(self._values, there * self._row_bytes, rows.tobytes())
            _write(self._entries, there * ENTRY.itemsize, entries.tobytes())
        except OSError as error:
            raise trouble(self._values, error) from error
        for entry in entries:
            self._known.add(entry)

    def read(self, keys: Sequence[str]) -> Iterable[tuple[slice, NDArray[np.floating]]]:
        """The rows of these keys in their order, a bounded part at a time, each checked against its checksum."""
        places = [self._known.places[key] for key in keys]
        step = max(1, READ_BYTES // self._row_bytes)
        for start in range(0, len(places), step):
            part = places[start : start + step]
            values = np.zeros((len(part), self._width), self._dtype)
            try:
                with self._values.open("rb", buffering=0) as stream:
                    for row, place in zip(values, part, strict=True):
                        stream.seek(place * self._row_bytes)
                        stream.readinto(row.data)
            except OSError as error:
                raise trouble(self._values, error) from error
            wrong = [
                key
                for key, place, row in zip(keys[start : start + step], part, values, strict=True)
                if zlib.crc32(row.data) != self._known.sums[place]
            ]
            if wrong:
                for key in wrong:
                    self._known.places.pop(key, None)
                raise Damaged(self._values, wrong)
            yield slice(start, start + len(part)), values


def trouble(path: Path, error: OSError) -> DokimasiaError:
    """What a failed write or read means to the user."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
        return UserError(
            f"{path.parent} is expected to be a folder that can be written to.",
            f"It is not: {error.strerror}.",
            "Name another one.",
        )
    what = "The disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
    return EnvironmentFault(
        f"{path}: {what}. The rows written before are kept: make room and run the same command again."
    )


def _check(entry: np.void) -> int:
    return zlib.crc32(entry.tobytes()[:CHECKED])


def _write(path: Path, offset: int, data: bytes) -> None:
    """Put data at this place, end the file there, and wait until the disk has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "r+b") as stream:
        stream.truncate(offset)
        stream.seek(offset)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
