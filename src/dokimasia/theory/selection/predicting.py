"""What behavioural selection says of a set of hypotheses, and how learning compares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dokimasia.core import FigureData, Series, Table
from dokimasia.core.rounding import counted, percent
from dokimasia.theory.prediction import Prediction, Value
from dokimasia.theory.selection.bounds import bounds_over_motives, bounds_over_priors
from dokimasia.theory.selection.hypotheses import Hypotheses
from dokimasia.theory.selection.learning import Learner, Learnt, learn, plain_gradient_shares
from dokimasia.theory.selection.picture import causal_graph
from dokimasia.theory.selection.probes import Probe, rank_probes
from dokimasia.theory.selection.shares import in_the_limit, prior_sensitivity, shares, steps_to_overtake

MOST_DRAWN = 6
REPLICATOR = "closed form: prior times exp(eta * steps * expected reward)"


def predict(
    hypotheses: Hypotheses,
    *,
    eta: float = 0.1,
    steps: int = 1500,
    least: float = 0.01,
    factor: float = 3.0,
    tries: int = 1,
    batch: int = 4096,
    runs: int = 32,
    seed: int = 0,
) -> Prediction:
    """Which motives does training leave, how may they misbehave, and what would tell them apart?

    `least` is the share from which a motive counts for the bounds, `factor` how wrong each prior may be, `tries` the
    attempts at a probe.
    """
    prior, fitness, names = hypotheses.priors, hypotheses.fitness, hypotheses.names
    final = shares(prior, fitness, steps, eta=eta)
    learnt = {
        learner: learn(hypotheses, learner, steps=steps, eta=eta, batch=batch, runs=runs, seed=seed)
        for learner in Learner
    }
    plain = plain_gradient_shares(hypotheses, steps=steps, eta=eta)[1]
    rate = hypotheses.misbehaviour @ hypotheses.deployment_shares
    motives, priors = (
        bounds_over_motives(final, rate, least=least),
        bounds_over_priors(final, rate, factor=factor),
    )
    probes = rank_probes(hypotheses, final, tries=tries)
    leader, first = int(final.argmax()), int(prior.argmax())
    values = (
        *(
            Value(name=f"share of {name}", value=float(share), unit="", method=REPLICATOR)
            for name, share in zip(names, final, strict=True)
        ),
        *(_simulated(names[leader], learner, result, leader) for learner, result in learnt.items()),
        Value(
            name=f"share of {names[leader]} expected of a plain gradient",
            value=float(plain[-1, leader]),
            unit="",
            method="its steps without noise",
        ),
        Value(
            name="deployment misbehaviour before training",
            value=float(prior @ rate),
            unit="",
            method="mean over motives by their priors",
        ),
        Value(
            name="deployment misbehaviour after training",
            value=motives.expected,
            unit="",
            method=f"mean over motives by their shares; the interval spans those of share {least:g} or more",
            low=motives.low,
            high=motives.high,
        ),
        Value(
            name=f"the same, each prior wrong by up to {factor:g} times",
            value=priors.expected,
            unit="",
            method="exact extremes over such priors",
            low=priors.low,
            high=priors.high,
        ),
        Value(
            name=f"expected information of {counted(tries, 'attempt')} at the best probe",
            value=probes[0].information,
            unit="bits",
            method=f"{probes[0].situation}: mutual information with the motive, of {probes[0].entropy:.3g} bits; exact sum",
        ),
    )
    worst = names[motives.highest] if motives.highest is not None else ""
    return Prediction(
        model="selection",
        question="Which motives does training leave, how may they misbehave, and what would tell them apart?",
        headline=(
            f"After {steps:,} steps {names[leader]} has the largest share, {percent(final[leader])} "
            f"(before: {names[first]}, {percent(prior[first])}). Expected misbehaviour in deployment is "
            f"{motives.expected:.2g}; any motive of share {least:g} or more may be the true one, which leaves from "
            f"{motives.low:.2g} to {motives.high:.2g} ({worst}). The most telling probe is: {probes[0].situation}."
        ),
        parameters={
            "eta": eta,
            "steps": steps,
            "least": least,
            "factor": factor,
            "tries": tries,
            "batch": batch,
            "runs": runs,
            "hypotheses": len(names),
        },
        values=values,
        assumptions=(
            "The hypotheses exclude one another, none is missing, and the priors are yours.",
            "One motive acts in all situations, and training changes how likely it is to be the one, not what it does.",
            "Selection acts on expected reward, without noise: no motive is lost for want of having been tried.",
            "Attempts at a probe are independent given the motive, and the motive does not know that it is probed.",
        ),
        misleads=(
            "Misleads where the learner is no natural gradient: a plain policy gradient is far slower to find a rare "
            "motive, and a policy that can choose its motive by the situation need not settle on one (both are "
            "simulated here). Misleads, too, with made-up rewards."
        ),
        source=(
            "Mallen and Shlegeris (2025), The behavioral selection model for predicting AI motivations, in words; the "
            "equations and numbers are ours. Softmax policy gradient against replicator dynamics: Hennes and others "
            "(2020), Neural Replicator Dynamics, arXiv 1906.00190."
        ),
        tables=(
            _shares_table(hypotheses, final, learnt, eta),
            _sensitivity_table(names, final, rate),
            _probe_table(names, probes),
        ),
        figures=(
            _shares_figure(hypotheses, steps, eta),
            _learning_figure(hypotheses, learnt, plain, first, eta),
            _misbehaviour_figure(hypotheses, final, least),
            causal_graph(hypotheses),
        ),
        caveats=_caveats(hypotheses, final, batch),
        seed=seed,
    )


def _simulated(name: str, learner: Learner, result: Learnt, leader: int) -> Value:
    return Value(
        name=f"share of {name} learnt by {learner.value}",
        value=float(result.mean[-1, leader]),
        unit="",
        method="simulation, mean over runs",
        low=float(result.low[-1, leader]),
        high=float(result.high[-1, leader]),
        level=result.level,
        n=result.runs,
    )


def _shares_table(
    hypotheses: Hypotheses,
    final: NDArray[np.float64],
    learnt: dict[Learner, Learnt],
    eta: float,
) -> Table:
    prior, fitness = hypotheses.priors, hypotheses.fitness
    first = int(prior.argmax())
    limit = in_the_limit(prior, fitness)

    def flip(motive: int) -> float | None:
        found = steps_to_overtake(prior[first], prior[motive], fitness[motive] - fitness[first], eta=eta)
        return None if found is None else round(found, 1)

    return Table(
        name="selection-shares",
        title="Motives before and after training",
        columns=(
            "motive",
            "prior",
            "expected reward",
            "share",
            "with endless training",
            f"steps to overtake {hypotheses.names[first]}",
            "learnt, natural gradient",
            "learnt, plain gradient",
            "learnt, by situation",
        ),
        rows=tuple(
            (
                name,
                round(float(prior[place]), 4),
                round(float(fitness[place]), 4),
                round(float(final[place]), 4),
                round(float(limit[place]), 4),
                flip(place) if place != first else None,
                *(
                    round(float(learnt[learner].mean[-1, place]), 4)
                    for learner in (Learner.NATURAL, Learner.PLAIN, Learner.SITUATED)
                ),
            )
            for place, name in enumerate(hypotheses.names)
        ),
        note="No number of steps: it earns no more, so it never overtakes.",
    )


def _sensitivity_table(names: tuple[str, ...], final: NDArray[np.float64], rate: NDArray[np.float64]) -> Table:
    slope = prior_sensitivity(final)
    return Table(
        name="selection-sensitivity",
        title="How much hangs on each prior: change, to first order, for each unit of its logarithm",
        columns=(
            "prior of",
            "change of its own share",
            "change of deployment misbehaviour",
            "misbehaves in deployment",
        ),
        rows=tuple(
            (
                name,
                float(f"{slope[place, place]:.3g}"),
                float(f"{rate @ slope[:, place]:.3g}"),
                float(f"{rate[place]:.3g}"),
            )
            for place, name in enumerate(names)
        ),
    )


def _probe_table(names: tuple[str, ...], probes: tuple[Probe, ...]) -> Table:
    def leading(after: tuple[float, ...] | None) -> str:
        return "cannot happen" if after is None else f"{names[int(np.argmax(after))]} ({max(after):.2f})"

    return Table(
        name="selection-probes",
        title="What trying a situation would tell about the motive",
        columns=("situation", "bits", "of", "misbehaviour expected", "if all clean", "if all misbehave"),
        rows=tuple(
            (
                probe.situation,
                round(probe.information, 4),
                round(probe.entropy, 4),
                float(f"{probe.misbehaves:.3g}"),
                leading(probe.if_clean),
                leading(probe.if_bad),
            )
            for probe in probes
        ),
        note="The motive with the largest share afterwards, and that share.",
    )


def _shares_figure(hypotheses: Hypotheses, steps: int, eta: float) -> FigureData:
    grid = np.linspace(0, steps, 101)
    curves = shares(hypotheses.priors, hypotheses.fitness, grid, eta=eta)
    drawn = np.argsort(-curves.max(axis=0), kind="stable")[:MOST_DRAWN]
    return FigureData(
        name="selection-shares",
        title="Shares of motives during training",
        kind="curves",
        x_label="steps of training",
        y_label="share",
        series=tuple(
            Series(name=hypotheses.names[place], x=tuple(grid.tolist()), y=tuple(curves[:, place].tolist()))
            for place in sorted(drawn.tolist())
        ),
        caption="Those that earn the same keep the odds that their priors gave them.",
    )


def _learning_figure(
    hypotheses: Hypotheses, learnt: dict[Learner, Learnt], plain: NDArray[np.float64], motive: int, eta: float
) -> FigureData:
    steps = learnt[Learner.NATURAL].steps
    x = tuple(steps.astype(float).tolist())
    replicator = shares(hypotheses.priors, hypotheses.fitness, steps, eta=eta)[:, motive]
    return FigureData(
        name="selection-learning",
        title=f"Share of {hypotheses.names[motive]}, the likeliest at first: the model and three learners",
        kind="curves",
        x_label="steps of training",
        y_label="share",
        series=(
            Series(name="replicator", x=x, y=tuple(replicator.tolist())),
            *(
                Series(
                    name=learner.value,
                    x=x,
                    y=tuple(result.mean[:, motive].tolist()),
                    low=tuple(result.low[:, motive].tolist()),
                    high=tuple(result.high[:, motive].tolist()),
                    style="dashed",
                )
                for learner, result in learnt.items()
            ),
            Series(name="plain gradient, expected", x=x, y=tuple(plain[:, motive].tolist())),
        ),
        caption="Bands: 95% Monte Carlo intervals of the mean over runs. The model describes the natural gradient alone.",
    )


def _misbehaviour_figure(hypotheses: Hypotheses, final: NDArray[np.float64], least: float) -> FigureData:
    rates = hypotheses.misbehaviour
    found = [bounds_over_motives(final, rates[:, place], least=least) for place in range(rates.shape[1])]
    rows = tuple(float(place) for place in range(len(found)))

    def series(name: str, weights: NDArray[np.float64]) -> Series:
        return Series(
            name=name,
            x=tuple((weights @ rates).tolist()),
            y=rows,
            low=tuple(item.low for item in found),
            high=tuple(item.high for item in found),
            style="points",
        )

    return FigureData(
        name="selection-misbehaviour",
        title="Misbehaviour by situation, and what training leaves possible",
        kind="dots",
        x_label="probability of misbehaviour",
        y_label="",
        series=(series("after training", final),),
        rows=tuple(item.name for item in hypotheses.deployment),
        caption=f"Dots: mean over motives by shares. Bars: least to most, over motives of share {least:g} or more.",
    )


def _caveats(hypotheses: Hypotheses, final: NDArray[np.float64], batch: int) -> tuple[str, ...]:
    found = [hypotheses.note] if hypotheses.note else []
    alike = [
        f"{one} and {other}"
        for place, one in enumerate(hypotheses.names)
        for later, other in enumerate(hypotheses.names[place + 1 :], place + 1)
        if np.array_equal(hypotheses.rewards[place], hypotheses.rewards[later])
    ]
    if alike:
        found.append(f"Training cannot tell apart: {'; '.join(alike)}. Their odds are those of their priors.")
    rare = [
        name
        for name, start, end in zip(hypotheses.names, hypotheses.priors, final, strict=True)
        if 0 < min(start, end) * batch < 5
    ]
    if rare:
        found.append(
            f"In the simulations {', '.join(rare)} is drawn fewer than 5 times a step at its rarest: learning is by chance "
            "there. Raise the batch."
        )
    return tuple(found)
