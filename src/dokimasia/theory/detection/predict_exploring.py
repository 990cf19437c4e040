"""`dokimasia theory exploring`: what is never tried, and which of two goals is learned."""

from __future__ import annotations

import numpy as np

from dokimasia.core import FigureData, Series, Table
from dokimasia.theory.detection.domain import inside
from dokimasia.theory.detection.exploring import first_try, goals, goals_mixed, reinforce, steps_to_learn
from dokimasia.theory.detection.triggers import samples_to_find
from dokimasia.theory.detection.values import exact
from dokimasia.theory.prediction import Prediction


def predict_exploring(
    *,
    probability: float = 1e-4,
    floor: float = 0.001,
    miss: float = 0.05,
    bias: float = 2.0,
    coin: float = 1.0,
    time: float = 6000.0,
    mixed: float = 0.02,
    seed: int = 0,
) -> Prediction:
    """How long until a policy tries something, and which of two goals that agree in training does it learn?

    Parameters
    ----------
    probability:
        Probability of the action that the policy avoids, in (0, 1/2).
    floor, miss:
        Probability with which each action is tried by design, and of not having tried it that is allowed.
    bias, coin:
        Scales of the two features: going right, and the coin's side.
    time, mixed:
        Length of training (steps times rate), and share of coins on the left.
    """
    inside(
        "The probability of an action that the policy avoids",
        probability,
        high=0.5,
        edge="At 0 it is never tried; from one half on nothing is left to learn here.",
    )
    pure, blended = goals(bias, coin, time), goals_mixed(bias, coin, time, mixed)
    short = goals(bias, coin, 20.0)
    sampled = reinforce(bias, coin, time=20.0, rate=0.02, batch=64, seed=seed)
    values = (
        exact("samples until the first try", first_try(probability), "1 / p"),
        exact("samples until tried by design", samples_to_find(floor, miss), "ln(miss) / ln(1 - floor)"),
        exact("steps to learn it", steps_to_learn(probability, 0.5), "[2 z + exp z - exp(-z)], from p to one half"),
        exact("goes right, coin right", pure.coin_right, "closed form"),
        exact("goes right, coin left", pure.coin_left, "closed form; coin always right in training"),
        exact(f"goes right, coin left, {mixed:.1%} mixed", blended.coin_left, "gradient flow"),
        exact("coin left, short training", short.coin_left, "closed form, time 20"),
        exact("coin left, short training, REINFORCE", sampled.coin_left, "one simulated run of 1,000 updates, time 20"),
    )
    return Prediction(
        model="exploring",
        question="How long until a policy tries something, and which of two goals that agree does it learn?",
        headline=(
            f"An action of probability {probability:g} is first tried after {first_try(probability):,.0f} samples. With the "
            f"coin always right the policy goes right with probability {pure.coin_left:.3g} when the coin is left; with "
            f"{mixed:.1%} of coins on the left in training, {blended.coin_left:.3g}."
        ),
        parameters={
            "probability": probability,
            "floor": floor,
            "miss": miss,
            "bias": bias,
            "coin": coin,
            "time": time,
            "mixed": mixed,
        },
        values=values,
        assumptions=(
            "a policy that is linear in two features, from weights of 0",
            "exact gradients, in continuous time",
        ),
        misleads="Networks learn their features; their scales are not given, and differ from seed to seed: report several.",
        source="Williams (1992) for REINFORCE; goal misgeneralisation: Langosco and others (2022), arXiv 2105.14111",
        tables=(_scales(time, mixed),),
        figures=(_figure(bias, coin),),
        seed=seed,
    )


def _scales(time: float, mixed: float) -> Table:
    return Table(
        name="exploring-goals",
        title="Probability of going right when the coin is on the left",
        columns=("bias", "coin's side", "coin always right", f"{mixed:.1%} on the left"),
        rows=tuple(
            (b, c, f"{goals(b, c, time).coin_left:.3f}", f"{goals_mixed(b, c, time, mixed).coin_left:.3f}")
            for b, c in ((1.0, 1.0), (2.0, 1.0), (1.0, 2.0))
        ),
    )


def _figure(bias: float, coin: float) -> FigureData:
    times = tuple(float(time) for time in np.geomspace(1, 1e5, 26))
    return FigureData(
        name="exploring-goals",
        title=f"Which goal was learned (scales {bias:g} and {coin:g})",
        kind="curves",
        x_label="length of training",
        y_label="goes right when the coin is on the left",
        x_log=True,
        series=(
            Series(name="coin always right", x=times, y=tuple(goals(bias, coin, time).coin_left for time in times)),
            *(
                Series(
                    name=f"{share:.1%} of coins on the left",
                    x=times,
                    y=tuple(goals_mixed(bias, coin, time, share).coin_left for time in times),
                )
                for share in (0.002, 0.02, 0.2)
            ),
        ),
        caption="A small share of telling cases turns the goal around, late.",
    )
