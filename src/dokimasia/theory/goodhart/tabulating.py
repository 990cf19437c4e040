"""The tables of a prediction."""

from __future__ import annotations

from collections.abc import Sequence

from dokimasia.core import Table
from dokimasia.theory.goodhart.comparing import RARITIES, SIMULATED, Row
from dokimasia.theory.goodhart.construction import reweighted
from dokimasia.theory.goodhart.divergence import best_of_n_kl
from dokimasia.theory.goodhart.gao import BestOfNCurve, LearningCurve
from dokimasia.theory.goodhart.laws import Normal
from dokimasia.theory.goodhart.tilting import bound, regularised_at

NATS = (0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0)
THRESHOLDS = (10.0, 100.0, 1e3, 1e4)


def tail_table(rows: Sequence[Row]) -> Table:
    """Value above thresholds."""
    return Table(
        name="goodhart-tail",
        title="Mean value of outputs above a threshold, by how many outputs reach it",
        columns=("one output in", *(f"{row.name} error" for row in rows)),
        rows=tuple(
            (f"{rarity:,.0f}", *(f"{row.tail[at]:.4f}" for row in rows))
            for at, rarity in enumerate(RARITIES)
            if at % 2 == 1
        ),
        note="By quadrature. The last three columns go to their limits, the first grows with the threshold.",
    )


def best_table(rows: Sequence[Row]) -> Table:
    """Value of the best of n."""
    return Table(
        name="goodhart-best-of-n",
        title="Mean value of the best of n",
        columns=("n", "nats", *(f"{row.name} error" for row in rows)),
        rows=tuple(
            (f"{n:,}", f"{best_of_n_kl(n):.3f}", *(f"{row.best[at]:.4f}" for row in rows))
            for at, n in enumerate(rows[0].counts)
            if n in SIMULATED or at % 2 == 0 or n == rows[0].counts[-1]
        ),
        note="By quadrature; simulated values with their intervals are listed above. Nats are exact without ties only.",
    )


def kl_table(rows: Sequence[Row], value: Normal) -> Table:
    """Value of the KL-regularised optimum, where there is one."""

    def cell(row: Row, kl: float) -> str:
        found = regularised_at(row.proxy, kl)
        return "no optimum" if found is None else f"{found.value:.4f}"

    return Table(
        name="goodhart-regularised",
        title="Mean value of the KL-regularised optimum, by nats from the base policy",
        columns=("nats", *(f"{row.name} error" for row in rows), "most that is possible"),
        rows=tuple((kl, *(cell(row, kl) for row in rows), f"{bound(value, kl):.4f}") for kl in NATS),
        note="With exponential error the optimum exists only while the regularisation is stronger than the error's standard "
        "deviation; with a heavier tail there is none. The last column is Donsker and Varadhan's bound, for any proxy.",
    )


def theorem_table(rows: Sequence[Row]) -> Table:
    """What a mean score costs in nats, with a heavy tail and with a light one."""
    laws = (rows[-1].proxy.error, rows[0].proxy.error)
    made = [[reweighted(law, t, t**-0.8) for law in laws] for t in THRESHOLDS]
    return Table(
        name="goodhart-theorem-1",
        title="Theorem 1: scores of t or more are given the weight t^-0.8",
        columns=("t", *(f"{what}, {law.name} score" for law in laws for what in ("mean", "nats"))),
        rows=tuple(
            (t, *(f"{part:.4g}" for item in row for part in (item.mean, item.kl)))
            for t, row in zip(THRESHOLDS, made, strict=True)
        ),
        note="With a heavy tail the mean score grows while the divergence goes to nought.",
    )


def gao_table(alpha: float, beta: float) -> Table:
    """Peaks of Gao's curves."""
    rows = []
    for name, curve in (
        ("best of n", BestOfNCurve(alpha=alpha, beta=beta)),
        ("learning", LearningCurve(alpha=alpha, beta=beta)),
    ):
        peak = curve.peak()
        rows.append((name, *(("none",) * 3 if peak is None else tuple(f"{part:.4g}" for part in peak))))
    return Table(
        name="goodhart-gao",
        title=f"Peaks of Gao's curves, alpha {alpha:g} and beta {beta:g}",
        columns=("by", "root of nats", "nats", "gold score"),
        rows=tuple(rows),
        note="Coefficients are to be fitted; these are examples.",
    )
