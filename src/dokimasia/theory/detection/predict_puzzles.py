"""`dokimasia theory puzzles`: how soon a model shows that it knows a fact, and how well it can hide it."""

from __future__ import annotations

import numpy as np

from dokimasia.core import DataError, FigureData, Mark, Series, Table
from dokimasia.stats import SequentialTest
from dokimasia.theory.detection.domain import inside, whole, within
from dokimasia.theory.detection.puzzles import (
    detections,
    power,
    power_at_any_time,
    power_of_fixed,
    simulate,
    solving,
)
from dokimasia.theory.detection.values import averaged, counted, exact
from dokimasia.theory.prediction import Prediction

RUNS = 20_000
PERIODS = 2000
MOST = 500


def predict_puzzles(
    *,
    without: float = 0.1,
    knowing: float = 0.7,
    alpha: float = 0.01,
    beta: float = 0.05,
    hiding: float = 0.5,
    drift: float = 0.1,
    puzzles: int = 40,
    seed: int = 0,
) -> Prediction:
    """How many puzzles tell whether a model knows a fact, and what if it hides it?

    Parameters
    ----------
    without, knowing:
        Rates at which a puzzle is solved without the fact and with it, `without < knowing`.
    alpha, beta:
        Aims of the sequential test: false alarms, and missed knowledge of a model that plays straight.
    hiding:
        The share of puzzles on which a model that knows the fact answers as if it did not.
    drift:
        How much better the model became at such puzzles in general, since the baseline.
    puzzles:
        Puzzles of each kind in each period for the difference in differences; and how long the e-process watches.
    """
    whole("The number of puzzles", puzzles, most=2000)
    inside("without", without, edge="At 0 the first puzzle that is solved settles it; at 1 the fact adds nothing.")
    within("knowing", knowing, low=without, edge="The fact helps: its rate is the larger one.")
    test = SequentialTest(null=without, alternative=knowing, alpha=alpha, beta=beta)
    rate = solving(test, hiding)
    needed = test.wald(solving(test, 0.5)).mean_trials
    if needed > MOST:
        raise DataError(
            f"Rates far enough apart that a test takes at most {MOST:,} puzzles are expected.",
            f"Found {without} and {knowing}, between which it takes some {needed:,.0f}.",
            "Find puzzles that the fact helps more with; equal rates would take for ever.",
        )
    drifted = min(1.0, without + within("drift", drift))
    drawn = simulate(test, rate, runs=RUNS, seed=seed)
    ignorant, straight, sly = (power(test, share) for share in (1.0, 0.0, hiding))
    known = min(1.0, rate + drift)
    found = detections((known, drifted), (without, without), puzzles=puzzles, runs=PERIODS, seed=seed)
    false = detections((drifted, drifted), (without, without), puzzles=puzzles, runs=PERIODS, seed=seed)

    def watched(true: float) -> float:
        return power_at_any_time(true, without, alpha=alpha, longest=puzzles).alarm

    values = (
        exact("alarm without the fact", ignorant.alarm, "recursion"),
        exact("alarm with it", straight.alarm, "recursion"),
        exact(f"alarm, hidden on {hiding:.0%}", sly.alarm, "recursion"),
        counted(f"alarm, hidden on {hiding:.0%}, simulated", drawn.alarms, RUNS, "simulated tests"),
        exact("puzzles without the fact, mean", ignorant.mean_trials, "recursion"),
        exact("puzzles with it, mean", straight.mean_trials, "recursion"),
        exact("puzzles with it, Wald", test.wald(knowing).mean_trials, "[(1 - beta) A + beta B] / KL(s || g)"),
        exact(f"puzzles, hidden on {hiding:.0%}, mean", sly.mean_trials, "recursion"),
        averaged("the same, simulated", drawn.lengths, "simulated tests"),
        exact("false alarms, at most", alpha / (1 - beta), "what Wald proves: alpha / (1 - beta)"),
        exact(f"e-process: alarm within {puzzles}, without the fact", watched(without), "recursion"),
        exact(f"e-process: alarm within {puzzles}, with it", watched(knowing), "recursion"),
        exact(f"e-process: alarm within {puzzles}, hidden on {hiding:.0%}", watched(rate), "recursion"),
        exact("drift alone: sequential test alarms", test.passage(drifted).alarm, "recursion; no fact is known"),
        counted("drift alone: difference in differences", false, PERIODS, f"95% interval above 0, {puzzles} a sample"),
        counted(
            "drift and fact: difference in differences", found, PERIODS, f"95% interval above 0, {puzzles} a sample"
        ),
    )
    return Prediction(
        model="puzzles",
        question="How many puzzles tell whether a model knows a fact, and what if it hides it?",
        headline=(
            f"A model that knows the fact sets off the alarm with probability {straight.alarm:.3g} after "
            f"{straight.mean_trials:.2g} puzzles on average; hiding it on {hiding:.0%} of them, with probability "
            f"{sly.alarm:.3g}. Without the fact the alarm is false with probability {ignorant.alarm:.2g}, and "
            f"{test.passage(drifted).alarm:.2g} once the model solves {drift:.2g} more of all puzzles."
        ),
        parameters={
            "without": without,
            "knowing": knowing,
            "alpha": alpha,
            "beta": beta,
            "hiding": hiding,
            "drift": drift,
            "puzzles": puzzles,
        },
        values=values,
        assumptions=(
            "puzzles are independent, and of one difficulty",
            "controls are matched: whatever else changes, changes both rates alike",
            "the model hides the fact at random; that is what a share means here",
        ),
        misleads=(
            "No alarm does not mean no knowledge: a model that hides always is not to be told from one that does not know. "
            "Solving must be worth its while, or something must look inside it."
        ),
        source="Wald (1945); Waudby-Smith and Ramdas (2024); the fact-gated puzzle is Kwa's",
        tables=(_hidden(test, puzzles),),
        figures=(_powers(test, hiding, sly.alarm, puzzles), _lengths(test)),
        seed=seed,
    )


