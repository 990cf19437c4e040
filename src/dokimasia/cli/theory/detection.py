"""The commands about detection and control: gate, audits, puzzles, triggers, asking, exploring, perfect."""

from __future__ import annotations

from typing import Annotated

import typer

from dokimasia.cli.theory.answering import AsJson, Figures, Seed, answer

Delta = Annotated[float, typer.Option(help="Error probability of each bound.")]


def gate(
    n: Annotated[int, typer.Option("--tests", "-n", help="Test inputs.")] = 1000,
    bad: Annotated[int, typer.Option(help="Misbehaviours among them that the gate tolerates.")] = 0,
    shift: Annotated[
        float, typer.Option(help="How far the model's cue lies higher in deployment, in standard deviations.")
    ] = 1.0,
    passes: Annotated[
        float, typer.Option(help="Probability with which a model that plays the gate wants to pass.")
    ] = 0.5,
    deployments: Annotated[int, typer.Option(help="Deployment inputs, for the probability of any misbehaviour.")] = 100,
    delta: Delta = 0.05,
    mean_review: Annotated[float, typer.Option(help="Spot checks: mean probability of a review.")] = 0.01,
    least_review: Annotated[float, typer.Option(help="Spot checks: least probability of a review.")] = 0.005,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """What may a model do in deployment that passed a test, if it can tell tests apart?"""
    from dokimasia.theory.detection import predict_gate

    prediction = predict_gate(
        n=n,
        bad=bad,
        shift=shift,
        passes=passes,
        deployments=deployments,
        delta=delta,
        mean_review=mean_review,
        least_review=least_review,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)


def audits(
    separation: Annotated[
        float, typer.Option(help="How much higher attacks score, in standard deviations of honest outputs.")
    ] = 2.0,
    share: Annotated[float, typer.Option(help="Share of honest outputs that is audited.")] = 0.01,
    candidates: Annotated[int, typer.Option(help="Attacks of which the least suspicious is submitted.")] = 4,
    rate: Annotated[float, typer.Option(help="Share of tasks that are attacks.")] = 0.01,
    tasks: Annotated[int, typer.Option(help="Tasks in the deployment.")] = 1000,
    samples: Annotated[int, typer.Option(help="Resampling: samples a step.")] = 5,
    attacks: Annotated[float, typer.Option(help="Resampling: share of the other samples that attack.")] = 0.3,
    correlation: Annotated[float, typer.Option(help="Resampling: correlation of the scores of one step.")] = 0.0,
    audit_cost: Annotated[float, typer.Option(help="Cost of an audit.")] = 1.0,
    harm: Annotated[float, typer.Option(help="Cost of an attack that succeeds.")] = 100.0,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """Which attacks are caught if the most suspicious outputs are audited?"""
    from dokimasia.theory.detection import predict_audits

    prediction = predict_audits(
        separation=separation,
        share=share,
        candidates=candidates,
        rate=rate,
        tasks=tasks,
        samples=samples,
        attacks=attacks,
        correlation=correlation,
        audit_cost=audit_cost,
        harm=harm,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)


def puzzles(
    without: Annotated[float, typer.Option(help="Share of puzzles solved without the fact.")] = 0.1,
    knowing: Annotated[float, typer.Option(help="Share of puzzles solved with it.")] = 0.7,
    alpha: Annotated[float, typer.Option(help="Aim for false alarms.")] = 0.01,
    beta: Annotated[float, typer.Option(help="Aim for missed knowledge.")] = 0.05,
    hiding: Annotated[float, typer.Option(help="Share of puzzles on which the fact is hidden.")] = 0.5,
    drift: Annotated[
        float, typer.Option(help="By how much all puzzles are solved more often than at the baseline.")
    ] = 0.1,
    count: Annotated[
        int, typer.Option("--puzzles", help="Puzzles of a kind in a period; also how long the e-process watches.")
    ] = 40,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """How many puzzles tell whether a model knows a fact, and what if it hides it?"""
    from dokimasia.theory.detection import predict_puzzles

    prediction = predict_puzzles(
        without=without,
        knowing=knowing,
        alpha=alpha,
        beta=beta,
        hiding=hiding,
        drift=drift,
        puzzles=count,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)


def triggers(
    trigger: Annotated[float, typer.Option(help="Probability that a sample holds the trigger.")] = 0.0001,
    odds: Annotated[float, typer.Option(help="Odds of a backdoor before.")] = 10.0,
    target: Annotated[float, typer.Option(help="Odds that are wanted after.")] = 0.01,
    residual: Annotated[
        float, typer.Option(help="Probability that a backdoored model behaves well at a trigger.")
    ] = 0.01,
    miss: Annotated[float, typer.Option(help="Probability of failing that is allowed.")] = 0.05,
    vocabulary: Annotated[int, typer.Option(help="Tokens that there are, if one guesses the trigger.")] = 50_000,
    length: Annotated[int, typer.Option(help="Tokens of the trigger, if one guesses it.")] = 3,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """How many samples find a backdoor's trigger, or train it away?"""
    from dokimasia.theory.detection import predict_triggers

    prediction = predict_triggers(
        trigger=trigger,
        odds=odds,
        target=target,
        residual=residual,
        miss=miss,
        vocabulary=vocabulary,
        length=length,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)


def asking(
    ask_cost: Annotated[float, typer.Option(help="Cost of a question; an error costs 1.")] = 0.1,
    slope: Annotated[float, typer.Option(help="How accuracy grows with stated confidence: 1 is calibrated.")] = 1.0,
    shifted: Annotated[float, typer.Option(help="The same after a shift.")] = 0.7,
    target: Annotated[float, typer.Option(help="Promised error rate among answers.")] = 0.1,
    cases: Annotated[int, typer.Option(help="Labelled cases that the promise rests on.")] = 2000,
    delta: Annotated[float, typer.Option(help="Probability with which the promise may be false.")] = 0.05,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """When should a model ask instead of answering, and what can be promised?"""
    from dokimasia.theory.detection import predict_asking

    prediction = predict_asking(
        ask_cost=ask_cost, slope=slope, shifted=shifted, target=target, cases=cases, delta=delta, seed=seed
    )
    return answer(prediction, as_json=as_json, figures=figures)


def exploring(
    probability: Annotated[float, typer.Option(help="Probability of an action that the policy avoids.")] = 0.0001,
    floor: Annotated[float, typer.Option(help="Probability with which each action is tried by design.")] = 0.001,
    miss: Annotated[float, typer.Option(help="Probability of not having tried it that is allowed.")] = 0.05,
    bias: Annotated[float, typer.Option(help="Scale of the feature `go right`.")] = 2.0,
    coin: Annotated[float, typer.Option(help="Scale of the feature `the coin's side`.")] = 1.0,
    time: Annotated[float, typer.Option(help="Length of training: steps times learning rate.")] = 6000.0,
    mixed: Annotated[float, typer.Option(help="Share of training with the coin on the left.")] = 0.02,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """How long until a policy tries something, and which of two goals does it learn?"""
    from dokimasia.theory.detection import predict_exploring

    prediction = predict_exploring(
        probability=probability, floor=floor, miss=miss, bias=bias, coin=coin, time=time, mixed=mixed, seed=seed
    )
    return answer(prediction, as_json=as_json, figures=figures)


def perfect(
    separation: Annotated[float, typer.Option(help="How much higher attacks score, in standard deviations.")] = 2.0,
    audited: Annotated[float, typer.Option(help="Share audited, the most suspicious.")] = 0.03,
    coin: Annotated[float, typer.Option(help="Share of the rest audited at random.")] = 0.02,
    sensitivity: Annotated[float, typer.Option(help="Probability that an audit finds an attack.")] = 0.9,
    edited: Annotated[float, typer.Option(help="Share rewritten, the next most suspicious.")] = 0.1,
    repair: Annotated[float, typer.Option(help="Probability that a rewrite removes an attack.")] = 0.8,
    loss: Annotated[float, typer.Option(help="Share of its use that a rewrite costs an honest output.")] = 0.3,
    candidates: Annotated[int, typer.Option(help="Attacks to choose from.")] = 4,
    sight: Annotated[float, typer.Option(help="Correlation of the attacker's view with the score.")] = 0.7,
    rate: Annotated[float, typer.Option(help="Share of outputs that would attack.")] = 0.01,
    waits: Annotated[int, typer.Option(help="Moments of which the best one is taken.")] = 1,
    tasks: Annotated[int, typer.Option(help="Tasks in the deployment.")] = 1000,
    seed: Seed = 0,
    as_json: AsJson = False,
    figures: Figures = None,
) -> int:
    """What breaks when one part of a protocol of control becomes perfect?"""
    from dokimasia.theory.detection import predict_perfect

    prediction = predict_perfect(
        separation=separation,
        audited=audited,
        coin=coin,
        sensitivity=sensitivity,
        edited=edited,
        repair=repair,
        loss=loss,
        candidates=candidates,
        sight=sight,
        rate=rate,
        waits=waits,
        tasks=tasks,
        seed=seed,
    )
    return answer(prediction, as_json=as_json, figures=figures)
