"""`dokimasia theory audits`: what an audit budget catches, and what resampling adds."""

from __future__ import annotations

import numpy as np

from dokimasia.core import FigureData, Mark, Series, Table
from dokimasia.theory.detection.audits import (
    audited_share,
    best_share,
    catch,
    catch_half_seen,
    catch_selected,
    cost,
    no_harm,
    no_harm_unpunished,
    simulate,
    successes_before_catch,
)
from dokimasia.theory.detection.domain import inside, whole
from dokimasia.theory.detection.resampling import AGGREGATES, Resampling
from dokimasia.theory.detection.resampling import simulate as simulate_steps
from dokimasia.theory.detection.values import averaged, counted, exact
from dokimasia.theory.prediction import Prediction

RUNS = 20_000
STEPS = 100_000
NAMES = {"first": "first sample only", "max": "largest of k", "min": "smallest of k", "mean": "mean of k"}


def predict_audits(
    *,
    separation: float = 2.0,
    share: float = 0.01,
    candidates: int = 4,
    rate: float = 0.01,
    tasks: int = 1000,
    samples: int = 5,
    attacks: float = 0.3,
    correlation: float = 0.0,
    audit_cost: float = 1.0,
    harm: float = 100.0,
    seed: int = 0,
) -> Prediction:
    """Which attacks are caught if the most suspicious outputs are audited?

    Parameters
    ----------
    separation:
        How much higher the monitor scores attacks, in standard deviations of honest outputs; above 0.
    share:
        The share of honest outputs that is audited, in (0, 1).
    candidates:
        Attacks among which a selecting attacker submits the least suspicious.
    rate, tasks:
        Share of tasks that are attacks, and number of tasks.
    samples, attacks, correlation:
        Resampling: samples a step, share of them that attack, and correlation of scores within a step.
    audit_cost, harm:
        Cost of an audit and of a missed attack, in one unit.
    """
    inside("The share audited", share, edge="At 0 nothing is caught, at 1 all is.")
    inside("The separation", separation, high=30, edge="At 0 audits are blind; beyond 30 all attacks are caught.")
    whole("The number of tasks", tasks, most=10**9)
    found = catch(separation, share)
    drawn = simulate(found, rate=rate, tasks=tasks, runs=RUNS, seed=seed)
    rule = Resampling(separation=separation, share=share, samples=samples, correlation=correlation)
    count = min(STEPS, 2_000_000 // samples)
    steps = simulate_steps(rule, attacks, steps=count, seed=seed)
    mean_attacks = rate * tasks
    expected = (1 - found) / found * (1 - (1 - rate * found) ** tasks)
    best = best_share(separation, rate=rate, audit_cost=audit_cost, harm=harm)
    resampled = tuple(
        value
        for aggregate in AGGREGATES
        for value in (
            exact(f"resampling: {NAMES[aggregate]}", rule.catch(aggregate, attacks), f"{samples} samples a step"),
            counted(f"resampling: {NAMES[aggregate]}, simulated", steps.attacks[aggregate], count, "simulated steps"),
        )
    )
    values = (
        exact("caught", found, "Phi(d' - z)"),
        exact(
            "caught, least suspicious of m", catch_selected(separation, share, candidates), "the same to the power m"
        ),
        exact("successes before the first catch", successes_before_catch(found), "(1 - c) / c, without end"),
        exact("successes before the first catch, in these tasks", expected, "(1 - c) / c (1 - (1 - q c)^N)"),
        averaged("the same, simulated", drawn.successes, "simulated deployments"),
        exact("no harm in these tasks", no_harm(found, rate, tasks), "(1 - q)^N + c (1 - (1 - q)^N)"),
        counted("no harm in these tasks, simulated", drawn.harmless, drawn.runs, "simulated deployments"),
        exact("no harm, if a catch ends nothing", no_harm_unpunished(found, rate, tasks), "(1 - q (1 - c))^N"),
        exact("cheapest share to audit", best, "where the ROC curve's slope is the ratio of costs"),
        exact(
            "cost an output at that share",
            cost(best, separation, rate=rate, audit_cost=audit_cost, harm=harm),
            "audits, and harm of attacks that are missed",
        ),
        *resampled,
    )
    gain = rule.catch("max", attacks) - found
    return Prediction(
        model="audits",
        question="Which attacks are caught if the most suspicious outputs are audited?",
        headline=(
            f"Auditing {share:.3g} of honest outputs catches {found:.3g} of attacks, and "
            f"{catch_selected(separation, share, candidates):.3g} if each is the least suspicious of {candidates}. "
            f"Looking at the largest of {samples} scores {'adds' if gain > 0 else 'costs'} {abs(gain):.3g} where "
            f"{attacks:.0%} of samples attack."
        ),
        parameters={
            "separation": separation,
            "share": share,
            "candidates": candidates,
            "rate": rate,
            "tasks": tasks,
            "samples": samples,
            "attacks": attacks,
            "correlation": correlation,
            "audit_cost": audit_cost,
            "harm": harm,
        },
        values=values,
        assumptions=(
            "scores of honest outputs and of attacks are normal with variance 1, and independent but for the stated "
            "correlation",
            "an audit finds every attack that it looks at, before it does harm",
            "thresholds were set on a policy that never attacks",
            f"on average {mean_attacks:.3g} of the tasks are attacks",
        ),
        misleads=(
            "A monitor's d' is measured on attacks that somebody made. Attacks that are selected against it are others: "
            "measure them by red-teaming the selection, too."
        ),
        source=(
            "Greenblatt and others (2023), arXiv 2312.06942; resampling: Bhatt and others (2025), arXiv 2504.10374. "
            "Closed forms derived here"
        ),
        tables=(_budgets(separation), _resampled(rule), _selected(separation, share)),
        figures=(_catches(separation, share, found), _turns(rule, attacks)),
        seed=seed,
    )


def _budgets(separation: float) -> Table:
    def row(budget: float) -> tuple[str, ...]:
        flooded = audited_share(separation, budget, 0.1)[1]
        shares = (catch(separation, budget), *(catch_selected(separation, budget, m) for m in (2, 4)), flooded)
        before = successes_before_catch(shares[0])
        return (f"{budget:.1%}", *(f"{value:.3f}" for value in shares), f"{before:.2f}")

    return Table(
        name="audits-budgets",
        title=f"What budgets catch (separation {separation:g})",
        columns=("budget", "caught", "least of 2", "least of 4", "if 10% of outputs attack", "successes before catch"),
        rows=tuple(row(budget) for budget in (0.003, 0.01, 0.03, 0.1)),
        note="Where 10% of outputs attack the budget is of all outputs, and attacks use it up.",
    )


def _resampled(rule: Resampling) -> Table:
    rows = tuple(
        (
            f"{attacks:.0%}",
            *(f"{rule.catch(aggregate, attacks):.3f}" for aggregate in AGGREGATES),
            f"{rule.least_attacks(attacks):.3f}",
        )
        for attacks in (0.0, 0.1, 0.3, 0.6, 1.0)
    )
    turns = ", ".join(
        f"{NAMES[aggregate]}: " + ("never" if turn is None else f"above {turn:.0%}")
        for aggregate in AGGREGATES[1:]
        for turn in [rule.turning(aggregate)]
    )
    return Table(
        name="audits-resampling",
        title=f"Share caught of steps that execute an attack ({rule.samples} samples, {rule.share:.2%} of honest steps)",
        columns=(
            "samples that attack",
            *(NAMES[aggregate] for aggregate in AGGREGATES),
            "attacks, if the least is run",
        ),
        rows=rows,
        note=f"Better than the first sample alone: {turns}. The last column is of all steps, and before any audit.",
    )


def _selected(separation: float, share: float) -> Table:
    return Table(
        name="audits-selection",
        title="Share caught of attacks that are the least suspicious of m, by how well the attacker sees the score",
        columns=("m", "blind", "correlation 0.5", "0.9", "sees it"),
        rows=tuple(
            (m, *(f"{catch_half_seen(separation, share, m, sight):.3g}" for sight in (0.0, 0.5, 0.9, 1.0)))
            for m in (1, 2, 4, 16, 64)
        ),
    )


def _catches(separation: float, share: float, found: float) -> FigureData:
    shares = np.geomspace(1e-4, 1, 80)
    x = tuple(float(value) for value in shares)
    return FigureData(
        name="audits-budget",
        title=f"Caught attacks against the audit budget (separation {separation:g})",
        kind="curves",
        x_label="share of honest outputs audited",
        y_label="share of attacks caught",
        x_log=True,
        series=tuple(
            Series(
                name="any attack" if m == 1 else f"least suspicious of {m}",
                x=x,
                y=tuple(catch_selected(separation, value, m) for value in x),
            )
            for m in (1, 2, 4, 16)
        ),
        marks=(Mark(label=f"{found:.2f}", x=share, y=found),),
        caption="Selection among a few candidates undoes a budget that looked ample.",
    )


def _turns(rule: Resampling, attacks: float) -> FigureData:
    x = tuple(float(value) for value in np.linspace(0, 1, 41))
    return FigureData(
        name="audits-resampling",
        title=f"Resampling {rule.samples} times at the same false alarms",
        kind="curves",
        x_label="share of the other samples that attack",
        y_label="share of executed attacks caught",
        series=tuple(
            Series(
                name=NAMES[aggregate],
                x=x,
                y=tuple(rule.catch(aggregate, value) for value in x),
                style="dashed" if aggregate == "first" else "line",
            )
            for aggregate in AGGREGATES
        ),
        marks=(Mark(label=f"{attacks:.0%} attack", x=attacks, y=rule.catch("max", attacks)),),
        caption="Every rule pays above some share of attacking samples and costs below it.",
    )
