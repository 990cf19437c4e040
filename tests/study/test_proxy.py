"""The study function: scores in, an answer out, on planted rewards and on published ones."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from dokimasia.core import DataError, SourceError
from dokimasia.sources.scores import Scores
from dokimasia.study.run import open_run
from dokimasia.study.verifying import verify
from dokimasia.theory.goodhart import Exponential, Normal, Proxy, StudentT
from dokimasia.theory.goodhart.generators import dependent, extremal, independent

module = importlib.import_module("dokimasia.study.proxy.instrument")
FOLDER = Path(__file__).parents[3] / "shared" / "data" / "goodhart"
V = Normal(sd=1.0)


def scored(pairs):
    return Scores(name="planted", proxy=pairs.proxy, gold=pairs.gold, gold_column="gold")


def planted(error, n, seed=0):
    return scored(independent(Proxy(value=V, error=error), n, seed=seed))


@pytest.fixture(scope="module")
def heavy():
    return module.proxy(planted(StudentT(degrees=3, sd=1.0), 12_000))


def test_a_heavy_error_is_found_and_its_peak(heavy):
    """The exact peak is at n = 32 to 64: the headline says where selection helps and where it starts to harm."""
    assert heavy.status == "measured"
    assert 16 <= heavy.raw["helps_to"] <= 64
    assert 32 <= heavy.raw["hurts_from"] <= 256
    assert "more selection lowers it" in heavy.headline
    assert "upper tail of the error is heavier than exponential" in heavy.headline
    assert heavy.raw["tails"][0]["verdict"] == "heavier"
    assert "do not depend on it" in heavy.headline


def test_the_finding_is_whole(heavy):
    """Estimates have intervals that hold them, tables and figures are there, and everything is plain JSON."""
    assert all(item.low <= item.value <= item.high and item.n > 0 for item in heavy.estimates)
    assert [item.name for item in heavy.tables] == [
        "error-tail",
        "tail",
        "controls",
        "best-of-n",
        "weighted",
        "in-tail",
    ]
    names = [item.name for item in heavy.figures]
    assert names == ["proxy-tail", "proxy-mean-excess", "proxy-in-tail", "proxy-best-of-n", "proxy-divergence"]
    json.dumps(heavy.raw, allow_nan=False)
    assert "property of a reward and a policy" in heavy.misleads
    assert any("rarer than one in 12,000" in item for item in heavy.caveats)
    assert heavy.configuration["n"] == 12_000
    assert heavy.versions


def test_a_light_independent_error_lets_selection_go_on():
    """Normal error: lighter, and no n from which selection is shown to harm."""
    found = module.proxy(planted(Normal(sd=1.0), 12_000))
    assert found.raw["tails"][0]["verdict"] == "lighter"
    assert found.raw["hurts_from"] is None
    assert found.raw["helps_to"] >= 256


def test_an_exponential_error_is_told_from_too_little_data():
    """12,000 outputs would show another tail, and the answer is that gains level off; 600 would not, and it says so."""
    assert "level off" in module.proxy(planted(Exponential(sd=1.0), 12_000)).headline
    small = module.proxy(planted(Exponential(sd=1.0), 600))
    assert "not enough data in the tail" in small.headline
    assert not small.raw["tails"][0]["enough_data"]


def test_error_against_the_value_is_found_at_any_tail():
    """Light-tailed errors that run against values: selection lowers the gold score from the start, and dependence is named."""
    found = module.proxy(scored(dependent(Normal(sd=1.5), -0.9, 6000, seed=1)))
    assert found.raw["helps_to"] is None
    assert found.raw["hurts_from"] == 1
    assert "error and value depend on one another" in found.headline
    assert "below" in found.headline


def test_a_proxy_that_turns_is_found():
    """Right up to 1.5 standard deviations and wrong beyond: harm is shown by n = 64."""
    found = module.proxy(scored(extremal(6000, turn=1.5, slope=2.0, noise=0.4, seed=2)))
    assert found.raw["hurts_from"] <= 64


def test_a_proxy_alone_can_clear_its_tail_only():
    """Without a gold score what cannot be measured is named, and the headline asks for one."""
    scores = independent(Proxy(value=V, error=V), 3000, seed=3).proxy
    found = module.proxy(Scores(name="alone", proxy=scores))
    missing = {item.what for item in found.not_measured}
    assert missing == {"tail of the error", "independence", "gold score"}
    assert "gold score" in found.headline
    assert [item["of"] for item in found.raw["tails"]] == ["the scores"]


@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [("llama", "lighter", "lighter than exponential"), ("random", "heavier", "heavier than exponential")],
)
def test_published_rewards_get_opposite_verdicts(name, verdict, said):
    """One reward model on outputs of two policies: light on a chat model's, locally heavy on random text."""
    path = FOLDER / f"{name}_starling_reward_values.npy"
    if not path.is_file():
        pytest.skip(f"no public data beside the project: {path.name}")
    found = module.proxy(path)
    assert found.raw["tails"][0]["verdict"] == verdict
    assert said in found.headline
    assert any("no power law holds" in item for item in found.caveats) == (name == "random")


