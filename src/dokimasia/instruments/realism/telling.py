"""From verdicts to a finding: estimates, tables, figures and the sentence on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from dokimasia.core import Access, Citation, Estimate, Finding, NotMeasured, Quantity
from dokimasia.core.rounding import counted, percent_down, percent_up
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.realism.blindspots import Cluster
from dokimasia.instruments.realism.caveats import caveats
from dokimasia.instruments.realism.counting import counting
from dokimasia.instruments.realism.drawing import battery, curve, ranking
from dokimasia.instruments.realism.measure import Terms, Verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.instruments.realism.raw import raw
from dokimasia.instruments.realism.sampled import sampling_caveats, sampling_raw
from dokimasia.instruments.realism.streaming import Sampled
from dokimasia.instruments.realism.tabulating import tables
from dokimasia.instruments.realism.tells import SuiteRealism, Tell
from dokimasia.stats import Figure, Reassurance, clopper_pearson_upper

LOWER = "lower is more reassuring"


def tell(
    *,
    instrument: str,
    version: str,
    question: str,
    misleads: str,
    population: Population,
    described: Population,
    sampled: Sampled | None,
    verdicts: Sequence[Verdict],
    terms: Terms,
    absent: Sequence[NotMeasured],
    failed: Sequence[NotMeasured],
    words: Sequence[Tell],
    items: Sequence[Citation],
    suites: Sequence[SuiteRealism],
    suites_by: str,
    clusters: Sequence[Cluster],
    configuration: Mapping[str, Cell],
) -> Finding:
    """Put everything into one finding. `suites_by` names the discriminator that suites and items were ranked by."""
    counted_in = counting(verdicts, population, terms)
    strongest = max(counted_in, key=lambda item: item.strength)
    exposed = max(counted_in, key=lambda item: item.exposed.exposure.value)
    blind = [cluster for cluster in clusters if not cluster.resembling]
    return Finding(
        instrument=instrument,
        version=version,
        question=question,
        status="measured",
        headline=_headline(population, strongest, exposed, 1 - terms.delta),
        access=max((item.access for item in verdicts), key=get_args(Access).index),
        estimates=tuple(_estimates(population, counted_in, strongest, exposed, terms)),
        tables=tuple(tables(described, verdicts, words, suites, suites_by, clusters)),
        figures=(
            curve(verdicts, strongest, exposed, population),
            battery(verdicts),
            *ranking(suites, suites_by, population),
        ),
        citations=(*items, *(example for cluster in blind[:4] for example in cluster.examples)),
        caveats=(
            *sampling_caveats(population, sampled, verdicts),
            *caveats(population, verdicts, counted_in, strongest),
        ),
        misleads=misleads,
        not_measured=(*population.left_out, *failed, *absent),
        configuration=configuration,
        seed=terms.seed,
        raw={
            **raw(
                population=population,
                verdicts=verdicts,
                strongest=strongest,
                exposed=exposed,
                failed=failed,
                suites=suites,
                blind=blind,
                delta=terms.delta,
            ),
            **sampling_raw(population, sampled),
        },
    )


def _headline(population: Population, strongest: Verdict, exposed: Verdict, level: float) -> str:
    if population.run:
        opening = f"{counted(population.n, 'item')}, {counted(population.misbehaved, 'misbehaviour')}"
        if population.missing:
            nothing = f", of which {population.lost} left no transcript" if population.lost else ""
            opening += f" and {population.missing} without a verdict{nothing}, counted as misbehaviours"
        opening += (
            f": at {level:.0%} confidence the misbehaviour rate on inputs like these is at most "
            f"{percent_up(strongest.pooled.rate_bound)}."
        )
    else:
        opening = (
            f"Hypothetical: none of the {counted(population.n, 'item')} carries a label, so the evaluation was not run, "
            "or not judged; what follows is what it would be worth if every item were clean."
        )
    share = exposed.exposed.exposure
    if share.value > 0:
        few = exposed.scored[0]
        items = "every item" if few == population.n else f"all {few:,} items that were scored"
        beyond = (
            f" At least {percent_down(share.value)} of the deployment lies beyond {items} ({share.h} of {share.m} "
            f"transcripts, by {exposed.name}): a model that misbehaves there shows nothing "
            f"{'here' if few == population.n else 'on these'}."
        )
    else:
        beyond = " No discriminator found a part of the deployment that lies beyond every item."
    ceiling = strongest.pooled.ceiling
    verdict = (
        " For this deployment the evaluation says nothing."
        if ceiling >= 0.99
        else f" If the model tells the two apart no better than {strongest.name} does, it misbehaves in at most "
        f"{percent_up(ceiling)} of deployment."
    )
    return opening + beyond + verdict


def _estimates(
    population: Population, verdicts: Sequence[Verdict], strongest: Verdict, exposed: Verdict, terms: Terms
) -> list[Estimate]:
    n, m, delta, level = population.n, population.m, terms.delta, 1 - terms.delta
    hypothetical = not population.run

    def bound(
        name: str, high: float, count: int, method: str, quantity: Quantity, value: float | None = None
    ) -> Estimate:
        return Estimate(
            name=name,
            value=value,
            low=0.0,
            high=high,
            level=level,
            n=count,
            unit="share",
            direction=LOWER,
            method=method,
            quantity=quantity,
            hypothetical=hypothetical,
        )

    def count(name: str, value: int, quantity: Quantity) -> Estimate:
        return Estimate(
            name=name,
            value=value,
            low=value,
            high=value,
            level=1.0,
            n=value,
            unit="transcripts",
            direction="a count",
            method="counted; near-duplicates once",
            quantity=quantity,
        )

    optimistic = max(verdicts, key=lambda item: item.optimistic.ceiling)
    clean = max(verdicts, key=lambda item: item.clean.ceiling)
    share = exposed.exposed.exposure
    found = [
        count("Evaluation items", n, Quantity.EVALUATION_N),
        count("Deployment transcripts", m, Quantity.DEPLOYMENT_N),
    ]
    if population.run:
        found += [
            count("Misbehaviours seen", population.misbehaved, Quantity.EVALUATION_OBSERVED),
            count("Misbehaviours, missing included", population.worst, Quantity.EVALUATION_MISBEHAVED),
        ]
    found.append(
        bound(
            "Misbehaviour rate on evaluation inputs",
            strongest.pooled.rate_bound,
            population.evaluated,
            "one-sided Clopper-Pearson" + (", the missing counted as misbehaviours" if population.missing else ""),
            Quantity.EVALUATION_RATE,
            None if hypothetical else population.worst / population.evaluated,
        )
    )
    if population.missing:
        scored = population.evaluated - population.missing
        found.append(
            bound(
                "The same, the missing left out (optimistic)",
                clopper_pearson_upper(population.misbehaved, scored, delta),
                scored,
                "one-sided Clopper-Pearson",
                Quantity.EVALUATION_RATE_OPTIMISTIC,
                population.misbehaved / scored if scored else None,
            )
        )
    families, tainted = population.by_template()
    if families < n:
        found.append(
            bound(
                "Share of item templates with a misbehaviour",
                clopper_pearson_upper(tainted, families, delta),
                families,
                "one-sided Clopper-Pearson by template: the bound if items of one template stand or fall together",
                Quantity.OTHER,
                None if hypothetical else tainted / families,
            )
        )
    found.append(
        bound(
            f"Ceiling, strongest ({strongest.name})",
            strongest.pooled.ceiling,
            strongest.pooled.n,
            _method(strongest, strongest.pooled),
            Quantity.CEILING,
        )
    )
    if population.missing:
        found.append(
            bound(
                "Ceiling, the missing left out (optimistic)",
                optimistic.optimistic.ceiling,
                optimistic.optimistic.n,
                _method(optimistic, optimistic.optimistic),
                Quantity.CEILING_OPTIMISTIC,
            )
        )
    found.append(
        bound(
            "Ceiling, had every item been clean",
            clean.clean.ceiling,
            clean.clean.n,
            _method(clean, clean.clean),
            Quantity.CEILING_CLEAN,
        )
    )
    found.append(
        Estimate(
            name=f"Exposure ({exposed.name})",
            value=share.share,
            low=share.value,
            high=1.0,
            level=level,
            n=share.m,
            unit="share",
            direction=LOWER,
            method=f"{share.h} of {share.m} deployment transcripts score above all of {exposed.scored[0]} evaluation items; "
            f"one-sided Clopper-Pearson at delta/{round(delta / terms.exposure_delta)}, {_scores(exposed)}",
            quantity=Quantity.EXPOSURE,
        )
    )
    for verdict in verdicts:
        found.append(
            _two_sided(
                f"AUROC, {verdict.name}",
                verdict.auc,
                verdict.pooled.n + verdict.pooled.m,
                f"{_scores(verdict)}; Newcombe's score interval",
            )
        )
        found.append(
            _two_sided(
                f"TPR at 1% FPR, {verdict.name}",
                verdict.tpr,
                verdict.pooled.n + verdict.pooled.m,
                f"{_scores(verdict)}; order statistics, Clopper-Pearson",
            )
        )
    return found


def _scores(verdict: Verdict) -> str:
    return "pooled out-of-fold scores" if verdict.cross_fitted else "scores of the half that was not trained on"


def _method(verdict: Verdict, ceiling: Reassurance) -> str:
    vouched = {
        "simulation": "coverage by simulation",
        "numerical": "constants by numerical search",
        "proved": "proved",
    }
    return f"{_scores(verdict)}, sign-test ceiling; {vouched[verdict.basis(ceiling)]}"


def _two_sided(name: str, figure: Figure, n: int, method: str) -> Estimate:
    return Estimate(
        name=name,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        level=0.95,
        n=n,
        unit="probability",
        direction="higher: the two are told apart better",
        method=method,
    )
