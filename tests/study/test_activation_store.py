"""The store of activations: nothing is computed twice, nothing half written is read, nothing is lost."""

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from dokimasia.core import DataError, EnvironmentFault, Identity, PooledActivations, UserError
from dokimasia.core.transcript import Message
from dokimasia.core.workers import Inline
from dokimasia.study import activation_rows
from dokimasia.study import activation_store as store_module
from dokimasia.study.activation_rows import ENTRY, Rows
from dokimasia.study.activation_store import (
    PART,
    Sites,
    StoredActivations,
    activation_store,
    conversation_key,
    fill,
)

IDENTITY = Identity(name="fake", digest="d", parameters=1, dtype="none", threads=1)
WIDTH = 6
POOLS = ("last", "mean")


def talks(n, start=0):
    return [[Message("user", f"text {index} " + "word " * (index % 7))] for index in range(start, start + n)]


def value(conversation, layer, pool):
    seed = hashlib.sha256(repr((conversation[-1].content, layer, pool)).encode()).digest()
    return np.frombuffer(seed[: 2 * WIDTH], np.int16).astype(np.float32) / 1024


def expected(conversations, layers, pools):
    return np.array([[[value(talk, layer, pool) for pool in pools] for layer in layers] for talk in conversations])


class Fake:
    """Activations made of words; remembers what it was asked."""

    n_layers = 4

    def __init__(self, *, slow=0.0, fail_at=None):
        self.asked, self._slow, self._fail_at = [], slow, fail_at

    def activations(self, conversations, *, layers, pools, max_tokens):
        if len(self.asked) == self._fail_at:
            raise KeyboardInterrupt
        time.sleep(self._slow)
        self.asked.append((tuple(conversation_key(talk) for talk in conversations), tuple(layers), tuple(pools)))
        long = tuple(row for row, talk in enumerate(conversations) if len(talk[-1].content) > max_tokens)
        return PooledActivations(
            values=expected(conversations, layers, pools),
            layers=tuple(layers),
            pools=tuple(pools),
            truncated=len(long),
            truncated_rows=long,
        )

    @property
    def pairs(self):
        """Every (conversation, layer, pool) that was computed, as often as it was."""
        return [
            (key, layer, pool)
            for keys, layers, pools in self.asked
            for key in keys
            for layer in layers
            for pool in pools
        ]


def ask(path, conversations, fake, *, layers=(1, 3), pools=POOLS, max_tokens=1000, **settings):
    with activation_store(path, **settings) as store:
        stored = StoredActivations(inner=fake, space=store.of(IDENTITY))
        return stored.activations(conversations, layers=layers, pools=pools, max_tokens=max_tokens)


def contents(path):
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }


def test_what_is_stored_is_what_was_computed(tmp_path):
    """Rows come back in any order, the same conversation as often as it is asked for, from another opening too."""
    conversations = talks(150)
    first = ask(tmp_path, conversations, Fake())
    assert (first.values == expected(conversations, (1, 3), POOLS)).all()
    assert first.values.dtype == np.float32
    shuffled = [*conversations[::-3], conversations[5], conversations[5]]
    fake = Fake()
    again = ask(tmp_path, shuffled, fake, layers=(3, 1), pools=("mean",))
    assert (again.values == expected(shuffled, (3, 1), ("mean",))).all()
    assert fake.asked == []
    assert ask(tmp_path, [], Fake()).values.shape == (0, 2, 2, 0)


def test_nothing_is_computed_twice(tmp_path):
    """Whatever layers, pools and conversations are asked for in turn, each site of each conversation is computed once."""
    fake, everything = Fake(), talks(90)
    requests = [
        (everything[:40], (1,), ("last",)),
        (everything[20:], (1, 2), ("last",)),
        (everything, (2, 1), POOLS),
        (everything[::2], (0, 1, 2, 3), POOLS),
        (everything, (0, 3), ("mean",)),
    ]
    for conversations, layers, pools in requests:
        found = ask(tmp_path, conversations, fake, layers=layers, pools=pools)
        assert (found.values == expected(conversations, layers, pools)).all()
    assert len(fake.pairs) == len(set(fake.pairs))
    assert all(len(keys) <= PART for keys, _, _ in fake.asked)


