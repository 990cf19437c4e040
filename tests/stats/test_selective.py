import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokimasia.core import DataError
from dokimasia.stats import aurc, clopper_pearson_upper, e_aurc, risk_coverage, selective_threshold, stress_test

CASES = st.lists(st.tuples(st.integers(0, 4).map(float), st.integers(0, 1).map(float)), min_size=1, max_size=30)


@settings(max_examples=20, deadline=None)
@given(CASES, st.integers(0, 9))
def test_ties_are_averaged_over_their_orders(cases, seed):
    """Of random orders of equal confidences the mean risk curve is the one returned."""
    sure, lost = np.array(cases).T
    rng = np.random.default_rng(seed)
    curves = []
    for _ in range(400):
        order = np.lexsort((rng.random(len(sure)), -sure))
        curves.append(np.cumsum(lost[order]) / np.arange(1, len(sure) + 1))
    spread = np.std(curves, axis=0) / 20
    found = risk_coverage(sure, lost)
    assert (np.abs(np.mean(curves, axis=0) - found.risk) <= 5 * spread + 0.02).all()
    assert found.risk[-1] == pytest.approx(lost.mean())
    assert found.coverage[-1] == 1


@settings(deadline=None)
@given(CASES)
def test_nobody_chooses_better_than_somebody_who_knows(cases):
    """E-AURC is at least 0, and 0 for confidences in the order of the losses; AURC is at most its reverse's."""
    sure, lost = np.array(cases).T
    assert e_aurc(sure, lost) >= -1e-12
    assert e_aurc(-lost, lost) == pytest.approx(0, abs=1e-12)
    assert aurc(-lost, lost) <= aurc(sure, lost) + 1e-12
    assert aurc(sure, lost) <= aurc(lost, lost) + 1e-12


def test_the_perfect_area_has_its_limit():
    """For many cases with errors at a rate e, the perfect chooser's area is e + (1 - e) ln(1 - e)."""
    lost = np.arange(200_000) < 50_000
    assert aurc(~lost, lost) == pytest.approx(0.25 + 0.75 * math.log(0.75), abs=1e-4)


@pytest.mark.parametrize("ties", [False, True])
def test_a_promise_is_false_in_at_most_delta_of_calibrations(ties):
    """Over draws of the calibration cases the true risk above the threshold exceeds the target at most that often."""
    rng = np.random.default_rng(5)
    runs, broken, given_ = 800, 0, 0
    for _ in range(runs):
        sure = rng.random(400)
        sure = np.round(sure, 1) if ties else sure
        wrong = rng.random(400) < 0.4 * (1 - sure)
        found = selective_threshold(sure, wrong, target=0.15, delta=0.1)
        if found is None:
            continue
        given_ += 1
        if ties:
            above = np.array([value for value in np.linspace(0, 1, 11) if value > found.threshold])
            mass = np.where((above == 0) | (above == 1), 0.5, 1.0)
            risk = float((0.4 * (1 - above) * mass).sum() / mass.sum())
        else:
            risk = 0.2 * (1 - max(found.threshold, 0.0))
        broken += risk > 0.15
    assert given_ > 0.5 * runs
    assert broken / runs <= 0.1 + 4 * math.sqrt(0.1 * 0.9 / runs)


def test_a_promise_has_the_largest_coverage_that_keeps_it():
    """Its bound is Clopper-Pearson's at the divided error, it keeps the target, and the next coverage does not."""
    rng = np.random.default_rng(6)
    sure = rng.random(3000)
    wrong = rng.random(3000) < 0.5 * (1 - sure)
    found = selective_threshold(sure, wrong, target=0.1)
    assert found.bound == clopper_pearson_upper(found.errors, found.answered, 0.05 / 20) <= 0.1
    assert found.answered == (sure > found.threshold).sum()
    wider = np.sort(sure)[::-1][math.floor((found.coverage + 0.05) * 3000 + 1e-9)]
    above = sure > wider
    assert clopper_pearson_upper(int(wrong[above].sum()), int(above.sum()), 0.05 / 20) > 0.1
    assert selective_threshold(sure, wrong, target=0.999).coverage == 1


def test_no_promise_is_an_answer():
    """With few cases, or errors everywhere, there is no threshold: always ask."""
    assert selective_threshold([0.9, 0.8], [0, 0], target=0.05) is None
    assert selective_threshold(np.arange(500) / 500, np.ones(500), target=0.5) is None


def test_stress_finds_a_promise_that_broke_and_leaves_one_that_held():
    """The threshold stays; broken is said only where even the lower limit exceeds the target; no answers break nothing."""
    sure = np.linspace(0, 1, 1000)
    found = selective_threshold(sure, np.zeros(1000), target=0.05)
    assert stress_test(found, sure, np.arange(1000) % 2, target=0.05).broken
    assert not stress_test(found, sure, np.arange(1000) % 50 == 0, target=0.05).broken
    part = selective_threshold(sure, (sure < 0.5).astype(float), target=0.05)
    silent = stress_test(part, np.zeros(10), np.ones(10), target=0.05)
    assert (silent.coverage, silent.risk, silent.broken) == (0.0, None, False)
    assert silent.interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("sure", "wrong", "options"),
    [
        ([], [], {}),
        ([0.5], [0, 1], {}),
        ([math.nan], [0], {}),
        ([0.5], [math.nan], {}),
        ([0.5], [-1], {}),
        ([0.5], [0.5], {}),
        ([0.5], [0], {"target": 0.0}),
        ([0.5], [0], {"delta": 1.0}),
        ([0.5], [0], {"coverages": []}),
        ([0.5], [0], {"coverages": [1.2]}),
    ],
)
def test_cases_from_which_nothing_follows_are_refused(sure, wrong, options):
    """No cases, unequal lengths, missing numbers, losses that are no errors, and promises of nothing."""
    with pytest.raises(DataError):
        selective_threshold(sure, wrong, **{"target": 0.1, **options})
