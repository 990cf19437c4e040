"""Audits of fake and tiny subjects: resuming, interruption, reproducibility."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import FakeModel, evidence, fake_subject, transcripts

from dokimasia.core import CapReached, Quantity, RunInterrupted, Service, UserError
from dokimasia.study import audit as audits
from dokimasia.study import budgets
from dokimasia.study.audit import audit, prepare, report_on, run_audit
from dokimasia.study.limits import Limits, Meter
from dokimasia.study.run import open_run
from dokimasia.study.store import RunFolder


@pytest.fixture
def whole(monkeypatch):
    """Let every model name mean one fake model, which counts calls and can break; every instrument, on little."""
    holder = {"model": FakeModel()}
    monkeypatch.setattr(audits, "load_subject", lambda name, *_: fake_subject(holder["model"], name=f"fake-{name}"))
    monkeypatch.setattr(budgets, "with_embedder", lambda instrument: instrument)  # its weights are another's business
    for name, value in (("ASKED", 8), ("REPLIES", 4), ("DIRECTIONS", 2)):
        monkeypatch.setattr(budgets, name, dict.fromkeys(budgets.LAYER_STEP, value))
    return holder


@pytest.fixture
def model(whole, monkeypatch):
    """The same with the first two instruments only."""
    every = audits._instruments

    def two(*args, **options):
        return tuple(item for item in every(*args, **options) if item.name in ("behaviour", "realism"))

    monkeypatch.setattr(audits, "_instruments", two)
    return whole


def test_every_instrument_is_in_the_audit(whole, tmp_path):
    """At every budget, and each says what it measured; their figures are in the report."""
    run = audit("m", run=tmp_path / "run")
    assert [finding.instrument for finding in run.findings] == ["behaviour", "realism", "awareness", "anomalies"]
    assert all(finding.status == "measured" for finding in run.findings)
    report = (tmp_path / "run" / "report.html").read_text()
    for name in ("awareness-telling", "awareness-situation", "awareness-layers"):
        assert f"{name}-" in report
    for budget in budgets.LAYER_STEP:
        names = prepare("m", budget=budget, run=tmp_path / budget).instruments
        assert names == ("behaviour", "realism", "awareness", "anomalies")


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


def test_a_second_run_asks_nothing_and_gives_the_same_bytes(model, tmp_path):
    """The same command finds everything measured; another folder gives the same findings and the same report."""
    audit("m", run=tmp_path / "one")
    calls = model["model"].calls
    first = (tmp_path / "one" / "report.html").read_bytes()
    audit("m", run=tmp_path / "one")
    assert model["model"].calls == calls
    audit("m", run=tmp_path / "two")
    for name in ("report.html", "report.md", "report.json", "findings/behaviour.json", "findings/realism.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert (tmp_path / "one" / "report.html").read_bytes() == first


@pytest.mark.parametrize("break_at", [1, 7, 24, 50, 54])
def test_an_interrupted_audit_leaves_a_partial_report_and_takes_up_from_there(model, tmp_path, break_at):
    """Ctrl-C at any call: a report exists, nothing is asked twice afterwards, and the end is as without interruption."""
    audit("m", run=tmp_path / "whole")
    total = model["model"].calls
    model["model"] = FakeModel(break_at=break_at)
    with pytest.raises(RunInterrupted, match="takes up from there"):
        audit("m", run=tmp_path / "run")
    partial = (tmp_path / "run" / "report.html").read_text()
    assert "The run was interrupted before it" in partial
    model["model"] = FakeModel()
    audit("m", run=tmp_path / "run")
    assert model["model"].calls == total - (break_at - 1)
    assert (tmp_path / "run" / "report.html").read_bytes() == (tmp_path / "whole" / "report.html").read_bytes()


def test_an_error_in_the_middle_keeps_what_was_asked(model, tmp_path):
    """A crash loses no batch that was answered."""
    model["model"] = FakeModel(break_at=30, error=RuntimeError("the machine hiccuped"))
    with pytest.raises(RuntimeError, match="hiccuped"):
        audit("m", run=tmp_path / "run")
    assert len(list((tmp_path / "run" / "calls").glob("*.npz"))) == 29


def test_the_report_can_be_made_again_without_a_model(model, tmp_path):
    """The report is a pure function of what is stored."""
    audit("m", run=tmp_path / "run")
    before = {name: (tmp_path / "run" / name).read_bytes() for name in ("report.html", "report.md", "report.json")}
    for name in before:
        (tmp_path / "run" / name).unlink()
    calls = model["model"].calls
    report_on(tmp_path / "run")
    assert model["model"].calls == calls
    assert {name: (tmp_path / "run" / name).read_bytes() for name in before} == before


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
    assert both.finding("realism").raw["n_evaluation"] > 250


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
    with pytest.raises(UserError, match="Found 1 and 270"):
        audit("m", evaluation=[own], run=tmp_path / "run")
    assert model["model"].calls == 0


def test_answers_of_another_version_are_not_taken(model, tmp_path, monkeypatch):
    """In the same folder, another version of the packages that answer asks everything again."""
    from dokimasia.study import provenance

    audit("m", run=tmp_path / "run")
    calls = model["model"].calls
    monkeypatch.setattr(provenance, "versions", lambda: {"torch": "another"})
    (tmp_path / "run" / "findings" / "realism.json").unlink()
    audit("m", run=tmp_path / "run")
    assert model["model"].calls > calls


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
import sys
from tests.fakes import FakeModel, fake_subject
import time
class Slow(FakeModel):
    def _called(self):
        super()._called()
        time.sleep(0.004)
from dokimasia.study import audit as audits
from dokimasia.study import budgets
audits.load_subject = lambda name: fake_subject(Slow(), name="fake-m")
audits.audit("m", run=sys.argv[1])
"""