def test_few_scores_give_what_they_can():
    """60 outputs: best of 4 is measured, the tails are not, and the reason is in the finding."""
    found = module.proxy(planted(Normal(sd=1.0), 60))
    assert found.status == "measured"
    assert found.raw["best_of_n"][-1]["n"] == 4
    assert "could not be measured" in found.headline
    assert {item.what for item in found.not_measured} == {"tail of the error", "tail of the scores", "independence"}


def test_discrete_scores_have_no_tail():
    """A proxy of five values: the tail is refused with a reason, and nats are those of tied scores."""
    pairs = independent(Proxy(value=V, error=V), 3000, seed=4)
    scores = np.clip(np.round(pairs.proxy), -2, 2)
    found = module.proxy(Scores(name="discrete", proxy=scores, gold=pairs.gold, gold_column="gold"))
    assert "could not be measured" in found.headline
    share = np.mean(scores == 2)
    assert found.raw["best_of_n"][-1]["nats"] < np.log(1 / share) + 0.01
    assert any(item.what == "tail of the scores" for item in found.not_measured)


def test_rounded_scores_are_untied_and_it_is_said():
    """Scores with two digits are measured, and a caveat says what was done."""
    pairs = independent(Proxy(value=V, error=V), 3000, seed=5)
    found = module.proxy(Scores(name="rounded", proxy=np.round(pairs.proxy, 2)))
    assert any("Tied scores" in item for item in found.caveats)


@pytest.mark.parametrize(
    ("proxy", "gold", "match"),
    [
        (np.r_[np.nan, np.nan, np.inf, np.arange(97.0)], None, "2 missing or not-a-number and 1 infinite among 100"),
        (np.full(100, 3.0), None, "All 100 in `proxy` are 3"),
        (np.arange(100.0), np.full(100, 1.0), "All 100 in `gold` are 1"),
        (np.arange(100.0), np.r_[np.nan, np.arange(99.0)], "finite gold score in `gold`"),
        (np.arange(5.0), None, "Found 5"),
        (np.arange(100.0) * 1e200, None, "at most 1e\\+100"),
    ],
)
def test_scores_that_cannot_be_measured_are_refused(proxy, gold, match):
    """What is not finite is counted; constant scores and a handful are named."""
    with pytest.raises(DataError, match=match):
        module.proxy(Scores(name="bad", proxy=proxy, gold=gold, gold_column="gold"))


def test_a_proxy_without_error_is_told_so():
    """A rising function of the gold score: there is no error whose tail could be looked at."""
    gold = np.random.default_rng(8).standard_normal(600)
    found = module.proxy(Scores(name="exact", proxy=np.exp(gold), gold=gold, gold_column="gold"))
    assert "there is no error" in found.headline
    assert found.raw["hurts_from"] is None


def test_a_run_is_stored_rendered_and_verified(tmp_path):
    """A file, a folder: finding, reports without a model, a rerun that finds it there, and a check that passes."""
    pairs = independent(Proxy(value=V, error=V), 600, seed=6)
    table = tmp_path / "scores.csv"
    lines = ["reward,truth", *(f"{a!r},{b!r}" for a, b in zip(pairs.proxy.tolist(), pairs.gold.tolist(), strict=True))]
    table.write_text("\n".join(lines) + "\n", "utf-8")
    run = tmp_path / "run"
    finding = module.proxy(table, proxy_column="reward", gold_column="truth", run=run)
    assert finding.status == "measured"
    assert finding.headline.split(":")[0][:60] in (run / "report.html").read_text("utf-8")
    stamp = (run / "findings" / "proxy.json").stat().st_mtime_ns
    assert module.proxy(table, proxy_column="reward", gold_column="truth", run=run) == finding
    assert (run / "findings" / "proxy.json").stat().st_mtime_ns == stamp
    assert open_run(run).finding("proxy") == finding
    assert not any(check.fails for check in verify(run))
    alone = module.proxy(table, proxy_column="reward", gold_column="truth")
    assert alone.raw == finding.raw
    other = module.proxy(table, proxy_column="reward", gold_column="truth", seed=1)
    assert other.raw != alone.raw


def test_scores_that_cannot_be_measured_are_stored_as_such(tmp_path):
    """In a run "could not be measured, because ..." is a finding."""
    finding = module.proxy(Scores(name="bad", proxy=np.full(100, 3.0)), run=tmp_path / "run")
    assert finding.status == "not measured"
    assert "All 100" in (tmp_path / "run" / "report.md").read_text("utf-8")


def test_the_command_prints_and_refuses(tmp_path, capsys):
    """`proxy SCORES` prints the headline or JSON; a wrong column is the user's mistake."""
    from dokimasia.cli.proxy import proxy as command

    rng = np.random.default_rng(7)
    path = tmp_path / "scores.npy"
    np.save(path, rng.standard_normal(200))
    assert command(path) == 0
    printed = capsys.readouterr().out
    assert "could not be measured" in printed
    assert "The best of n by the proxy" in printed
    assert command(path, as_json=True, seed=3) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 200
    with pytest.raises(SourceError, match="`gold`"):
        command(path, gold_column="gold")
