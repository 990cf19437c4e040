"""Audits of fake and tiny subjects: resuming, interruption, reproducibility."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import FakeModel, evidence, fake_subject, transcripts
from tests.study.small import EVERYDAY, Writer, endpoint, small, steerable

from dokimasia.core import CapReached, Quantity, RunInterrupted, Service, UserError
from dokimasia.study import audit as audits
from dokimasia.study import budgets
from dokimasia.study.audit import audit, prepare, report_on, run_audit
from dokimasia.study.limits import Limits, Meter
from dokimasia.study.run import open_run
from dokimasia.study.store import RunFolder

INSTRUMENTS = ("behaviour", "realism", "awareness", "anomalies", "knowledge", "personas")


@pytest.fixture
def whole(monkeypatch):
    """Let every model name mean one fake model, which counts calls and can break; every instrument, on little."""
    holder = {"model": FakeModel()}
    monkeypatch.setattr(audits, "load_subject", lambda name, *_: steerable(holder["model"], name=f"fake-{name}"))
    small(monkeypatch.setattr)
    return holder


@pytest.fixture
def model(whole, monkeypatch):
    """The same with the first two instruments only."""
    every = audits._instruments

    def two(*args, **options):
        return tuple(item for item in every(*args, **options) if item.name in ("behaviour", "realism"))

    monkeypatch.setattr(audits, "_instruments", two)
    return whole


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run of every instrument that nothing interrupted, and how often its model was asked."""
    folder, answering = tmp_path_factory.mktemp("done") / "run", FakeModel()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audits, "load_subject", lambda name, *_: steerable(answering, name=f"fake-{name}"))
        small(patch.setattr)
        audit("m", run=folder)
    return folder, answering.calls


def same(one: Path, other: Path) -> bool:
    """Whether two run folders hold the same findings, answers and report."""
    names = ["report.html", "report.md", "report.json", *(f"findings/{name}.json" for name in INSTRUMENTS)]
    asked = [sorted(path.name for path in (folder / "calls").iterdir()) for folder in (one, other)]
    return asked[0] == asked[1] and all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_every_instrument_is_in_the_audit(whole, done):
    """At every budget, and each says what it measured; their figures are in the report."""
    run = open_run(done[0])
    assert tuple(finding.instrument for finding in run.findings) == INSTRUMENTS
    assert all(finding.status == "measured" for finding in run.findings)
    assert run.finding("awareness").raw["steering"]
    report = (done[0] / "report.html").read_text()
    for name in ("awareness-telling", "awareness-situation", "awareness-layers", "awareness-steering"):
        assert f"{name}-" in report
    for budget in budgets.LAYER_STEP:
        assert prepare("m", budget=budget).instruments == INSTRUMENTS


def test_an_audit_stores_findings_and_three_reports(model, tmp_path):
    """Behaviour and realism are measured, labelled items reach realism, and the report is written thrice."""
    run = audit("m", run=tmp_path / "run")
    assert [finding.instrument for finding in run.findings] == ["behaviour", "realism"]
    assert run.finding("realism").raw["hypothetical"] is False
    assert run.finding("realism").raw["misbehaved_seen"] == sum(
        label == "yes" for label in run.finding("behaviour").labels.values()
    )
    for name in ("report.html", "report.md", "report.json", "plan.json", "logs/behaviour.eval"):
        assert (tmp_path / "run" / name).stat().st_size > 500
    assert run.finding("realism").digests["subject: fake-m"] == "fake-mfake-mfake-mfake-mfake-mfake-mfake-mfake-m"
    assert "numpy" in run.finding("behaviour").versions


def test_a_second_run_asks_nothing_and_gives_the_same_bytes(whole, done, tmp_path):
    """The same command finds everything measured; another folder gives the same findings and the same report."""
    audit("m", run=tmp_path / "run")
    assert whole["model"].calls == done[1]
    assert same(tmp_path / "run", done[0])
    audit("m", run=tmp_path / "run")
    assert whole["model"].calls == done[1]
    assert same(tmp_path / "run", done[0])


BREAKS = {"behaviour": (1,), "realism": (20,), "awareness": (32, 44), "knowledge": (80,), "personas": (140,)}
"""Calls at which a run breaks off, by the instrument that makes them."""


