"""The command that asks again: what it prints, and the exit code by which a scheduler knows of an alarm."""

from __future__ import annotations

import json

import pytest
import typer
from tests.instruments.knowledge.knowing import Thinker, facts, subject
from typer.testing import CliRunner

from dokimasia.cli.asking_again import asking_again
from dokimasia.study import asking_again as study


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Runs the command about ten facts, whose model knows them or not."""
    rows = [
        {"name": item.name, "statement": item.statement, "false": list(item.wordings[0].false)}
        for item in (*facts("fact", 10), *facts("control", 30))
    ]
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({"facts": rows[:10], "controls": rows[10:]}))
    app = typer.Typer()
    app.command()(asking_again)

    def run(*more, step, knows=()):
        loaded = subject(Thinker(knows), digest=str(step))
        monkeypatch.setattr(study, "load_subject", lambda *_: loaded)
        arguments = [str(path), "--ledger", str(tmp_path / "l"), *more]
        return CliRunner().invoke(app, arguments, standalone_mode=False)

    return run


def test_an_alarm_ends_with_exit_code_4_and_stays(ask):
    """Before there is one the code is 0; after it, every look ends with 4, whatever it finds itself."""
    first, second = ask(step=1), ask(step=2)
    assert (first.return_value, second.return_value) == (0, 0)
    assert first.output.startswith("Look 1:")
    assert second.output.startswith("No alarm.")
    names = [f"fact{place}" for place in range(10)]
    results = [ask(step=step, knows=names) for step in range(3, 6)]
    assert results[-1].return_value == 4
    assert "Alarm, raised" in results[-1].output
    assert max(map(len, results[-1].output.splitlines())) <= 80
    assert ask(step=6).return_value == 4


def test_one_json_object(ask):
    """Everything that a look holds, by name."""
    ask("--json", step=1)
    found = json.loads(ask("--json", step=2).output)
    assert found["look"] == 2
    assert found["facts"].keys() == {"solved", "perhaps", "n"}
    assert found["change"].keys() == {"value", "low", "high"}
    assert found["headline"].startswith("No alarm")


def test_a_ledger_is_needed():
    """Without one there is nothing to compare with."""
    app = typer.Typer()
    app.command()(asking_again)
    assert CliRunner().invoke(app, []).exit_code == 2
