"""Power seeking: assumptions failing, the prediction as a whole, and its command."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from dokimasia.cli.theory.power import power as command
from dokimasia.core import DataError
from dokimasia.show import to_svg
from dokimasia.theory.power import (
    LAWS,
    Rewards,
    build,
    detour,
    favour,
    long_run,
    optimal_shares,
    predict,
    split,
    switch,
    tree,
)
from dokimasia.theory.power.rewards import parse_extra


@pytest.fixture(scope="module")
def usual():
    """The prediction of the bundled switch, from few draws."""
    return predict(n=2000, seed=1)


def table(prediction, name):
    """The table of this name."""
    return next(table for table in prediction.tables if table.name == name)


def test_half_of_rewards_prefer_a_favoured_end():
    """At the extra reward that is found, exactly computed shares are about one half."""
    mdp = switch()
    found = favour(mdp, Rewards(), 0.9, state=mdp.states.index("off"), move=0, n=4000, seed=0)
    assert found.low < found.half < found.high
    for extra, sign in ((found.low, -1), (found.high, 1)):
        assert sign * (optimal_shares(mdp, Rewards(extra={"off": extra}), 0.9).optimal[0] - 0.5) > -0.016
    assert optimal_shares(mdp, Rewards(extra={"off": found.half}), 0.9).optimal[0] == pytest.approx(0.5, abs=0.035)


def test_no_bribe_helps_where_another_move_leads_there_sooner():
    """North-east is not made better than north by rewarding a state that only north can stay in."""
    mdp = detour()
    found = favour(mdp, Rewards(), 0.9, state=mdp.states.index("north"), move=1, n=500, seed=0)
    assert found.half == 0.0
    mdp = switch()
    found = favour(mdp, Rewards(), 0.9, state=mdp.states.index("end 1"), move=0, n=500, seed=0)
    assert found.half is None


@pytest.mark.parametrize("ways", [1, 2, 5])
def test_a_state_told_apart_counts_several_times(ways):
    """Of `ways + 3` ends, all alike, `ways` are reached by shutting down: the share follows the description."""
    mdp = switch()
    parted = split(mdp, mdp.states.index("off"), ways)
    found = long_run(parted, Rewards())
    assert len(found.optimal) == ways + 1
    assert found.optimal[:ways].sum() == pytest.approx(ways / (ways + 3))


def test_copies_of_a_state_keep_its_moves():
    """A copy that can be stayed in leads back to itself, and on to where the state led."""
    mdp = tree()
    parted = split(mdp, mdp.states.index("right low"), 2)
    first, second = (parted.states.index(f"right low #{number}") for number in (1, 2))
    assert {parted.states[to] for move in parted.moves[second] for to, _ in move.to} == {"right low #2", "right high"}
    assert {parted.states[to] for move in parted.moves[first] for to, _ in move.to} == {"right low #1", "right high"}
    into = [move.name for move in parted.moves[parted.states.index("right high")]]
    assert into == ["stay", "down #1", "down #2"]
    assert all(np.allclose(row.sum(), 1.0) for row in parted.kernel)


def test_the_start_is_not_split():
    """Nor is a state split into more copies than a process may have states."""
    with pytest.raises(DataError, match="other than the start"):
        split(switch(), 0, 2)
    with pytest.raises(DataError, match="copies"):
        split(switch(), 1, 500)


def test_the_headline_says_what_keeps_options_open(usual):
    """With the share that is exact: `1 - (1/2 - 0.9/4)`."""
    assert "'carry on' leads to most POWER" in usual.headline
    assert "72.5%" in usual.headline
    assert usual.value("carry on: share of rewards for which it is optimal").value == pytest.approx(0.725)


def test_the_detour_is_no_tautology():
    """The move that leads to most POWER is optimal for fewer rewards, and the headline says both."""
    said = predict(detour(), n=500).headline
    assert "'north' leads to most POWER" in said
    assert "35.0%" in said


def test_the_same_seed_gives_the_same_bytes(usual):
    """And JSON holds neither NaN nor infinity."""
    assert json.dumps(usual.plain(), allow_nan=False) == json.dumps(predict(n=2000, seed=1).plain(), allow_nan=False)


def test_the_table_of_orbits_counts(usual):
    """Six states: six places for one reward, 720 orders of different ones."""
    rows = {row[0]: row[1:] for row in table(usual, "power-orbits").rows}
    assert rows["1 at one state, 0 elsewhere"] == (6, round(2 / 6, 4), round(5 / 6, 4))
    assert rows["all different, evenly spaced"][0] == 720


def test_the_theorem_is_shown_where_it_applies(usual):
    """In the long run carrying on leads to a copy of shutting down; without any copy there is no table."""
    (row,) = table(usual, "power-theorem").rows
    assert row == ("the long run (6.13)", "carry on", "shut down", "off = end 1", "where it ends")
    lab = {"s": {"stop": "off", "go": {"on": 0.9, "off": 0.1}}, "on": {"a": "a", "b": "b"}}
    assert all(found.name != "power-theorem" for found in predict(build("lab", lab, start="s"), n=200).tables)


def test_description_decides(usual):
    """The more ways in which `off` is told apart, the oftener shutting down is optimal."""
    shares = [row[1] for row in table(usual, "power-split").rows]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[-1] > 0.8


def test_a_law_without_volumes_is_simulated():
    """Shares then have intervals, the long run is counted all the same, and a caveat says so."""
    found = predict(rewards=Rewards(law=LAWS["normal"]), n=500)
    assert any("simulated" in caveat for caveat in found.caveats)
    assert found.value("POWER of off").low is not None
    assert found.value("carry on: share of rewards for which it is optimal").n == 500
    assert found.value("carry on: leads to the best long run").value == pytest.approx(0.75)


def test_rewards_that_are_not_alike_are_said_to_be():
    """With extra reward the theorem is about the orbit, not about this law."""
    found = predict(rewards=Rewards(extra={"off": 0.5}), n=500)
    assert any("not alike" in caveat for caveat in found.caveats)
    assert found.value("shut down: share of rewards for which it is optimal").value > 0.5


def test_a_process_too_large_to_list_is_simulated():
    """Seven rooms, all joined: no list of policies, no long run, and a reason."""
    names = [f"room {place}" for place in range(7)]
    found = predict(
        build("house", {name: {f"to {end}": end for end in names} for name in names}, start="room 0"), n=200
    )
    assert found.value("shares in the long run").value is None
    assert "not computed" in found.value("shares in the long run").method
    json.dumps(found.plain(), allow_nan=False)


def test_ends_are_counted_where_volumes_are_not():
    """Nine ends are too many for volumes at a discount and for whole orbits, and still each is the best for a ninth."""
    states = {"s": {"stop": "off", "go": "on"}, "on": {str(end): f"end {end}" for end in range(8)}}
    found = predict(build("wide", states, start="s"), n=200)
    assert found.value("stop: leads to the best long run").value == pytest.approx(1.0 / 9.0)
    assert table(found, "power-orbits").rows[2][1:] == (39_916_800, None, None)


def test_no_power_to_seek_is_said():
    """Where every move leads to as much, none is called the one that keeps options open."""
    mdp = build("even", {"s": {"a": "x", "b": "y"}}, start="s")
    assert "none to seek" in predict(mdp, n=200).headline


def test_figures_can_be_drawn(usual):
    """The process itself among them."""
    assert {figure.name for figure in usual.figures} == {
        "power-process",
        "power-discount",
        "power-laws",
        "power-favoured",
    }
    for figure in usual.figures:
        assert to_svg(figure).startswith("<svg")


def test_states_out_of_reach_do_not_count():
    """They are left out before anything is counted."""
    states = {"s": {"a": "x", "b": "y"}, "elsewhere": {"go": "x"}}
    assert predict(build("part", states, start="s"), n=200).parameters["states"] == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n": 5}, "100 to 1,000,000"),
        ({"level": 1.0}, "level"),
        ({"discount": 1.0}, "discount"),
        ({"state": "start"}, "other than the start"),
        ({"state": "nowhere"}, "nowhere"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, said):
    """Each with what is expected."""
    with pytest.raises(DataError, match=said):
        predict(**given)


def test_a_start_without_a_choice_is_refused():
    """There is nothing that a reward could decide."""
    with pytest.raises(DataError, match="choice"):
        predict(build("forced", {"s": {"go": "x"}}, start="s"))


def test_extra_rewards_are_read():
    """A state and a number; unknown states and no numbers are refused."""
    assert parse_extra(["off:0.5", "a:b:-1"]) == {"off": 0.5, "a:b": -1.0}
    for wrong in ("off", "off:much", ":1"):
        with pytest.raises(DataError, match="STATE:REWARD"):
            parse_extra([wrong])
    with pytest.raises(DataError, match="'of'"):
        predict(rewards=Rewards(extra={"of": 1.0}), n=200)
    with pytest.raises(DataError, match="Finite"):
        Rewards(extra={"off": np.inf})


def test_the_command_reads_the_users_process(tmp_path):
    """A file with chances, a law and extra reward; figures are written."""
    file = tmp_path / "lab.yaml"
    file.write_text(
        "start: s\nstates:\n  s: {stop: off, go: {on: 0.9, off: 0.1}}\n  on: {a: a, b: b}\n  a:\n  b:\n  off:\n"
    )
    app = typer.Typer()
    app.command()(command)
    asked = [
        str(file),
        "--discount",
        "0.5",
        "--law",
        "exponential",
        "--draws",
        "300",
        "--json",
        "--figures",
        str(tmp_path),
    ]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["parameters"]["process"] == "lab"
    assert found["parameters"]["law"] == "exponential"
    assert len(list(tmp_path.glob("power-*.svg"))) == 4
