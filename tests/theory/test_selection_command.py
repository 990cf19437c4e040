"""The two commands, as the terminal calls them."""

import json

import pytest
from typer import Typer
from typer.testing import CliRunner

from dokimasia.cli.theory.selection import selection
from dokimasia.cli.theory.weak_to_strong import weak_to_strong
from dokimasia.core import DataError, SourceError

APP = Typer()
APP.command("selection")(selection)
APP.command("weak-to-strong")(weak_to_strong)
QUICK = ["--steps", "20", "--runs", "2", "--batch", "64"]


def asked(*words):
    return CliRunner().invoke(APP, [str(word) for word in words])


def test_selection_answers_without_a_file():
    """The five families, as JSON, with the parameters that were used."""
    result = asked("selection", *QUICK, "--json")
    found = json.loads(result.output)
    assert found["parameters"]["hypotheses"] == 5
    assert found["parameters"]["steps"] == 20
    assert any("made up" in caveat for caveat in found["caveats"])
    assert any("reward seeker and schemer" in caveat for caveat in found["caveats"])


def test_selection_takes_a_file_and_writes_figures(tmp_path):
    """The file's own names are on the terminal and in the figures."""
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps(
            {
                "training": {"all": 1},
                "deployment": {"all": 1},
                "hypotheses": [
                    {"name": "good", "prior": 0.5, "reward": [0.5], "misbehaves": [0]},
                    {"name": "bad", "prior": 0.5, "reward": [0.6], "misbehaves": [1]},
                ],
            }
        )
    )
    result = asked("selection", path, *QUICK, "--figures", tmp_path / "figures")
    assert "share of bad" in result.output
    assert ">good<" in (tmp_path / "figures" / "selection-graph.svg").read_text()


def test_selection_names_a_fault():
    """A file that is none, and a parameter out of its domain, are the user's errors."""
    assert isinstance(asked("selection", "none.yaml").exception, SourceError)
    assert isinstance(asked("selection", *QUICK, "--eta", "0").exception, DataError)


@pytest.mark.parametrize(
    ("accuracies", "words"), [(("0.6", "0.75", "0.8"), "0.75"), (("0.6", "0.61", "0.62"), "undefined")]
)
def test_weak_to_strong_judges_the_users_gap(accuracies, words):
    """A share with its interval, or "undefined" with the reason."""
    result = asked("weak-to-strong", "--accuracies", *accuracies, "--items", "500", "--runs", "50")
    assert words in result.output


def test_weak_to_strong_names_a_fault():
    """Accuracies without a number of items, or in percent."""
    assert isinstance(asked("weak-to-strong", "--items", "500").exception, DataError)
    result = asked("weak-to-strong", "--accuracies", "60", "75", "80", "--items", "500")
    assert isinstance(result.exception, DataError)
