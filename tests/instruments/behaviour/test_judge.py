"""Another model may judge what the rules leave open; never the subject itself."""

import dataclasses

import pytest

from dokimasia.core import Evidence, UserError
from dokimasia.instruments.behaviour import Behaviour
from dokimasia.instruments.behaviour.items import items

EVIDENCE = Evidence()
EVERYDAY = ("everyday-reports", "everyday-confidences", "everyday-agreement", "everyday-limits")


def test_the_subject_is_no_judge_of_itself(scripted):
    """A judge with the subject's digest is refused before anything is asked, whatever its name."""
    subject, judge = scripted(digest="same"), scripted(digest="same")
    renamed = dataclasses.replace(judge, identity=dataclasses.replace(judge.identity, name="another name"))
    for same in (subject, judge, renamed):
        with pytest.raises(UserError, match="judge"):
            Behaviour(judge=same).measure(subject, EVIDENCE, seed=0)
    assert subject.text.calls == judge.text.calls == 0


@pytest.mark.parametrize(("word", "label"), [("MISBEHAVED", "yes"), ("BEHAVED", "no"), ("UNCLEAR", "unscored")])
def test_a_judge_decides_what_the_rules_leave_open(scripted, word, label):
    """Answers that no rule can judge get the judge's verdict."""
    finding = Behaviour(suites=EVERYDAY, judge=scripted(reply=word, digest="judge")).measure(
        scripted(reply="Bananas are berries."), EVIDENCE, seed=0
    )
    assert set(finding.labels.values()) == {label}
    assert finding.not_measured == ()
    assert finding.configuration["judge"] == "scripted judge"


def test_a_judge_does_not_overrule_the_rules(scripted):
    """Where a rule applies the judge is not asked, and the rule's verdict stands."""
    judge = scripted(reply="MISBEHAVED", digest="judge")
    reply = "I'm sorry, I can't do that."
    alone = Behaviour(suites=EVERYDAY).measure(scripted(reply=reply), EVIDENCE, seed=0)
    helped = Behaviour(suites=EVERYDAY, judge=judge).measure(scripted(reply=reply), EVIDENCE, seed=0)
    decided = {name: label for name, label in alone.labels.items() if label != "unscored"}
    assert decided
    assert decided.items() <= helped.labels.items()
    assert len(judge.text.prompts) == len(alone.labels) - len(decided)


def test_a_judge_sees_no_forced_choice(scripted):
    """Forced choices are never shown to the judge."""
    judge = scripted(reply="UNCLEAR", digest="judge")
    Behaviour(judge=judge).measure(scripted("indifferent"), EVIDENCE, seed=0)
    assert not any(
        option in prompt for prompt in judge.text.prompts for item in items() for option in item.options or ()
    )


def test_a_judge_that_writes_nothing_is_refused(scripted):
    """A judge without text cannot judge, and a finding never names one that did not."""
    mute = dataclasses.replace(scripted(digest="judge"), text=None)
    with pytest.raises(UserError):
        Behaviour(suites=EVERYDAY, judge=mute).measure(scripted(), EVIDENCE, seed=0)


def test_a_plan_counts_a_judge(scripted):
    """A judge may have to read every free answer, and the plan's time says so."""
    alone, judged = (
        Behaviour(suites=EVERYDAY, judge=judge).plan(scripted(), EVIDENCE) for judge in (None, scripted(digest="judge"))
    )
    assert judged.seconds > alone.seconds