@pytest.mark.parametrize(("name", "break_at"), [(name, place) for name, places in BREAKS.items() for place in places])
def test_an_interrupted_audit_leaves_a_partial_report_and_takes_up_from_there(whole, done, tmp_path, name, break_at):
    """Ctrl-C at any call: a report exists, nothing is asked twice afterwards, and the end is as without interruption."""
    whole["model"] = FakeModel(break_at=break_at)
    with pytest.raises(RunInterrupted, match="takes up from there"):
        audit("m", run=tmp_path / "run")
    partial = (tmp_path / "run" / "report.html").read_text()
    assert "The run was interrupted before it" in partial
    measured = [finding.instrument for finding in open_run(tmp_path / "run").findings]
    assert measured == list(INSTRUMENTS[: INSTRUMENTS.index(name)])
    whole["model"] = FakeModel()
    audit("m", run=tmp_path / "run")
    assert whole["model"].calls == done[1] - (break_at - 1)
    assert same(tmp_path / "run", done[0])


def test_an_error_in_the_middle_keeps_what_was_asked(model, tmp_path):
    """A crash loses no batch that was answered."""
    model["model"] = FakeModel(break_at=20, error=RuntimeError("the machine hiccuped"))
    with pytest.raises(RuntimeError, match="hiccuped"):
        audit("m", run=tmp_path / "run")
    assert len(list((tmp_path / "run" / "calls").glob("*.npz"))) == 19


def test_the_report_can_be_made_again_without_a_model(done, tmp_path):
    """The report is a pure function of what is stored."""
    shutil.copytree(done[0], tmp_path / "run")
    for name in ("report.html", "report.md", "report.json"):
        (tmp_path / "run" / name).unlink()
    report_on(tmp_path / "run")
    assert same(tmp_path / "run", done[0])


