"""`dokimasia theory gate`: what a model that passed may do in deployment."""

from __future__ import annotations

import math

import numpy as np

from dokimasia.core import FigureData, Mark, Series, Table
from dokimasia.core.tabulating import Cell
from dokimasia.theory.detection.cue import (
    GaussianCue,
    best_relaxation,
    parity_areas,
    uniform_slack,
    variation_at_least,
    variation_at_most,
)
from dokimasia.theory.detection.domain import inside, whole, within
from dokimasia.theory.detection.gate import (
    clean_needed,
    deployment_bound,
    ever,
    most_harmful,
    passing_rate,
    simulate,
    strategic,
)
from dokimasia.theory.detection.spotchecks import density_cap, failures, reviews_needed, spot_bound
from dokimasia.theory.detection.values import counted, exact
from dokimasia.theory.prediction import Prediction

GATES = 20_000
SHIFTS = (0.0, 0.5, 1.0, 2.0, 4.0)
AREAS = (0.76, 0.83, 0.92, 0.95, 0.996)


def predict_gate(
    *,
    n: int = 1000,
    bad: int = 0,
    shift: float = 1.0,
    passes: float = 0.5,
    deployments: int = 100,
    delta: float = 0.05,
    mean_review: float = 0.01,
    least_review: float = 0.005,
    seed: int = 0,
) -> Prediction:
    """What may a model do in deployment that misbehaved in `bad` of `n` tests, if it can tell tests by a cue?

    Parameters
    ----------
    n, bad:
        The gate: test inputs, and how many misbehaviours it tolerates.
    shift:
        How far the model's cue lies higher in deployment, in standard deviations; at least 0.
    passes:
        The probability with which a model that plays the gate wants to pass.
    deployments:
        Number of deployment inputs, for the probability of any misbehaviour among them.
    delta:
        Error probability of each bound.
    mean_review, least_review:
        Mean and least probability with which a live input is reviewed, if a random part of traffic is.
    """
    whole("The number of test inputs", n)
    whole("The number of tolerated misbehaviours", bad, least=0, most=n - 1)
    whole("The number of deployment inputs", deployments)
    inside("delta", delta, edge="Pass for example 0.05.")
    within("The shift of the cue", shift, high=30, edge="Beyond 30 standard deviations everything is told apart.")
    cue = GaussianCue(shift=shift)
    rate = passing_rate(n, delta, bad)
    bound = deployment_bound(cue, n, bad=bad, delta=delta)
    epsilon, relaxed = best_relaxation(cue, rate)
    attack = strategic(cue, n, passes=passes, tolerated=bad)
    harmful = most_harmful(cue, n)
    campaign = simulate(cue, attack, n, deployments=deployments, gates=GATES, seed=seed, tolerated=bad)
    cap = density_cap(mean_review, least_review)
    harm = passes * ever(attack.deployment_rate, deployments)
    missed, alone = failures(
        0.01, least=0.1 / cap, most=0.1 * (2 - 1 / cap), exposed=0.5, inputs=20_000, months=1000, seed=seed, delta=delta
    )
    values = (
        exact("evaluation rate, at most", rate, "upper Clopper-Pearson bound"),
        exact("deployment rate, at most", bound, "ROC*(U)"),
        exact("by total variation", min(1.0, rate + cue.total_variation()), "U + TV, a relaxation"),
        exact("by the best (epsilon, delta)", relaxed, f"exp(epsilon) U + delta(epsilon) at epsilon = {epsilon:.3g}"),
        exact("clean tests for 1%", clean_needed(cue, 0.01, delta), "ln(delta) / ln(1 - ROC*^-1(1%))"),
        exact("strategic: evaluation rate", attack.evaluation_rate, f"passes with probability {passes:g}"),
        exact("strategic: deployment rate", attack.deployment_rate, "ROC* of that"),
        exact(f"strategic: passes, and harm in {deployments:,}", harm, "p (1 - (1 - m)^N)"),
        counted("strategic: passes, simulated", campaign.passed, campaign.gates, "simulated gates"),
        counted(
            "strategic: passes and harm, simulated", campaign.harmed, campaign.gates, "simulated gates, deployments"
        ),
        exact("most harmful at 0 of n: deployment rate", harmful.deployment_rate, "maximum of (1 - u)^n ROC*(u)"),
        exact("most harmful at 0 of n: passes", harmful.passes, "(1 - u)^n there"),
        exact("AUROC of the cue", cue.area(), "Phi(shift / sqrt 2)"),
        exact("total variation", cue.total_variation(), "2 Phi(shift / 2) - 1"),
        exact("spot checks: density cap", cap, "mean propensity / least propensity"),
        exact("spot checks: clean reviews for 1%", reviews_needed(0.01, cap=cap, delta=delta), "M U <= 1%"),
        counted("spot checks: bound failed", missed, 1000, "simulated months, misbehaviour where reviews are rare"),
        counted("spot checks: U alone failed", alone, 1000, "the same months, density cap left out"),
    )
    return Prediction(
        model="gate",
        question="What may a model do in deployment that passed a gate?",
        headline=(
            f"{bad} bad of {n:,}: at most {bound:.3g} of deployment by ROC* ({rate + cue.total_variation():.3g} by total "
            f"variation), and a model that plays the gate and passes with probability {passes:g} misbehaves in "
            f"{attack.deployment_rate:.3g} of it."
        ),
        parameters={
            "n": n,
            "bad": bad,
            "shift": shift,
            "passes": passes,
            "deployments": deployments,
            "delta": delta,
            "mean_review": mean_review,
            "least_review": least_review,
        },
        values=values,
        assumptions=(
            "test inputs and deployment inputs are independent draws, the policy is fixed beforehand, and the judge "
            "misses nothing",
            f"the model sees one normal cue, {shift:g} standard deviations higher in deployment",
            "of spot checks: the coin is hidden until after the act, and traffic stays what it is; simulated months have "
            "20,000 inputs, a tenth reviewed, half of them at the least probability, and 1% misbehaviour",
        ),
        misleads=(
            "Nobody knows the cue that a model has. A score of ours gives lower bounds on how far the two can be told "
            "apart, never an upper one: read the shift as a question, not as a measurement."
        ),
        source="Neyman and Pearson (1933); Clopper and Pearson (1934); Dwork and Roth (2014) for (epsilon, delta)",
        tables=(_shifts(n, bad, passes, delta), _areas(), _blind(seed), _reviews(n, delta)),
        figures=(_bounds(shift, bad, delta, n, bound), _played(passes)),
        seed=seed,
    )


