"""Stored activations are vouched for: what was changed, added or removed since is told apart."""

import json
import shutil
from dataclasses import replace

from tests.fakes import fake_subject
from tests.study.inside import SITES, Inside, inside, talks
from tests.study.runs import made

from dokimasia.core import (
    Cost,
    Finding,
    Message,
    Source,
    Transcript,
)
from dokimasia.study.recording import record
from dokimasia.study.store import RunFolder
from dokimasia.study.verifying import verify


class Asking:
    """An instrument that reads activations of its evidence."""

    name, version, question, access = "asking", "1", "What is inside?", "activations"

    def __init__(self, count):
        self._count = count

    def plan(self, subject, evidence):
        return Cost(seconds=1.0)

    def measure(self, subject, evidence, *, seed):
        subject.activations.activations(talks(self._count), **SITES)
        return Finding(
            instrument=self.name,
            version=self.version,
            question=self.question,
            status="measured",
            headline="h",
            access="activations",
            seed=seed,
        )


def asked(path, count, monkeypatch):
    """A run whose one instrument reads so many activations."""
    monkeypatch.setattr("tests.study.runs.Subject", lambda identity: inside(Inside(), identity))
    source = Source(
        name="own.jsonl",
        transcripts=(Transcript(id="a", messages=(Message("user", f"{count}"),), source="s"),),
        notes={},
    )
    return made(path, source, instruments=(Asking(count),), report=False)


def manifest_check(run):
    return next(check for check in verify(run) if check.name == "manifest")


def test_a_changed_row_is_found(tmp_path, monkeypatch):
    """The manifest vouches for stored activations; a rerun that adds rows does not vouch for what was changed before."""
    run = asked(tmp_path / "run", 20, monkeypatch)
    assert manifest_check(run).status == "ok"
    (values,) = run.glob("activations/*/*/values.bin")
    data = bytearray(values.read_bytes())
    data[100] ^= 1
    values.write_bytes(data)
    assert manifest_check(run).status == "changed"
    assert "values.bin" in manifest_check(run).detail
    asked(run, 30, monkeypatch)
    assert manifest_check(run).status == "changed"


def test_rows_that_were_added_are_no_change(tmp_path, monkeypatch):
    """A rerun that goes on appending vouches for the whole; one that was killed leaves rows that nobody vouches for."""
    run = asked(tmp_path / "run", 20, monkeypatch)
    asked(run, 30, monkeypatch)
    assert manifest_check(run).status == "ok"
    folder = RunFolder(run)
    with folder.opened():
        recorded_there = record(
            inside(Inside(), replace(fake_subject().identity, name="m", digest="m" * 9, parameters=1)),
            folder,
            lambda seconds, found: None,
        )
        recorded_there.activations.activations(talks(50), **SITES)
    assert manifest_check(run).status == "unknown"
    assert "values.bin" in manifest_check(run).detail
    asked(run, 60, monkeypatch)
    assert manifest_check(run).status == "ok"
    (values,) = run.glob("activations/*/*/values.bin")
    values.write_bytes(values.read_bytes()[:-1])
    assert manifest_check(run).status == "changed"


def test_activations_that_were_removed_are_made_again(tmp_path, monkeypatch):
    """Other rows in their place are no change: the manifest vouches for what the last run wrote."""
    run = asked(tmp_path / "run", 20, monkeypatch)
    shutil.rmtree(run / "activations")
    assert manifest_check(run).status == "missing"
    asked(run, 10, monkeypatch)
    assert manifest_check(run).status == "ok"
    edited = json.loads((run / "manifest.json").read_text())
    edited["size"] = dict.fromkeys(edited["size"], "many")
    (run / "manifest.json").write_text(json.dumps(edited))
    assert manifest_check(run).status == "changed"