def test_killed_at_random_moments_nothing_is_lost_doubled_or_half_written(model, tmp_path):
    """SIGKILL again and again: every file that exists is whole, and the run ends as one that was never killed."""
    audit("m", run=tmp_path / "whole")
    rng = np.random.default_rng(0)
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    killed = 0
    for attempt in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "run")], cwd=root, env=environment, stderr=subprocess.DEVNULL
        )
        time.sleep(float(rng.uniform(2.0, 5.5)))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        folder = RunFolder(tmp_path / "run")
        for path in (tmp_path / "run").rglob("*.json"):
            json.loads(path.read_text())
        for path in (tmp_path / "run" / "calls").glob("*.npz"):
            assert folder.load_call(path.stem) is not None
        if attempt > 3 and process.returncode == 0:
            break
    assert killed >= 1
    audit("m", run=tmp_path / "run")
    for name in ("report.html", "findings/behaviour.json", "findings/realism.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "run" / "calls").iterdir()) == sorted(
        path.name for path in (tmp_path / "whole" / "calls").iterdir()
    )


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_a_tiny_real_model_goes_all_the_way(tiny, tmp_path, architecture):
    """A real transformer of another architecture, through every capability, to the report."""
    run = audit(tiny(architecture), run=tmp_path / "run")
    assert {finding.status for finding in run.findings} == {"measured"}
    names = [item["name"] for item in run.finding("realism").raw["discriminators"]]
    assert names == ["format and length", "words", "asked outright", "activations"]


def test_a_cap_on_time_leaves_a_valid_partial_run_which_a_larger_one_completes(model, tmp_path, monkeypatch):
    """What was not asked counts at its worst, the report says why, and the rerun asks only for the rest."""
    whole = audit("m", run=tmp_path / "whole").finding("behaviour")
    total = model["model"].calls
    model["model"] = FakeModel()
    seen = Meter.reserve

    def stingy(self, seconds, usd):
        if model["model"].calls >= 20 and seconds:
            self.refused = "The cap of 9 seconds was reached."
            raise CapReached(self.refused)
        seen(self, seconds, usd)

    monkeypatch.setattr(Meter, "reserve", stingy)
    run = audit("m", run=tmp_path / "run", limits=Limits(max_time=900))
    behaviour, realism = run.finding("behaviour"), run.finding("realism")
    assert run.stopped.startswith("The cap of 9 seconds was reached.")
    assert model["model"].calls == 20
    rate = behaviour.estimate(Quantity.EVALUATION_RATE)
    assert rate.high >= whole.estimate(Quantity.EVALUATION_RATE).high
    assert rate.n == whole.estimate(Quantity.EVALUATION_RATE).n
    assert behaviour.raw["errored"] > 0
    assert any("activations" in item.what for item in realism.not_measured)
    assert "The cap of 9 seconds was reached" in (tmp_path / "run" / "report.html").read_text()
    monkeypatch.undo()
    monkeypatch.setattr(audits, "load_subject", lambda name, *_: fake_subject(model["model"], name=f"fake-{name}"))
    audit("m", run=tmp_path / "run")
    assert model["model"].calls == total
    assert open_run(tmp_path / "run").stopped == ""
    for name in ("report.html", "findings/behaviour.json", "findings/realism.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


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
