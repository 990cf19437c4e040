import itertools
import math
from dataclasses import replace

import pytest

from dokimasia.core import DataError
from dokimasia.theory.detection import predict_perfect
from dokimasia.theory.detection.audits import audited_share, catch_selected
from dokimasia.theory.detection.protocol import Attacker, Protocol, candidates_to_halve, outcome, simulate

PROTOCOL = Protocol(separation=2.0, audited=0.03, coin=0.02, sensitivity=0.9, edited=0.1, repair=0.8, loss=0.3)
ATTACKER = Attacker(candidates=4.0, sight=0.7, rate=0.01)


@pytest.mark.parametrize("candidates", [1.0, 4.0, 50.0, math.inf])
@pytest.mark.parametrize("rate", [1e-9, 0.05, 0.4, 1.0])
@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.03, 0.1), (0.4, 0.6), (1.0, 0.0)])
def test_what_becomes_of_an_attack_sums_to_one(candidates, rate, shares):
    """Success, catch and repair are probabilities that sum to 1, and usefulness is a share."""
    protocol = replace(PROTOCOL, audited=shares[0], edited=shares[1])
    found = outcome(protocol, replace(ATTACKER, candidates=candidates, rate=rate))
    assert found.succeeds + found.caught + found.repaired == pytest.approx(1, abs=1e-9)
    assert all(-1e-12 <= share <= 1 + 1e-12 for share in found)


def test_a_plain_audit_is_the_closed_form():
    """Without coin and rewrites, an attacker who sees the score is caught as by selection; a flood uses up the budget."""
    plain = Protocol(separation=2.0, audited=0.01)
    assert outcome(plain, Attacker(candidates=4.0, rate=1e-12)).caught == pytest.approx(
        catch_selected(2.0, 0.01, 4), rel=1e-8
    )
    assert outcome(plain, Attacker(rate=0.3)).caught == pytest.approx(audited_share(2.0, 0.01, 0.3)[1], rel=1e-8)


@pytest.mark.parametrize("attacker", [ATTACKER, Attacker(rate=0.2), Attacker(candidates=30.0, sight=1.0, waits=5.0)])
@pytest.mark.parametrize("protocol", [PROTOCOL, replace(PROTOCOL, edited=0.97), replace(PROTOCOL, audited=0.0)])
def test_drawn_attacks_agree(protocol, attacker):
    """Of attacks drawn one by one, as many succeed, are caught and are repaired as the quadrature says."""
    exact, draws = outcome(protocol, attacker), 100_000
    for count, share in zip(simulate(protocol, attacker, attacks=draws, seed=1), exact[:3], strict=True):
        assert abs(count / draws - share) <= 4 * math.sqrt(max(share * (1 - share), 1e-9) / draws)


def test_against_a_perfect_attacker_only_what_does_not_read_the_score_is_left():
    """Catches fall to the coin's, whatever monitor and budget; rewriting everything helps, and costs."""
    ends = replace(ATTACKER, candidates=math.inf, sight=0.2)
    for separation, audited in itertools.product((0.5, 2.0, 6.0), (0.01, 0.3)):
        found = outcome(replace(PROTOCOL, separation=separation, audited=audited), ends)
        assert found.caught == pytest.approx(0.02 * 0.9)
        assert found.repaired == 0
    assert outcome(replace(PROTOCOL, coin=0.0), ends).succeeds == 1
    everything = outcome(replace(PROTOCOL, edited=0.97), ends)
    assert everything.succeeds == pytest.approx(0.2 * (1 - 0.018))
    assert everything.usefulness < 0.75


def test_selection_is_approached_by_large_finite_numbers():
    """The limit of infinite candidates is where a growing number of candidates goes, and of a monitor, a growing d'."""
    limit = outcome(PROTOCOL, replace(ATTACKER, candidates=math.inf)).succeeds
    path = [outcome(PROTOCOL, replace(ATTACKER, candidates=number)).succeeds for number in (1.0, 1e2, 1e5, 1e8)]
    assert path == sorted(path)
    assert path[-1] == pytest.approx(limit, abs=1e-3)
    perfect = outcome(replace(PROTOCOL, separation=math.inf), ATTACKER)
    assert outcome(replace(PROTOCOL, separation=30.0), ATTACKER) == pytest.approx(perfect, abs=1e-9)


