"""A table of runs in, a finding out: what it says, what it refuses, and that it can be stored."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from dokimasia.cli.horizon import horizon as command
from dokimasia.core import DataError, SourceError, UserError
from dokimasia.show import to_svg
from dokimasia.study.horizon import horizon
from dokimasia.study.verifying import verify

METR = Path(__file__).parents[3] / "shared" / "data" / "metr" / "all_runs_2025-01-22.jsonl"
FITS = {
    "constant": (290.7, 289.6),
    "exponential": (337.6, 348.6),
    "independent steps": (346.8, 348.8),
    "Weibull": (254.0, 248.3),
    "probit": (255.1, 249.3),
    "logistic": (255.7, 250.1),
    "Lomax": (257.3, 252.8),
}
"""Loss plus parameters, and loss on families left out, of eight models and the human baseline; computed elsewhere."""


def made(success, *, agent="A", families=20, tasks=2, runs=4, seed=0, low=1.0, high=1000.0):
    """Rows of runs whose chance of success is a function of the human minutes."""
    rng = np.random.default_rng(seed)
    rows = []
    for family in range(families):
        for task in range(tasks):
            minutes = round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), 3)
            rows += [
                {
                    "agent": agent,
                    "task": f"{seed}-{task}",
                    "family": f"f{family}",
                    "minutes": minutes,
                    "score": int(rng.random() < success(minutes)),
                }
                for _ in range(runs)
            ]
    return rows


def falling(half):
    return lambda minutes: 2 ** -((minutes / half) ** 0.6)


@pytest.fixture
def find(tmp_path):
    def found(rows, **options):
        path = tmp_path / "runs.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return horizon(path, replicates=200, **options)

    return found


def refusals(finding):
    return {item.what: item.why for item in finding.not_measured}


def test_agents_have_horizons_with_intervals(find):
    """The longest comes first, values lie in their intervals and these hold the truth; tables, figures and JSON are whole."""
    finding = find(made(falling(15)) + made(falling(120), agent="B", seed=1))
    assert finding.status == "measured"
    assert finding.access == "none"
    assert [row[0] for row in finding.table("h50").rows] == ["B", "A"]
    for agent, truth in (("A", 15), ("B", 120)):
        (estimate,) = [item for item in finding.estimates if item.name == f"h50 of {agent}"]
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.low <= truth <= estimate.high
        assert (estimate.n, estimate.unit, estimate.level) == (20, "minutes", 0.95)
    assert finding.headline.startswith("320 runs by 2 agents of 80 tasks in 20 families: the longest 50% horizon is ")
    assert "of B" in finding.headline
    json.dumps(finding.raw, allow_nan=False)
    assert {item.name for item in finding.figures} == {"horizon-spans", "horizon-agent-1", "horizon-agent-2"}
    for figure in finding.figures:
        assert "<svg" in to_svg(figure)
    assert all(len(row) == len(table.columns) for table in finding.tables for row in table.rows)


def test_the_99_percent_horizon_is_refused(find):
    """It is named among what was not measured, with how far apart curves are on it."""
    why = refusals(find(made(falling(60))))["The 99% horizon"]
    assert "depends on the curve that one assumes, not on the runs" in why
    low, high = map(float, re.search(r"between (\S+) and (\S+) minutes", why).groups())
    assert high > 5 * low


def test_one_family_has_a_horizon_and_no_cross_validation(find):
    """The value is by METR's curve; that nothing can be left out, and that there is no interval, is said."""
    finding = find(made(falling(30), families=1, tasks=40))
    assert "by METR's curve; with one family none can be preferred" in finding.headline
    said = refusals(finding)
    assert "no" in said["Which curve is best"].lower()
    assert "1 family only" in said["An interval of the 50% horizon of A"]
    assert not [item for item in finding.estimates if item.name.startswith("h")]
    assert finding.raw["cross_validated"] is False
    assert finding.raw["agents"]["A"]["h50"]["value"] is not None


@pytest.mark.parametrize(("rate", "bound"), [(1, "at least"), (0, "at most")])
def test_nothing_but_success_or_failure_gives_a_bound(find, rate, bound):
    """An agent that always or never succeeds has no curve: a bound is given in place of it, beside the others' horizons."""
    alone = find(made(lambda _: rate))
    assert alone.status == "not measured"
    assert f"the 50% horizon is {bound}" in alone.headline
    beside = find(made(lambda _: rate, agent="sure", seed=1) + made(falling(30)))
    assert beside.status == "measured"
    assert f"the 50% horizon is {bound}" in refusals(beside)["A curve for sure"]
    assert "sure" in beside.raw["bounds"]
    estimates = {item.name: item for item in beside.estimates}
    if rate:
        assert "Every run of sure succeeded: those horizons may be longer." in beside.headline
        assert "h50 of sure" not in estimates
    else:
        found = estimates["h50 of sure"]
        assert (found.value, found.low, found.n) == (None, 0, 20)
        assert 1 < found.high < 60
    assert [row[0] for row in beside.table("h50").rows] == ["A"]