def test_lengths_and_subjects_are_kept_apart(tmp_path):
    """Another limit of tokens, another model, precision or number of threads is computed anew; truncation is counted."""
    conversations, fake = talks(10), Fake()
    assert ask(tmp_path, conversations, fake, max_tokens=1000).truncated == 0
    long = sum(len(talk[-1].content) > 20 for talk in conversations)
    assert 0 < long < 10
    assert ask(tmp_path, conversations, fake, max_tokens=20).truncated == long
    assert ask(tmp_path, conversations[::-1], fake, max_tokens=20).truncated == long
    assert len(fake.asked) == 2
    changed = [{"digest": "e"}, {"dtype": "bfloat16"}, {"threads": 2}]
    for difference in changed:
        other = Identity(
            **{"name": "fake", "digest": "d", "parameters": 1, "dtype": "none", "threads": 1, **difference}
        )
        with activation_store(tmp_path) as store:
            StoredActivations(inner=fake, space=store.of(other)).activations(
                conversations, layers=(1,), pools=("last",), max_tokens=20
            )
    assert len(fake.asked) == 2 + len(changed)


def test_another_version_of_what_computes_is_computed_anew(tmp_path, monkeypatch):
    """Rows of another torch are left alone and never mixed with those of this one."""
    fake = Fake()
    ask(tmp_path, talks(3), fake)
    monkeypatch.setattr("dokimasia.study.activation_store.answering_versions", lambda: {"torch": "99"})
    ask(tmp_path, talks(3), fake)
    assert len(fake.asked) == 2


def test_conversations_that_differ_have_different_keys():
    """Roles, turns and tool calls count, not only the text."""
    variants = [
        [Message("user", "a")],
        [Message("system", "a")],
        [Message("user", "a"), Message("assistant", "")],
        [Message("tool", "a", answers="1")],
        [Message("user", "a\udc80")],
    ]
    assert len({conversation_key(talk) for talk in variants}) == len(variants)
    assert conversation_key((Message("user", "a"),)) == conversation_key([Message("user", "a")])


def test_a_stopped_run_takes_up_where_it_was(tmp_path):
    """Interrupted after three parts and repeated, the store holds the same bytes, and no part was computed twice."""
    conversations = talks(5 * PART + 7)
    whole = Fake()
    ask(tmp_path / "whole", conversations, whole)
    stopped = Fake(fail_at=3)
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path / "stopped", conversations, stopped)
    resumed = Fake()
    ask(tmp_path / "stopped", conversations, resumed)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    assert stopped.asked + resumed.asked == whole.asked


