"""What is missing, broken or odd: counted at its worst, named, and never read as fine."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import FakeModel, evidence, fake_subject, transcripts
from tests.instruments.awareness.results import GATHERED, result, told

from dokimasia.core import (
    ChoiceScore,
    DataError,
    Evidence,
    Message,
    PooledActivations,
    Source,
    Subject,
    SubjectError,
    ToolCall,
    Transcript,
)
from dokimasia.instruments.awareness import Awareness
from dokimasia.instruments.awareness.instrument import _sample
from dokimasia.instruments.awareness.probing import _dealt, direction, parted
from dokimasia.instruments.awareness.result import AskedSample
from dokimasia.instruments.awareness.stages import STAGE_QUESTIONS, TOLD, Answered, answer_stages, belief_in_test
from dokimasia.instruments.awareness.verbalised import in_transcripts
from dokimasia.instruments.common.asking import QUESTIONS, asked, put, shortened
from dokimasia.instruments.common.gathering import gather
from dokimasia.instruments.common.sampling import Limits

QUIZZES = transcripts(6, style="test", source="quiz", seed=1)


def liking(tests: float, deployed: float) -> np.ndarray:
    """What it says, with some noise."""
    noise = np.random.default_rng(0).standard_normal((40, len(QUESTIONS), 2))
    return noise + np.where(np.arange(40) < 20, tests, deployed)[:, None, None]


def test_answers_that_are_all_alike_tell_nothing():
    """A subject that says the same to everything is at 0.5 exactly: rounding errors make no order."""
    found = asked(fake_subject(), GATHERED.transcripts, each=2)
    whole = replace(result(np.zeros((40, 6, 2))), asked=AskedSample(rows=np.arange(40), asked=found), each=2)
    assert whole.outright.value == 0.5
    assert {item.auc.value for item in whole.paraphrases if item.auc is not None} == {0.5}


def test_missing_answers_count_each_way():
    """They move neither the value nor only one end: who refuses on tests is neither cleared nor accused."""
    values = liking(3.0, -3.0)
    whole = result(values).outright
    values[:10] = np.nan
    part = result(values)
    assert part.outright.value == pytest.approx(whole.value, abs=0.01)
    assert part.outright.low < 0.6 < whole.low
    assert part.outright.high >= part.outright.value
    assert all(item.put == 40 and item.n == 30 for item in part.paraphrases)
    assert all(item.auc.low < 0.7 for item in part.paraphrases)
    assert "40, 30 read" in [row[1] for row in told(part).table("paraphrases").rows]


def test_answers_on_one_side_only_are_no_auroc():
    """Nothing can be compared, so nothing is told."""
    values = liking(3.0, -3.0)
    values[:20] = np.nan
    assert result(values).outright is None
    assert "Asked outright" not in told(result(values)).headline


def test_votes_that_agree_have_an_interval():
    """Forty times the same vote is no proof that the next is the same."""
    votes = np.stack([np.ones((40, 6)), np.ones((40, 6))], axis=2)
    (first, *_) = result(votes, unit="votes").paraphrases
    assert first.test.value == 1
    assert first.test.low < 0.95
    assert first.bias.low < 0 < first.bias.high


def test_log_probabilities_that_are_no_numbers_are_unread():
    """NaN and infinities are counted as unread, not as answers, and there is no belief of them."""

    class Overflowing(FakeModel):
        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            return [
                [ChoiceScore(choice=words[0], logprob=-math.inf, n_tokens=1)]
                + [ChoiceScore(choice=word, logprob=math.nan if place else -1.0, n_tokens=1) for place, word in rest]
                for words in choices
                for rest in [list(enumerate(words[1:]))]
            ]

    subject = fake_subject(Overflowing())
    found = asked(subject, QUIZZES, each=2)
    assert np.isnan(found.scores).all()
    assert found.unread == 6 * 2 * 2
    assert all(item.shares is None for item in answer_stages(subject, seed=0))
    assert belief_in_test(subject) is None


def test_a_template_that_refuses_some_conversations_leaves_the_others():
    """They are counted; if it refuses all, its own words are passed on."""

    class Strict(FakeModel):
        def choice_logprobs(self, conversations, choices, *, precision="exact"):
            if any(message.role == "tool" for messages in conversations for message in messages):
                raise SubjectError("User and assistant alternate.", "A tool spoke.", "Name another template.")
            return super().choice_logprobs(conversations, choices, precision=precision)

    tools = Transcript(id="t", source="quiz", messages=(Message("user", "a"), Message("tool", "b")))
    found = asked(fake_subject(Strict()), [*QUIZZES, tools], each=1)
    assert (found.refused, found.unread) == (1, 2)
    assert np.isnan(found.scores).tolist() == [False] * 6 + [True]
    with pytest.raises(SubjectError, match="alternate"):
        asked(fake_subject(Strict()), [tools], each=1)


def test_what_is_left_of_a_long_conversation_begins_with_a_question():
    """No answer without what it answers, and tool calls do not escape the limit."""
    chat = (Message("user", "u" * 5000), Message("assistant", "a" * 3700), Message("user", "now?"))
    assert [message.role for message in shortened(chat)] == ["user"]
    calls = (Message("user", "do"), Message("assistant", "", (ToolCall("run", "x" * 9000),)), Message("tool", "done"))
    assert sum(len(message.text) for message in shortened(calls)) < 4100
    assert put((Message("system", "s"),), "Well?") == (Message("system", "s"), Message("user", "Well?"))


def answered(shares, *, topic="stage", stage=None, votes=False) -> tuple[Answered, ...]:
    """Answers to the paraphrases of a topic, in their order; None where one could not be read."""
    items = [item for item in STAGE_QUESTIONS if item.topic == topic]
    return tuple(
        Answered(question=item, told=stage, shares=given, first=0.0 if given else None, votes=votes)
        for item, given in zip(items, shares, strict=True)
    )


def test_paraphrases_that_could_not_be_read_widen_the_interval():
    """One of four unread: the share could be anything there."""
    sure = (0.05, 0.9, 0.05)
    whole, part = (
        result(stages=answered(given)).meaning("stage", "under test").share
        for given in ([sure] * 4, [sure, sure, sure, None])
    )
    assert part.value == pytest.approx(whole.value)
    assert part.low < 0.1 < whole.low
    unanimous = result(stages=answered([(0.0, 1.0, 0.0)] * 4, votes=True)).meaning("stage", "under test").share
    assert unanimous.low < 0.5


def test_repeating_what_it_is_told_needs_a_likeliest_answer():
    """Ties repeat nothing; what is unread counts each way; the four questions are what varies."""
    even = (1 / 3, 1 / 3, 1 / 3)
    assert result(stages=answered([even] * 4, stage=0)).repeats.k == 0
    obeys = sum((answered([tuple(float(place == stage) for place in range(3))] * 4, stage=stage) for stage in TOLD), ())
    always = result(stages=obeys).repeats
    assert (always.k, always.n, always.lost) == (12, 12, 0)
    assert always.share.low < 0.5
    half = result(stages=(*obeys[:8], *answered([None] * 4, stage=2))).repeats
    assert (half.k, half.n, half.lost) == (8, 8, 4)
    assert half.share.low < always.share.low


def test_who_cannot_be_asked_says_little():
    """Known answers missed or unread are told beside what it says of itself."""
    stages = (*answered([(0.0, 1.0, 0.0)] * 4), *answered([(0.0, 1.0, 0.0)] * 4, stage=1))
    right = answered([(0.9, 0.1)] * 4, topic="control")
    missed = answered([(0.9, 0.1), (0.9, 0.1), (0.2, 0.8), None], topic="control")
    assert "right in 4 of 4" in told(result(stages=(*stages, *right))).headline
    assert "says little" not in told(result(stages=(*stages, *right))).headline
    assert "right in 2 of 4 such questions with a known answer, so this says little" in (
        told(result(stages=(*stages, *missed))).headline
    )


def test_groups_count_as_one_in_what_is_heard():
    """Twenty copies of a template that say so are one observation."""
    rows = [
        Transcript(
            id=str(n), source="s", messages=(Message("user", "a"), Message("assistant", "This is a test of me."))
        )
        for n in range(20)
    ]
    assert in_transcripts(rows).interval.low > 0.8
    assert in_transcripts(rows, [0] * 20).interval.low < 0.1


def test_unequal_suites_are_dealt_evenly():
    """The largest first, so that small suites do not end up alone."""
    for seed in range(10):
        side = _dealt([100, 2, 2, 90], np.random.default_rng(seed))
        assert side[0] != side[3]
        assert side[1] != side[2] or side[1] == side[3]


def test_deployment_goes_with_the_suite_whose_group_it_shares():
    """What stands in both is fitted and judged on one side only."""
    given = evidence(1, 12)
    rows = tuple(
        item
        for name in ("one", "two")
        for item in transcripts(12, style="test", source=name, seed=len(name) + ord(name[0]))
    )
    copied = tuple(replace(item, id=f"copy {item.id}", source="deployment") for item in rows[::3])
    both = Evidence(
        evaluation=(Source(name="t", transcripts=rows, notes={}),),
        deployment=replace(given.deployment, transcripts=(*given.deployment.transcripts, *copied)),
    )
    gathered = gather(both, limits=Limits(), fewest=20, seed=0)
    one, other = parted(gathered, seed=0)
    assert not set(gathered.groups[one]) & set(gathered.groups[other])


def test_a_sample_does_not_depend_on_the_order_of_the_files():
    """The same transcripts in another order: the same rows are asked."""
    given = evidence(30, 30)
    turned = replace(
        given,
        evaluation=tuple(replace(source, transcripts=source.transcripts[::-1]) for source in given.evaluation),
        deployment=replace(given.deployment, transcripts=given.deployment.transcripts[::-1]),
    )
    digests = []
    for one in (given, turned):
        gathered = gather(one, limits=Limits(), fewest=20, seed=0)
        digests.append([gathered.transcripts[row].digest for row in _sample(gathered, 7, [0, 2])])
    assert digests[0] == digests[1]
    assert len(digests[0]) == 14


SMALL = Awareness(ask=4, each=1, replies=2, directions=2, folds=3, permute=False)


def test_a_subject_that_only_shows_activations_is_looked_into():
    """It cannot be asked, which is said, and its inside is read all the same."""
    model = FakeModel()
    silent = Subject(identity=fake_subject().identity, activations=model)
    finding = SMALL.measure(silent, evidence(8, 8), seed=0)
    assert finding.access == "activations"
    assert "writes no text" in finding.not_measured[0].why
    assert model.calls == SMALL.plan(silent, evidence(8, 8)).calls == 1


def test_a_plan_counts_what_is_captured():
    """Every transcript up to the number from which samples are drawn; then so many a side."""
    small = replace(SMALL, limits=Limits(exact=300, look=70))
    silent = Subject(identity=fake_subject().identity, activations=FakeModel())
    assert small.plan(silent, evidence(150, 100)).calls == 4
    assert small.plan(silent, evidence(250, 100)).calls == 3


def test_a_plan_leaves_out_what_is_shared():
    """Questions and captures are another instrument's cost; what only this one asks is counted."""
    mute = replace(fake_subject(), activations=None, text=None)
    shared, alone = replace(SMALL, shared=True), SMALL
    assert alone.plan(mute, evidence(30, 30)).calls > shared.plan(mute, evidence(30, 30)).calls > 0
    assert shared.plan(mute, evidence(30, 30)) == shared.plan(mute, evidence(5, 5))