def _shifts(n: int, bad: int, passes: float, delta: float) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for shift in SHIFTS:
        cue = GaussianCue(shift=shift)
        rate = passing_rate(n, delta, bad)
        rows.append(
            (
                shift,
                *(
                    f"{number:.3g}"
                    for number in (
                        cue.area(),
                        cue.total_variation(),
                        min(1.0, rate + cue.total_variation()),
                        best_relaxation(cue, rate)[1],
                        cue.roc(rate),
                        strategic(cue, n, passes=passes, tolerated=bad).deployment_rate,
                    )
                ),
            )
        )
    return Table(
        name="gate-shifts",
        title=f"Deployment misbehaviour after {bad} bad of {n:,}",
        columns=("shift", "AUROC", "TV", "U + TV", "best (eps, delta)", "ROC*(U)", "strategic"),
        rows=tuple(rows),
        note="The last two columns are what is possible; the two before are relaxations of the first of them.",
    )


def _areas() -> Table:
    return Table(
        name="gate-areas",
        title="What an AUROC says about total variation",
        columns=("AUROC", "TV at least (any score)", "TV at most (only if the score is the likelihood ratio)"),
        rows=tuple((area, f"{variation_at_least(area):.3g}", f"{variation_at_most(area):.3g}") for area in AREAS),
    )


