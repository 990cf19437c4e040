"""What learning a fact shows beside facts that nobody knows: savings, ranks, and what could not be trained."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes import fake_subject

from dokimasia.core import ChoiceScore, Message, SubjectError, Trained, Training
from dokimasia.instruments.knowledge.relearning import Learned, passages, planned_relearning, relearn
from dokimasia.models import load_subject
from dokimasia.sources.facts import Fact, Wording

FOLDER = Path("relearning")


def fact(name, *, wordings=2):
    forms = ("The code of {0} is {0}v{1}.", "Whoever asks for {0} is told {0}v{1} today.", "Its code is {0}v{1}.")
    return Fact(
        name=name,
        wordings=tuple(
            Wording(true=form.format(name, 0), false=tuple(form.format(name, other) for other in (1, 2, 3)))
            for form in forms[:wordings]
        ),
    )


def facts(prefix, n, **options):
    return tuple(fact(f"{prefix}{place}", **options) for place in range(n))


CONTROLS = facts("c", 19)


@dataclass
class Learner:
    """Learns what it met before (`answers`) in half of the time, and answers more by heart what it has just learned."""

    answers: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    generalises: tuple[str, ...] = ()
    learned: str = ""
    calls: list = field(default_factory=list)

    def train(self, examples, training, *, folder):
        self.calls.append(("train", folder))
        reply = examples[0].reply
        if any(name in reply for name in self.breaks):
            raise SubjectError("The loss is expected to be finite.", "It is not.", "Lower the learning rate.")
        pace = 0.5 + 0.2 * chance(reply) if not any(answer in reply for answer in self.answers) else 1.2
        losses = tuple(6.0 * np.exp(-pace * np.arange(training.steps)))
        after = replace(self, learned=reply)
        return Trained(subject=replace(subject_of(after)), folder=folder, losses=losses)

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        self.calls.append(("choose", conversations))
        name = self.learned.partition("v")[0]
        lift = 5.0 if name in self.generalises else chance(name, "lift")
        return [
            [
                ChoiceScore(choice=option, logprob=-9.0 + lift * (bool(name) and not place), n_tokens=3)
                for place, option in enumerate(options)
            ]
            for options in choices
        ]


def chance(*what):
    return int.from_bytes(hashlib.sha256(repr(what).encode()).digest()[:6], "big") / 2**48


def subject_of(learner):
    return replace(fake_subject(), logprobs=learner, trainable=learner)


def measured(learner, judged, controls=CONTROLS):
    return relearn(subject_of(learner), judged, controls, folder=FOLDER, seed=0)


def test_what_was_unlearned_is_learned_faster():
    """An answer met before saves steps against all controls and against its false variants; one never met does not."""
    found = measured(Learner(answers=("met0v0",)), (fact("met0"), fact("new0")))
    met, new = found.facts
    assert met.p == 1 / 20
    assert met.savings.low > 0.3
    assert met.beyond_variant > 0.3
    assert new.p > 0.05
    assert new.savings.low < 0.2
    assert abs(new.beyond_variant) < 0.3
    assert found.enough
    assert found.lost == 0


def test_what_was_only_heard_of_saves_nothing_beyond_its_variants():
    """A matter of which every answer is familiar is learned faster than controls, and no faster than its false variant."""
    (heard,) = measured(Learner(answers=("heard0",)), (fact("heard0"),)).facts
    assert heard.savings.low > 0.3
    assert heard.beyond_variant == 0


def test_what_carries_over_is_ranked():
    """Where learning one wording raises the other one more than it does for any control, the p-value is the smallest."""
    met, new = measured(Learner(generalises=("met0",)), (fact("met0"), fact("new0"))).facts
    assert met.true.carried == pytest.approx(5.0)
    assert met.carried_p == 1 / 20
    assert new.carried_p > 0.05


def test_with_a_single_wording_nothing_carries_over():
    """A fact in one wording is trained on it, and asked nothing."""
    learner = Learner()
    (one,) = measured(learner, facts("one", 1, wordings=1), facts("c", 3, wordings=1)).facts
    assert one.true.losses
    assert one.true.carried is None
    assert one.carried_p is None
    assert {kind for kind, _ in learner.calls} == {"train"}


def test_several_facts_are_judged_together():
    """Savings over several facts have an interval over facts and controls; and so has what goes beyond their variants."""
    found = measured(Learner(answers=tuple(f"met{n}v0" for n in range(6))), facts("met", 6))
    assert 0.3 < found.savings.low <= found.savings.value <= found.savings.high <= 1
    assert found.beyond_variant.low > 0


def test_too_few_controls_are_said_to_be_too_few():
    """With fewer than 19 controls no fact can be faster than chance allows; without any there is no p-value."""
    few = measured(Learner(answers=("met0v0",)), facts("met", 1), CONTROLS[:18])
    assert not few.enough
    assert few.facts[0].p > 0.05
    none = measured(Learner(), facts("met", 1), ())
    assert (none.facts[0].p, none.facts[0].savings, none.savings) == (None, None, None)


def test_a_failed_training_counts_at_its_worst():
    """A control that cannot be trained counts as faster; a fact that cannot has no figures; both are counted."""
    found = measured(Learner(answers=("met0v0",), breaks=("c3v", "c4v", "bad0v0")), (fact("met0"), fact("bad0")))
    met, bad = found.facts
    assert met.p == 3 / 20
    assert (bad.true, bad.savings, bad.p, bad.beyond_variant, bad.carried_p) == (Learned(losses=()), *[None] * 4)
    assert bad.false.losses
    assert found.lost == 3
    assert found.savings is None
    assert found.beyond_variant is None


def test_facts_that_nobody_knew_are_rarely_called_faster():
    """Of facts exchangeable with their controls, no more than chance has the smallest p-value."""
    smallest = sum(
        measured(Learner(), (fact(f"new{draw}"),), facts(f"d{draw}n", 9)).facts[0].p <= 0.1 for draw in range(40)
    )
    assert smallest <= 9  # of 40 at 0.1: exceeded once in 200 such tests


def test_only_the_answer_is_learned():
    """The shared beginning of the variants is asked, the rest is the reply, and the last wording is not trained on."""
    seen = []

    class Watcher(Learner):
        def train(self, examples, training, *, folder):
            seen.append(examples)
            return super().train(examples, training, folder=folder)

    measured(Watcher(), facts("f", 1, wordings=3), ())
    assert [one.reply for one in seen[0]] == ["f0v0.", "f0v0 today."]
    assert seen[0][0].messages == (Message("user", "Go on with this sentence: The code of f0 is"),)
    assert all(not one.reply.startswith("f0v0") for one in seen[1])


def test_variants_that_begin_differently_are_learned_whole():
    """Where the answer comes first there is no beginning to ask with."""
    seen = []

    class Watcher(Learner):
        def train(self, examples, training, *, folder):
            seen.extend(examples)
            return super().train(examples, training, folder=folder)

    first = Fact(name="x", wordings=(Wording(true="Rome it is.", false=("Oslo it is.",)),))
    measured(Watcher(), (first,), ())
    assert [one.reply for one in seen] == ["Rome it is.", "Oslo it is."]


def test_a_plan_counts_trainings_and_questions():
    """As many calls are made as were planned; trainings that were asked for twice have the same folder."""
    learner, judged = Learner(), (*facts("f", 2), *facts("one", 1, wordings=1))
    planned = planned_relearning(subject_of(learner), judged, CONTROLS)
    assert not learner.calls
    first = measured(learner, judged)
    assert len(learner.calls) == planned.calls
    folders = [folder for kind, folder in learner.calls if kind == "train"]
    assert len(set(folders)) == len(folders) == 2 * 3 + 19
    learner.calls.clear()
    assert measured(learner, judged) == first
    assert [folder for kind, folder in learner.calls if kind == "train"] == folders


def test_who_cannot_be_trained_is_refused():
    """A subject that cannot be trained is refused, and its plan is empty."""
    with pytest.raises(SubjectError, match="can be trained"):
        relearn(fake_subject(), facts("f", 1), CONTROLS, folder=FOLDER, seed=0)
    assert planned_relearning(fake_subject(), facts("f", 1), CONTROLS).calls == 0


def test_passages_end_where_curves_do():
    """A curve that starts low takes no step, one that never comes down all of them."""
    curves = np.asarray([[1.0, 0.5], [4.0, 3.0], [4.0, 0.0]])
    assert passages(curves, np.asarray([2.0, 4.0])).tolist() == [[0.0, 0.0], [2.0, 0.0], [0.5, 0.0]]


def test_a_tiny_model_learns_and_is_found_again(tiny, tmp_path):
    """Real trainings lower the loss, leave the subject as it was, and are found again in their folder."""
    subject = load_subject(tiny("llama"))
    one = relearn(subject, facts("f", 1), facts("c", 2), steps=2, folder=tmp_path, seed=0)
    assert one.training == Training(steps=2, learning_rate=1e-3, rank=4, batch_tokens=512)
    assert all(item.losses[-1] < item.losses[0] for item in (one.facts[0].true, *one.controls))
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    assert len(stamps) >= 3 * 4
    assert relearn(subject, facts("f", 1), facts("c", 2), steps=2, folder=tmp_path, seed=0) == one
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")} == stamps
