"""The contract that every instrument keeps."""

import dataclasses
import json

import pytest
from tests.fakes import FakeModel, evidence, fake_subject

from dokimasia.core import Evidence, Instrument
from dokimasia.instruments.anomalies import Anomalies
from dokimasia.instruments.awareness import Awareness
from dokimasia.instruments.behaviour import Behaviour
from dokimasia.instruments.knowledge import Knowledge
from dokimasia.instruments.personas import Personas
from dokimasia.instruments.realism import Realism
from dokimasia.study.store import FINDING

INSTRUMENTS = [Anomalies(), Awareness(), Behaviour(), Knowledge(), Personas(), Realism()]
each = pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda item: item.name)


@each
def test_it_is_documented_and_frozen(instrument: Instrument):
    """It states its question in one sentence and cannot be changed."""
    assert instrument.question.endswith("?")
    assert len(type(instrument).__doc__) > 100
    assert instrument.version
    with pytest.raises(dataclasses.FrozenInstanceError):
        instrument.name = "other"


@each
def test_planning_does_no_work(instrument: Instrument):
    """A plan costs nothing and says what measuring will ask for."""
    model = FakeModel()
    cost = instrument.plan(fake_subject(model), evidence())
    assert model.calls == 0
    assert cost.calls > 0
    assert cost.tokens > 0
    instrument.measure(fake_subject(model), evidence(), seed=0)
    assert model.calls == cost.calls


@each
def test_it_is_deterministic_and_serialises(instrument: Instrument):
    """The same seed gives an equal finding, which survives a round trip through JSON."""
    one, again = (instrument.measure(fake_subject(), evidence(), seed=3) for _ in range(2))
    assert one == again
    assert FINDING.validate_python(json.loads(FINDING.dump_json(one))) == one


@each
def test_every_estimate_carries_interval_level_and_n(instrument: Instrument):
    """Estimates lie in their intervals; n, level, unit, direction and method are said; no number is NaN."""
    finding = instrument.measure(fake_subject(), evidence(), seed=0)
    assert finding.misleads
    assert finding.headline
    for item in finding.estimates:
        assert item.low <= item.high
        assert item.value is None or item.low - 1e-12 <= item.value <= item.high + 1e-12
        assert 0 < item.level <= 1
        assert item.n >= 0
        assert item.unit
        assert item.direction
        assert item.method
    json.dumps(finding.raw, allow_nan=False)


@each
def test_it_does_not_change_its_inputs(instrument: Instrument):
    """Evidence is as it was."""
    given = evidence()
    instrument.measure(fake_subject(), given, seed=0)
    assert given == evidence()


def test_realism_abstains_without_evidence():
    """No transcripts: an error that says so, never a number."""
    with pytest.raises(ValueError, match="Found 0 and 0"):
        Realism().measure(None, Evidence(), seed=0)
