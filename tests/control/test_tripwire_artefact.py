"""A tripwire on disk."""

import json

import numpy as np
import pytest
from tests.control.building import MODEL, matcher, reading, with_probe, words_only

from dokimasia.control import Tripwire, load, save
from dokimasia.core import SubjectError, UserError
from dokimasia.instruments.common import probes


def test_it_comes_back_as_it_was(tmp_path):
    """Matcher, probe, threshold, rates and digests survive; the same tripwire gives the same bytes."""
    made = Tripwire(matcher=matcher(), reading=reading(), facts="digest", remarks=("It is small.",))
    for place in ("one", "two"):
        save(made, tmp_path / place)
    found = load(tmp_path / "one", model=MODEL)
    assert (found.matcher, found.facts, found.remarks, found.digest) == (
        made.matcher,
        "digest",
        made.remarks,
        made.digest,
    )
    assert found.reading.threshold == made.reading.threshold
    assert (found.reading.false_alarms, found.reading.caught) == (made.reading.false_alarms, made.reading.caught)
    assert (found.reading.window, found.reading.aimed, found.reading.threshold_data) == (3, 0.01, "set")
    for name in ("tripwire.json", "probe/probe.json", "probe/probe.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_probe_refuses_another_model_and_the_matcher_takes_any(tmp_path):
    """Another digest is an error; without a model the probe is left out, and that is said."""
    save(with_probe(), tmp_path)
    with pytest.raises(SubjectError, match="another model"):
        load(tmp_path, model="other" * 8)
    alone = load(tmp_path, model=None)
    assert (alone.reading, alone.matcher) == (None, with_probe().matcher)
    assert "left out" in alone.remarks[-1]
    save(words_only(), tmp_path / "words")
    assert load(tmp_path / "words", model="anything").matcher == words_only().matcher


def test_damage_is_found(tmp_path):
    """Edited words, a threshold that was raised, another probe in its place, a file that is missing or no JSON."""
    save(with_probe(), tmp_path)
    record = tmp_path / "tripwire.json"
    whole = record.read_text()
    record.write_text(whole.replace('"share": 0.6', '"share": 1.0'))
    with pytest.raises(UserError, match="checksum"):
        load(tmp_path, model=MODEL)
    record.write_text("{")
    with pytest.raises(UserError, match="no JSON"):
        load(tmp_path, model=MODEL)
    record.write_text(json.dumps({**json.loads(whole), "layout": 9}))
    with pytest.raises(UserError, match="layout"):
        load(tmp_path, model=MODEL)
    record.write_text(whole)
    probes.save(reading(threshold=1e9).probe, tmp_path / "probe")
    with pytest.raises(UserError, match="not the one"):
        load(tmp_path, model=MODEL)
    (tmp_path / "probe" / "probe.json").unlink()
    with pytest.raises(UserError, match="not the one"):
        load(tmp_path, model=MODEL)
    record.unlink()
    with pytest.raises(UserError, match="expected to hold a tripwire"):
        load(tmp_path, model=MODEL)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    """A file in the folder's place is the user's to put right."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="folder"):
        save(words_only(), tmp_path / "file")


def test_the_digest_is_of_what_decides():
    """Threshold, weights, window and words change it; remarks do not."""
    plain = with_probe().digest
    others = [
        with_probe(threshold=0.6),
        with_probe(weights=np.asarray([1.0, 0.1, 0, 0])),
        with_probe(window=4),
        Tripwire(matcher=matcher(share=0.7), reading=reading(), facts="digest"),
        words_only(),
    ]
    assert len({plain, *(one.digest for one in others)}) == 6
    assert Tripwire(matcher=matcher(), reading=reading(), facts="digest", remarks=("x",)).digest == plain