def test_a_horizon_beyond_the_tasks_is_bounded_by_them(find):
    """It is called above the longest task, its interval has no upper end, and there is no estimate of it."""
    finding = find(made(falling(1e4), low=1, high=300, families=40))
    ((_, _, _, minutes, *_),) = finding.table("h50").rows
    assert minutes.startswith("above 2")
    assert "It ends above the longest task" in refusals(finding)["An interval of the 50% horizon of A"]
    assert "h50 of A" not in {item.name for item in finding.estimates}


def test_a_handful_of_runs_is_not_enough(find):
    """Too few tasks, or tasks of one time only, are named as the reason."""
    assert "It tried 2 tasks; a curve needs 5" in find(made(falling(30), families=1, low=20, high=40, seed=3)).headline
    same = [{**row, "minutes": 10} for row in made(falling(30))]
    assert "Its tasks take 1 human time" in find(same).headline


def test_success_that_does_not_fall_is_said_first(find):
    """Where a constant may be the best curve of all, the headline says that the runs do not show a fall."""
    assert "do not show that success falls with human time" in find(made(lambda _: 0.6, families=40)).headline
    rising = find(made(lambda minutes: minutes / (minutes + 30), families=40))
    assert "do not show that success falls with human time" in rising.headline


def test_caveats_are_for_the_runs_at_hand(find):
    """Fractions, few families, different tasks and tasks that differ are said where they are so, and nowhere else."""
    plain = " ".join(find(made(falling(30), families=40)).caveats)
    assert "fractions" not in plain
    assert "too short" not in plain
    assert "same tasks" not in plain
    rows = [{**row, "score": 0.2 + 0.6 * row["score"]} for row in made(falling(30), families=8)]
    caveats = " ".join(find(rows + made(falling(30), agent="B", families=6, seed=1)).caveats)
    assert "64 of 112 scores are fractions" in caveats
    assert "(one agent tried 6) are too short" in caveats
    assert "did not all try the same tasks" in caveats
    hard = [{**row, "score": int(hash_of(row["task"], row["family"]))} for row in made(falling(30), families=30)]
    assert "tasks of one human time differ by more than chance" in " ".join(find(hard).caveats)


def hash_of(task, family):
    """Whether a task is always done or never, by its name alone."""
    return (sum(map(ord, task + family)) * 7919) % 11 < 5


def test_an_agent_may_be_chosen_or_left_out(find):
    """`only` and `without` decide; a name that there is not is refused beside those that there are."""
    rows = made(falling(15)) + made(falling(120), agent="B", seed=1)
    assert list(find(rows, only=["A"]).raw["agents"]) == list(find(rows, without=["B"]).raw["agents"]) == ["A"]
    for options in ({"only": ["C"]}, {"without": ["C"]}):
        with pytest.raises(UserError, match=r"'C'.*There are: A, B"):
            find(rows, **options)
    with pytest.raises(UserError, match="all were left out"):
        find(rows, without=["A", "B"])


def test_too_few_replicates_are_refused(tmp_path):
    """An interval needs 200."""
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made(falling(30))), "utf-8")
    with pytest.raises(DataError, match="200"):
        horizon(path, replicates=20)


def test_the_order_of_rows_changes_nothing(find):
    """The same runs in another order give the same finding."""
    rows = made(falling(15)) + made(falling(120), agent="B", seed=1)
    assert find(rows) == find(rows[::-1])


def test_a_run_is_stored_rendered_and_verified(find, tmp_path):
    """A run folder holds the finding and a report, verifies, and gives the stored finding the second time."""
    rows = made(falling(30))
    first = find(rows, run=tmp_path / "run")
    assert first.raw == find(rows).raw
    assert find(rows, run=tmp_path / "run") == first
    report = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "How long are the tasks that each agent can do" in report
    assert {check.status for check in verify(tmp_path / "run")} == {"ok"}
    other = find(made(falling(90)), run=tmp_path / "run")
    assert other.raw != first.raw


def test_a_run_without_a_result_is_stored_too(find, tmp_path):
    """A finding that could not be measured has a report that says why."""
    find(made(lambda _: 1), run=tmp_path / "run")
    assert "Every run succeeded" in (tmp_path / "run" / "report.html").read_text("utf-8")


