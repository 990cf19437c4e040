"""Personas by itself: sets, base models without a chat template, and the map as a file."""

import shutil
from itertools import pairwise

import pytest
from tests.instruments.personas.planted import Cast, cast_subject
from tests.instruments.personas.planted import personas as drawable
from tests.tiny import save_tiny

from dokimasia.core import Message, SubjectError
from dokimasia.instruments.personas import Personas
from dokimasia.instruments.personas.artefact import load
from dokimasia.models import Loading, load_subject
from dokimasia.sources.personas import bundled_personas
from dokimasia.study import budgets
from dokimasia.study.personas import AS_TEXT, load_base, personas


@pytest.fixture
def few(monkeypatch):
    """As little as can be measured."""

    def small(budget, **given):
        return Personas(
            **given,
            roles=4,
            questions=2,
            traits=1,
            scripts=1,
            turns=2,
            played=1,
            stay=1,
            facts=2,
            max_tokens=4,
            randoms=2,
        )

    monkeypatch.setattr(budgets, "personas", small)


def test_a_base_model_without_a_template_reads_plain_text(tmp_path):
    """Instruction, question and reply follow one another, and a remark says what that does to the comparison."""
    folder = save_tiny("llama", tmp_path / "base", template=None)
    base = load_base(str(folder))
    assert base.remarks() == (AS_TEXT,)
    talk = (Message("system", "You are a bard."), Message("user", "Who?"), Message("assistant", "I."))
    (found,) = base.logprobs.prompt_logprobs([talk])
    written = bytes(base.text.rendering.spelling(token)[0] for token in found.tokens).decode()
    assert written == "You are a bard.\n\nUser: Who?\n\nAssistant: I.\n\nAssistant:"
    templated = save_tiny("llama", tmp_path / "chat")
    assert load_base(str(templated)).remarks() == load_subject(str(templated)).remarks()
    with pytest.raises(SubjectError, match="template"):
        load_base(str(folder), Loading(chat_template=tmp_path / "none.jinja"))


def test_a_run_keeps_answers_and_the_map(tmp_path, few):
    """The finding is stored, the base model's answers with it, and the map can be loaded for this model."""
    model, base = save_tiny("llama", tmp_path / "chat"), save_tiny("llama", tmp_path / "base", template=None)
    found = personas(model=str(model), base=str(base), run=tmp_path / "run", out=tmp_path / "map", seed=1)
    assert AS_TEXT in found.caveats
    again = personas(model=str(model), base=str(base), run=tmp_path / "run", out=tmp_path / "map", seed=1)
    assert again == found
    assert (tmp_path / "run" / "report.html").is_file()
    if "map" in found.raw:
        atlas = load(tmp_path / "map", digest=load_subject(str(model)).identity.digest)
        assert atlas.personas != bundled_personas().digest


def test_a_map_that_was_removed_is_written_again(tmp_path, few, monkeypatch):
    """A rerun whose map is gone makes it anew from the stored answers: the same finding, the same bytes, nothing asked."""
    cast = Cast()
    monkeypatch.setattr("dokimasia.study.personas.load_subject", lambda *given: cast_subject(cast))
    keep = {"run": tmp_path / "run", "out": tmp_path / "map"}
    found = personas(drawable(), **keep)
    assert "map" in found.raw
    files, calls = {path.name: path.read_bytes() for path in (tmp_path / "map").iterdir()}, cast.calls
    shutil.rmtree(tmp_path / "map")
    assert personas(drawable(), **keep) == found
    assert {path.name: path.read_bytes() for path in (tmp_path / "map").iterdir()} == files
    assert cast.calls == calls


def test_budgets_buy_more_and_more():
    """Each budget takes at least as much of everything as the one below it."""
    sizes = [
        [
            float("inf") if value is None else value
            for value in (one.roles, one.questions, one.traits, one.scripts, one.turns, one.played, one.max_tokens)
        ]
        for one in (budgets.personas(name, personas=bundled_personas()) for name in ("quick", "standard", "thorough"))
    ]
    assert all(less <= more for one, other in pairwise(sizes) for less, more in zip(one, other, strict=True))