def write(path: Path, items) -> Path:
    rows = [
        {
            "id": item.id,
            "prompt": item.messages[0].content,
            "misbehaved": {"yes": True, "no": False}.get(item.misbehaved),
        }
        for item in items
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_your_own_evaluation_takes_the_place_of_the_bundled_one(model, tmp_path):
    """With files of one's own behaviour is not measured and says why; both can be had together."""
    own = write(tmp_path / "own.jsonl", transcripts(50, style="test", source="own", misbehaved=["no"] * 50))
    logs = write(tmp_path / "logs.jsonl", transcripts(50, style="plain", source="logs", seed=4))
    run = audit("m", evaluation=[own], deployment=logs, run=tmp_path / "run")
    assert run.finding("behaviour").status == "not measured"
    assert run.finding("realism").raw["n_evaluation"] == 50
    assert "brought your own evaluation" in (tmp_path / "run" / "report.md").read_text()
    both = audit("m", evaluation=["bundled", own], deployment=logs, run=tmp_path / "both")
    assert both.finding("realism").raw["n_evaluation"] > 100


def test_clashing_ids_and_names_of_files_are_kept_apart(model, tmp_path):
    """Two files with the same name and the same ids are two sources with distinct transcripts."""
    paths = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        items = transcripts(20, style="test", source="own", seed=len(paths))
        renamed = [replace(item, id=f"item-{index}") for index, item in enumerate(items)]
        paths.append(write(tmp_path / place / "own.jsonl", renamed))
    prepared = prepare("m", evaluation=paths, run=tmp_path / "run")
    ids = [item.id for source in prepared.study.evidence.evaluation for item in source.transcripts]
    assert len(set(ids)) == 40
    assert len({source.name for source in prepared.study.evidence.evaluation}) == 2


def test_mistakes_are_told_before_anything_runs(model, tmp_path):
    """Bad budgets, overrides of the bundled evaluation and the subject as its own judge are refused."""
    with pytest.raises(UserError, match="quick, standard or thorough"):
        prepare("m", budget="huge")
    with pytest.raises(UserError, match="--misbehaved"):
        prepare("m", misbehaved=2)
    with pytest.raises(UserError, match="another model than the subject"):
        run_audit(prepare("m", judge="m", run=tmp_path / "run"))
    assert model["model"].calls == 0


def test_too_small_an_evaluation_is_told_before_anything_runs(model, tmp_path):
    """One transcript of one's own is refused with the counts, before the subject is asked anything."""
    own = write(tmp_path / "own.jsonl", transcripts(1, style="test", source="own"))
    with pytest.raises(UserError, match=f"Found 1 and {EVERYDAY}"):
        audit("m", evaluation=[own], run=tmp_path / "run")
    assert model["model"].calls == 0


def test_answers_of_another_version_are_not_taken(model, done, tmp_path, monkeypatch):
    """In the same folder, another version of the packages that answer asks everything again."""
    from dokimasia.study import provenance

    shutil.copytree(done[0], tmp_path / "run")
    audit("m", run=tmp_path / "run")
    assert model["model"].calls == 0
    monkeypatch.setattr(provenance, "versions", lambda: {"torch": "another"})
    (tmp_path / "run" / "findings" / "realism.json").unlink()
    audit("m", run=tmp_path / "run")
    assert model["model"].calls > 0


def test_another_question_gets_another_folder(model):
    """Seed, budget and evidence are part of the plan, and so of the default folder's name."""
    folders = {prepare("m", **options).folder for options in ({}, {"seed": 1}, {"budget": "standard"}, {"judge": "j"})}
    assert len(folders) == 4
    assert prepare("m").folder == prepare("m").folder


def test_the_standard_budget_adds_its_control_and_layers(model, tmp_path):
    """Beyond quick, options are shown without their situation, and more layers are read."""
    quick, standard = prepare("m").study.costs(), prepare("m", budget="standard").study.costs()
    assert standard["behaviour"].calls > quick["behaviour"].calls
    run = audit("m", budget="standard", run=tmp_path / "run")
    assert any("options alone" in estimate.name for estimate in run.finding("behaviour").estimates)


SCRIPT = """
import os, signal, sys, threading, time
from pathlib import Path
from tests.fakes import FakeModel
from tests.study.small import small, steerable
from dokimasia.study import audit as audits
folder, tally, after, delay = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
class Counted(FakeModel):
    def _called(self):
        super()._called()
        with tally.open("a") as stream:
            stream.write(".")
        if self.calls == after:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        time.sleep(0.01)
audits.load_subject = lambda name, *_: steerable(Counted(), name="fake-m")
small(setattr)
audits.audit("m", run=folder)
"""


def test_killed_at_random_moments_nothing_is_lost_doubled_or_half_written(whole, done, tmp_path):
    """SIGKILL again and again, in every instrument that asks: every file that exists is whole, no more than the batch under
    way is asked again, and the run ends as one that was never killed.
    """
    rng = np.random.default_rng(0)
    root = Path(__file__).resolve().parents[2]
    tally, run, killed_in = tmp_path / "tally", tmp_path / "run", []
    for share in (0.04, 0.3, 0.5, 0.5):  # of the calls that are left; the last ones are left for the end
        calls = int(share * (done[1] - (len(tally.read_text()) if tally.exists() else 0)))
        arguments = [str(run), str(tally), str(calls), f"{rng.uniform(0, 0.03):.3f}"]
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root)},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL
        killed_in.append(INSTRUMENTS[len(list((run / "findings").glob("*.json")))])
        folder = RunFolder(run)
        for path in run.rglob("*.json"):
            json.loads(path.read_text())
        for path in (run / "calls").glob("*.npz"):
            assert folder.load_call(path.stem) is not None
    assert killed_in[0] == "behaviour"
    assert killed_in[-1] in ("knowledge", "personas")
    audit("m", run=run)
    assert same(run, done[0])
    assert done[1] <= len(tally.read_text()) + whole["model"].calls <= done[1] + len(killed_in)


@pytest.mark.parametrize(("architecture", "little"), [("llama", False), ("gpt2", True)])
def test_a_tiny_real_model_goes_all_the_way(tiny, tmp_path, architecture, little, monkeypatch):
    """A real transformer through every capability, of few items, to the report; one with all that the quick budget buys."""
    small(monkeypatch.setattr, budget=little)
    run = audit(tiny(architecture), run=tmp_path / "run")
    assert tuple(finding.instrument for finding in run.findings) == INSTRUMENTS
    assert {finding.status for finding in run.findings} == {"measured"}
    names = [item["name"] for item in run.finding("realism").raw["discriminators"]]
    assert names == ["format and length", "words", "asked outright", "activations"]
    awareness = run.finding("awareness")
    assert not awareness.not_measured
    assert len(awareness.raw["steering"]["random_shifts"]) == budgets.DIRECTIONS["quick"]
    assert not any(finding.raw.get("errored") for finding in run.findings)


