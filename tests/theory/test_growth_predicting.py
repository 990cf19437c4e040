"""Growth of a field: the prediction as a whole, and its command."""

import json
import math
from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from dokimasia.cli.theory.growth import growth
from dokimasia.core import DataError
from dokimasia.show import to_svg
from dokimasia.theory.growth import PLAUSIBLE, POLICIES, Inputs, Known, Lognormal, Worlds, predict


@pytest.fixture(scope="module")
def usual():
    """The prediction without options, from few draws."""
    return predict(draws=2000, seed=3)


def test_the_prediction_names_what_moves_it_most(usual):
    """The policy at the top of the table is that of the headline, and its value has an interval."""
    table = usual.tables[0]
    assert table.rows[0][0] in usual.headline
    added = [float(row[1]) for row in table.rows]
    assert added == sorted(added, reverse=True)
    value = usual.value(f"what {table.rows[0][0]} adds")
    assert value.low < value.value < value.high
    assert value.n == 2000


def test_effects_are_differences_of_chances(usual):
    """What a policy adds is the chance with it less the chance without, world by world as well."""
    table = usual.tables[0]
    for row in table.rows:
        assert float(row[1]) == pytest.approx(sum(map(float, row[5:])) / 4.0, abs=0.001)


def test_simulation_confirms_the_prediction(usual):
    """The stepwise simulation is near the closed form."""
    simulated = usual.value("the same, by simulation")
    expected = usual.value("P(done in time), as it goes").value
    assert abs(simulated.value - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / simulated.n)


def test_the_same_seed_gives_the_same_bytes(usual):
    """And JSON holds neither NaN nor infinity."""
    again = predict(draws=2000, seed=3)
    assert json.dumps(usual.plain(), allow_nan=False) == json.dumps(again.plain(), allow_nan=False)
    assert usual.plain() != predict(draws=2000, seed=4).plain()


def test_without_uncertain_inputs_there_is_no_interval():
    """One number, in closed form."""
    value = predict(Inputs(done=Lognormal(0.1, 2.0)), draws=100).value("P(done in time), as it goes")
    assert value.low is None
    assert "closed form" in value.method


def test_a_field_that_never_finishes_says_so():
    """Infinite years are no number, and the reason stands beside."""
    found = predict(replace(PLAUSIBLE, growth=Known(-0.5)), draws=200)
    value = found.value("years until all is done, at the median share done today")
    assert value.value is None
    assert "infinite, because" in value.method
    json.dumps(found.plain(), allow_nan=False)


def test_a_share_done_above_one_is_counted_and_said():
    """A wide lognormal puts mass on a field that is finished already."""
    found = predict(Inputs(done=Lognormal(0.5, 3.0)), draws=100)
    assert found.value("P(all is done today already)").value == pytest.approx(0.264, abs=0.001)


def test_no_policies_is_no_error():
    """Then the headline says the chance alone."""
    assert "moves" not in predict(policies=(), draws=100).headline


def test_what_is_certain_cannot_be_raised():
    """All done today: no policy is praised for adding nothing. More than all is refused."""
    assert "none of the policies" in predict(Inputs(done=Known(1.0)), draws=100).headline
    with pytest.raises(DataError, match=r"\(0, 1\]"):
        predict(Inputs(done=Known(1.5)), draws=100)


def test_figures_can_be_drawn(usual):
    """All of them, and their names are this model's."""
    assert all(figure.name.startswith("growth-") for figure in usual.figures)
    for figure in usual.figures:
        assert to_svg(figure).startswith("<svg")


def test_arrival_curves_rise(usual):
    """The later the arrival, the likelier it is that all is done."""
    curve = next(figure for figure in usual.figures if figure.name == "growth-arrival")
    for series in curve.series:
        assert all(later >= earlier - 1e-12 for earlier, later in zip(series.y, series.y[1:], strict=False))


@pytest.mark.parametrize(
    ("given", "said"), [({"draws": 5}, "100 to 1,000,000"), ({"level": 1.0}, "level"), ({"horizon": 0.0}, "horizon")]
)
def test_settings_that_make_no_sense_are_refused(given, said):
    """Each with what is expected."""
    with pytest.raises(DataError, match=said):
        predict(**given)


def test_draws_outside_the_domain_are_refused():
    """A lognormal exponent of people leaves [0, 1]."""
    with pytest.raises(DataError, match=r"\[0, 1\]"):
        predict(replace(PLAUSIBLE, returns=Lognormal(0.9, 2.0)), draws=500)


def test_the_command_takes_the_users_own_numbers(tmp_path):
    """Inputs, worlds and policies arrive where they should, and figures are written."""
    app = typer.Typer()
    app.command()(growth)
    asked = [
        "--done",
        "0.2",
        "--past-growth",
        "0.3",
        "--returns",
        "1",
        "--history",
        "endless",
        "--lag",
        "0",
        "--growth",
        "0.1",
    ]
    asked += [
        "--world",
        "4:0.5",
        "--world",
        "9:0.5",
        "--pause",
        "6",
        "--draws",
        "200",
        "--json",
        "--figures",
        str(tmp_path),
    ]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["parameters"]["worlds"] == "4:0.5, 9:0.5"
    assert "a pause of 6 months" in found["parameters"]["policies"]
    expected = predict(
        Inputs(done=Known(0.2), past_growth=Known(0.3), growth=Known(0.1)),
        Worlds(years=(4.0, 9.0), weights=(0.5, 0.5)),
        POLICIES,
        draws=200,
    )
    assert found["values"][0]["value"] == expected.values[0].value
    assert len(list(tmp_path.glob("growth-*.svg"))) == 3