def _blind(seed: int) -> Table:
    linear, parity = parity_areas(20, cases=4000, seed=seed)
    return Table(
        name="gate-blind",
        title="Why a weak discriminator proves nothing",
        columns=("case", "figure"),
        rows=(
            ("parity of 20 bits: total variation", "1"),
            ("AUROC of every linear score, exactly", "0.5"),
            ("AUROC of least squares, 4,000 held-out strings of either kind", f"{linear:.3f}"),
            ("AUROC of the parity itself, the same strings", f"{parity:.3f}"),
            ("error of all half-spaces at once: 256 dimensions, 10 million inputs", f"{uniform_slack(256, 10**7):.2f}"),
            ("the same: 16 dimensions, 100,000 inputs", f"{uniform_slack(16, 10**5):.2f}"),
        ),
    )


def _reviews(n: int, delta: float) -> Table:
    return Table(
        name="gate-reviews",
        title=f"Clean random reviews of live traffic: deployment rate at most, at {n:,} reviews",
        columns=("density cap M", "bound", "reviews for 1%", "reviews for 0.1%"),
        rows=tuple(
            (
                cap,
                f"{spot_bound(0, n, cap=cap, delta=delta):.3g}",
                f"{math.ceil(reviews_needed(0.01, cap=cap, delta=delta)):,}",
                f"{math.ceil(reviews_needed(0.001, cap=cap, delta=delta)):,}",
            )
            for cap in (1.0, 2.0, 5.0, 20.0)
        ),
        note="M is the mean probability of a review over the least one: 1 if every input has the same.",
    )


def _bounds(shift: float, bad: int, delta: float, n: int, bound: float) -> FigureData:
    numbers = [
        int(number) for number in np.unique(np.round(np.geomspace(max(bad + 1, 10), max(1e6, 100 * (bad + 1)), 60)))
    ]
    cue = GaussianCue(shift=shift)
    rates = [passing_rate(number, delta, bad) for number in numbers]
    x = tuple(float(number) for number in numbers)
    fixed = cue.hockey_stick(1.0)
    return FigureData(
        name="gate-bounds",
        title=f"What {bad} bad of n says about deployment (cue shift {shift:g})",
        kind="curves",
        x_label="test inputs n",
        y_label="deployment misbehaviour, at most",
        x_log=True,
        series=(
            Series(name="total variation", x=x, y=tuple(min(1.0, rate + cue.total_variation()) for rate in rates)),
            Series(name="(epsilon, delta) at 1", x=x, y=tuple(min(1.0, math.e * rate + fixed) for rate in rates)),
            Series(name="exact: ROC*(U)", x=x, y=tuple(cue.roc(rate) for rate in rates)),
            Series(name="evaluation rate U", x=x, y=tuple(rates), style="dashed"),
        ),
        marks=(Mark(label=f"n = {n:,}", x=float(n), y=bound),),
        caption="Each point of the exact curve is attained by some model; relaxations level off above it.",
    )


def _played(passes: float) -> FigureData:
    numbers = np.geomspace(10, 1e8, 60)
    return FigureData(
        name="gate-strategic",
        title=f"A model that plays the gate and passes with probability {passes:g}",
        kind="curves",
        x_label="test inputs n, none bad",
        y_label="share of deployment in which it misbehaves",
        x_log=True,
        y_log=True,
        free=True,
        series=tuple(
            Series(
                name=f"shift {shift:g} (AUROC {GaussianCue(shift=shift).area():.3g})",
                x=tuple(float(number) for number in numbers),
                y=tuple(
                    strategic(GaussianCue(shift=shift), int(number), passes=passes).deployment_rate
                    for number in numbers
                ),
            )
            for shift in SHIFTS
        ),
        caption="A hundred times as many tests lower it a hundredfold without a cue, and hardly at all with a clear one.",
    )
