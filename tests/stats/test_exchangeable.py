"""E-values from labels: exact expectation, and looks that depend on each other."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokimasia.core import DataError
from dokimasia.stats.exchangeable import log_e_labels, log_e_looks


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=2, max_size=7), st.data())
def test_its_mean_over_all_labellings_is_one(values, data):
    """Whatever the values are: the expectation under exchangeable labels, by enumeration."""
    chosen = data.draw(st.integers(1, len(values) - 1))
    found = []
    for places in itertools.combinations(range(len(values)), chosen):
        others = [value for place, value in enumerate(values) if place not in places]
        found.append(math.exp(log_e_labels([([values[place] for place in places], others)])))
    assert np.mean(found) == pytest.approx(1, rel=1e-9)


def test_strata_multiply_at_each_tilt():
    """Two strata say more than one, a stratum with an empty side nothing; adding a constant to one changes nothing."""
    one = ([1.0, 1.0], [0.0, 0.0, 0.0])
    assert log_e_labels([one, one]) > log_e_labels([one]) > 0
    assert log_e_labels([one, ([1.0], [])]) == log_e_labels([one])
    assert log_e_labels([]) == 0
    assert log_e_labels([([3.0, 3.0], [2.0, 2.0, 2.0])]) == pytest.approx(log_e_labels([one]))


def test_higher_values_of_the_labelled_speak_louder():
    """And higher values of the others the other way: so that what is missing can be counted at its worst."""
    low, high = log_e_labels([([0.2, 1.0], [0.0, 0.5])]), log_e_labels([([0.7, 1.0], [0.0, 0.5])])
    assert low < high
    assert log_e_labels([([0.7, 1.0], [0.4, 0.5])]) < high


def test_looks_that_are_copies_of_each_other_alarm_no_more_often():
    """One draw seen at 25 looks, or 25 that are all new: the sum reaches its bound in at most a share alpha."""
    rng = np.random.default_rng(0)
    for fresh in (False, True):
        alarms = 0
        for _ in range(100):
            draws = [rng.random(30).round() for _ in range(25 if fresh else 1)]
            looks = [log_e_labels([(draw[:10], draw[10:])]) for draw in draws] * (1 if fresh else 25)
            alarms += log_e_looks(looks, planned=10).max() >= math.log(20)
        assert alarms <= 0.05 * 100


def test_what_cannot_be_computed_is_refused():
    """No infinities, no missing numbers."""
    for bad in (math.inf, math.nan):
        with pytest.raises(DataError):
            log_e_labels([([bad], [0.0])])


def test_weights_sum_to_one():
    """Planned looks and all that may follow: with e-values of 1 the sum comes to 1 and never beyond."""
    total = math.exp(log_e_looks(np.zeros(20_000), planned=7)[-1])
    assert 0.9999 < total <= 1
    with pytest.raises(DataError, match="one look"):
        log_e_looks([0.0], planned=0)
