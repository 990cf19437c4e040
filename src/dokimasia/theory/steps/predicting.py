"""Everything that the model of independent steps says for one mind and one task, as a prediction."""

from __future__ import annotations

import math

from dokimasia.core.errors import DataError
from dokimasia.stats.intervals import clopper_pearson
from dokimasia.theory.prediction import Prediction, Value
from dokimasia.theory.steps.budget import budget_scale, success_probability
from dokimasia.theory.steps.horizon import doubling_approaches, horizon, limit_horizon
from dokimasia.theory.steps.laws import Pareto
from dokimasia.theory.steps.picture import figures, tables
from dokimasia.theory.steps.proportional import critical_index, decay_rate, log_miss
from dokimasia.theory.steps.simulate import shares_within, simulated_times
from dokimasia.theory.steps.step import critical_approaches, log_quantile, mean_time, rate, rate_gain, tail_index
from dokimasia.theory.steps.sums import MOST_EXACT, limit_median, median_growth, sum_within, time_within

QUESTION = "How do speed, success and the length of tasks that a mind can do depend on how many approaches it knows?"
SOURCE = (
    "Thomas Kwa's model of independent steps of cognitive power, reconstructed; Toby Ord (2025), arXiv 2505.05115, for the "
    "half-life, its limit at a = 0; stable laws: Feller (1971), volume II, chapters XIII and XVII"
)
MISLEADS = (
    "It misleads wherever steps differ in kind. Its hazard per subtask never falls with the length of the task, and runs of "
    "known human time reject that for every mind tried: a share of tasks is out of reach whatever the length."
)
ASSUMPTIONS = (
    "subtasks are serial, alike and independent, and so are approaches to each",
    "an approach's time has a Pareto tail of index alpha, and the least time of a subtask is the unit of time",
    "the fastest approach is taken at no cost in finding out which it is",
)
INTERVAL = 0.95


def predict(
    *,
    alpha: float = 0.1,
    approaches: float = 3.0,
    subtasks: float = 30.0,
    budget: float = 1e6,
    kappa: float = 2.0,
    replicates: int = 0,
    seed: int = 0,
) -> Prediction:
    """Speed, success and horizon of a mind that knows `approaches` to each subtask.

    Parameters
    ----------
    alpha, approaches:
        Tail index of one approach's time, and how many are known; only their product counts.
    subtasks:
        Length of the task. Whole if it is simulated.
    budget, kappa:
        A fixed budget of time, and one of `kappa` per subtask, in units of a subtask's least time.
    replicates:
        How many whole tasks to simulate; 0 for none.
    """
    a = tail_index(alpha, approaches)
    if subtasks > MOST_EXACT:
        raise DataError(
            f"At most {MOST_EXACT:g} subtasks are expected.",
            f"Found {subtasks:g}.",
            "For more take the limit laws, `limit_median` and `success_probability`.",
        )
    success = sum_within(budget, subtasks, a=a)
    half = horizon(budget, a=a)
    values = [
        *_step_values(alpha, approaches, a),
        *_sum_values(subtasks, a),
        *_budget_values(budget, subtasks, a, alpha, success, half),
        *_proportional_values(kappa, subtasks, a, alpha),
    ]
    if replicates:
        values += _simulated_values(alpha, approaches, subtasks, budget, kappa, replicates, seed)
    return Prediction(
        model="steps",
        question=QUESTION,
        headline=_headline(alpha, approaches, a, subtasks, budget, success, half),
        parameters={
            "alpha": alpha,
            "approaches": approaches,
            "subtasks": subtasks,
            "budget": budget,
            "kappa": kappa,
            "replicates": replicates,
        },
        values=tuple(values),
        assumptions=ASSUMPTIONS,
        misleads=MISLEADS,
        source=SOURCE,
        tables=tables(alpha, subtasks, budget),
        figures=figures(alpha, approaches, budget, kappa),
        seed=seed if replicates else None,
    )


def _step_values(alpha: float, approaches: float, a: float) -> list[Value]:
    mean = mean_time(a)
    return [
        Value(name="index of a subtask's time, Q alpha", value=a, unit="", method="closed form"),
        Value(
            name="approaches at the threshold",
            value=critical_approaches(alpha),
            unit="approaches",
            method="closed form: 1 / alpha",
        ),
        _finite("mean time of a subtask", mean, "a / (a - 1)", "infinite, because Q alpha is not above 1"),
        _finite(
            "median time of a subtask",
            _exp(log_quantile(0.5, a=a)),
            "2**(1 / a)",
            "infinite, because it is beyond the largest float",
        ),
        Value(
            name="rate in the long run",
            value=rate(a),
            unit="subtasks per unit of time",
            method="closed form: 1 - 1 / a, or 0",
        ),
        Value(
            name="what one more approach adds to the rate",
            value=rate_gain(alpha, approaches),
            unit="",
            method="closed form: 1 / (alpha Q**2), or 0",
        ),
    ]


