"""Pooled activations on disk, shared by all instruments: what was computed once is never computed again.

stamp.json                    the version of this layout
SUBJECT/subject.json          whose activations these are: model, precision, threads, versions
SUBJECT/SITES/sites.json      which layers and pools each row holds, and of how many tokens at most
SUBJECT/SITES/values.bin      a row a conversation
SUBJECT/SITES/rows.bin        whose row it is, with checksums
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dokimasia.core import Activations, Identity, Message, PooledActivations, UserError
from dokimasia.core.workers import Inline, Workers
from dokimasia.study.activation_rows import Damaged, Rows, trouble
from dokimasia.study.provenance import answering_versions
from dokimasia.study.store import canonical, claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

Conversation = Sequence[Message]
Report = Callable[[Sequence[Conversation], bool], None]
"""Told of each part, and whether it was found rather than computed."""
FORMAT = 1
PART = 64
WINDOW = 4096
ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Sites:
    """Where activations are read: after these layers, pooled in these ways, of at most so many tokens."""

    layers: tuple[int, ...]
    pools: tuple[str, ...]
    max_tokens: int


@contextmanager
def activation_store(path: Path, *, precision: Literal["float32", "float16"] = "float32") -> Iterator[ActivationStore]:
    """Open a store, making it if need be, and hold its lock; refuses one that another version made.

    `precision` is that of the rows that are written now; rows of both can be read.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / ".lock").open("w")
    except OSError as error:
        raise trouble(path / "stamp.json", error) from error
    with lock:
        claim(lock, found="Another process writes activations into it.", do="Wait for it, or name another folder.")
        _check_stamp(path)
        yield ActivationStore(path, precision)


class ActivationStore:
    """A store that is open: one process at a time, see `activation_store`."""

    def __init__(self, path: Path, precision: str) -> None:
        self._path, self._precision = path, precision
        self._spaces: dict[str, Space] = {}

    def of(self, identity: Identity) -> Space:
        """The part of the store that belongs to one subject, run one way, by these versions of what computes."""
        subject = {
            "digest": identity.digest,
            "dtype": identity.dtype,
            "threads": identity.threads,
            "versions": answering_versions(),
        }
        name = _digest(subject)
        if name not in self._spaces:
            _note(self._path / name / "subject.json", {"name": identity.name, **subject})
            self._spaces[name] = Space(self._path / name, np.dtype(self._precision))
        return self._spaces[name]


