"""Styles that settle are told from those that do not, with loops taken out."""

from functools import partial

import numpy as np
import pytest

from dokimasia.core import Place
from dokimasia.instruments.personas.attractors import attractors, settling_figures, settling_table
from dokimasia.instruments.personas.conversing import Conversations, Talk, Trajectories, Turn
from dokimasia.show import to_svg
from dokimasia.sources.personas import Script
from dokimasia.stats import attraction
from dokimasia.theory.drift import Ornstein, permuted, random_walk

DRIFT = Ornstein(theta=0.6, noise=0.3, centre=(0.5, -0.2))
STARTS = np.random.default_rng(0).normal(size=(40, 2)) * 2


def walks(styles, loops=()):
    """Conversations of these styles from their coordinates; `loops` holds (conversation, turn) of replies that loop."""
    paths = [(style, path) for style, several in styles.items() for path in several]
    longest = max(len(path) for _, path in paths)
    talks, coordinates = [], []
    for number, (style, path) in enumerate(paths):
        turns = tuple(Turn(user="u", reply="r", looped=(number, turn) in loops) for turn in range(len(path)))
        script = Script(name=f"{style} {number}", style=style, turns=("u",) * len(path))
        talks.append(Talk(script=script, player="script", turns=turns))
        coordinates.append(np.vstack([path, np.full((longest - len(path), path.shape[1]), np.nan)]))
    return Trajectories(
        conversations=Conversations(talks=tuple(talks), longest=longest, failed=0),
        coordinates=np.array(coordinates),
        places=np.array(coordinates)[:, :, 0],
        alone=True,
        truncated=0,
        seed=0,
    )


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Fewer simulations than by default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dokimasia.stats.drift.attracting.SIMULATED", 60)
        patch.setattr("dokimasia.instruments.personas.attractors.attraction", partial(attraction, draws=39, orders=199))
        yield


@pytest.fixture(scope="module")
def found():
    """One style that settles, one whose turns are in random order, one that walks; the first ends in loops twice."""
    settles = DRIFT.simulate(12, 10, start=STARTS[:12], seed=1)
    mixed = permuted(DRIFT.simulate(12, 10, start=STARTS[:12], seed=2), seed=5)
    walking = random_walk(12, 10, k=2, seed=4)
    loops = {(0, 8), (0, 9), (5, 4), (7, 9)}
    return attractors(walks({"therapy": settles, "coding": mixed, "pressure": walking}, loops), seed=0)


def test_the_style_that_settles_is_told(found):
    """Of three styles one returns to the planted place; random order and a walk do not."""
    therapy, coding, pressure = found.styles
    assert [one.style for one in found.styles] == ["therapy", "coding", "pressure"]
    assert therapy.verdict == "attractor"
    assert therapy.found.map.radius.low < DRIFT.radius < therapy.found.map.radius.high
    assert [figure.value for figure in therapy.found.map.fixed_point] == pytest.approx(DRIFT.centre, abs=0.2)
    assert coding.verdict != "attractor"
    assert pressure.verdict != "attractor"


def test_loops_are_taken_out_and_counted(found):
    """Four turns in loops are not in the map; of the three conversations that they are in two end in one."""
    therapy = found.styles[0]
    assert (therapy.turns, therapy.looped, therapy.unread, therapy.absorbed) == (120, 4, 0, 2)
    assert therapy.found.map.pairs == 12 * 9 - 2 - 2 - 1
    assert np.isnan(found.paths[0][1][8:]).all()


def test_a_loop_is_no_attractor():
    """Walks that each freeze into a loop: with the loops out nothing is found to attract."""
    paths = random_walk(12, 12, k=2, seed=0)
    for path in paths:
        path[6:] = 0.0
    loops = {(number, turn) for number in range(12) for turn in range(6, 12)}
    result = attractors(walks({"writing": paths}, loops), seed=0)
    assert result.pooled.absorbed == 12
    assert result.pooled.verdict != "attractor"


def test_many_styles_are_no_excuse(found):
    """A style's p-value is raised for the number of styles tried."""
    for one in found.styles:
        assert one.adjusted >= one.found.p_value - 1e-9


def test_the_table_has_a_row_for_all_and_one_a_style(found):
    """With counts, radius, half-life, and a verdict each."""
    table = settling_table(found)
    assert [row[0] for row in table.rows] == ["all styles", "therapy", "coding", "pressure"]
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert table.rows[1][-1] == "attractor"
    assert table.rows[1][1:5] == (12, 120, 4, 2)


def test_the_figures_show_the_flow_and_the_radii(found):
    """Tracks of all conversations, arrows, the fixed point, whatever places are given; a row of radii for each style."""
    flow, radii = settling_figures(found, [Place(label="default", x=0.0, y=0.0, key=True)])
    assert (len(flow.tracks), len(flow.flows), len(flow.places)) == (36, 169, 1)
    assert flow.marks
    assert len(radii.rows) == 4
    assert all(np.isfinite([*series.low, *series.high]).all() for series in radii.series)
    for figure in (flow, radii):
        assert to_svg(figure) == to_svg(figure)


def test_five_turns_are_too_few():
    """One conversation of five turns a style: said so, and how many would do; the figure shows what there is."""
    paths = {
        style: DRIFT.simulate(1, 5, start=STARTS[:1], seed=seed) for seed, style in enumerate(("coding", "therapy"))
    }
    result = attractors(walks(paths), seed=0)
    assert {one.verdict for one in (result.pooled, *result.styles)} == {"too few turns"}
    assert all("would do" in row[-1] for row in settling_table(result).rows)
    (flow,) = settling_figures(result)
    assert (len(flow.tracks), flow.flows, flow.marks) == (2, (), ())


def test_a_model_that_always_says_the_same_is_not_measured():
    """Turns alike in every coordinate are no attractor by arithmetic; the table says why there is no number."""
    result = attractors(walks({"coding": [np.ones((8, 2))] * 6}), seed=0)
    assert result.pooled.verdict is None
    assert "alike" in result.pooled.why
    assert "not measured" in settling_table(result).rows[0][-1]


def test_nothing_but_loops_leaves_nothing():
    """An endless token in every turn: no map, no picture, all turns counted."""
    paths = DRIFT.simulate(4, 6, seed=0)
    result = attractors(walks({"coding": paths}, {(n, t) for n in range(4) for t in range(6)}), seed=0)
    assert (result.pooled.looped, result.pooled.absorbed) == (24, 4)
    assert result.pooled.verdict == "too few turns"
    assert settling_figures(result) == ()


def test_one_component_is_enough():
    """A map of roles with a single component has no plane, but radii."""
    paths = Ornstein(theta=0.6).simulate(10, 10, start=(4.0,), seed=0)
    result = attractors(walks({"coding": paths}), seed=0)
    assert result.coordinates == 1
    assert [figure.name for figure in settling_figures(result)] == ["personas-return"]


def test_a_walk_that_runs_away_has_no_half_life():
    """Conversations whose displacement grows with each turn are tabled: nothing is ever halved."""
    rng = np.random.default_rng(3)
    away = [
        np.cumsum(1.6 ** np.arange(6))[:, None] * [1.0, 0.5] * start + rng.normal(size=(6, 2)) * 0.05
        for start in STARTS[:12]
    ]
    found = attractors(walks({"pressure": away}), seed=0)
    assert found.pooled.found.map.half_life.low == np.inf
    assert settling_table(found).rows[0][6] == "none"
