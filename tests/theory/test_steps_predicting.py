import json
import math

import pytest

import dokimasia.theory.steps
from dokimasia.cli.theory.steps import steps
from dokimasia.core import DataError
from dokimasia.theory.steps import predict


@pytest.fixture(scope="module")
def below():
    """Three approaches of index 0.1, below the threshold of ten, with a simulation."""
    return predict(replicates=4000, seed=7)


def test_below_the_threshold_means_are_missing_and_say_why(below):
    """An infinite mean is no number but a reason, and the rate is zero."""
    mean = below.value("mean time of a subtask")
    assert mean.value is None
    assert "not above 1" in mean.method
    assert below.value("rate in the long run").value == 0
    assert "below the threshold of 10" in below.headline


def test_simulated_shares_enclose_the_exact_ones(below):
    """The Clopper-Pearson intervals of the simulation hold what the closed forms say, the median's holds one half."""
    for simulated, exact in (
        ("simulated share within the budget", below.value("success within the budget").value),
        ("simulated share within kappa per subtask", below.value("success within kappa per subtask").value),
        ("simulated share within the exact median", 0.5),
    ):
        found = below.value(simulated)
        assert found.low - 0.01 <= exact <= found.high + 0.01
        assert found.n == 4000


def test_a_prediction_is_json_without_nan_or_infinity(below):
    """Everything, figures included, is data that JSON can hold."""
    text = json.dumps(below.plain(), allow_nan=False)
    assert {figure.name for figure in below.figures} == {
        "steps-rate",
        "steps-success",
        "steps-horizon",
        "steps-pace",
        "steps-proportional",
    }
    assert json.loads(text)["model"] == "steps"


def test_above_the_threshold_there_is_a_mean_and_a_tail():
    """Forty approaches have a mean of 4/3, succeed within twice the least time, and fail by one long subtask."""
    found = predict(approaches=40.0, subtasks=1000.0)
    assert found.value("mean time of a subtask").value == pytest.approx(4 / 3)
    assert found.value("success within kappa per subtask").value == pytest.approx(1.0, abs=1e-6)
    assert found.value("failure by one long subtask").value == pytest.approx(1000**-3 * (2 / 3) ** -4)
    assert found.seed is None
    assert not any(value.name == "decay of success" for value in found.values)


@pytest.mark.parametrize("approaches", [1e-4, 1e4])
def test_extreme_minds_have_predictions(approaches):
    """Far below the threshold and far above it every number is finite or missing with a reason."""
    plain = predict(approaches=approaches).plain()
    json.dumps(plain, allow_nan=False)
    for value in plain["values"]:
        assert value["value"] is not None or "infinite" in value["method"]


def test_the_command_prints_a_table_or_json(below, monkeypatch, capsys, tmp_path):
    """On the terminal the headline comes first; as JSON, nothing but JSON; figures go to their folder."""
    asked = {}
    monkeypatch.setattr(dokimasia.theory.steps, "predict", lambda **given: asked.update(given) or below)
    assert steps(alpha=0.2, approaches=4.0, subtasks=5.0, budget=10.0, kappa=3.0, simulate=500, seed=2) == 0
    assert list(asked.values()) == [0.2, 4.0, 5.0, 10.0, 3.0, 500, 2]
    assert capsys.readouterr().out.startswith("A mind with 3 approaches is below")
    assert steps(as_json=True, figures=tmp_path) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["approaches"] == 3.0
    assert (tmp_path / "steps-rate.svg").read_text(encoding="utf-8").startswith("<")


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"approaches": math.inf}, "approaches"),
        ({"subtasks": 0.0}, "subtasks"),
        ({"budget": 1.0}, "budget"),
        ({"kappa": 1.0}, "nothing is ever finished"),
        ({"subtasks": 2.5, "replicates": 10}, "whole"),
        ({"replicates": -5}, "whole"),
        ({"replicates": 10**19}, "draws"),
    ],
)
def test_parameters_outside_the_domain_are_refused(named, says):
    """Each is refused by name, in the words of the function that needs it."""
    with pytest.raises(DataError, match=says):
        predict(**named)
