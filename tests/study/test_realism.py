"""Realism as a function: embeddings and trainings are kept in the run, and what cannot be had is said."""

import numpy as np
import pytest
from tests.fakes import evidence

import dokimasia
from dokimasia.core import Embeddings, Identity, Subject, SubjectError
from dokimasia.study import realism as module


class Embedder:
    """Counts what it is asked to embed."""

    def __init__(self):
        self.texts = 0

    def embed(self, texts):
        self.texts += len(texts)
        return Embeddings(values=np.asarray([[len(text), 1.0] for text in texts], np.float32), truncated=0)


@pytest.fixture
def embedder(monkeypatch):
    made = Embedder()
    identity = Identity(name="vectors", digest="v" * 64, parameters=1, dtype="float32", threads=1)
    monkeypatch.setattr(module, "load_embedder", lambda: Subject(identity=identity, embedder=made))
    return made


def sources(n=40):
    found = evidence(n, n, misbehaved=["no"] * n)
    return found.evaluation, found.deployment


def names(finding):
    return [item["name"] for item in finding.raw["discriminators"]]


def test_embeddings_are_recorded_like_answers(embedder, tmp_path):
    """A finding that was lost is made again from the run folder, to the last digit, and nothing is embedded twice."""
    first = dokimasia.realism(*sources(), embeddings=True, run=tmp_path / "run")
    asked = embedder.texts
    (tmp_path / "run" / "findings" / "realism.json").unlink()
    again = dokimasia.realism(*sources(), embeddings=True, run=tmp_path / "run")
    assert names(first) == ["format and length", "words", "sentence embeddings"]
    assert asked == embedder.texts == 80
    assert again == first
    assert first.configuration["embedder"] == "vectors"


def test_without_a_model_nothing_is_embedded_unless_asked(embedder):
    """Embeddings need torch: without a model they wait to be asked for, and the finding says so."""
    finding = dokimasia.realism(*sources())
    assert names(finding) == ["format and length", "words"]
    assert embedder.texts == 0
    assert any("only if they are asked for" in item.why for item in finding.not_measured)


def test_a_missing_package_is_named_in_the_finding(monkeypatch):
    """Where the embedder is not installed, all else is measured, and the finding says how to install it."""

    def missing():
        raise SubjectError("It is expected.", "It is not installed.", "Install it: pip install NAME")

    monkeypatch.setattr(module, "load_embedder", missing)
    finding = dokimasia.realism(*sources(), embeddings=True)
    assert names(finding) == ["format and length", "words"]
    assert "pip install NAME" in finding.not_measured[0].why


def test_another_embedder_is_another_finding(embedder, tmp_path):
    """What is stored with embeddings is not taken for a finding without them."""
    with_them = dokimasia.realism(*sources(), embeddings=True, run=tmp_path / "run")
    without = dokimasia.realism(*sources(), run=tmp_path / "run")
    assert names(with_them) != names(without)


def test_a_real_model_is_taught_once(tiny, embedder, tmp_path):
    """A tiny transformer goes through all six; what it learnt lies in the run folder and is not learnt again."""
    options = {"model": tiny("llama"), "fine_tune": True, "run": tmp_path / "run"}
    first = dokimasia.realism(*sources(20), **options)
    assert names(first)[2:] == ["sentence embeddings", "asked outright", "activations", "fine-tuned"]
    assert first.access == "training"
    learnt = sorted((tmp_path / "run" / "trained").glob("telling-*/head.safetensors"))
    assert len(learnt) == 2
    before = [path.stat().st_mtime_ns for path in learnt]
    (tmp_path / "run" / "findings" / "realism.json").unlink()
    assert dokimasia.realism(*sources(20), **options) == first
    assert [path.stat().st_mtime_ns for path in learnt] == before
    assert {check.status for check in dokimasia.verify(tmp_path / "run")} == {"ok"}
