"""A corpus goes through a model by many hands: the same bytes as by one, nothing twice, nothing lost."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.study.test_activation_store import contents

from dokimasia.core import DokimasiaError, Message, Source, SubjectError, Transcript
from dokimasia.core.sequences import Lazy
from dokimasia.models import Loading, load_subject
from dokimasia.study import activation_store as stores
from dokimasia.study import corpus as corpora
from dokimasia.study.activation_store import (
    PART,
    Part,
    Sites,
    StoredActivations,
    activation_store,
    conversation_key,
)
from dokimasia.study.corpus import capture_corpus
from dokimasia.study.progress import Silent
from dokimasia.study.workers import Here, Processes, Ray

COUNT, SITES = 150, {"layers": (0, 2), "pools": ("last", "mean"), "max_tokens": 60}
CPU = Loading(device="cpu")


class Corpus(Lazy):
    """Transcripts made when they are asked for; says how many were."""

    def __init__(self, count=COUNT):
        self._count, self.fetched = count, 0

    def __len__(self):
        return self._count

    def fetch(self, index):
        self.fetched += 1
        return transcript(index)


def transcript(index):
    asked = Message("user", f"question {index} " + "word " * (index % 13))
    return Transcript(id=str(index), messages=(asked, Message("assistant", f"answer {index}")), source="deployment")


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def processes():
    with Processes(2) as workers:
        yield lambda: Kept(workers)


class Kept(Here):
    """Workers that outlive a capture, for the next one."""

    def __init__(self, workers):
        self._workers, self.count = workers, workers.count

    def map(self, function, blocks):
        return self._workers.map(function, blocks)


@pytest.fixture
def model(tiny):
    return tiny("llama")


@pytest.fixture(scope="module")
def whole(tiny, tmp_path_factory):
    """The store that one worker makes without being disturbed."""
    path = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        found = capture_corpus(Corpus(), tiny("llama"), **SITES, store=path, workers=1, loading=CPU)
    return path, found


def test_what_is_stored_is_what_the_subject_shows(model, whole):
    """Every row of the corpus is there, of the inputs, and any instrument finds it without the model."""
    path, captured = whole
    assert (captured.transcripts, captured.computed) == (COUNT, COUNT)
    subject = load_subject(model, CPU)
    assert captured.identity == subject.identity
    talks = [item.input for item in Corpus()]
    plain = subject.activations.activations(talks[:40], **SITES)
    with activation_store(path) as store:
        stored = StoredActivations(inner=None, space=store.of(subject.identity)).activations(talks, **SITES)
    spread = float(np.abs(plain.values).max())
    assert stored.values[:40] == pytest.approx(plain.values, abs=0.02 * spread)
    assert captured.truncated == stored.truncated > 0
    assert [row for row in stored.truncated_rows if row < 40] == list(plain.truncated_rows)


def test_more_hands_store_the_same_bytes(model, whole, processes, tmp_path):
    """Two processes; and a third capture that finds all of it."""
    for computed in (COUNT, 0):
        found = capture_corpus(Corpus(), model, **SITES, store=tmp_path, workers=processes(), loading=CPU)
        assert found == replace(whole[1], computed=computed)
        assert contents(tmp_path) == contents(whole[0])


def test_a_layer_that_does_not_exist_is_told_from_afar(model, processes, tmp_path):
    """The mistake arrives as it was, with the layers that there are."""
    with pytest.raises(DokimasiaError, match="0 to 2"):
        capture_corpus(Corpus(4), model, layers=(7,), store=tmp_path, workers=processes(), loading=CPU)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_stores_the_same_bytes(model, whole, tmp_path):
    """Ray workers, each of which makes its own subject."""
    pytest.importorskip("ray", reason="Ray is not installed")
    found = capture_corpus(Corpus(), model, **SITES, store=tmp_path, workers=Ray(count=1), loading=CPU)
    assert found == whole[1]
    assert contents(tmp_path) == contents(whole[0])


SCRIPT = """
import os, signal, sys
from tests.study.test_corpus import CPU, SITES, Corpus, Told
from dokimasia.study.corpus import capture_corpus
class Killing(Told):
    def advance(self, seconds, found):
        os.kill(os.getpid(), signal.SIGKILL)
