import math

import mpmath
import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.stats import aurc, auroc, e_aurc, risk_coverage
from dokimasia.theory.detection import predict_asking
from dokimasia.theory.detection.asking import (
    answers,
    area,
    asked,
    best_cost,
    draw,
    excess_area,
    promise,
    risk,
    total_cost,
)

SLOPES = (0.0, 1e-6, 0.4, 1.0)


def wrong(p, slope):
    return mpmath.mpf("0.5") - slope * (p - mpmath.mpf("0.5"))


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("coverage", [1e-9, 0.3, 1.0])
def test_risk_is_the_mean_error_of_the_most_confident(slope, coverage):
    """By integration over the top of the uniform law; calibrated it is a quarter of the coverage."""
    with mpmath.workdps(30):
        start = 1 - mpmath.mpf(coverage) / 2
        expected = mpmath.quad(lambda p: wrong(p, slope), [start, 1]) / (1 - start)
    assert risk(coverage, slope) == pytest.approx(float(expected), rel=1e-8)
    assert risk(coverage) == pytest.approx(coverage / 4, rel=1e-15)


@pytest.mark.parametrize("slope", SLOPES)
def test_areas_are_integrals_of_risk(slope):
    """AURC is the mean of the risk, 1/8 where calibrated; E-AURC subtracts the perfect chooser's."""
    with mpmath.workdps(30):
        whole = mpmath.quad(lambda k: mpmath.mpf("0.5") - slope * (mpmath.mpf("0.5") - k / 4), [0, 1])
        e = mpmath.mpf("0.5") - mpmath.mpf(slope) / 4
        perfect = mpmath.quad(lambda k: max(0, (k - (1 - e)) / k), [0, 1 - e, 1])
    assert area(slope) == pytest.approx(float(whole), rel=1e-8)
    assert excess_area(slope) == pytest.approx(float(whole - perfect), rel=1e-8)
    assert area() == 0.125


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("cost", [0.0, 1e-9, 0.1, 0.25, 0.4, 0.5, 0.7, 1.0])
def test_costs_are_integrals(slope, cost):
    """Chow's rule by stated confidence, and the rule by true probability, integrated case by case."""
    with mpmath.workdps(30):
        threshold = max(mpmath.mpf("0.5"), 1 - mpmath.mpf(cost))
        total = mpmath.quad(lambda p: 2 * wrong(p, slope), [threshold, 1]) + 2 * cost * (threshold - mpmath.mpf("0.5"))
        turn = mpmath.mpf(1) if slope == 0 else mpmath.mpf("0.5") + (mpmath.mpf("0.5") - cost) / slope
        points = [mpmath.mpf("0.5"), *([turn] if 0.5 < turn < 1 else []), mpmath.mpf(1)]
        best = mpmath.quad(lambda p: 2 * min(wrong(p, slope), cost), points)
    assert total_cost(cost, slope) == pytest.approx(float(total), rel=1e-8, abs=1e-18)
    assert best_cost(cost, slope) == pytest.approx(float(best), rel=1e-8, abs=1e-18)


def test_the_published_costs():
    """The closed form c (1 - c): 0.09, 0.1875 and 0.24 at 0.1, 0.25 and 0.4, and drawn cases cost the same."""
    cases = draw(200_000, slope=1.0, seed=0)
    for cost, total in ((0.1, 0.09), (0.25, 0.1875), (0.4, 0.24)):
        assert total_cost(cost) == pytest.approx(total)
        answered = cases.confidence >= 1 - cost
        paid = np.where(answered, cases.errors, cost)
        assert abs(paid.mean() - total) < 4 * paid.std() / math.sqrt(len(paid))
        assert abs((~answered).mean() - asked(cost)) < 4 * math.sqrt(0.25 / len(paid))


def test_chows_rule_is_a_threshold():
    """One answers at a confidence of 1 - c and above, and not below."""
    assert answers(0.9, 0.1)
    assert not answers(0.89, 0.1)


def test_no_threshold_beats_chows_where_confidence_is_calibrated():
    """Over a grid of thresholds the cost on drawn cases is least near 1 - c."""
    cases = draw(400_000, slope=1.0, seed=1)
    thresholds = np.linspace(0.5, 1, 51)
    costs = [np.where(cases.confidence >= t, cases.errors, 0.2).mean() for t in thresholds]
    assert abs(thresholds[int(np.argmin(costs))] - 0.8) <= 0.05


@pytest.mark.parametrize("slope", [0.3, 1.0])
def test_estimates_from_cases_agree_with_the_closed_forms(slope):
    """The empirical risk, AURC and E-AURC of drawn cases are those of the law, within their spread over draws."""
    found = np.array(
        [
            (aurc(*drawn), e_aurc(*drawn), float(np.interp(0.3, *risk_coverage(*drawn))))
            for drawn in (draw(5000, slope=slope, seed=seed) for seed in range(40))
        ]
    )
    expected = (area(slope), excess_area(slope), risk(0.3, slope))
    assert (np.abs(found.mean(axis=0) - expected) < 4 * found.std(axis=0) / math.sqrt(len(found)) + 2e-4).all()


def test_promises_hold_at_home_and_break_after_a_shift_that_confidence_does_not_show():
    """False in at most delta of calibrations at home; after the shift always, at an AUROC of confidence of one half."""
    found = promise(cases=3000, target=0.15, slope=1.0, shifted=0.6, tried=200, seed=1)
    assert found.given > 150
    assert found.broken <= 0.05 * found.tried + 4 * math.sqrt(0.05 * 0.95 * found.tried)
    assert found.broken_shifted == found.given
    home, away = draw(20_000, slope=1.0, seed=2), draw(20_000, slope=0.6, seed=3)
    low, high = auroc(home.confidence, away.confidence, confidence=0.9999)[1:]
    assert low < 0.5 < high
    assert promise(cases=50, target=0.01, slope=1.0, shifted=1.0, tried=20, seed=1).given == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"ask_cost": -0.1},
        {"ask_cost": 1.5},
        {"slope": 1.2},
        {"slope": math.nan},
        {"shifted": -1.0},
        {"target": 0.0},
        {"cases": 0},
        {"delta": 1.0},
    ],
)
def test_parameters_outside_the_domain_are_refused(bad):
    """Each is a mistake of the user's."""
    with pytest.raises(DataError):
        predict_asking(**bad)
