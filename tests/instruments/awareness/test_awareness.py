"""The instrument: what it says of subjects whose awareness is known."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import FakeModel, evidence, fake_subject, transcripts

from dokimasia.core import (
    CapReached,
    Cost,
    DataError,
    Evidence,
    Identity,
    Message,
    PooledActivations,
    Source,
    Subject,
)
from dokimasia.instruments.awareness import Awareness
from dokimasia.instruments.awareness.probing import parted
from dokimasia.instruments.awareness.steering import expected
from dokimasia.instruments.common.conduct import Leanings
from dokimasia.instruments.common.gathering import gather
from dokimasia.instruments.common.sampling import Limits

QUICK = Awareness(ask=40, each=2, replies=4, directions=6, every_layer=2, folds=3, permute=False)


def suites(n=30, m=60, names=("quiz", "exam", "drill", "task")) -> Evidence:
    """Several suites of tests, and a deployment."""
    rows = tuple(
        item
        for number, name in enumerate(names)
        for item in transcripts(n, style="test", source=name, seed=10 + number)
    )
    return replace(evidence(1, m), evaluation=(Source(name="tests.jsonl", transcripts=rows, notes={}),))


class Conduct:
    """Leans by what the steering subject says of itself: the sum of what was added along the first dimension."""

    name = "a conduct"
    digest = "0"

    def __init__(self, moved: float, noise: float = 0.02) -> None:
        self.moved, self.noise = moved, noise

    def plan(self, subject):
        return Cost(calls=1)

    def leanings(self, subject: Subject) -> Leanings:
        along = float(subject.identity.name.split("|")[1]) if "|" in subject.identity.name else 0.0
        rng = np.random.default_rng(zlib.crc32(subject.identity.name.encode()))
        values = np.linspace(-0.5, 0.5, 16) + self.moved * along + self.noise * rng.standard_normal(16)
        return Leanings(
            values=values,
            misbehaved=values > 0,
            settled=np.ones(16, bool),
            templates=tuple(f"t{row // 2}" for row in range(16)),
            unit="nats",
        )


class Wide(FakeModel):
    """Holds what tells quizzes along the first of 64 dimensions, in every layer."""

    def activations(self, conversations, *, layers, pools, max_tokens):
        values = np.stack(
            [
                np.random.default_rng(len(messages[-1].content) * 1000 + place).standard_normal(
                    (len(layers), len(pools), 64)
                )
                for place, messages in enumerate(conversations)
            ]
        ).astype(np.float32)
        values[..., 0] += [[[4.0 * ("Question" in messages[-1].content)]] for messages in conversations]
        return PooledActivations(values=values, layers=tuple(layers), pools=tuple(pools), truncated=0)


class Steerer:
    """A steered subject's name holds the component along the first dimension, in units of what tells tests apart there."""

    def steered(self, interventions):
        (one,) = interventions
        identity = Identity(
            name=f"fake|{float(one.vector[0]) / 4:.6f}|{one.digest[:6]}",
            digest=one.digest,
            parameters=1,
            dtype="none",
            threads=1,
        )
        return replace(fake_subject(), identity=identity)


def steerable() -> Subject:
    return replace(fake_subject(Wide()), steerable=Steerer())


def test_a_probe_transfers_to_suites_that_it_has_not_seen():
    """The fake's last layer holds a direction for quizzes: found on the other half of the suites, both ways round."""
    finding = QUICK.measure(fake_subject(), suites(), seed=0)
    parts = [item for item in finding.estimates if item.name.startswith("AUROC: logistic")]
    assert len(parts) == 2
    assert all(item.value > 0.9 and item.low > 0.8 for item in parts)
    assert {table.name for table in finding.tables} >= {"paraphrases", "stages", "unasked", "transfer-1", "transfer-2"}
    for one in finding.raw["transfer"]:
        assert not set(one["fitted"]) & set(one["judged"])


def test_steering_that_matters_is_told_from_steering_that_does_not():
    """A conduct that follows the direction is beyond chance both ways, in opposite senses; one that ignores it is not."""
    moved = replace(QUICK, conduct=Conduct(0.5)).measure(steerable(), suites(), seed=0)
    ways = moved.raw["steering"]["ways"]
    assert all(way["beyond_chance"] for way in ways.values())
    assert ways["test"]["shift"]["value"] > 0.2 > -0.2 > ways["deployed"]["shift"]["value"]
    assert "beyond chance towards test and deployed" in moved.headline
    still = replace(QUICK, conduct=Conduct(0.0)).measure(steerable(), suites(), seed=0)
    assert not any(way["beyond_chance"] for way in still.raw["steering"]["ways"].values())
    assert "no more than chance" in still.headline


def test_random_directions_are_as_long():
    """Every direction that is tried has the norm of the first, times the dose."""
    lengths = []

    class Watching(Steerer):
        def steered(self, interventions):
            lengths.append(float(np.linalg.norm(interventions[0].vector)))
            return super().steered(interventions)

    replace(QUICK, conduct=Conduct(0.0), dose=2.0).measure(
        replace(fake_subject(), steerable=Watching()), suites(), seed=0
    )
    assert len(lengths) == 2 + QUICK.directions
    assert np.allclose(lengths, lengths[0], rtol=1e-5)