class Space:
    """The stored activations of one subject, in groups of rows with equal sites."""

    def __init__(self, folder: Path, dtype: np.dtype[np.floating]) -> None:
        self._folder, self._dtype = folder, dtype

    @cached_property
    def _groups(self) -> dict[str, _Group]:
        found = {}
        for path in sorted(self._folder.glob("*/sites.json")):
            stored = _read(path)
            if stored is not None:
                sites = Sites(
                    layers=tuple(stored["layers"]), pools=tuple(stored["pools"]), max_tokens=stored["max_tokens"]
                )
                found[path.parent.name] = _Group(path.parent, sites, stored["width"], np.dtype(stored["precision"]))
        return found

    def missing(self, keys: Iterable[str], sites: Sites) -> dict[Sites, list[str]]:
        """What would have to be computed, so that these sites are there for these keys: nothing that is there already."""
        groups = [group for group in self._groups.values() if group.sites.max_tokens == sites.max_tokens]
        wanted: dict[Sites, list[str]] = defaultdict(list)
        for key in dict.fromkeys(keys):
            there = {site for group in groups if key in group.rows for site in group.columns}
            pools_of: dict[tuple[str, ...], list[int]] = defaultdict(list)
            for layer in dict.fromkeys(sites.layers):
                absent = tuple(pool for pool in dict.fromkeys(sites.pools) if (layer, pool) not in there)
                if absent:
                    pools_of[absent].append(layer)
            for pools, layers in pools_of.items():
                wanted[Sites(layers=tuple(sorted(layers)), pools=pools, max_tokens=sites.max_tokens)].append(key)
        return dict(wanted)

    def append(self, keys: Sequence[str], sites: Sites, values: NDArray[np.float32], truncated: Sequence[bool]) -> None:
        """Write activations (n_keys, n_layers, n_pools, d_model)."""
        shape = {**asdict(sites), "width": values.shape[-1], "precision": self._dtype.name}
        name = _digest(shape)
        if name not in self._groups:
            _note(self._folder / name / "sites.json", shape)
            self._groups[name] = _Group(self._folder / name, sites, values.shape[-1], self._dtype)
        self._groups[name].rows.append(keys, values, truncated)

    def read(self, keys: Sequence[str], sites: Sites, *, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Activations (n_keys, n_layers, n_pools, d_model) in the order of the keys, into `out` if given (a memory-map,
        say). Raises `KeyError` for what is missing and `Damaged` for rows that are not what was written.
        """
        if self.missing(keys, sites):
            raise KeyError("activations that were never stored")
        wanted = [(layer, pool) for layer in sites.layers for pool in sites.pools]
        for group in self._groups.values():
            columns = [(place, group.columns[site]) for place, site in enumerate(wanted) if site in group.columns]
            rows = [place for place, key in enumerate(keys) if key in group.rows]
            if group.sites.max_tokens != sites.max_tokens or not columns or not rows:
                continue
            if out is None:
                out = np.empty((len(keys), len(sites.layers), len(sites.pools), group.width), np.float32)
            for part, values in group.rows.read([keys[place] for place in rows]):
                stored = values.reshape(len(values), -1, group.width)
                for place, column in columns:
                    out[(rows[part], *divmod(place, len(sites.pools)))] = stored[:, column]
        return np.empty((0, len(sites.layers), len(sites.pools), 0), np.float32) if out is None else out

    def truncated(self, keys: Sequence[str], max_tokens: int) -> tuple[int, ...]:
        """Which of these conversations were longer than that."""
        groups = [group for group in self._groups.values() if group.sites.max_tokens == max_tokens]
        return tuple(
            row for row, key in enumerate(keys) if any(key in group.rows and group.rows.flag(key) for group in groups)
        )

    def remembered(self, name: str, ask: Callable[[], int]) -> int:
        """A number about the subject, asked for once."""
        found = _read(self._folder / f"{name}.json")
        if found is None:
            found = {name: ask()}
            _note(self._folder / f"{name}.json", found)
        return int(found[name])


class _Group:
    """Rows with the same sites."""

    def __init__(self, folder: Path, sites: Sites, width: int, dtype: np.dtype[np.floating]) -> None:
        self.sites, self.width = sites, width
        names = [(layer, pool) for layer in sites.layers for pool in sites.pools]
        self.columns = {site: place for place, site in enumerate(names)}
        self.rows = Rows(folder, width=width * len(names), dtype=dtype)


@dataclass(frozen=True, kw_only=True)
class StoredActivations:
    """Activations that are looked up where they are stored and computed where they are not, part by planned part.

    The parts depend on what is missing alone. So a run that was killed and repeated stores the same bytes as one that
    was not.
    """

    inner: Activations
    space: Space
    report: Report | None = None

    @property
    def n_layers(self) -> int:
        return self.space.remembered("n_layers", lambda: self.inner.n_layers)

    def activations(
        self, conversations: Sequence[Conversation], *, layers: Sequence[int], pools: Sequence[str], max_tokens: int
    ) -> PooledActivations:
        sites = Sites(layers=tuple(layers), pools=tuple(pools), max_tokens=max_tokens)
        keys = [conversation_key(conversation) for conversation in conversations]
        for attempt in range(ATTEMPTS):
            self.fill(conversations, sites)
            try:
                values = self.space.read(keys, sites)
                break
            except Damaged:
                if attempt == ATTEMPTS - 1:
                    raise
        cut = self.space.truncated(keys, max_tokens)
        return PooledActivations(
            values=values, layers=sites.layers, pools=sites.pools, truncated=len(cut), truncated_rows=cut
        )

    def fill(self, conversations: Iterable[Conversation], sites: Sites) -> None:
        """Compute and store what is missing, in memory that does not grow with their number, but for their keys."""
        fill(self.space, conversations, sites, self._computed, Inline(), self.report)

    def _computed(self, part: Part) -> PooledActivations:
        return self.inner.activations(
            part.conversations, layers=part.sites.layers, pools=part.sites.pools, max_tokens=part.sites.max_tokens
        )


@dataclass(frozen=True)
class Part:
    """Conversations, the longest first, of which the same sites are to be computed."""

    keys: tuple[str, ...]
    conversations: tuple[Conversation, ...]
    sites: Sites


def fill(
    space: Space,
    conversations: Iterable[Conversation],
    sites: Sites,
    compute: Callable[[Part], PooledActivations],
    workers: Workers,
    report: Report | None = None,
) -> None:
    """Have `workers` compute what is missing and store it as it comes: the same bytes, whoever computes it."""
    under_way: deque[Part] = deque()

    def parts() -> Iterator[Part]:
        for part in _planned(space, conversations, sites, report):
            under_way.append(part)
            yield part

    for found in workers.map(compute, parts()):
        part = under_way.popleft()
        cut = found.truncated_rows
        if cut is None:  # the longest come first, and something was left out of the longest
            cut = tuple(range(found.truncated))
        space.append(part.keys, part.sites, found.values, [row in cut for row in range(len(part.keys))])
        if report is not None:
            report(part.conversations, False)


def _planned(
    space: Space, conversations: Iterable[Conversation], sites: Sites, report: Report | None
) -> Iterator[Part]:
    """What is to be computed; a conversation that comes again while it is under way counts as found."""
    stream = iter(conversations)
    given: set[str] = set()
    while window := list(islice(stream, WINDOW)):
        by_key = {conversation_key(conversation): conversation for conversation in window}
        given = {key for keys in space.missing(given, sites).values() for key in keys}
        missing = space.missing(by_key.keys() - given, sites)
        absent = {key for keys in missing.values() for key in keys}
        found = [conversation for key, conversation in by_key.items() if key not in absent]
        if found and report is not None:
            report(found, True)
        given |= absent
        for wanted, keys in sorted(missing.items(), key=lambda item: repr(item[0])):
            order = sorted(keys, key=lambda key: (-_length(by_key[key]), key))
            for start in range(0, len(order), PART):
                part = order[start : start + PART]
                yield Part(tuple(part), tuple(by_key[key] for key in part), wanted)


def conversation_key(conversation: Conversation) -> str:
    """Digest of all that a conversation consists of, 32 hex digits."""
    return hashlib.sha256(repr(tuple(conversation)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _check_stamp(path: Path) -> None:
    stamp = path / "stamp.json"
    found = _read(stamp)
    if found is None and not any(part.is_dir() for part in path.iterdir()):
        _note(stamp, {"format": FORMAT})
    elif found != {"format": FORMAT}:
        version = "no readable stamp" if found is None else f"the format {found.get('format')}"
        raise UserError(
            f"{path} is expected to hold activations in the format {FORMAT}.",
            f"Found {version}: another version of dokimasia wrote it, or it is another folder.",
            "Remove it, and the activations will be computed again; or name another folder.",
        )


def _length(conversation: Conversation) -> int:
    return sum(len(message.text) for message in conversation)


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()[:16]


def _read(path: Path) -> dict[str, Any] | None:
    """A small JSON file, or `None` where there is none that can be read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _note(path: Path, value: dict[str, Any]) -> None:
    """Write a small JSON file whole or not at all, unless it is there."""
    if _read(path) == value:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        with half.open("wb") as stream:
            stream.write(canonical(value))
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(path)
    except OSError as error:
        raise trouble(path, error) from error
