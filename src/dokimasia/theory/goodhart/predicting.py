"""The three regimes side by side, as one prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import ndtri

from dokimasia.core import DataError
from dokimasia.theory.goodhart.comparing import SIMULATED, Row, row
from dokimasia.theory.goodhart.drawing import best_figure, gao_figure, kl_figure, tail_figure
from dokimasia.theory.goodhart.laws import Exponential, Law, LogNormal, Normal, StudentT
from dokimasia.theory.goodhart.sums import Proxy, limit
from dokimasia.theory.goodhart.tabulating import best_table, gao_table, kl_table, tail_table, theorem_table
from dokimasia.theory.prediction import Prediction, Value

Z95 = float(ndtri(0.975))
WIDE = 4.0
"""Standard errors between quadrature and simulation beyond which a caveat says so."""
SOURCE = (
    "Kwa, Thomas and Garriga-Alonso (2024), Catastrophic Goodhart, arXiv 2407.14503; Gao, Schulman and Hilton (2022), arXiv "
    "2210.10760; Beirami and others (2024), arXiv 2401.01879"
)


def predict(
    *,
    value_sd: float = 1.0,
    error_sd: float = 1.0,
    degrees: float = 3.0,
    spread: float = 1.0,
    most: int = 1_000_000,
    alpha: float = 1.0,
    beta: float = 0.4,
    replicates: int = 2000,
    seed: int = 0,
) -> Prediction:
    """What becomes of a normal value when a proxy with normal, exponential, log-normal or Student-t error is optimised?

    All errors have standard deviation `error_sd`; `degrees` are those of Student's t, `spread` is that of the logarithm of the
    log-normal one. Best of n goes up to `most`. `alpha` and `beta` are those of Gao's curves.
    """
    if most != int(most) or not max(SIMULATED) <= most <= 10**12:
        raise DataError(
            f"Best of n goes up to a whole number from {max(SIMULATED)} to 10^12.",
            f"Found {most}.",
            "Pass for example 4096.",
        )
    value = Normal(sd=value_sd)
    errors: tuple[Law, ...] = (
        Normal(sd=error_sd),
        Exponential(sd=error_sd),
        LogNormal(spread=spread, sd=error_sd),
        StudentT(degrees=degrees, sd=error_sd),
    )
    if not (1e-100 < value_sd < 1e100 and 1e-3 <= error_sd / value_sd <= 1e3):
        raise DataError(
            "Value and error of comparable size are expected, within a factor of 1,000.",
            f"Found standard deviations of {value_sd:g} and {error_sd:g}.",
            "With far less error the proxy is the value; with far more it is noise.",
        )
    rows = [row(Proxy(value=value, error=error), most, replicates=replicates, seed=seed) for error in errors]
    normal, exponential, *_, power = rows
    plateau = limit(exponential.proxy).value
    peak = max(zip(power.best, power.counts, strict=True))[1]
    return Prediction(
        model="goodhart",
        question="What becomes of the value when its proxy is optimised?",
        headline=f"Best of {most:,} has a value of {normal.best[-1]:.2f} with normal error, {exponential.best[-1]:.2f} with "
        f"exponential error (it cannot pass {plateau:.2f}) and {power.best[-1]:.2f} with Student-t error, where it peaks near "
        f"n = {peak:,}: the tail of the error decides, not its size.",
        parameters={
            "value_sd": value_sd,
            "error_sd": error_sd,
            "degrees": degrees,
            "spread": spread,
            "most": most,
            "alpha": alpha,
            "beta": beta,
            "replicates": replicates,
        },
        values=tuple(_values(rows)),
        assumptions=(
            "the proxy is value plus error, and the two are independent",
            "the value is normal with mean 0",
            "outputs are drawn independently from one policy",
        ),
        misleads="Where error and value depend on one another no tail decides by itself: errors that go with low values turn the "
        "gain into a loss at any tail. A sample shows the tail as far as its rarest output; optimisation goes further.",
        source=SOURCE,
        tables=(
            tail_table(rows),
            best_table(rows),
            kl_table(rows, value),
            theorem_table(rows),
            gao_table(alpha, beta),
        ),
        figures=(
            tail_figure(rows),
            best_figure(rows),
            kl_figure(rows, value),
            gao_figure(alpha, beta),
        ),
        caveats=tuple(
            f"Simulation and quadrature differ by {off:.1f} standard errors for best of {n} with {found.name} error."
            for found in rows
            for n, off in zip(SIMULATED, found.off, strict=True)
            if off > WIDE
        ),
        seed=seed,
    )


def _values(rows: Sequence[Row]) -> list[Value]:
    values = []
    for found in rows:
        where = limit(found.proxy)
        infinite = math.isinf(where.value)
        values.append(
            Value(
                name=f"limit of E[V | U >= t], {found.name} error",
                value=None if infinite else where.value,
                unit="",
                method=f"{'infinite, because ' if infinite else ''}{where.why}",
            )
        )
        values.append(
            Value(
                name=f"best of {found.counts[-1]:,}, {found.name} error",
                value=found.best[-1],
                unit="",
                method="quadrature",
            )
        )
    for found in rows:
        for n, item in zip(SIMULATED, found.simulated, strict=True):
            values.append(
                Value(
                    name=f"best of {n}, {found.name} error, simulated",
                    value=item.mean,
                    unit="",
                    method="simulation, normal interval",
                    low=item.mean - Z95 * item.error,
                    high=item.mean + Z95 * item.error,
                    level=0.95,
                    n=item.n,
                )
            )
    return values
