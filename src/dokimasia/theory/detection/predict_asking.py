"""`dokimasia theory asking`: when to ask, what it costs, and which promise survives a shift."""

from __future__ import annotations

import numpy as np

from dokimasia.core import FigureData, Mark, Series, Table
from dokimasia.stats import aurc, e_aurc
from dokimasia.theory.detection.asking import (
    area,
    asked,
    best_cost,
    draw,
    excess_area,
    promise,
    risk,
    total_cost,
)
from dokimasia.theory.detection.domain import whole
from dokimasia.theory.detection.values import averaged, counted, exact
from dokimasia.theory.prediction import Prediction

CASES = 100_000
CALIBRATIONS = 400


def predict_asking(
    *,
    ask_cost: float = 0.1,
    slope: float = 1.0,
    shifted: float = 0.7,
    target: float = 0.1,
    cases: int = 2000,
    delta: float = 0.05,
    seed: int = 0,
) -> Prediction:
    """When should a model ask, what does it cost, and what can be promised?

    Parameters
    ----------
    ask_cost:
        Cost of a question, an error costing 1; in [0, 1].
    slope, shifted:
        How accuracy grows with stated confidence, at home and after a shift, in [0, 1]; 1 is calibrated, 0 blind.
    target:
        The error rate among answers that is promised.
    cases, delta:
        Labelled cases that the promise rests on, and the probability with which it may be false.
    """
    whole("The number of cases", cases, most=100_000)
    share = asked(ask_cost)
    drawn = draw(CASES, slope=slope, seed=seed)
    confident = drawn.confidence >= 1 - ask_cost
    paid = np.where(confident, drawn.errors, ask_cost)
    kept = promise(cases=cases, target=target, slope=slope, shifted=shifted, tried=CALIBRATIONS, seed=seed, delta=delta)
    total, best = total_cost(ask_cost, slope), best_cost(ask_cost, slope)
    values = (
        exact("share asked", share, "1 - 2c"),
        exact("total cost", total, "(2 - slope) c (1 - c)"),
        averaged("total cost, simulated", paid, "simulated cases"),
        exact("total cost, slope known", best, "asks where the true error probability exceeds c"),
        exact("never asking", risk(1.0, slope), "1/2 - slope / 4"),
        exact("always asking", ask_cost, "c"),
        exact("AURC", area(slope), "1/2 - 3 slope / 8"),
        exact("AURC, of drawn cases", aurc(drawn.confidence, drawn.errors), f"{CASES:,} simulated cases"),
        exact("E-AURC", excess_area(slope), "AURC - e - (1 - e) ln(1 - e)"),
        exact("E-AURC, of drawn cases", e_aurc(drawn.confidence, drawn.errors), f"{CASES:,} simulated cases"),
        counted("a threshold was found", kept.given, kept.tried, f"simulated calibrations on {cases:,} cases"),
        exact("coverage promised, mean", kept.coverage, "where one was found"),
        counted("promise false at home", kept.broken, kept.tried, f"simulated calibrations; allowed {delta:g}"),
        counted(
            "promise false after the shift", kept.broken_shifted, kept.given, "simulated calibrations with a promise"
        ),
        exact("AUROC of confidence for the shift", 0.5, "confidences keep their law: the shift cannot be seen in them"),
    )
    return Prediction(
        model="asking",
        question="When should a model ask, what does it cost, and what can be promised?",
        headline=(
            f"At a cost of {ask_cost:g} a question, asking below a confidence of {1 - ask_cost:g} costs {total:.3g} a case: "
            f"{risk(1.0, slope):.3g} without asking. A promise of at most {target:.0%} errors is false in "
            f"{kept.broken} of {kept.tried} calibrations at home, and in {kept.broken_shifted} of {kept.given} after the "
            "shift."
        ),
        parameters={
            "ask_cost": ask_cost,
            "slope": slope,
            "shifted": shifted,
            "target": target,
            "cases": cases,
            "delta": delta,
        },
        values=values,
        assumptions=(
            "stated confidence is uniform on (1/2, 1), and accuracy is linear in it",
            "whoever is asked is right, and always costs the same",
            "the promise: calibration cases and later ones come from one source",
        ),
        misleads=(
            "The promise is about cases like those of the calibration. What is asked about out of distribution depends on "
            "whether confidence falls there, and nothing at home tells."
        ),
        source=(
            "Chow (1970), IEEE Transactions on Information Theory 16:41-46; Geifman and El-Yaniv (2017), arXiv 1705.08500; "
            "Geifman, Uziel and El-Yaniv (2019), arXiv 1805.08206"
        ),
        tables=(_costs(slope),),
        figures=(_total(slope, ask_cost, total), _risks(slope, shifted, target)),
        seed=seed,
    )


def _costs(slope: float) -> Table:
    return Table(
        name="asking-costs",
        title="Cost of a case by the cost of a question",
        columns=("question", "asked", f"Chow, slope {slope:g}", "slope known", "never ask", "calibrated"),
        rows=tuple(
            (
                cost,
                f"{asked(cost):.2f}",
                f"{total_cost(cost, slope):.4f}",
                f"{best_cost(cost, slope):.4f}",
                f"{risk(1.0, slope):.4f}",
                f"{total_cost(cost):.4f}",
            )
            for cost in (0.05, 0.1, 0.25, 0.4, 0.5)
        ),
    )


def _total(slope: float, ask_cost: float, total: float) -> FigureData:
    costs = tuple(float(cost) for cost in np.linspace(0, 0.5, 51))
    slopes = dict.fromkeys((1.0, slope, 0.5, 0.0))
    return FigureData(
        name="asking-cost",
        title="Errors and questions under Chow's rule",
        kind="curves",
        x_label="cost of a question (an error costs 1)",
        y_label="cost of a case",
        free=True,
        series=(
            *(
                Series(
                    name="calibrated" if value == 1 else f"accuracy's slope {value:g}",
                    x=costs,
                    y=tuple(total_cost(cost, value) for cost in costs),
                )
                for value in slopes
            ),
            Series(name="always ask", x=costs, y=costs, style="dashed"),
        ),
        marks=(Mark(label=f"{total:.3f}", x=ask_cost, y=total),),
        caption="Whoever trusts a confidence that means little pays more than somebody who always asks.",
    )


def _risks(slope: float, shifted: float, target: float) -> FigureData:
    coverages = tuple(float(share) for share in np.linspace(0, 1, 41))
    return FigureData(
        name="asking-risk",
        title="Error rate among the most confident share of cases",
        kind="curves",
        x_label="share answered",
        y_label="share of answers that are wrong",
        free=True,
        series=(
            Series(name=f"slope {slope:g}", x=coverages, y=tuple(risk(share, slope) for share in coverages)),
            Series(
                name=f"after the shift: {shifted:g}", x=coverages, y=tuple(risk(share, shifted) for share in coverages)
            ),
            Series(name="promised", x=(0.0, 1.0), y=(target, target), style="dashed"),
        ),
        caption="After the shift no share of answers is as good as promised, and the confidences are the same.",
    )
