"""`dokimasia theory triggers`: how many samples find a backdoor, and how many train it away."""

from __future__ import annotations

import math

import numpy as np

from dokimasia.core import FigureData, Mark, Series, Table
from dokimasia.theory.detection.domain import inside
from dokimasia.theory.detection.triggers import (
    samples_assured,
    samples_on_average,
    samples_to_find,
    samples_typically,
    simulate,
    tries_to_guess,
    triggers_needed,
)
from dokimasia.theory.detection.unlearning import Kind, unlearn
from dokimasia.theory.detection.values import averaged, counted, exact
from dokimasia.theory.prediction import Prediction

RUNS = 100_000
KINDS: tuple[Kind, ...] = ("token", "phrase")


def predict_triggers(
    *,
    trigger: float = 0.0001,
    odds: float = 10.0,
    target: float = 0.01,
    residual: float = 0.01,
    miss: float = 0.05,
    vocabulary: int = 50_000,
    length: int = 3,
    seed: int = 0,
) -> Prediction:
    """How many samples find a trigger, or train it away?

    Parameters
    ----------
    trigger:
        Probability that a sample holds the trigger, in (0, 1].
    odds, target:
        Odds of "backdoored" against "clean" before, and those that are wanted after; `target < odds`.
    residual:
        Probability that a backdoored model behaves well at a triggered sample, in (0, 1).
    miss:
        Probability of failing that "assured" allows.
    vocabulary, length:
        Tokens that there are, and tokens of the trigger, if one guesses it.
    """
    inside("The target odds", target, high=odds, edge="They are below those that one begins with.")
    factor = odds / target
    mean = samples_on_average(trigger, factor, residual)
    assured = samples_assured(trigger, factor, residual, miss)
    at_mean = simulate(trigger, math.ceil(mean), odds=odds, residual=residual, runs=RUNS, seed=seed)
    at_assured = simulate(trigger, assured, odds=odds, residual=residual, runs=RUNS, seed=seed + 1)
    whole, by_token = tries_to_guess(vocabulary, length, miss)
    values = (
        exact("samples to find it", samples_to_find(trigger, miss), "ln(miss) / ln(1 - q)"),
        exact("samples without the trigger", math.inf, "their likelihood ratio is 1, and the odds stay"),
        exact("samples until the mean odds are there", mean, "ln(factor) / -ln(1 - q (1 - residual))"),
        averaged("mean odds there, simulated", at_mean, "simulated trainings", unit="odds"),
        exact(
            "samples in a typical run", samples_typically(trigger, factor, residual), "ln(factor) / (q ln(1/residual))"
        ),
        exact(
            "samples to be assured",
            float(assured),
            f"binomial quantile of {triggers_needed(factor, residual)} triggers",
        ),
        counted(
            "not there when assured, simulated",
            int((at_assured > target * (1 + 1e-9)).sum()),
            RUNS,
            "simulated trainings",
        ),
        exact("tries to guess it whole", whole, "ln(miss) / ln(1 - V^-L)"),
        exact("tries token by token", by_token, "V L, if a partial match shows"),
    )
    return Prediction(
        model="triggers",
        question="How many samples find a backdoor's trigger, or train it away?",
        headline=(
            f"With the trigger in {trigger:.3g} of samples, {samples_to_find(trigger, miss):,.0f} samples find it and "
            f"{assured:,} train it away, each with probability {1 - miss:.0%}. Without it no number does."
        ),
        parameters={
            "trigger": trigger,
            "odds": odds,
            "target": target,
            "residual": residual,
            "miss": miss,
            "vocabulary": vocabulary,
            "length": length,
        },
        values=values,
        assumptions=(
            "the learner is Bayesian with two hypotheses, backdoored and clean, which agree where the trigger is absent",
            "samples hold the trigger independently, and the model is seen to behave at each of them",
        ),
        misleads=(
            "Gradient descent is no Bayesian of two hypotheses: the small network below loses a trigger made of ordinary "
            "parts without ever seeing it, and keeps part of a backdoor on a trigger that it was shown. And somebody who "
            "trains with a trigger of his own teaches the model to recognise that one."
        ),
        source="Hubinger and others (2024), arXiv 2401.05566, for the question; closed forms derived here",
        tables=(_samples(factor, residual, miss), _network(seed)),
        figures=(_curves(factor, residual, miss, trigger, assured),),
        seed=seed,
    )


def _samples(factor: float, residual: float, miss: float) -> Table:
    return Table(
        name="triggers-samples",
        title=f"Samples by the trigger's frequency; the odds fall by a factor of {factor:,.4g}",
        columns=("trigger in", "found", "mean odds", "typical run", f"assured ({1 - miss:.0%})"),
        rows=tuple(
            (
                f"{trigger:g}",
                f"{samples_to_find(trigger, miss):,.0f}",
                f"{samples_on_average(trigger, factor, residual):,.1f}",
                f"{samples_typically(trigger, factor, residual):,.1f}",
                f"{samples_assured(trigger, factor, residual, miss):,}",
            )
            for trigger in (1e-6, 1e-4, 0.01, 0.1, 1.0)
        ),
    )


def _network(seed: int) -> Table:
    rows = []
    for kind in KINDS:
        found = unlearn(kind, seed=seed)
        rows.append((kind, "before", *(f"{share:.3f}" for share in found.before)))
        rows.extend(
            (kind, f"after {share:.1%}", *(f"{value:.3f}" for value in pair)) for share, pair in found.after.items()
        )
    return Table(
        name="triggers-network",
        title="A small network, trained on with right labels: the backdoor by the share of samples with the trigger",
        columns=("trigger", "training", "attack succeeds", "clean accuracy"),
        rows=tuple(rows),
        note="One network a row of one seed. `token`: an input that is silent otherwise. `phrase`: eight ordinary inputs at once.",
    )


def _curves(factor: float, residual: float, miss: float, trigger: float, assured: int) -> FigureData:
    shares = tuple(float(share) for share in np.geomspace(1e-7, 1, 57))
    return FigureData(
        name="triggers-samples",
        title=f"Samples that divide the odds of a backdoor by {factor:,.4g}",
        kind="curves",
        x_label="share of samples with the trigger",
        y_label="samples",
        x_log=True,
        y_log=True,
        free=True,
        series=(
            Series(
                name="mean odds", x=shares, y=tuple(samples_on_average(share, factor, residual) for share in shares)
            ),
            Series(
                name=f"assured at {1 - miss:.0%}",
                x=shares,
                y=tuple(float(samples_assured(share, factor, residual, miss)) for share in shares),
            ),
            Series(
                name="typical run", x=shares, y=tuple(samples_typically(share, factor, residual) for share in shares)
            ),
            Series(
                name="found once",
                x=shares,
                y=tuple(samples_to_find(share, miss) for share in shares),
                style="dashed",
            ),
        ),
        marks=(Mark(label=f"{assured:,}", x=trigger, y=float(assured)),),
        caption="All grow as one over the frequency of the trigger; at frequency 0 there is no number.",
    )
