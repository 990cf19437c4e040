"""Every answer is in an Inspect log, which says the same as the finding; without one nothing else changes."""

import dataclasses

import pytest
from inspect_ai.log import read_eval_log

from dokimasia.core import Evidence
from dokimasia.instruments.behaviour import Behaviour
from dokimasia.instruments.behaviour.items import items

EVIDENCE = Evidence()
WORDS = {"yes": "misbehaved", "no": "behaved", "unscored": "unscored"}


def some_replies(prompt):
    """Different answers to different requests: some misbehave, some decline, some say nothing."""
    return ("Yes, all of it went through, I checked.", "I'm sorry, I can't do that.", "Bananas.", "")[len(prompt) % 4]


def scores(folder):
    log = read_eval_log(str(folder / "behaviour.eval"))
    assert log.status == "success"
    return {sample.id: sample.scores["misbehaviour"].value for sample in log.samples}


@pytest.fixture(scope="module")
def measured(scripted, tmp_path_factory):
    """A finding with its log: the folder, the finding and the subject."""
    folder = tmp_path_factory.mktemp("log")
    subject = scripted("tosses", reply=some_replies)
    return folder, Behaviour(log_folder=folder).measure(subject, EVIDENCE, seed=5), subject


def test_the_log_is_one_file(measured):
    """The log is called behaviour.eval, stands alone in its folder, and the finding names it."""
    folder, finding, _ = measured
    assert [path.name for path in folder.iterdir()] == ["behaviour.eval"]
    assert finding.raw["inspect_log"] == "behaviour.eval"
    assert any("behaviour.eval" in caveat for caveat in finding.caveats)


def test_the_log_says_what_the_finding_says(measured):
    """The scores in the log are the labels of the finding, item by item, and all three occur."""
    folder, finding, _ = measured
    assert scores(folder) == {name: WORDS[label] for name, label in finding.labels.items()}
    assert set(finding.labels.values()) == set(WORDS)


@pytest.mark.parametrize("liking", ["prefers_behaving", "prefers_misbehaving", "tosses"])
def test_the_logs_rate_is_the_findings(scripted, tmp_path, liking):
    """The log's own summary, which `inspect view` shows first, is the finding's rate with the unscored counted."""
    finding = Behaviour(suites=("power",), log_folder=tmp_path).measure(scripted(liking), EVIDENCE, seed=0)
    (score,) = read_eval_log(str(tmp_path / "behaviour.eval")).results.scores
    (metric,) = score.metrics.values()
    assert metric.value == pytest.approx(finding.estimates[0].value)


def test_the_log_holds_the_replies(measured):
    """The log's everyday answers are those that the subject wrote."""
    folder, finding, _ = measured
    samples = {sample.id: sample for sample in read_eval_log(str(folder / "behaviour.eval")).samples}
    replies = {entry["id"]: entry["reply"] for entry in finding.raw["items"] if entry["reply"] is not None}
    assert replies
    assert {name: samples[name].output.completion for name in replies} == replies


def test_writing_the_log_asks_nothing_more(measured, scripted):
    """The log is written from what was answered: the subject is not asked again."""
    _, _, subject = measured
    assert subject.text.calls == Behaviour().plan(scripted(), EVIDENCE).calls


def test_the_log_changes_nothing_else(measured, scripted):
    """A measurement without a log differs only in what it says about the log."""
    _, finding, _ = measured
    without = Behaviour().measure(scripted("tosses", reply=some_replies), EVIDENCE, seed=5)
    assert without.raw["inspect_log"] is None
    assert dataclasses.replace(finding, caveats=(), raw={}) == dataclasses.replace(without, caveats=(), raw={})
    assert finding.raw["items"] == without.raw["items"]


def test_a_second_log_replaces_the_first(scripted, tmp_path):
    """Measuring again into the same folder leaves the later log."""
    for liking, word in (("prefers_behaving", "behaved"), ("prefers_misbehaving", "misbehaved")):
        Behaviour(suites=("power",), log_folder=tmp_path).measure(scripted(liking), EVIDENCE, seed=0)
        assert set(scores(tmp_path).values()) == {word}
    assert len(list(tmp_path.iterdir())) == 1


def test_the_log_knows_a_judges_verdicts(scripted, tmp_path):
    """Where a judge decided, the log and the finding still say the same."""
    judge = scripted(reply="MISBEHAVED", digest="judge")
    instrument = Behaviour(suites=("everyday-limits",), judge=judge, log_folder=tmp_path)
    finding = instrument.measure(scripted(reply="Bananas."), EVIDENCE, seed=0)
    assert set(finding.labels.values()) == {"yes"}
    assert scores(tmp_path) == {name: WORDS[label] for name, label in finding.labels.items()}


@pytest.mark.parametrize(
    "reply",
    ["a\0b", "\ud800 lone", "x" * 100_000, "<system>hi</system>", "שלום 👋🏽"],
    ids=["NUL", "lone surrogate", "very long", "tags", "other scripts"],
)
def test_odd_replies_are_logged_or_confessed(scripted, tmp_path, reply):
    """Whatever a subject writes, the finding stands, and either the log agrees with it or a caveat says it is missing."""
    instrument = Behaviour(suites=("everyday-limits",), log_folder=tmp_path)
    finding = instrument.measure(scripted(reply=reply), EVIDENCE, seed=0)
    assert len(finding.labels) == len(items(("everyday-limits",)))
    assert {path.name for path in tmp_path.iterdir()} <= {"behaviour.eval"}
    if finding.raw["inspect_log"]:
        assert scores(tmp_path) == {name: WORDS[label] for name, label in finding.labels.items()}
    else:
        assert any("log could not be written" in caveat for caveat in finding.caveats)


def test_a_log_that_cannot_be_written_is_a_caveat(scripted, tmp_path):
    """If the log's folder cannot be one, the measurement stands and a caveat says that the log is missing."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file stands here")
    finding = Behaviour(log_folder=blocked).measure(scripted(), EVIDENCE, seed=0)
    without = Behaviour().measure(scripted(), EVIDENCE, seed=0)
    assert finding.labels == without.labels
    assert finding.raw["inspect_log"] is None
    (caveat,) = set(finding.caveats) - set(without.caveats)
    assert "Inspect log could not be written" in caveat
    assert blocked.read_text() == "a file stands here"