def _hidden(test: SequentialTest, puzzles: int) -> Table:
    rows = []
    for hiding in (0.0, 0.25, 0.5, 0.75, 0.9, 1.0):
        rate, exactly = solving(test, hiding), power(test, hiding)
        wald = test.wald(rate)
        rows.append(
            (
                f"{hiding:.0%}",
                f"{rate:.3g}",
                f"{exactly.alarm:.4f}",
                f"{wald.alarm:.4f}",
                f"{exactly.mean_trials:.2f}",
                f"{wald.mean_trials:.2f}",
                exactly.trials_by(0.95),
                f"{power_at_any_time(rate, test.null, alpha=test.alpha, longest=puzzles).alarm:.4f}",
            )
        )
    return Table(
        name="puzzles-hiding",
        title="Power against a model that hides what it knows",
        columns=(
            "hidden",
            "solves",
            "alarm",
            "Wald's alarm",
            "puzzles",
            "Wald's puzzles",
            "95% stop by",
            f"e-process in {puzzles}",
        ),
        rows=tuple(rows),
        note="Wald's approximations leave out by how much the last puzzle carries the test beyond its bounds.",
    )


def _powers(test: SequentialTest, hiding: float, alarm: float, puzzles: int) -> FigureData:
    shares = tuple(float(share) for share in np.linspace(0, 1, 41))
    rates = [solving(test, share) for share in shares]
    return FigureData(
        name="puzzles-power",
        title="The alarm's probability against the share of puzzles on which the fact is hidden",
        kind="curves",
        x_label="share hidden",
        y_label="probability of an alarm",
        series=(
            Series(name="sequential test", x=shares, y=tuple(power(test, share).alarm for share in shares)),
            Series(
                name=f"e-process within {puzzles} puzzles",
                x=shares,
                y=tuple(power_at_any_time(rate, test.null, alpha=test.alpha, longest=puzzles).alarm for rate in rates),
            ),
            Series(
                name=f"{puzzles} puzzles, settled beforehand",
                x=shares,
                y=tuple(power_of_fixed(rate, test.null, alpha=test.alpha, puzzles=puzzles) for rate in rates),
            ),
            Series(name="alpha", x=(0.0, 1.0), y=(test.alpha, test.alpha), style="dashed"),
        ),
        marks=(Mark(label=f"{alarm:.2f}", x=hiding, y=alarm),),
        caption="The sequential test is quick, and so gives up soon; patience buys power against a model that hides.",
    )


def _lengths(test: SequentialTest) -> FigureData:
    rates = tuple(float(rate) for rate in np.linspace(0.01, 0.99, 50))
    return FigureData(
        name="puzzles-length",
        title="Puzzles that the sequential test takes, on average",
        kind="curves",
        x_label="true rate of solving",
        y_label="puzzles",
        free=True,
        series=(
            Series(name="exact", x=rates, y=tuple(test.passage(rate).mean_trials for rate in rates)),
            Series(
                name="Wald's approximation",
                x=rates,
                y=tuple(test.wald(rate).mean_trials for rate in rates),
                style="dashed",
            ),
        ),
        caption="It takes longest at the rates between the two that it decides between.",
    )