def _sum_values(subtasks: float, a: float) -> list[Value]:
    beyond = "infinite, because it is beyond the largest float"
    return [
        _finite("median time of the task", time_within(0.5, subtasks, a=a), "exact, by inversion", beyond),
        _finite("the same by the limit law", limit_median(subtasks, a=a), "for many subtasks", beyond),
        Value(
            name="slope of the median, log-log", value=median_growth(a), unit="", method="closed form: max(1, 1 / a)"
        ),
    ]


def _budget_values(budget: float, subtasks: float, a: float, alpha: float, success: float, half: float) -> list[Value]:
    exact = "exact, by inversion"
    found = [Value(name="success within the budget", value=success, unit="", method=exact)]
    if a < 1:
        limit = float(success_probability(subtasks, a=a, scale=budget_scale(budget, a=a)))
        found.append(Value(name="the same by the limit law", value=limit, unit="", method="Mittag-Leffler"))
    found += [
        Value(name="horizon at 50%", value=half, unit="subtasks", method=exact),
        Value(name="horizon at 80%", value=horizon(budget, a=a, share=0.8), unit="subtasks", method=exact),
        Value(
            name="horizon at 50% by the limit law",
            value=limit_horizon(budget, a=a),
            unit="subtasks",
            method="z B**a / Gamma(1 - a)" if a < 1 else "B / ln B" if a == 1 else "B (1 - 1 / a)",
        ),
        Value(
            name="approaches that double the horizon",
            value=doubling_approaches(alpha, budget),
            unit="approaches",
            method="leading order below the threshold: ln 2 / (alpha ln B)",
        ),
    ]
    return found


def _proportional_values(kappa: float, subtasks: float, a: float, alpha: float) -> list[Value]:
    found = [
        Value(
            name="approaches at which kappa is the mean time",
            value=critical_index(kappa) / alpha,
            unit="approaches",
            method="closed form: kappa / ((kappa - 1) alpha)",
        ),
        Value(
            name="success within kappa per subtask",
            value=sum_within(kappa * subtasks, subtasks, a=a),
            unit="",
            method="exact, by inversion",
        ),
    ]
    if kappa > mean_time(a):
        miss = min(log_miss(subtasks, kappa, a=a), 0.0)
        found.append(
            Value(name="failure by one long subtask", value=math.exp(miss), unit="", method="for many subtasks")
        )
    else:
        decay = decay_rate(kappa, a=a)
        found.append(Value(name="decay of success", value=decay, unit="nats a subtask", method="Cramer's rate"))
    return found


def _simulated_values(
    alpha: float, approaches: float, subtasks: float, budget: float, kappa: float, replicates: int, seed: int
) -> list[Value]:
    if subtasks != int(subtasks):
        raise DataError(
            "A whole number of subtasks is expected where tasks are simulated.",
            f"Found {subtasks}.",
            "Round it, or ask for no simulation.",
        )
    median = time_within(0.5, subtasks, a=alpha * approaches)
    named = {
        "within the budget": budget,
        "within kappa per subtask": kappa * subtasks,
        "within the exact median": median,
    }
    blocks = simulated_times(Pareto(alpha=alpha), approaches, int(subtasks), replicates, seed=seed)
    counts, total = shares_within(tuple(named.values()), blocks)
    found = []
    for name, count in zip(named, counts, strict=True):
        low, high = clopper_pearson(count, total, INTERVAL)
        found.append(
            Value(
                name=f"simulated share {name}",
                value=count / total,
                unit="",
                method="tasks drawn; Clopper-Pearson interval",
                low=low,
                high=high,
                level=INTERVAL,
                n=total,
            )
        )
    return found


def _headline(
    alpha: float, approaches: float, a: float, subtasks: float, budget: float, success: float, half: float
) -> str:
    least = critical_approaches(alpha)
    side = "above" if a > 1 else "at" if a == 1 else "below"
    speed = f"subtasks take {mean_time(a):.3g} on average" if a > 1 else "the mean time of a subtask is infinite"
    length = f"{half:,.0f}" if half >= 100 else f"{half:.3g}"
    return (
        f"A mind with {approaches:g} approaches is {side} the threshold of {least:g}: {speed}, and a budget of {budget:g} is "
        f"enough for a task of length {subtasks:g} with probability {success:.3g}, for one of {length} with probability 0.5."
    )


def _finite(name: str, value: float, method: str, infinite: str) -> Value:
    if math.isinf(value):
        return Value(name=name, value=None, unit="least times", method=infinite)
    return Value(name=name, value=value, unit="least times", method=method)


def _exp(log: float) -> float:
    return math.exp(log) if log < 709 else math.inf
