import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.stats import Count, anytime_change, difference_in_differences

RATES = [
    (0.05, 0.05, 0.05, 0.05),
    (0.7, 0.1, 0.1, 0.1),
    (0.5, 0.5, 0.5, 0.5),
    (0.95, 0.95, 0.95, 0.95),
    (0.9, 0.3, 0.2, 0.3),
]


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("n", [10, 60])
def test_intervals_cover_as_often_as_they_say(rates, n):
    """In draws of all four samples 95% intervals hold the true difference in at least 92%, and in not nearly all."""
    truth = (rates[0] - rates[1]) - (rates[2] - rates[3])
    drawn = np.random.default_rng(1).binomial(n, rates, size=(1500, 4))
    held = 0
    for row in drawn:
        found = difference_in_differences(*(Count(int(k), n) for k in row))
        held += found.low <= truth <= found.high
    assert 0.92 - 4 * np.sqrt(0.05 * 0.95 / 1500) < held / 1500
    if n == 60 and min(rates) > 0.05:
        assert held / 1500 < 0.985


def test_what_moves_both_cancels():
    """The same rise of treated and control is no difference; swapping the periods turns the sign."""
    found = difference_in_differences(Count(30, 40), Count(28, 40), Count(12, 40), Count(10, 40))
    assert found.value == pytest.approx(0)
    assert found.low < 0 < found.high
    swapped = difference_in_differences(Count(12, 40), Count(10, 40), Count(30, 40), Count(28, 40))
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


def test_with_three_sure_rates_it_is_the_fourths_interval():
    """With three samples so large that their rates are known, what is left is Wilson's interval, moved."""
    big = Count(5 * 10**8, 10**9)
    found = difference_in_differences(Count(3, 20), big, big, big)
    from dokimasia.stats import wilson

    assert (found.low + 0.5, found.high + 0.5) == pytest.approx(wilson(3, 20), abs=1e-4)


def test_rates_of_0_and_1_keep_a_width():
    """All solved against none solved: the value is 2, and the interval is not a point."""
    found = difference_in_differences(Count(9, 9), Count(0, 9), Count(0, 9), Count(9, 9))
    assert found.value == found.high == 2
    assert found.low < 1.6


def test_looking_at_any_time_costs_width_and_finds_large_changes():
    """The anytime interval is wider, finds a change of 0.8 in 40 pairs, and says nothing of an empty period."""
    now, before = [1.0] * 33 + [0.0] * 7, [0.0] * 36 + [1.0, -1.0] * 2
    found = anytime_change(now, before)
    fixed = difference_in_differences(Count(35, 40), Count(2, 40), Count(4, 40), Count(4, 40))
    assert found.value == pytest.approx(0.825)
    assert 0 < found.low < fixed.low
    assert anytime_change([], before).low <= -1 + max(0.0, anytime_change([], before).value)
    assert anytime_change([], []) == pytest.approx((0.0, -2.0, 2.0))


def test_anytime_changes_keep_their_level():
    """Looked at after each of 120 pairs against a baseline of 60, a change of 0 is left out in at most 5% of runs."""
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(25):
        before = rng.choice([-1.0, 0.0, 1.0], 60, p=[0.2, 0.5, 0.3])
        now = rng.choice([-1.0, 0.0, 1.0], 120, p=[0.2, 0.5, 0.3])
        ends = [anytime_change(now[:time], before)[1:] for time in (15, 120)]
        wrong += any(low > 0 or high < 0 for low, high in ends)
    assert wrong <= 1


def test_an_empty_sample_is_refused():
    """Without trials nothing is known of a rate, and no difference is computed from it."""
    with pytest.raises(DataError):
        difference_in_differences(Count(1, 2), Count(0, 0), Count(1, 2), Count(1, 2))
    with pytest.raises(DataError):
        difference_in_differences(Count(3, 2), Count(1, 2), Count(1, 2), Count(1, 2))
