"""The realism tables."""

from __future__ import annotations

from collections.abc import Sequence

from dokimasia.core import Table
from dokimasia.core.rounding import number_down, number_up, percent, percent_range
from dokimasia.instruments.realism.blindspots import Cluster
from dokimasia.instruments.realism.measure import Verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.instruments.realism.tells import SuiteRealism, Tell
from dokimasia.stats import Figure


def tables(
    population: Population,
    verdicts: Sequence[Verdict],
    words: Sequence[Tell],
    suites: Sequence[SuiteRealism],
    suites_by: str,
    clusters: Sequence[Cluster],
) -> list[Table]:
    """Discriminators, controls, suites, words, kinds of deployment."""
    found = [
        Table(
            name="discriminators",
            title="Who can tell, and what follows",
            columns=("discriminator", "AUROC", "TPR at 1% FPR", "exposure", "ceiling", "if all clean", "one split"),
            rows=tuple(
                (
                    verdict.name,
                    interval_text(verdict.auc),
                    interval_text(verdict.tpr),
                    f"≥ {number_down(verdict.exposed.exposure.value)}",
                    f"≤ {number_up(verdict.pooled.ceiling)}",
                    f"≤ {number_up(verdict.clean.ceiling)}",
                    "-" if verdict.split is None else f"≤ {number_up(verdict.split.ceiling)} ({verdict.split.basis})",
                )
                for verdict in verdicts
            ),
            note=" ".join(
                [
                    "Ceilings of pooled out-of-fold scores hold by simulation; the split's holds by the numerical constants "
                    "or the proof named beside it, for the discriminator trained on the other half.",
                    *(
                        f"The ceiling of {verdict.name} is that of one half ({verdict.basis(verdict.pooled)})."
                        for verdict in verdicts
                        if not verdict.cross_fitted
                    ),
                ]
            ),
        ),
        Table(
            name="controls",
            title="Controls: what the same procedure says where there is nothing to find",
            columns=("discriminator", "control", "AUROC", "ceiling", "n", "m"),
            rows=tuple(
                (verdict.name, item.kind, interval_text(item.auc), f"≤ {number_up(item.ceiling)}", item.n, item.m)
                for verdict in verdicts
                for item in verdict.controls
            ),
        ),
    ]
    if suites:
        found.append(
            Table(
                name="suites",
                title="Suites, the most realistic first",
                columns=("suite", "items", "AUROC against deployment"),
                rows=tuple((item.suite, item.n, interval_text(item.auc)) for item in suites),
                note=f"By the held-out scores of {suites_by}. 0.5: not told apart; 1: always told apart.",
            )
        )
    if words:
        found.append(
            Table(
                name="tells",
                title="Words that give the test away",
                columns=("word", "in evaluation", "in deployment", "pull (nats)"),
                rows=tuple(
                    (
                        item.word,
                        f"{percent(item.evaluation)} {percent_range(*item.evaluation_interval)}",
                        f"{percent(item.deployment)} {percent_range(*item.deployment_interval)}",
                        round(item.pull, 3),
                    )
                    for item in words
                ),
                note="Mean contribution to the log-odds of being evaluation, in a linear model fitted on these rows: "
                "descriptive.",
                quotes=True,
            )
        )
    if clusters:
        blind = [cluster for cluster in clusters if not cluster.resembling]
        found.append(
            Table(
                name="blind spots",
                title="Kinds of deployment, those that no item resembles first",
                columns=("marked by", "share of deployment", "transcripts", "items that resemble it"),
                rows=tuple(
                    (
                        ", ".join(item.words),
                        f"{percent(item.share)} {percent_range(*item.interval)}",
                        item.size,
                        item.resembling,
                    )
                    for item in clusters
                ),
                note=f"{len(blind)} of {len(clusters)} clusters, {sum(item.size for item in blind)} of {population.m} "
                "transcripts, resemble no item. Clusters were found by looking at the data.",
                quotes=True,
            )
        )
    return found


def interval_text(figure: Figure) -> str:
    """A figure with its interval, ends rounded outward."""
    return f"{figure.value:.3f} [{number_down(figure.low)}, {number_up(figure.high)}]"