def test_a_transcript_without_anything_to_answer_is_refused():
    """The assistant's messages alone are no input."""
    given = evidence(4, 4)
    mute = Transcript(id="mute", source="quiz", messages=(Message("assistant", "hello"),))
    (source,) = given.evaluation
    with pytest.raises(DataError, match="mute"):
        SMALL.measure(
            None, replace(given, evaluation=(replace(source, transcripts=(*source.transcripts, mute)),)), seed=0
        )


@pytest.mark.parametrize("wrong", [{"every_layer": 0}, {"folds": 2}])
def test_steps_and_folds_that_cannot_work_are_refused(wrong):
    """At construction, not as a traceback in the middle."""
    with pytest.raises(DataError, match="expected at least"):
        replace(SMALL, **wrong)


def test_a_subject_that_refuses_leaves_the_other_parts():
    """An error of the subject is the reason why that part is not measured."""

    class Refusing(FakeModel):
        def activations(self, conversations, *, layers, pools, max_tokens):
            raise SubjectError("Roles alternate.", "They do not.", "Name another template.")

    finding = SMALL.measure(replace(fake_subject(), activations=Refusing()), evidence(8, 8), seed=0)
    assert any("Roles alternate." in item.why for item in finding.not_measured)
    assert finding.raw["outright"]


def test_activations_that_are_all_equal_make_no_direction():
    """The difference of the means is zero, and that is noticed before anything is steered by nothing."""
    values = np.ones((40, 1, 2, 3), np.float32)
    found = direction(PooledActivations(values=values, layers=(0,), pools=("last", "mean"), truncated=0), GATHERED, ())
    assert not found.vector.any()
