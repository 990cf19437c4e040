"""Asking again: who learns is caught, who does not is left alone, and the ledger survives what can happen to a file."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.special import bdtrik
from tests.fakes import fake_subject
from tests.instruments.knowledge.knowing import Thinker, facts, subject

from dokimasia.core import DataError, EnvironmentFault, Subject, UserError
from dokimasia.sources.facts import Facts, Puzzle, Wording, made_up_facts
from dokimasia.study import looks as looks_file
from dokimasia.study.asking_again import ask_again

FACTS = Facts(facts=facts("fact", 10), controls=facts("control", 30))
FEW = Facts(facts=facts("fact", 2), controls=facts("control", 2))
NAMES = [fact.name for fact in FACTS.facts]


def look(ledger, number=1, *, knows=(), whim=0, those=FACTS, digest=None, broken=0.0, **options):
    model = Thinker(knows, whim=whim, broken=broken)
    asked = subject(model, digest=f"checkpoint {number}" if digest is None else digest)
    return ask_again(those, model=asked, ledger=ledger, **{"planned": 10} | options)


def test_a_subject_that_learns_half_way_is_caught(tmp_path):
    """The alarm is raised soon after it learned, and not before; it stays when the subject is asked no more."""
    for whim in range(4):
        ledger = tmp_path / f"{whim}.jsonl"
        found = [look(ledger, number, knows=NAMES if number > 5 else (), whim=whim) for number in range(1, 11)]
        assert not any(item.alarm for item in found[:5])
        assert found[-1].alarm
        assert 6 <= found[-1].alarmed_at <= 9
        assert found[-1].change.low > 0
        assert found[-1].headline.startswith("Alarm, raised at look")
        assert look(ledger, 11, whim=whim).alarm


@pytest.mark.parametrize("changes", [1, 4, 100])
def test_a_subject_that_never_learns_is_left_alone(tmp_path, changes):
    """Whether it changes its mind at every look, now and then or never, at most alpha of ledgers ever alarm."""
    runs, alarms = 25, 0
    those = Facts(facts=facts("fact", 5), controls=facts("control", 5))
    for run in range(runs):
        ledger = tmp_path / f"{run}.jsonl"
        for number in range(1, 9):
            found = look(ledger, number, whim=100 * run + number // changes, those=those, per_look=1, alpha=0.1)
        alarms += found.alarm
    assert alarms <= bdtrik(0.99, runs, 0.1)


def test_what_was_known_at_the_first_look_does_not_alarm(tmp_path):
    """It has not come to know it since; the first look says that facts are ahead."""
    first = look(tmp_path / "l", 1, knows=NAMES)
    assert "Facts are ahead of controls already" in first.headline
    assert not any(look(tmp_path / "l", number, knows=NAMES).alarm for number in range(2, 8))


def test_rounds_do_not_repeat_until_all_are_used_up(tmp_path):
    """Then another subject is put those again that were put longest ago; the same one is refused."""
    found = [look(tmp_path / "l", digest="same", those=FEW, per_look=5)]
    while found[-1].left:
        found.append(look(tmp_path / "l", digest="same", those=FEW, per_look=5))
    with pytest.raises(UserError, match="that this very subject was not put before.*Ask again when it has changed"):
        look(tmp_path / "l", digest="same", those=FEW, per_look=5)
    rounds = [name for item in found for name in item.rounds]
    assert len(rounds) == len(set(rounds)) > 10
    assert all(item.fresh for item in found)
    again = look(tmp_path / "l", digest="other", those=FEW, per_look=5)
    assert again.rounds == found[0].rounds
    assert not again.fresh
    labelled = look(tmp_path / "l", digest="same", those=FEW, per_look=5, checkpoint="step 2")
    assert labelled.rounds == found[1].rounds


def test_the_alarm_is_that_of_the_ledger_and_the_same_again(tmp_path):
    """Same subjects, same ledger, byte for byte; no clock, no machine in it."""
    for name in ("a", "b"):
        for number in range(1, 4):
            look(tmp_path / name, number, whim=number)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    header, *entries = map(json.loads, (tmp_path / "a").read_text().splitlines())
    assert (header["alpha"], header["facts"], len(entries)) == (0.05, FACTS.digest, 3)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"alpha": 0.01}, "alpha"),
        ({"those": FEW}, "facts"),
        ({"seed": 3}, "seed"),
        ({"planned": 11}, "planned"),
    ],
)
def test_a_ledger_of_something_else_is_refused(tmp_path, changed, what):
    """With what it was begun with, what was found, and what to do; it stays as it was."""
    look(tmp_path / "l")
    before = (tmp_path / "l").read_bytes()
    with pytest.raises(UserError, match=f"about the same {what}.*begin another ledger"):
        look(tmp_path / "l", 2, **changed)
    assert (tmp_path / "l").read_bytes() == before


@pytest.mark.parametrize("content", [b"notes of mine", b"notes\nof mine\n", b'{"a": 1}\n', b"[]\n"])
def test_a_file_that_is_no_ledger_is_left_as_it_is(tmp_path, content):
    """Somebody else's file is neither repaired nor appended to."""
    (tmp_path / "l").write_bytes(content)
    with pytest.raises(UserError, match="expected to be a ledger"):
        look(tmp_path / "l")
    assert (tmp_path / "l").read_bytes() == content