def test_an_endpoint_gets_through_and_what_it_hides_is_named(whole, tmp_path, monkeypatch):
    """Text alone: what needs more says so, and a second run asks nothing."""
    writer = Writer()
    monkeypatch.setattr(audits, "load_subject", lambda *_: endpoint(writer))
    run = audit("m", run=tmp_path / "run")
    assert {item.instrument for item in run.findings if item.status == "not measured"} == {"anomalies", "personas"}
    lacking = {name: {item.what: item.why for item in run.finding(name).not_measured} for name in INSTRUMENTS}
    assert lacking["realism"]["How well the subject's activations tell the two apart"]
    assert lacking["awareness"] == {
        "Whether its inside tells tests on suites not seen": "The subject shows no activations.",
        "Whether it matters to what it does": "The subject shows no activations to steer.",
    }
    assert "activations" in run.finding("anomalies").headline
    assert run.finding("awareness").access == "text"
    calls = writer.calls
    audit("m", run=tmp_path / "run")
    assert writer.calls == calls


def test_requests_that_failed_are_made_again_by_every_instrument(whole, tmp_path, monkeypatch):
    """An endpoint that fails now and then: the same command asks what failed and nothing else, and ends as if none had."""
    good, bad = Writer(), Writer(failing=9)
    monkeypatch.setattr(audits, "load_subject", lambda *_: endpoint(good))
    audit("m", run=tmp_path / "good")
    monkeypatch.setattr(audits, "load_subject", lambda *_: endpoint(bad))
    run = audit("m", run=tmp_path / "run")
    assert all(run.finding(name).raw["errored"] for name in INSTRUMENTS[:3])
    failed, bad.calls, bad.failing = bad.calls // 9, 0, 0
    audit("m", run=tmp_path / "run")
    assert 0 < bad.calls <= failed
    assert same(tmp_path / "run", tmp_path / "good")


@pytest.mark.parametrize("most", [8, 40])
def test_a_cap_on_time_leaves_a_valid_partial_run_which_a_larger_one_completes(
    whole, done, tmp_path, monkeypatch, most
):
    """What was not asked counts at its worst, the report says why, and the rerun asks only for the rest."""
    complete = open_run(done[0])
    seen = Meter.reserve

    def stingy(self, seconds, usd):
        if whole["model"].calls >= most and seconds:
            self.refused = "The cap of 9 seconds was reached."
            raise CapReached(self.refused)
        seen(self, seconds, usd)

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "reserve", stingy)
        run = audit("m", run=tmp_path / "run", limits=Limits(max_time=900))
    assert run.stopped.startswith("The cap of 9 seconds was reached.")
    assert whole["model"].calls == most
    behaviour, realism, awareness = (run.finding(name) for name in INSTRUMENTS[:3])
    rates = [item.estimate(Quantity.EVALUATION_RATE) for item in (behaviour, complete.finding("behaviour"))]
    assert rates[0].high >= rates[1].high
    assert rates[0].n == rates[1].n
    reached = [bool(item.raw.get("errored")) for item in (behaviour, realism, awareness)]
    assert reached == ([True, True, True] if most == 8 else [False, False, True])
    if most == 8:
        assert any("activations" in item.what for item in realism.not_measured)
    assert any("cap of 9 seconds" in item.why for item in awareness.not_measured)
    assert "The cap of 9 seconds was reached" in (tmp_path / "run" / "report.html").read_text()
    audit("m", run=tmp_path / "run")
    assert whole["model"].calls == done[1]
    assert open_run(tmp_path / "run").stopped == ""
    assert same(tmp_path / "run", done[0])


def test_a_cap_on_money_needs_prices(tmp_path, model, monkeypatch):
    """A cap that could not be kept is refused before anything is asked."""
    service = Service(arrivals=model["model"], connections=2, seconds_per_call=1.0, prices=None)
    monkeypatch.setattr(
        audits,
        "load_subject",
        lambda *_: replace(fake_subject(model["model"]), logprobs=None, activations=None, service=service),
    )
    with pytest.raises(UserError, match="prices"):
        audit("m", run=tmp_path / "run", limits=Limits(max_cost=1.0))
    assert model["model"].calls == 0


def test_time_that_runs_out_in_a_computation_ends_it(model, tmp_path, monkeypatch):
    """The deadline stops what asks nothing, too; the finding in progress is not measured, those before it stand."""

    def forever(*_, **__):
        while True:
            sum(range(1000))

    monkeypatch.setattr(audits.Realism, "measure", forever)
    found = evidence(misbehaved=["no"] * 60)
    run = audit(
        "m",
        evaluation=found.evaluation,
        deployment=found.deployment,
        run=tmp_path / "run",
        limits=Limits(max_time=1.5),
    )
    assert [finding.status for finding in run.findings] == ["not measured"]
    assert run.stopped.startswith("The cap on time was reached.")
    assert not list((tmp_path / "run").rglob("*.half"))
