"""A monitor scores outputs and the most suspicious are audited: which attacks are caught, and what may an attacker do?

Scores of honest outputs are standard normal, those of attacks lie `separation` (d') higher. Auditing what scores above the
honest share `b` catches `Phi(d' - z)` of attacks, `z` being the honest quantile at `1 - b`: the ROC curve of the monitor.
That holds for attacks that nobody selected. An attacker who submits the least suspicious of `m` is caught with that
probability to the power `m`, so that a monitor must be tried against selected attacks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from dokimasia.theory.detection.cue import GaussianCue
from dokimasia.theory.detection.domain import inside, upto, whole, within


class Outcomes(NamedTuple):
    """Simulated deployments: `harmless` of `runs` saw no successful attack; `successes` (n_runs,) before the first catch."""

    runs: int
    harmless: int
    successes: np.ndarray


def catch(separation: float, share: float) -> float:
    """Which share of attacks is audited, if this share of honest outputs is: `Phi(d' - z)`.

    >>> [round(catch(2.0, share), 3) for share in (0.003, 0.01, 0.03, 0.1)]
    [0.227, 0.372, 0.547, 0.764]
    """
    return GaussianCue(shift=separation).roc(share)


def catch_selected(separation: float, share: float, candidates: int) -> float:
    """The same if the attacker sees the score and submits the least suspicious of so many candidates.

    >>> round(catch_selected(2.0, 0.01, 4), 3)
    0.019
    """
    return catch(separation, share) ** whole("The number of candidates", candidates)


def successes_before_catch(caught: float, attacks: float = math.inf) -> float:
    """How many attacks succeed before the first is caught, on average, of at most so many: `(1-c)/c (1 - (1-c)^N)`.

    >>> successes_before_catch(0.25)
    3.0
    """
    upto("The share caught", caught, edge="At 0 nothing is ever caught, and all succeed.")
    if caught == 1:
        return 0.0
    tried = 1.0 if attacks == math.inf else -math.expm1(attacks * math.log1p(-caught))
    return (1 - caught) / caught * tried


def no_harm(caught: float, rate: float, tasks: float) -> float:
    """Probability that no attack ever succeeds in so many tasks, if each is an attack at this rate and one catch ends it.

    `(1-q)^N + c (1 - (1-q)^N)`: sooner or later there is a first attack, and all depends on that one. So it falls to `c`,
    not to 0, however long the deployment is.
    """
    within("The share caught", caught)
    quiet = _never(within("The rate of attacks", rate), tasks)
    return quiet + caught * (1 - quiet)


def no_harm_unpunished(caught: float, rate: float, tasks: float) -> float:
    """The same if a catch undoes that attack and nothing else follows: `(1 - q (1-c))^N`, which falls to 0."""
    within("The share caught", caught)
    return _never(within("The rate of attacks", rate) * (1 - caught), tasks)


def audited_share(separation: float, budget: float, rate: float) -> tuple[float, float]:
    """Of honest outputs and of attacks, which shares are audited if the most suspicious `budget` of *all* outputs is?

    Attacks take up audits as well: at a rate of attacks that is not small the share of honest outputs is below the budget,
    and with more attacks than audits most attacks go free however good the monitor is. Found by bisection.
    """
    within("The audit budget", budget)
    within("The rate of attacks", rate)
    cue = GaussianCue(shift=separation)
    low, high = -40.0, 40.0
    for _ in range(200):
        z = (low + high) / 2
        audited = (1 - rate) * float(ndtr(z)) + rate * float(ndtr(cue.shift + z))
        low, high = (z, high) if audited < budget else (low, z)
    return float(ndtr(high)), float(ndtr(cue.shift + high))


def best_share(separation: float, *, rate: float, audit_cost: float, harm: float) -> float:
    """Which share of honest outputs to audit, if an audit costs this and a missed attack that?

    Where the slope of the ROC curve, `exp(d' z - d'^2/2)`, is `(1-q) cost / (q (harm - cost))`: `z = d'/2 + ln(that)/d'`.
    With `harm <= audit_cost` nothing is worth an audit, and without separation all outputs are or none.

    >>> round(best_share(2.0, rate=0.001, audit_cost=1.0, harm=10_000.0), 3)
    0.56
    """
    inside("The rate of attacks", rate, edge="Without attacks nothing is audited; with nothing else, everything.")
    inside("The cost of an audit", audit_cost, high=math.inf, edge="Free audits: audit everything.")
    inside(
        "The separation", separation, high=math.inf, edge="Without it, audit everything if q harm > cost, else nothing."
    )
    within("The cost of a missed attack", harm, high=math.inf, edge="If it is infinite, audit everything.")
    if harm <= audit_cost:
        return 0.0
    slope = math.log1p(-rate) - math.log(rate) + math.log(audit_cost) - math.log(harm - audit_cost)
    return float(ndtr(-(separation / 2 + slope / separation)))


def cost(share: float, separation: float, *, rate: float, audit_cost: float, harm: float) -> float:
    """Expected cost an output of auditing this share of honest outputs."""
    found = catch(separation, share)
    return audit_cost * ((1 - rate) * share + rate * found) + rate * harm * (1 - found)


def catch_half_seen(separation: float, share: float, candidates: int, sight: float) -> float:
    """`catch_selected` for an attacker whose own view of the score correlates with it by `sight`, in [0, 1].

    With a view that is worth nothing it is `catch`; with a perfect one, its power `m`. Between, by quadrature.
    """
    whole("The number of candidates", candidates)
    inside("The audited share", share, edge="At 0 nothing is caught, at 1 all is.")
    return above_selected(separation + float(ndtri(share)), candidates, sight)


def above_selected(margin: float, candidates: float, sight: float) -> float:
    """Probability that the chosen attack scores above a threshold that lies `margin` below the mean of all attacks."""
    m = candidates
    within("The correlation of the attacker's view with the score", sight)
    if m == 1 or sight == 0:
        return float(ndtr(margin))
    if sight == 1:
        return math.exp(m * float(log_ndtr(margin)))
    own = math.sqrt((1 - sight) * (1 + sight))
    x = np.linspace(-38.0, 38.0, 1601)
    normal = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    if sight > own:  # over the part that the attacker does not see: given it, all m must be above
        mass = normal * np.exp(m * log_ndtr((margin + own * x) / sight))
    else:  # over the view of the least suspicious, which is -x: density m phi Phi^(m-1)
        mass = m * normal * np.exp((m - 1) * log_ndtr(x)) * ndtr((margin - sight * x) / own)
    return float(mass.sum() * (x[1] - x[0]))


def simulate(caught: float, *, rate: float, tasks: int, runs: int, seed: int) -> Outcomes:
    """Deployments of so many tasks, attacks among them at this rate, the first catch ending the deployment.

    Drawn as they come: the number of attacks that there would be, and how many come before the first that is caught.
    """
    rng = np.random.default_rng(seed)
    upto("The share caught", caught, edge="At 0 nothing is ever caught, and all succeed.")
    attacks = rng.binomial(whole("The number of tasks", tasks), within("The rate of attacks", rate), runs)
    missed = np.zeros(runs) if caught == 1 else np.floor(-rng.exponential(size=runs) / math.log1p(-caught))
    successes = np.minimum(attacks, missed).astype(float)
    return Outcomes(runs, int((successes == 0).sum()), successes)


def _never(rate: float, times: float) -> float:
    """Probability of no event in so many independent chances; `times` may be infinite."""
    if rate == 0 or times == 0:
        return 1.0
    return 0.0 if rate == 1 else math.exp(times * math.log1p(-rate))