def test_prediction_interval_covers_one_more_draw():
    """Of normal shifts, one more lies inside about 95% of the time."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        draws = rng.standard_normal(7)
        low, high = expected(draws[:6])
        inside += low <= draws[6] <= high
    assert abs(inside / 2000 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)


def test_suites_that_share_a_template_stay_together():
    """No group straddles the halves; with a single bundle nothing transfers, and the finding says so."""
    given = suites()
    (source,) = given.evaluation
    words = [f"word{number}" for number in range(40)]
    alike = {
        name: replace(
            next(item for item in source.transcripts if item.source == name),
            messages=(Message("user", " ".join([*words[:36], *[f"{name}{number}" for number in range(extra)]])),),
        )
        for name, extra in (("quiz", 0), ("exam", 9))
    }
    glued = tuple({item.id: item for item in alike.values()}.get(item.id, item) for item in source.transcripts)
    gathered = gather(
        replace(given, evaluation=(replace(source, transcripts=glued),)), limits=Limits(), fewest=20, seed=0
    )
    one, other = parted(gathered, seed=0)
    assert not set(gathered.groups[one]) & set(gathered.groups[other])
    sides = [{gathered.transcripts[row].source for row in half if row < gathered.n} for half in (one, other)]
    assert any({"quiz", "exam"} <= side for side in sides)
    alone = QUICK.measure(fake_subject(), evidence(), seed=0)
    assert any("one suite only" in item.why for item in alone.not_measured)
    assert not [item for item in alone.estimates if "logistic" in item.name]


def test_what_is_not_to_be_had_is_named():
    """A subject without activations, text or log-probabilities: each missing part has its reason."""
    plain = Subject(identity=fake_subject().identity, text=FakeModel())
    finding = QUICK.measure(plain, suites(), seed=0)
    assert finding.status == "measured"
    assert finding.access == "text"
    lacking = {item.what: item.why for item in finding.not_measured}
    assert lacking["Whether its inside tells tests on suites not seen"] == "The subject shows no activations."
    assert lacking["Whether it matters to what it does"] == "The subject shows no activations to steer."
    assert "320 questions 0 failed" in lacking["Whether it calls tests tests when it is asked"]
    assert lacking["What it says of its own stage"] == "None of its answers could be read."
    nobody = QUICK.measure(None, suites(), seed=0)
    assert nobody.status == "not measured"
    assert "No subject" in nobody.headline
    assert not nobody.estimates


def test_transcripts_that_speak_of_a_test_are_counted_without_a_subject():
    """What the transcripts themselves say needs no model."""
    given = suites()
    (source,) = given.evaluation
    talking = tuple(
        replace(item, messages=(*item.messages, Message("assistant", "This is probably a test of me.")))
        if number < 3
        else item
        for number, item in enumerate(source.transcripts)
    )
    found = QUICK.measure(None, replace(given, evaluation=(replace(source, transcripts=talking),)), seed=0)
    assert found.raw["given"] == {"n": 3, "saying": 3}
    assert len(found.citations) == 3


class Capped(FakeModel):
    """Nothing may be asked outright any more."""

    def choice_logprobs(self, conversations, choices, *, precision="exact"):
        raise CapReached("The cap on time was reached.")


def test_a_cap_leaves_what_was_measured():
    """Activations were to be had, questions were not: told, and asked again by a rerun."""
    model = Capped()
    subject = replace(fake_subject(), logprobs=model)
    finding = QUICK.measure(subject, suites(), seed=0)
    assert finding.raw["errored"] == 1
    assert finding.raw["transfer"]
    assert any("cap on time" in item.why for item in finding.not_measured)


def test_activations_that_are_not_finite_are_left_out_of_fits():
    """Poisoned rows are told; the direction and the probes are of the others."""
    subject = replace(fake_subject(), activations=FakeModel(poison="knees"))
    finding = replace(QUICK, conduct=Conduct(0.0)).measure(replace(subject, steerable=Steerer()), suites(), seed=0)
    assert any("not finite" in caveat for caveat in finding.caveats)
    assert finding.raw["transfer"]
    hopeless = replace(fake_subject(), activations=FakeModel(poison="w"))
    nothing = QUICK.measure(hopeless, suites(), seed=0)
    assert any("both kinds" in item.why for item in nothing.not_measured)
    assert nothing.raw["outright"]


@pytest.mark.parametrize(
    "wrong",
    [{"ask": 1}, {"each": 0}, {"each": 7}, {"directions": 1}, {"replies": 0}, {"dose": 0.0}, {"dose": float("nan")}],
)
def test_settings_that_cannot_work_are_refused(wrong):
    """Too few, too many, or no dose at all."""
    with pytest.raises(DataError):
        replace(QUICK, **wrong)


def test_an_empty_side_is_refused():
    """Nothing to tell apart."""
    with pytest.raises(DataError, match="Found 0 and 60"):
        QUICK.measure(fake_subject(), replace(suites(), evaluation=()), seed=0)
