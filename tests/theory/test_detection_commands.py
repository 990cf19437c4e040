import inspect
import json

import pytest

from dokimasia.cli import main
from dokimasia.cli.theory import detection as commands
from dokimasia.core import UserError
from dokimasia.show import to_svg
from dokimasia.theory import detection

NAMES = ("gate", "audits", "puzzles", "triggers", "asking", "exploring", "perfect")


@pytest.fixture(scope="module")
def predictions():
    return {name: getattr(detection, f"predict_{name}")() for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_commands_have_the_defaults_of_their_predictions(name):
    """A command and its function take the same parameters in the same order, with the same defaults."""
    given = inspect.signature(getattr(commands, name)).parameters.values()
    taken = inspect.signature(getattr(detection, f"predict_{name}")).parameters.values()
    said = [item.default for item in given if item.name not in ("as_json", "figures")]
    assert said == [item.default for item in taken]


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_plain_complete_and_drawn(name, predictions):
    """Each is JSON without NaN, has values, tables and figures with names of its own, and every figure can be drawn."""
    found = predictions[name]
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["model"] == name
    assert found.values
    assert found.assumptions
    assert found.misleads
    for part in (*found.tables, *found.figures):
        assert part.name.startswith(f"{name}-")
    for table in found.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
    for figure in found.figures:
        assert len(figure.series) <= 6
        assert "<svg" in to_svg(figure)


@pytest.mark.parametrize("name", NAMES)
def test_simulated_values_hold_the_closed_forms_beside_them(name, predictions):
    """A value `X, simulated` has an interval, its level and its n; `X`, where there is one, lies within twice of it."""
    values = {value.name: value for value in predictions[name].values}
    for label, value in values.items():
        if not label.endswith(", simulated"):
            continue
        assert value.low <= value.value <= value.high
        assert value.n > 0
        assert value.level == 0.95
        beside = values.get(label.removesuffix(", simulated"))
        for prefix in ("attack succeeds: ", ""):
            beside = beside or values.get(prefix + label.removesuffix(", simulated"))
        if beside is not None:
            assert abs(beside.value - value.value) <= 2.1 * (value.high - value.low)


def test_a_command_prints_json_and_writes_figures(tmp_path, capsys):
    """`gate --json --figures FOLDER` prints one object and leaves one SVG a figure."""
    assert commands.gate(as_json=True, figures=tmp_path) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {f"{figure['name']}.svg" for figure in shown["figures"]} == {path.name for path in tmp_path.iterdir()}


def test_the_same_seed_gives_the_same_bytes(predictions):
    """Simulations included, a prediction is a function of its parameters."""
    again = detection.predict_audits()
    assert json.dumps(again.plain()) == json.dumps(predictions["audits"].plain())
    assert detection.predict_audits(seed=1) != again


@pytest.mark.parametrize("place", ["a file", "below a file"])
def test_figures_that_cannot_be_written_are_the_users_mistake(tmp_path, place):
    """A file where the folder should be, or above it: three sentences, and no traceback."""
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    folder = tmp_path / "taken" if place == "a file" else tmp_path / "taken" / "figures"
    with pytest.raises(UserError, match="--figures"):
        commands.triggers(figures=folder)
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", [["theory", "gate"], ["proxy", "scores.csv"], ["horizon", "runs.csv"]])
def test_a_seed_is_not_negative(command, capsys):
    """The command line says so before anything is read or computed."""
    with pytest.raises(SystemExit) as end:
        main([*command, "--seed", "-1"])
    assert end.value.code == 2
    assert "Found -1." in capsys.readouterr().err