def test_hostile_names_are_text(find, tmp_path):
    """Agents may be called anything."""
    name = "<b>$x_1</b>\x1b[31m" + "a" * 200
    find(made(falling(30), agent=name), run=tmp_path / "run")
    assert "<b>$x" not in (tmp_path / "run" / "report.html").read_text("utf-8")


@pytest.fixture
def run_command(tmp_path):
    app = typer.Typer()
    app.command()(command)

    def called(rows, *arguments):
        path = tmp_path / "runs.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return CliRunner().invoke(app, [str(path), "--replicates", "200", *arguments], standalone_mode=False)

    return called


def test_the_command_prints_a_finding_or_json(run_command, tmp_path):
    """Words on the terminal, one JSON object with --json; columns can be named."""
    rows = [{**row, "who": row["agent"]} for row in made(falling(30))]
    shown = run_command(rows, "--agent-column", "who")
    assert shown.exit_code == 0, shown.output
    assert "50% horizon of A" in " ".join(shown.output.split())
    plain = run_command(rows, "--json", "--run", str(tmp_path / "run"))
    assert json.loads(plain.stdout)["agents"]["A"]["tasks"] == 40
    assert (tmp_path / "run" / "report.html").exists()
    missing = run_command(rows, "--family-column", "topic")
    assert isinstance(missing.exception, SourceError)


def test_the_command_fails_on_a_condition(run_command):
    """A horizon above a threshold, or one that cannot be told, ends with exit code 4."""
    rows = made(falling(30))
    assert run_command(rows, "--fail-if", "horizon.h50_of_a > 1").return_value == 4
    assert run_command(rows, "--fail-if", "horizon.h50_of_a > 1000").return_value == 0
    assert run_command(made(lambda _: 1), "--fail-if", "horizon.h50_of_a > 1000").return_value == 4


@pytest.fixture(scope="module")
def metr():
    if not METR.is_file():
        pytest.skip("no public data beside the project: METR's runs of January 2025")
    return horizon(METR, without=["davinci-002", "gpt-3.5-turbo-instruct"], replicates=200)


def test_the_published_runs_give_the_known_table(metr):
    """Both columns for every curve, to 0.06; independent steps gain 0.2, since here their index goes down to 0 itself."""
    rows = {row[0]: row for row in metr.table("curves").rows}
    for curve, (loss, held_out) in FITS.items():
        within = 0.25 if curve == "independent steps" else 0.06
        assert rows[curve][2] == pytest.approx(loss, abs=within)
        assert rows[curve][3] == pytest.approx(held_out, abs=within)
    assert rows["independent steps"][3] == pytest.approx(rows["exponential"][3], abs=0.05)
    assert rows["independent steps"][2] == pytest.approx(rows["exponential"][2] + 9, abs=0.05)


def test_what_is_known_of_the_published_runs_is_found(metr):
    """A constant hazard is rejected, a ceiling is not; Weibull shapes, ceilings and dispersions lie where they should."""
    assert metr.raw["runs"] == 6506
    assert set(metr.raw["rivals"]) == {"Weibull", "logistic", "probit", "Lomax", "ceiling x exponential"}
    agents = metr.raw["agents"]
    shapes = {name: item["curves"]["Weibull"]["shape_value"] for name, item in agents.items()}
    assert shapes.pop("human") == pytest.approx(0.54, abs=0.01)
    assert min(shapes.values()) == pytest.approx(0.26, abs=0.01)
    assert max(shapes.values()) == pytest.approx(0.41, abs=0.01)
    six = ("Claude 3 Opus", "Claude 3.5 Sonnet (New)", "GPT-4o", "human", "o1", "o1-preview")
    for curve, expected in (("ceiling x exponential", 176.0), ("Weibull", 174.7), ("logistic", 175.7)):
        assert sum(agents[name]["curves"][curve]["loss"] + 2 for name in six) == pytest.approx(expected, abs=0.06)
    ceilings = {name: agents[name]["curves"]["ceiling x exponential"]["shape_value"] for name in six}
    assert ceilings.pop("human") == pytest.approx(0.93, abs=0.01)
    assert (min(ceilings.values()), max(ceilings.values())) == pytest.approx((0.45, 0.70), abs=0.01)
    ratios = {name: agents[name]["dispersion"]["ratio"] for name in six}
    assert ratios.pop("human") == pytest.approx(0.92, abs=0.01)
    assert 4.7 < min(ratios.values()) < max(ratios.values()) < 6.8