def test_a_torn_last_line_is_repaired_and_said(tmp_path):
    """At whatever byte the writer was killed, the whole lines stand and the look can be made again."""
    look(tmp_path / "l", 1, those=FEW)
    one = (tmp_path / "l").read_bytes()
    look(tmp_path / "l", 2, those=FEW)
    two = (tmp_path / "l").read_bytes()
    header = one.index(b"\n") + 1
    for end in (1, header // 2, header - 1, header, header + 1, len(one) - 1, len(one) + 1, len(two) - 1):
        torn = tmp_path / f"torn-{end}"
        torn.write_bytes(two[:end])
        whole = two[:end].count(b"\n")
        found = look(torn, max(1, whole), those=FEW)
        assert bool(found.repaired) == (end not in (header, len(one)))
        if whole < 2:
            assert torn.read_bytes() == one
        else:
            assert torn.read_bytes() == two


def test_a_damaged_line_within_is_refused(tmp_path):
    """A line that is whole and no look was not torn: somebody wrote to the ledger."""
    look(tmp_path / "l", 1)
    with (tmp_path / "l").open("a") as file:
        file.write("{}\n")
    with pytest.raises(UserError, match="Line 3 is none"):
        look(tmp_path / "l", 2)


def test_a_second_writer_is_refused(tmp_path):
    """While one asks, another one is told so at once, and the first one's look counts."""
    ledger = tmp_path / "l"
    refused = []

    class Nosy(Thinker):
        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            if not refused:
                with pytest.raises(UserError, match="Another process is asking") as caught:
                    look(ledger, 2)
                refused.append(caught.value)
            return super().choice_logprobs(conversations, choices)

    ask_again(FACTS, model=subject(Nosy()), ledger=ledger, planned=10)
    assert refused
    assert look(ledger, 2).look == 2


def test_a_full_disk_loses_no_look_before_it_and_says_what_was_found(tmp_path, monkeypatch):
    """The ledger is as it was, and an alarm that could not be written is told all the same."""
    for number in range(1, 3):
        look(tmp_path / "l", number)
    before = (tmp_path / "l").read_bytes()

    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(looks_file.os, "fsync", full)
        with pytest.raises(EnvironmentFault, match=r"is full.*are kept.*What it found: Alarm, raised now"):
            look(tmp_path / "l", 3, knows=NAMES)
    assert (tmp_path / "l").read_bytes() == before
    assert look(tmp_path / "l", 3, knows=NAMES).alarm


def test_a_full_disk_is_found_before_anything_is_asked(tmp_path, monkeypatch):
    """The first line is written first."""
    model = Thinker()
    monkeypatch.setattr(looks_file.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(EnvironmentFault):
        ask_again(FACTS, model=subject(model), ledger=tmp_path / "l")
    assert model.calls == 0
    assert (tmp_path / "l").read_bytes() == b""


def ask_for_ever(ledger):
    for number in range(1, 10_000):
        look(ledger, number, those=FEW)


def test_a_killed_writer_leaves_a_ledger_that_goes_on(tmp_path):
    """Killed at any moment, and again, the next look follows on the last whole one."""
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.study.test_asking_again import ask_for_ever\n"
        "ask_for_ever(Path(sys.argv[1]))\n"
    )
    ledger, rng = tmp_path / "l", random.Random(1)
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", program, str(ledger)], cwd=Path(__file__).parents[2])
        before = ledger.stat().st_size if ledger.exists() else 0
        while (not ledger.exists() or ledger.stat().st_size < before + 2000) and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        whole = ledger.read_bytes().count(b"\n") - 1
        assert whole > 1
        assert look(ledger, "another", those=FEW).look == whole + 1


def test_what_is_missing_counts_against_an_alarm(tmp_path):
    """A reply that cannot be read lessens the evidence and is counted; a look without any reply is none."""
    for name in ("whole", "broken"):
        look(tmp_path / name, 1, whim=3)
    whole, broken = look(tmp_path / "whole", 2, knows=NAMES), look(tmp_path / "broken", 2, knows=NAMES, broken=0.3)
    assert broken.log_e < whole.log_e
    assert broken.missing > 0
    assert broken.facts.perhaps > broken.facts.solved
    before = (tmp_path / "whole").read_bytes()
    with pytest.raises(EnvironmentFault, match="No reply about facts could be read"):
        look(tmp_path / "whole", 3, broken=1.0)
    assert (tmp_path / "whole").read_bytes() == before


def test_given_puzzles_are_put_where_controls_have_them_too(tmp_path):
    """A given puzzle without a counterpart says nothing."""

    def gated(those):
        return tuple(replace(item, puzzles=(Puzzle(ask=f"{item.name}v0?", answer="no idea"),)) for item in those)

    both = Facts(facts=gated(FEW.facts), controls=gated(FEW.controls))
    one = Facts(facts=gated(FEW.facts), controls=FEW.controls)
    for name, those, there in (("both", both, True), ("one", one, False)):
        found = look(tmp_path / name, those=those, per_look=99)
        assert ("given 1" in found.rounds) == there
        assert found.left == 0


def test_bad_input_is_refused(tmp_path):
    """Nothing to compare with, impossible numbers, a subject that cannot be asked, a place that cannot be written to."""
    plain = replace(FEW.facts[0], wordings=(Wording(true="It rains.", false=()),))
    with pytest.raises(DataError, match="A kind of puzzle"):
        look(tmp_path / "l", those=Facts(facts=(plain,), controls=FEW.controls))
    with pytest.raises(DataError, match="own|both"):
        look(tmp_path / "l", those=Facts(facts=FEW.facts, controls=FEW.facts))
    for wrong in ({"alpha": 0.0}, {"alpha": 1.0}, {"per_look": 0}, {"planned": 0}):
        with pytest.raises(DataError, match="strictly between"):
            look(tmp_path / "l", **wrong)
    with pytest.raises(UserError, match="can be asked"):
        ask_again(FEW, model=Subject(identity=subject(Thinker()).identity), ledger=tmp_path / "m")
    with pytest.raises(UserError, match="can be written to"):
        look(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can be written to"):
        look(tmp_path / "file" / "l")


def test_without_controls_the_made_up_facts_serve(tmp_path):
    """A file of facts alone is compared with facts that nobody can know."""
    found = ask_again(Facts(facts=FACTS.facts[:2]), model=fake_subject(), ledger=tmp_path / "l", per_look=1)
    assert found.controls.n == len(made_up_facts())


def test_a_ledger_that_can_never_alarm_says_so(tmp_path):
    """With too few facts and controls, or none left that was not known at the first look, silence is no answer."""
    few = Facts(facts=facts("fact", 1), controls=facts("control", 8))
    for number in (1, 2, 3):
        found = look(tmp_path / "few", number, those=few, knows=["fact0"] if number > 1 else (), whim=4)
        assert "No alarm is possible, whatever it learns" in found.headline
        assert found.most < 3
    assert "possible" in look(tmp_path / "known", knows=NAMES).headline
    assert "possible" not in look(tmp_path / "enough").headline


def test_puzzles_of_made_up_controls_are_no_match_for_given_ones(tmp_path):
    """A given puzzle that needs no knowledge would lift the facts alone."""
    easy = Puzzle(ask="How many is two and two?", answer="4", wrong=("5", "6", "7"))
    those = Facts(facts=tuple(replace(fact, puzzles=(easy,)) for fact in FACTS.facts))
    found = ask_again(those, model=fake_subject(), ledger=tmp_path / "l", per_look=100)
    assert not any("given" in name for name in found.rounds)
