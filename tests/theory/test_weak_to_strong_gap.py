"""The share of the gap recovered: coverage, and "undefined" as an answer."""

import math

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.weak_to_strong import recovered, recovered_on_items


def test_the_value_is_the_ratio_of_differences():
    """Half, all, none and less than none of the gap."""
    for student, share in ((0.6, 0.5), (0.7, 1.0), (0.5, 0.0), (0.4, -0.5)):
        found = recovered(0.5, student, 0.7, n=5000)
        assert found.value == pytest.approx(share)
        assert found.low < share < found.high


def test_with_much_data_the_interval_is_the_delta_methods():
    """Fieller's ends tend to value plus or minus z standard errors of the linearised ratio."""
    n, weak, student, ceiling = 4_000_000, 0.6, 0.7, 0.8
    found = recovered(weak, student, ceiling, n=n)
    ratio, gap = 0.5, 0.2
    variance = sum(
        slope**2 * rate * (1 - rate) / n for slope, rate in ((ratio - 1, weak), (1.0, student), (-ratio, ceiling))
    )
    half = 1.959964 * math.sqrt(variance) / gap
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=1e-3)


def test_a_gap_that_may_be_none_leaves_the_share_undefined():
    """No number, and the reason says how large the gap may be; so, too, where the ceiling is below the teacher."""
    found = recovered(0.60, 0.61, 0.62, n=500)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.gap_low < 0 < found.gap_high
    assert "not clearly above" in found.reason
    assert "is below the teacher" in recovered(0.8, 0.7, 0.6, n=5000).reason
    assert recovered(0.60, 0.61, 0.62, n=50_000).value == pytest.approx(0.5)


def test_perfect_scores_do_not_give_intervals_without_width():
    """All right and all wrong still leave doubt."""
    found = recovered(0.0, 1.0, 1.0, n=20)
    assert found.value == 1.0
    assert found.low < 0.95
    assert found.high > 1.0
    items = np.ones(20)
    assert recovered_on_items(0 * items, items, items).low < 0.95


@pytest.mark.parametrize("rates", [(0.6, 0.7, 0.8), (0.60, 0.62, 0.66), (0.5, 0.5, 0.9), (0.9, 0.95, 0.99)])
def test_intervals_cover_as_often_as_they_promise(rates):
    """Of 2,000 experiments with 400 items at most 5% and Monte Carlo error miss: "undefined" is no miss and no hit."""
    rng = np.random.default_rng(5)
    share = (rates[1] - rates[0]) / (rates[2] - rates[0])
    given = missed = 0
    for weak, student, ceiling in rng.binomial(400, rates, size=(2000, 3)) / 400:
        found = recovered(weak, student, ceiling, n=400)
        if found.value is not None:
            given += 1
            missed += not found.low <= share <= found.high
    assert given > 100
    assert missed / 2000 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 2000)
    if rates == (0.6, 0.7, 0.8):
        assert missed / 2000 >= 0.05 - 4 * math.sqrt(0.05 * 0.95 / 2000)


def test_common_items_are_used():
    """On one test set, where the three tend to be right together, the interval is shorter, and it covers."""
    rng = np.random.default_rng(6)
    missed = 0
    widths = []
    for _ in range(600):
        ease = rng.random(500)
        found = recovered_on_items(ease < 0.6, ease < 0.7, ease < 0.8)
        missed += not found.low <= 0.5 <= found.high
        apart = recovered(float(np.mean(ease < 0.6)), float(np.mean(ease < 0.7)), float(np.mean(ease < 0.8)), n=500)
        widths.append((found.high - found.low) / (apart.high - apart.low))
    assert np.mean(widths) < 0.7
    assert missed / 600 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 600)


def test_items_and_accuracies_agree_on_the_value():
    """The ratio does not depend on which way it is asked."""
    rng = np.random.default_rng(7)
    weak, student, ceiling = (rng.random(1000) < rate for rate in (0.5, 0.6, 0.8))
    found = recovered_on_items(weak, student, ceiling)
    assert found.value == pytest.approx(recovered(weak.mean(), student.mean(), ceiling.mean(), n=1000).value)
    assert found.n == 1000


@pytest.mark.parametrize(
    "call",
    [
        lambda: recovered(60, 70, 80, n=100),
        lambda: recovered(0.6, math.nan, 0.8, n=100),
        lambda: recovered(0.6, 0.7, 0.8, n=0),
        lambda: recovered(0.6, 0.7, 0.8, n=100, level=1.0),
        lambda: recovered_on_items([], [], []),
        lambda: recovered_on_items([0.5], [1], [1]),
        lambda: recovered_on_items([math.nan], [1], [1]),
    ],
)
def test_what_is_no_accuracy_is_refused(call):
    """Percent, NaN, no items, scores between right and wrong."""
    with pytest.raises(DataError):
        call()