capture_corpus(Corpus(), sys.argv[1], **SITES, store=sys.argv[2], workers=1, loading=CPU, watch=Killing())
"""


def test_killed_and_begun_again_it_is_complete(model, whole, tmp_path):
    """SIGKILL once a part is stored: the next capture computes the rest, and nobody could tell."""
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(model), str(tmp_path)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    found = capture_corpus(Corpus(), model, **SITES, store=tmp_path, workers=1, loading=CPU)
    assert found.computed == COUNT - PART
    assert contents(tmp_path) == contents(whole[0])


class Told(Silent):
    def __init__(self):
        self.begun, self.stored, self.finished = 0.0, 0.0, ""

    def begin(self, instrument, seconds):
        self.begun = seconds

    def advance(self, seconds, found):
        self.stored += seconds

    def finish(self, instrument, note):
        self.finished = note


def test_little_of_a_corpus_is_in_memory_at_once(model, tmp_path, monkeypatch):
    """Transcripts are read as they are needed, and the watch is told of each."""
    monkeypatch.setattr(stores, "WINDOW", 16)
    monkeypatch.setattr(stores, "PART", 8)
    told, most = Told(), 0

    class Watched(Corpus):
        def fetch(self, index):
            nonlocal most
            if self.fetched < COUNT:  # the second reading stores nothing
                most = max(most, self.fetched - told.stored)
            return super().fetch(index)

    capture_corpus(Watched(), model, **SITES, store=tmp_path, workers=1, loading=CPU, watch=told)
    assert told.begun == told.stored == COUNT
    assert "150 transcripts are stored; 150 rows" in told.finished
    assert most == 15


def test_all_of_a_transcript_is_read_if_wanted(model, tmp_path):
    """With the assistant's closing words, over which a pool reads; an input has none."""
    items = tuple(map(transcript, range(3)))
    source = Source(name="s", transcripts=items, notes={})
    sites = {"layers": (1,), "pools": ("assistant",), "max_tokens": 200}
    for whole, there in ((True, True), (False, False)):
        found = capture_corpus(source, model, **sites, whole=whole, store=tmp_path, workers=1, loading=CPU)
        keys = [conversation_key(item.messages if whole else item.input) for item in items]
        with activation_store(tmp_path) as store:
            rows = store.of(found.identity).read(keys, found.sites)
        assert np.isfinite(rows).all() == there


def test_a_file_is_a_corpus(model, tmp_path):
    """A path is read as everywhere else."""
    path = tmp_path / "logs.jsonl"
    path.write_text('{"prompt": "one question"}\n{"prompt": "another question"}\n')
    found = capture_corpus(path, model, layers=(0,), store=tmp_path / "store", workers=1, loading=CPU)
    assert (found.transcripts, found.computed, found.truncated) == (2, 2, 0)


class Pair(Here):
    """Counts as two."""

    count = 2


def test_several_workers_take_a_thread_each(model, tmp_path, monkeypatch):
    """Unless told otherwise: rows of many threads would belong to another subject, and the processors would be crowded."""
    monkeypatch.delenv("OMP_NUM_THREADS")
    found = capture_corpus(Corpus(4), model, **SITES, store=tmp_path, workers=Pair(), loading=CPU)
    assert found.identity.threads == 1
    assert os.environ.get("OMP_NUM_THREADS", "1") == "1", "so whatever computes sees it"


def test_a_worker_with_other_weights_computes_nothing(model):
    """What is stored under a digest is of that model."""
    identity = replace(load_subject(model, CPU).identity, digest="0" * 64)
    subject = corpora._Subject(model=str(model), loading=CPU, identity=identity)
    with pytest.raises(SubjectError, match="Every worker is expected to compute with.*000000000000"):
        subject(Part(("k",), (transcript(0).input,), Sites(**SITES)))


def test_an_endpoint_has_no_activations_to_store(tmp_path, monkeypatch):
    """It is refused before anything is asked."""
    without = replace(load_subject(), activations=None)
    monkeypatch.setattr(corpora, "load_subject", lambda *_: without)
    with pytest.raises(SubjectError, match="A model that runs here"):
        capture_corpus(Corpus(4), "openai/x", layers=(0,), store=tmp_path, workers=1)
