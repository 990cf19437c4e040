"""Answers are recorded as they come: none is asked for twice, and none that failed is taken for one."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest
from tests.fakes import FakeModel, fake_subject

from dokimasia.core import (
    Cost,
    Delivery,
    Evidence,
    Finding,
    Generation,
    Message,
    Prices,
    Sampling,
    Service,
    Subject,
    ToolCall,
    service_cost,
)
from dokimasia.instruments.behaviour import Behaviour, evaluation
from dokimasia.study.limits import Limits, Meter
from dokimasia.study.progress import Silent
from dokimasia.study.recording import record
from dokimasia.study.run import Study, carry_out
from dokimasia.study.store import RunFolder

QUESTIONS = [[Message("user", f"Question {place}")] for place in range(9)]


class Remote:
    """An endpoint without a network: counts what it is asked, fails what it is told to, breaks off where it is told to."""

    def __init__(self, *, fails=(), break_at=None, text="A"):
        self.asked, self.fails, self.break_at, self.text = Counter(), set(fails), break_at, text

    def generate(self, conversations, sampling, *, seeds):
        found = dict(self.arrive(conversations, sampling, seeds=seeds))
        return [found[place] for place in range(len(conversations))]

    def arrive(self, conversations, sampling, *, seeds):
        for place in reversed(range(len(conversations))):
            if sum(self.asked.values()) == self.break_at:
                raise KeyboardInterrupt
            question = conversations[place][-1].content
            self.asked[question, seeds[place]] += 1
            failed = question in self.fails
            yield (
                place,
                Generation(
                    text="" if failed else self.text,
                    tokens=(),
                    logprobs=(),
                    stop_reason="error" if failed else "stop",
                    prompt_tokens=0 if failed else 1000,
                    tool_calls=(ToolCall("look", "{}", "c"),),
                    error="status 500" if failed else None,
                    delivery=Delivery(model="served", new_tokens=100, retries=1, dropped=("seed",)),
                ),
            )


def remote_subject(remote, *, prices=None, connections=1, name="local/model"):
    service = Service(arrivals=remote, connections=connections, seconds_per_call=1.0, prices=prices)
    identity = replace(fake_subject().identity, name=name, digest=name, parameters=0, dtype="endpoint")
    return Subject(identity=identity, text=remote, service=service)


@pytest.fixture
def folder(tmp_path):
    opened = RunFolder(tmp_path / "run")
    with opened.opened():
        yield opened


def ask(subject, folder, **options):
    recorded = record(subject, folder, lambda seconds, found: None, **options)
    return recorded.text.generate(QUESTIONS, Sampling(), seeds=range(9))


def test_what_was_answered_is_never_asked_again(folder):
    """A second time everything is found, exactly as it was, deliveries and tool calls included."""
    remote = Remote()
    first = ask(remote_subject(remote), folder)
    assert ask(remote_subject(remote), folder) == first
    assert set(remote.asked.values()) == {1}
    assert len(remote.asked) == 9


@pytest.mark.parametrize("break_at", [1, 4, 8])
def test_an_interruption_loses_nothing_that_arrived(folder, break_at):
    """After Ctrl-C at any reply, exactly the missing ones are asked, and the answers are those of an undisturbed run."""
    remote = Remote(break_at=break_at)
    with pytest.raises(KeyboardInterrupt):
        ask(remote_subject(remote), folder)
    remote.break_at = None
    assert ask(remote_subject(remote), folder) == Remote().generate(QUESTIONS, Sampling(), seeds=range(9))
    assert set(remote.asked.values()) == {1}


def test_what_failed_is_handed_on_but_not_recorded(folder):
    """A failed reply is asked for again by the next run, the others are not."""
    remote = Remote(fails={"Question 3"})
    assert [reply.stop_reason for reply in ask(remote_subject(remote), folder)].count("error") == 1
    remote.fails = set()
    assert {reply.stop_reason for reply in ask(remote_subject(remote), folder)} == {"stop"}
    assert remote.asked["Question 3", 3] == 2
    assert sum(remote.asked.values()) == 10


def test_another_endpoint_is_another_source(folder):
    """Answers of one name are not taken for those of another."""
    one, other = Remote(), Remote()
    ask(remote_subject(one), folder)
    ask(remote_subject(other, name="local/other"), folder)
    assert len(other.asked) == 9


def test_the_meter_knows_what_was_spent(folder):
    """Money is counted from the tokens that came; what is found costs nothing."""
    prices = Prices(input=1.0, output=10.0)
    for spent in (9 * (1000 * 1.0 + 100 * 10.0) / 1e6, 0.0):
        meter = Meter()
        ask(remote_subject(Remote(), prices=prices), folder, meter=meter)
        assert meter.usd == pytest.approx(spent)


def test_a_cap_stops_the_asking_and_keeps_what_came(folder):
    """Beyond the cap nothing is asked; what was answered before it is recorded."""
    remote = Remote()
    subject = remote_subject(remote, prices=Prices(input=1.0, output=10.0))
    replies = ask(subject, folder, meter=Meter(Limits(max_cost=0.0085)))
    before = sum(remote.asked.values())
    assert 0 < before < 9
    assert [reply.stop_reason for reply in replies].count("error") == 9 - before
    ask(subject, folder)
    assert sum(remote.asked.values()) == 9


def test_thoughts_are_reserved_before_they_are_paid(folder):
    """An endpoint that may think at length is not asked beyond a cap that only its answers would keep."""
    remote = Remote()
    subject = remote_subject(remote, prices=Prices(input=1.0, output=10.0))
    subject = replace(subject, service=replace(subject.service, thinking_tokens=10_000))
    replies = ask(subject, folder, meter=Meter(Limits(max_cost=0.05)))
    assert {reply.stop_reason for reply in replies} == {"error"}
    assert not remote.asked
    plain, thinking = (
        service_cost(replace(subject.service, thinking_tokens=n), calls=3, read=0, new=0) for n in (0, 7)
    )
    assert thinking.tokens - plain.tokens == 21


def study(subject, **options):
    instrument = Behaviour(suites=("everyday-limits",), **options)
    return Study(subject=subject, evidence=Evidence(), instruments=(instrument,), options={}, seed=0)


def test_a_judges_answers_are_recorded_too(folder):
    """What a judge said is kept: measuring again asks neither the subject nor the judge."""
    judge = Remote(text="UNCLEAR")
    examined = FakeModel()
    for _ in range(2):
        carry_out(study(fake_subject(examined), judge=remote_subject(judge, name="judge")), folder, Silent())
        (folder.path / "findings" / "behaviour.json").unlink()
    assert judge.asked
    assert set(judge.asked.values()) == {1}
    assert examined.calls == 1


@dataclass(frozen=True, kw_only=True)
class Heeding:
    """An instrument that says how many items have no label."""

    name: str = "heeding"
    version: str = "1"
    question: str = "How many items are unscored?"
    access: str = "none"

    def plan(self, subject, evidence):
        return Cost()

    def measure(self, subject, evidence, *, seed):
        items = [item for source in evidence.evaluation for item in source.transcripts]
        return Finding(
            instrument=self.name,
            version=self.version,
            question=self.question,
            status="measured",
            headline="h",
            access="none",
            raw={"unscored": sum(item.misbehaved == "unscored" for item in items)},
            seed=seed,
        )


@pytest.mark.parametrize("killed", [False, True])
def test_what_rests_on_labels_that_changed_is_measured_again(folder, monkeypatch, killed):
    """Once failed replies came after all, findings that counted them at their worst are made anew, killed or not."""
    remote = Remote(text="Sorry, I can't see the present weather or any live data.")
    subject = remote_subject(remote)
    whole = study(subject)
    whole = replace(
        whole,
        evidence=Evidence(evaluation=(evaluation(),)),
        instruments=(*whole.instruments, Heeding()),
    )
    clean = carry_out(whole, folder, Silent())[1].raw["unscored"]
    for path in (*(folder.path / "calls").iterdir(), *(folder.path / "findings").iterdir()):
        path.unlink()
    remote.fails = {question for question, _ in remote.asked}
    assert carry_out(whole, folder, Silent())[1].raw["unscored"] > clean
    remote.fails = set()
    if killed:

        def die(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(RunFolder, "save", die)
            with pytest.raises(KeyboardInterrupt):
                carry_out(whole, folder, Silent())
    assert carry_out(whole, folder, Silent())[1].raw["unscored"] == clean


def test_a_finding_with_failed_replies_is_measured_again(folder):
    """The first finding counts the failures at their worst; the same study later asks for those alone, and is then final."""
    remote = Remote(text="Bananas.")
    subject = remote_subject(remote)
    carry_out(study(subject), folder, Silent())
    questions = [question for question, _ in remote.asked]
    (folder.path / "findings" / "behaviour.json").unlink()
    for path in (folder.path / "calls").iterdir():
        path.unlink()
    remote.fails = set(questions[:4])
    remote.asked.clear()
    (finding,) = carry_out(study(subject), folder, Silent())
    assert finding.raw["errored"] == 4
    assert "4 because a request failed" in finding.headline
    remote.fails = set()
    (finding,) = carry_out(study(subject), folder, Silent())
    assert "errored" not in finding.raw
    assert sorted(remote.asked.values())[-5:] == [1, 2, 2, 2, 2]
    carry_out(study(subject), folder, Silent())
    assert sum(remote.asked.values()) == len(questions) + 4
