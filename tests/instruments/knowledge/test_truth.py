"""The truth probe: what it tells, what it reads on facts, and what it makes of what it cannot read."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import FakeModel, fake_subject

from dokimasia.core import DataError, PooledActivations, SubjectError
from dokimasia.instruments.knowledge.choices import REQUEST
from dokimasia.instruments.knowledge.truth import planned_truth, truth, unrelated
from dokimasia.sources.facts import Fact, Wording

WIDTH = 12


def sign(name, variant):
    """A word that tells nothing."""
    return hashlib.sha256(f"{name} {variant}".encode()).hexdigest()[:6]


def fact(name, topic=""):
    forms = ("The sign of {} is {}.", "Whoever looks at {} sees {}.")
    return Fact(
        name=name,
        topic=topic,
        wordings=tuple(
            Wording(
                true=form.format(name, sign(name, 0)), false=tuple(form.format(name, sign(name, n)) for n in (1, 2))
            )
            for form in forms
        ),
    )


def facts(n, prefix, *, topics=0):
    return tuple(fact(f"{prefix}{index}", f"{prefix} topic {index % topics}" if topics else "") for index in range(n))


KNOWN = facts(24, "k", topics=8)
CONTROLS = facts(29, "c")


class Inside(FakeModel):
    """Shows noise, with a shift where a sentence of a fact that it knows is true."""

    def __init__(self, *knows, shift=6.0, unread=()):
        super().__init__()
        self.true = {one.true for fact in knows for one in fact.wordings}
        self.unread = {one.true for fact in unread for one in fact.wordings}
        self.shift = shift

    def activations(self, conversations, *, layers, pools, max_tokens):
        self._called()
        assert all(len(messages) == 2 and messages[0].content == REQUEST for messages in conversations)
        rows = np.stack([self._row(messages[1].content, len(layers), len(pools)) for messages in conversations])
        return PooledActivations(values=rows, layers=tuple(layers), pools=tuple(pools), truncated=0)

    def _row(self, sentence, layers, pools):
        seed = int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8], "big")
        values = np.random.default_rng(seed).normal(size=(layers, pools, WIDTH)).astype(np.float32)
        values[-1, :, 3] += self.shift * (sentence in self.true)
        return np.full_like(values, np.nan) if sentence in self.unread else values


def measured(model, judged, *, controls=CONTROLS, known=KNOWN):
    return truth(fake_subject(model), judged, controls, known, every_layer=4, permute=False, seed=0)


def test_what_it_takes_for_true_stands_out():
    """A fact that it takes for true reads above all controls; one that it does not know lies among them."""
    mine, other = fact("mine"), fact("other")
    found = measured(Inside(*KNOWN, mine), (mine, other))
    assert found.tells
    assert found.auroc.value > 0.95
    assert found.words.value < 0.7
    assert found.facts[0].p == 1 / 30
    assert found.facts[0].value > max(item.value for item in found.controls)
    assert found.facts[1].p > 0.05
    assert found.probe.site.layer == 3


def test_who_does_not_tell_true_from_false_gives_no_evidence():
    """Where the probe does not tell on topics held out it says so, whatever it reads on the facts."""
    assert not measured(Inside(), facts(2, "j")).tells


def test_several_facts_read_truer_than_controls_together():
    """How often facts read truer than controls has an interval; what was not read widens it both ways."""
    judged = facts(12, "j")
    clear = measured(Inside(*KNOWN, *judged), judged).above
    assert clear.low > 0.85
    dim = measured(Inside(*KNOWN, *judged, unread=judged[:6]), judged)
    assert dim.above.low < 0.5 < clear.low
    assert dim.above.value == pytest.approx(clear.value, abs=0.05)


def test_an_unread_fact_has_no_value():
    """A fact with a sentence that could not be read gets no value and no p-value, and the others keep theirs."""
    mine, other = fact("mine"), fact("other")
    whole = measured(Inside(*KNOWN, other), (mine, other))
    part = measured(Inside(*KNOWN, other, unread=[mine]), (mine, other))
    assert (part.facts[0].value, part.facts[0].p) == (None, None)
    assert part.facts[1] == whole.facts[1]


def test_an_unread_control_counts_against_a_fact():
    """A control that could not be read counts as one that reads truer."""
    mine = fact("mine")
    found = measured(Inside(*KNOWN, mine, unread=CONTROLS[:3]), (mine,))
    assert found.facts[0].p == 4 / 30


def test_known_facts_that_were_not_read_are_errors():
    """Known sentences that could not be read lower the AUROC; the probe is fitted on the rest."""
    clear = measured(Inside(*KNOWN), ())
    dim = measured(Inside(*KNOWN, unread=KNOWN[:4]), ())
    assert dim.report.families[0].held_out.broken == 16
    assert dim.auroc.value < 0.95 < clear.auroc.value


def test_words_that_give_the_truth_away_are_seen():
    """If true sentences can be told by a word, the control beside the probe tells them, too."""
    known = tuple(
        replace(
            one,
            wordings=tuple(replace(wording, true=f"{wording.true} Yes indeed.") for wording in one.wordings),
        )
        for one in KNOWN
    )
    assert measured(Inside(), (), known=known).words.value == 1


def test_a_fact_is_read_alike_whatever_else_is_asked():
    """Readings of a fact do not depend on the other facts, nor on their order; and the same seed gives the same."""
    mine, other = fact("mine"), fact("other")
    one = measured(Inside(*KNOWN, mine), (mine,))
    two = measured(Inside(*KNOWN, mine), (other, mine))
    assert one.facts[0] == two.facts[1]
    assert one.controls == two.controls


def test_without_controls_there_is_a_value_and_no_p():
    """Without facts that nobody knows there is nothing to hold a reading against."""
    mine = fact("mine")
    found = measured(Inside(*KNOWN, mine), (mine,), controls=())
    assert found.facts[0].value > 0
    assert found.facts[0].p is None
    assert found.above is None


def test_known_facts_near_the_judged_ones_are_left_out():
    """The probe is not fitted on the facts judged, nor on their topic."""
    mine = fact("mine", "k topic 2")
    apart = unrelated(KNOWN, (mine, replace(KNOWN[0], name="k0 again", topic="")))
    assert {one.topic for one in KNOWN} - {one.topic for one in apart} == {"k topic 2"}
    assert KNOWN[0] not in apart
    found = measured(Inside(*KNOWN), (mine,))
    assert (found.known, found.unrelated) == (24, 21)


def test_a_plan_counts_the_calls():
    """As many calls are made as were planned, one a fact."""
    model, judged = FakeModel(), facts(2, "j")
    planned = planned_truth(fake_subject(model), judged, CONTROLS, KNOWN, seed=0)
    assert model.calls == 0
    truth(fake_subject(model), judged, CONTROLS, KNOWN, permute=False, seed=0)
    assert model.calls == planned.calls == 24 + 29 + 2
    assert planned.seconds > 0


def test_who_shows_no_activations_cannot_be_read():
    """A subject without activations is refused, and its plan is empty."""
    subject = replace(fake_subject(), activations=None)
    with pytest.raises(SubjectError, match="shows its activations"):
        truth(subject, (), CONTROLS, KNOWN, seed=0)
    assert planned_truth(subject, (), CONTROLS, KNOWN, seed=0).calls == 0


def test_too_few_known_facts_are_refused():
    """No known facts, or fewer topics than folds, are refused in plain words."""
    with pytest.raises(DataError, match="Found none"):
        measured(Inside(), (), known=())
    with pytest.raises(DataError, match="2 groups"):
        measured(Inside(), (), known=facts(8, "k", topics=2))


def test_a_fact_in_one_wording_stands_beside_controls_in_one():
    """Means over more wordings vary less, so that one wording would stand out by luck."""
    judged = tuple(replace(one, wordings=one.wordings[:1]) for one in facts(60, "single"))
    found = measured(Inside(*KNOWN), judged)
    for reading in found.facts:
        beside = [item.by_wording[0] for item in found.controls]
        assert reading.p == pytest.approx((1 + sum(item >= reading.value for item in beside)) / 30)