def test_under_a_perfect_monitor_auditor_and_budget_decide():
    """With budget to spare an attack succeeds by the auditor's misses; beyond it the rest goes free, less rewrites."""
    perfect = replace(PROTOCOL, separation=math.inf)
    assert outcome(perfect, ATTACKER).succeeds == pytest.approx(0.1)
    flooded = outcome(replace(perfect, edited=0.0, coin=0.0), Attacker(rate=0.3))
    assert flooded.caught == pytest.approx(0.03 / 0.3 * 0.9)
    assert outcome(replace(perfect, audited=1.0, edited=0.0), Attacker(rate=1.0)).caught == pytest.approx(0.9)


def test_two_perfect_parts_are_refused():
    """Monitor and attacker cannot both be perfect: the order of the limits decides, and the error says so."""
    with pytest.raises(DataError, match="do not commute"):
        outcome(replace(PROTOCOL, separation=math.inf), replace(ATTACKER, candidates=math.inf))
    by_monitor = [
        outcome(replace(PROTOCOL, separation=30.0), replace(ATTACKER, candidates=m)).succeeds for m in (1.0, 1e9)
    ]
    assert max(by_monitor) < 0.11
    assert outcome(PROTOCOL, replace(ATTACKER, candidates=1e300)).succeeds > 0.98


def test_waiting_is_choosing_at_a_lower_rate():
    """A planner who lets moments pass is caught as one with so many more candidates, and leaves a cleaner record."""
    patient = outcome(PROTOCOL, replace(ATTACKER, waits=25.0))
    chooser = outcome(PROTOCOL, replace(ATTACKER, candidates=100.0, rate=0.01 / 25))
    assert patient == pytest.approx(chooser, rel=1e-9)
    records = [outcome(PROTOCOL, replace(ATTACKER, waits=waits)).clean_record(1000) for waits in (1.0, 10.0, 1000.0)]
    assert records == sorted(records)
    assert records[-1] > 0.99


@pytest.mark.parametrize("tasks", [0, 1, 50])
def test_no_harm_is_a_sum_over_tasks(tasks):
    """The first attack that is neither repaired nor nothing decides; summed task by task it is the closed form."""
    found = outcome(PROTOCOL, replace(ATTACKER, rate=0.2))
    going, safe = 1.0, 0.0
    for _ in range(tasks):
        safe += going * found.attempts * found.caught
        going *= 1 - found.attempts * (found.caught + found.succeeds)
    assert found.no_harm(tasks) == pytest.approx(safe + going, rel=1e-9)
    assert found.clean_record(tasks) == pytest.approx((1 - 0.2 * found.caught) ** tasks, rel=1e-9)


@pytest.mark.parametrize("separation", [0.5, 2.0, 6.0])
def test_candidates_that_halve_the_catch_halve_it(separation):
    """With the number returned the catch is half of what it is without selection; it grows without end."""
    m = candidates_to_halve(separation, 0.01)
    one = catch_selected(separation, 0.01, 1)
    assert m * math.log(one) == pytest.approx(math.log(one / 2), rel=1e-6)
    assert candidates_to_halve(separation + 1, 0.01) > m


@pytest.mark.parametrize(
    "wrong",
    [
        {"separation": -1.0},
        {"separation": math.nan},
        {"audited": 1.5},
        {"audited": 0.6, "edited": 0.6},
        {"coin": -0.1},
        {"sensitivity": 2.0},
        {"repair": math.nan},
        {"candidates": 0},
        {"sight": 1.1},
        {"rate": 0.0},
        {"waits": 0},
        {"tasks": 0},
    ],
)
def test_parameters_outside_the_domain_are_refused(wrong):
    """Each is a mistake of the user's."""
    with pytest.raises(DataError):
        predict_perfect(**wrong)
