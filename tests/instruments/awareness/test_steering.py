"""Steering: what is missing or odd is no result, and chance is that of both ways."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.fakes import fake_subject
from tests.instruments.awareness.results import result, told

from dokimasia.core import (
    Cost,
    DataError,
)
from dokimasia.instruments.awareness.probing import Direction
from dokimasia.instruments.awareness.steering import Consequence, consequence, expected
from dokimasia.instruments.common.conduct import Leanings


class Fixed:
    """A conduct of so many items, whose leanings are what the steering adds along the first dimension."""

    name, digest = "fixed", "0"

    def __init__(self, *, broken=False, templates=4, settled=True):
        self.broken, self.templates, self.settled = broken, templates, settled

    def plan(self, subject):
        return Cost(calls=1)

    def leanings(self, subject):
        added = float(subject.identity.name) if subject.identity.name != "fake" else 0.0
        values = np.linspace(-1, 1, 8) + added
        if self.broken and added:
            values[0] = np.nan
        return Leanings(
            values=values,
            misbehaved=(values > 0) & self.settled,
            settled=np.full(8, self.settled),
            templates=tuple(str(row % self.templates) for row in range(8)),
            unit="nats",
        )


class Adding:
    def steered(self, interventions):
        name = repr(float(interventions[0].vector[0]))
        return replace(fake_subject(), identity=replace(fake_subject().identity, name=name))


def steered(conduct, *, vector=(1.0, 0.0), believes=lambda subject: 0.0, spread=None) -> Consequence:
    rng = np.random.default_rng(3)
    away = Direction(
        layer=0,
        vector=np.asarray(vector, np.float32),
        spread=np.asarray(rng.standard_normal((9, 2)) if spread is None else spread, np.float32),
        auroc=math.nan,
    )
    return consequence(fake_subject(), Adding(), conduct, away, belief=believes, dose=1.0, randoms=4, seed=0)


def test_a_leaning_that_is_no_number_leaves_steering_unmeasured():
    """It would have to enter at its worst, and has none."""
    with pytest.raises(DataError, match="1 item of 8 without one, steered towards test"):
        steered(Fixed(broken=True))


@pytest.mark.parametrize("given", [{"vector": (0.0, 0.0)}, {"spread": np.zeros((9, 2))}])
def test_no_direction_is_no_result(given):
    """Means that coincide, or rows that do not vary, must not read as steering that changes nothing."""
    with pytest.raises(DataError, match="differ between tests and deployment"):
        steered(Fixed(), **given)


def test_what_is_not_settled_counts_each_way():
    """The rate could have gone either way where both orders disagree."""
    found = steered(Fixed(settled=False))
    change = found.rate_change(found.ways[0])
    assert change.value == 0
    assert change.low < -0.6
    assert change.high > 0.6
    clear = steered(Fixed())
    assert clear.rate_change(clear.ways[0]).value == 0.375


def test_one_template_has_no_interval_and_is_drawn_all_the_same():
    """The table says so, no infinity reaches a figure or JSON, and the layer is not said to be a probe's choice."""
    finding = told(result(consequence=steered(Fixed(templates=1))))
    assert "[no interval]" in finding.table("steering").rows[1][1]
    assert not [item for item in finding.estimates if "towards" in item.name and item.unit == "nats"]
    assert any("no probe could choose" in caveat for caveat in finding.caveats)


def test_steering_that_does_not_reach_what_it_says_is_told():
    """Without more belief in a test, a shift or its absence says little."""
    mute = steered(Fixed())
    assert mute.reaches is False
    assert "says little" in told(result(consequence=mute)).headline
    heard = steered(
        Fixed(), believes=lambda subject: 0.0 if subject.identity.name == "fake" else float(subject.identity.name)
    )
    assert heard.reaches
    assert "says little" not in told(result(consequence=heard)).headline
    assert steered(Fixed(), believes=lambda subject: None).reaches is None


def test_chance_is_that_of_both_ways():
    """The range in which random directions fall allows for two looks: both of two more lie inside 95% of the time."""
    rng = np.random.default_rng(0)
    found = replace(steered(Fixed()), randoms=())
    inside = 0
    for _ in range(1000):
        draws = rng.standard_normal(8)
        low, high = expected(draws[:6], 1 - 0.05 / len(found.ways))
        inside += bool(((draws[6:] >= low) & (draws[6:] <= high)).all())
    assert inside / 1000 > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 1000)


def test_one_dimension_is_beaten_by_no_direction():
    """Where there is one line only, every random direction lies on it."""
    found = steered(Fixed(), vector=(1.0,), spread=np.random.default_rng(0).standard_normal((9, 1)))
    assert not any(found.beyond(way) for way in found.ways)
    assert {found.p(way) for way in found.ways} == {1.0}
