"""The study function: a file of facts in, a finding out, nothing asked twice."""

import importlib

import pytest
from tests.instruments.knowledge.knowers import FACTS, Knower, subject

from dokimasia.core import SourceError, UserError
from dokimasia.study.audit import report_on

module = importlib.import_module("dokimasia.study.knowledge")


@pytest.fixture
def models(monkeypatch):
    """A subject that knows one of four facts, and a baseline that knows none."""
    there = {"after": Knower("Secret1"), "before": Knower()}
    monkeypatch.setattr(module, "load_subject", lambda name, *_: subject(there[name], name=name))
    return there


def test_facts_give_a_finding_and_a_run_that_resumes(models, tmp_path):
    """Both models are recorded: the second time neither is asked. Names of facts stay out of a report without text."""

    def found(run=None):
        return module.knowledge(FACTS, model="after", baseline="before", budget="quick", run=run)

    finding, stored = found(), found(tmp_path / "run")
    calls = [model.calls for model in models.values()]
    again = found(tmp_path / "run")
    assert [model.calls for model in models.values()] == calls
    assert again == stored
    assert stored.raw == finding.raw
    assert finding.versions
    assert finding.configuration["facts"] == FACTS.digest
    assert finding.configuration["baseline"] == "before" * 8
    shared = report_on(tmp_path / "run", text=False).read_text("utf-8")
    assert "What each kind of evidence can tell" in shared
    assert "Secret1" not in shared
    assert "Secret1" in report_on(tmp_path / "run").read_text("utf-8")


def test_files_are_read_and_mistakes_named(models, tmp_path):
    """A file with one fact is enough; a file that is none, and a budget that there is not, are refused."""
    path = tmp_path / "facts.yaml"
    path.write_text(
        'facts:\n  - name: depot\n    statement: "The depot is red."\n    false: ["The depot is blue."]\n', "utf-8"
    )
    finding = module.knowledge(path, model="after", budget="quick")
    assert [row["fact"] for row in finding.raw["facts"]] == ["depot"]
    assert finding.raw["references"]["made_up"] == 40
    path.write_text("facts: []\n", "utf-8")
    with pytest.raises(SourceError):
        module.knowledge(path, model="after", budget="quick")
    with pytest.raises(UserError, match="quick, standard or thorough"):
        module.knowledge(FACTS, model="after", budget="large")