def test_whatever_byte_a_write_stops_at(tmp_path, monkeypatch):
    """Cut anywhere, the files give back whole rows only, and the next append goes on from there."""
    monkeypatch.setattr(activation_rows.os, "fsync", lambda descriptor: None)
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    keys = ["a", "b", "c", "d"]
    Rows(tmp_path, width=3, dtype=np.dtype("float32")).append(keys, values, [False, True, False, True])
    numbers, entries = (tmp_path / "values.bin").read_bytes(), (tmp_path / "rows.bin").read_bytes()
    cuts = [(cut, len(entries)) for cut in range(len(numbers))] + [(len(numbers), cut) for cut in range(len(entries))]
    for first, second in cuts:
        (tmp_path / "values.bin").write_bytes(numbers[:first])
        (tmp_path / "rows.bin").write_bytes(entries[:second])
        rows = Rows(tmp_path, width=3, dtype=np.dtype("float32"))
        whole = min(first // 12, second // ENTRY.itemsize)
        assert [key in rows for key in keys] == [place < whole for place in range(4)]
        rows.append(keys[whole:], values[whole:], [False, True, False, True][whole:])
        again = Rows(tmp_path, width=3, dtype=np.dtype("float32"))
        ((_, found),) = again.read(keys)
        assert (found == values).all()
        assert [again.flag(key) for key in keys] == [False, True, False, True]
        assert (tmp_path / "values.bin").read_bytes() == numbers


def test_a_process_that_is_killed_loses_nothing(tmp_path):
    """Killed twice at random moments, the third process finishes, and the store is that of an undisturbed run."""
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.study.test_activation_store import Fake, PART, ask, talks\n"
        "ask(Path(sys.argv[1]), talks(12 * PART), Fake(slow=0.03))\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program, str(tmp_path / "killed")]
    rng = random.Random(1)
    for _ in range(2):
        process = subprocess.Popen(command, cwd=root)
        while not any((tmp_path / "killed").glob("*/*/rows.bin")) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.02, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    fake = Fake()
    ask(tmp_path / "killed", talks(12 * PART), fake)
    assert len(fake.asked) < 12, "what the killed processes wrote was found"
    ask(tmp_path / "whole", talks(12 * PART), Fake())
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_damaged_rows_are_computed_again(tmp_path):
    """A flipped bit in the numbers is noticed by its checksum; the row is computed once more and is right again."""
    conversations = talks(20)
    ask(tmp_path, conversations, Fake())
    (path,) = tmp_path.rglob("values.bin")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    fake = Fake()
    found = ask(tmp_path, conversations, fake)
    assert (found.values == expected(conversations, (1, 3), POOLS)).all()
    assert [len(keys) for keys, _, _ in fake.asked] == [1]


def test_a_full_disk_is_the_machines_fault(tmp_path, monkeypatch):
    """The message says that what was written is kept, and it is: the next attempt computes the rest only."""
    conversations, calls = talks(3 * PART), []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(activation_rows.os, "fsync", full)
        with pytest.raises(EnvironmentFault, match="The disk is full. The rows written before are kept"):
            ask(tmp_path, conversations, Fake())
    fake = Fake()
    found = ask(tmp_path, conversations, fake)
    assert (found.values == expected(conversations, (1, 3), POOLS)).all()
    assert 0 < len(fake.asked) < 3


def test_one_process_at_a_time(tmp_path):
    """A second writer is told that the store is in use."""
    with (
        activation_store(tmp_path),
        pytest.raises(UserError, match="Another process writes"),
        activation_store(tmp_path),
    ):
        pytest.fail("not reached")


@pytest.mark.parametrize("stamp", ['{"format": 2}', "not json", None])
def test_a_store_of_another_version_is_refused(tmp_path, stamp):
    """The message says what was found and what to do; nothing in the folder is touched."""
    ask(tmp_path, talks(2), Fake())
    if stamp is None:
        (tmp_path / "stamp.json").unlink()
    else:
        (tmp_path / "stamp.json").write_text(stamp)
    before = contents(tmp_path)
    with pytest.raises(UserError, match="in the format 1.*Remove it, and the activations will be computed again"):
        ask(tmp_path, talks(2), Fake())
    assert contents(tmp_path) == before


def test_a_folder_that_cannot_be_written_to(unprivileged):
    """The user is told so, without a traceback."""
    folder = unprivileged / "store"
    folder.mkdir()
    folder.chmod(0o500)
    with pytest.raises(UserError, match="can be written to"), activation_store(folder / "inner"):
        pytest.fail("not reached")


def test_half_precision_halves_the_rows_and_refuses_what_does_not_fit(tmp_path):
    """Rows in float16 are half as large and right to three digits; a number too large for it is an error."""
    conversations = talks(5)
    ask(tmp_path / "single", conversations, Fake())
    found = ask(tmp_path / "half", conversations, Fake(), precision="float16")
    assert found.values == pytest.approx(expected(conversations, (1, 3), POOLS), rel=1e-3)
    sizes = [next((tmp_path / name).rglob("values.bin")).stat().st_size for name in ("single", "half")]
    assert sizes[0] == 2 * sizes[1]
    rows = Rows(tmp_path, width=1, dtype=np.dtype("float16"))
    with pytest.raises(DataError, match="expected to fit into float16. Found one of 7e"):
        rows.append(["a"], np.array([[7e4]], np.float32), [False])
    rows.append(["b"], np.array([[np.inf]], np.float32), [False])


def test_a_corpus_is_filled_part_by_part_and_read_into_a_map(tmp_path):
    """Conversations are taken from a stream; the rows can be read into a file that is mapped, not held."""
    fake, reports = Fake(), []
    sites = Sites(layers=(0, 2), pools=("last",), max_tokens=50)
    with activation_store(tmp_path / "store") as store:
        space = store.of(IDENTITY)
        stored = StoredActivations(
            inner=fake, space=space, report=lambda part, found: reports.append((len(part), found))
        )
        stored.fill((talk for talk in talks(200)), sites)
        stored.fill(iter(talks(210)), sites)
        keys = [conversation_key(talk) for talk in talks(210)]
        target = np.memmap(tmp_path / "matrix", np.float32, "w+", shape=(210, 2, 1, WIDTH))
        assert space.read(keys, sites, out=target) is target
        with pytest.raises(KeyError):
            space.read(["unknown"], sites)
    assert (target == expected(talks(210), (0, 2), ("last",))).all()
    assert sum(count for count, found in reports if not found) == 210
    assert (200, True) in reports


def test_the_number_of_layers_is_asked_once(tmp_path):
    """A second opening knows it without the model."""

    class Gone:
        @property
        def n_layers(self):
            pytest.fail("asked again")

    for inner in (Fake(), Gone()):
        with activation_store(tmp_path) as store:
            assert StoredActivations(inner=inner, space=store.of(IDENTITY)).n_layers == 4


def test_rows_come_through_files_that_others_hold_open(tmp_path):
    """A reader that opened the rows earlier keeps what it saw while a writer appends."""
    values = np.ones((1, 2), np.float32)
    writer = Rows(tmp_path, width=2, dtype=np.dtype("float32"))
    writer.append(["a"], values, [False])
    reader = Rows(tmp_path, width=2, dtype=np.dtype("float32"))
    assert "a" in reader
    writer.append(["b"], 2 * values, [False])
    assert "b" not in reader
    ((_, found),) = reader.read(["a"])
    assert (found == 1).all()
    assert os.stat(tmp_path / "values.bin").st_size == 16


class Ahead:
    """Workers that have several parts under way before the first is done."""

    count = 2

    def map(self, function, blocks):
        waiting = deque()
        for block in blocks:
            waiting.append(block)
            if len(waiting) > 3:
                yield function(waiting.popleft())
        yield from map(function, waiting)


@pytest.mark.parametrize("workers", [Inline(), Ahead()])
def test_what_is_under_way_is_not_computed_again(tmp_path, monkeypatch, workers):
    """A conversation that comes back before its row is stored is waited for; the bytes are those of one worker."""
    monkeypatch.setattr(store_module, "WINDOW", 8)
    monkeypatch.setattr(store_module, "PART", 4)
    stream = [talk for start in range(0, 40, 4) for talk in talks(12, start)]
    sites, fake, found = Sites(layers=(1,), pools=("last",), max_tokens=1000), Fake(), []
    for name, crew in (("whole", Inline()), ("other", workers)):
        with activation_store(tmp_path / name) as store:
            fake = Fake()
            fill(
                store.of(IDENTITY),
                iter(stream),
                sites,
                lambda part, fake=fake: fake.activations(
                    part.conversations, layers=part.sites.layers, pools=part.sites.pools, max_tokens=1000
                ),
                crew,
                lambda part, there: found.append((len(part), there)),
            )
        assert len(fake.pairs) == len(set(fake.pairs)) == 48
    assert contents(tmp_path / "other") == contents(tmp_path / "whole")
    assert sum(count for count, there in found if not there) == 2 * 48
    assert sum(count for count, there in found) == 2 * len(stream)
