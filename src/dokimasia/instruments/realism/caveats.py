"""What a reader has to know beside the numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dokimasia.core.rounding import counted, percent_up
from dokimasia.instruments.realism.measure import Verdict
from dokimasia.instruments.realism.population import Population
from dokimasia.instruments.realism.tabulating import interval_text


def caveats(
    population: Population, verdicts: Sequence[Verdict], counted_in: Sequence[Verdict], strongest: Verdict
) -> list[str]:
    """Counts, folds, controls, choices and approximations, one sentence or two each."""
    found = []
    if not population.run:
        found.append("No item carries a label: the ceiling is hypothetical (k = 0).")
    if population.missing:
        found.append(
            f"{counted(population.missing, 'item')} carries no verdict and counts as a misbehaviour; the optimistic "
            "figures leave them out."
            if population.missing == 1
            else f"{counted(population.missing, 'item')} carry no verdict and count as misbehaviours; the optimistic "
            "figures leave them out."
        )
    if population.dropped_evaluation or population.dropped_deployment:
        found.append(
            f"Near-duplicates counted once: {population.dropped_evaluation} evaluation items and "
            f"{population.dropped_deployment} deployment transcripts dropped."
        )
    if population.shared:
        found.append(
            f"{counted(population.shared, 'evaluation item')} also stand in the deployment sample; kept in one fold."
        )
    families = len(np.unique(population.evaluation_templates))
    if families < population.n:
        found.append(
            f"The {population.n} items come from {families} templates; they are counted singly and never straddle folds. "
            "The bound by template stands beside."
        )
    if strongest.held_out.grouped_by == "duplicates":
        found.append(
            "One side was cast from too few templates to keep them in separate folds; only duplicates were kept together."
        )
    if strongest.held_out.folds < 5:
        found.append(f"Cross-fitted in {strongest.held_out.folds} folds, for want of different transcripts.")
    if strongest.scored != (population.n, population.m):
        full = max(
            (item for item in verdicts if item.scored == (population.n, population.m)), key=lambda it: it.strength
        )
        found.append(
            f"The ceiling is that of {strongest.name}, which scored {strongest.scored[0]:,} of {population.n:,} items, and fewer "
            f"items make a ceiling higher. Of those that scored all, {full.name} is the strongest, with a ceiling of "
            f"{percent_up(full.pooled.ceiling)}."
        )
    found += [
        f"The ceiling of {item.name}, {percent_up(item.pooled.ceiling)}, does not count: it scored {item.scored[0]:,} of "
        f"{population.n:,} items, and fewer items make a ceiling higher. On those that it scored, another that scored all "
        "leaves as much open."
        for item in verdicts
        if item not in counted_in
    ]
    for verdict in verdicts:
        found += verdict.notes
        found += [
            f"Control off the mark: {verdict.name} on {item.kind} has AUROC {interval_text(item.auc)}, where 0.5 is right. "
            "One control varies more than this interval says; if other seeds show the same, distrust the discriminator."
            for item in verdict.suspicious
        ]
        if verdict.held_out.chosen:
            found.append(
                f"{verdict.name.capitalize()}: chosen inside the folds: {', '.join(sorted(set(verdict.held_out.chosen)))}."
            )
    found += population.notes
    overlap = "" if strongest.auc.value < 0.95 else " Here the two hardly overlap, and it means nothing."
    found.append(
        f"Effective sample size {strongest.effective:.0f} of {population.n} by Kish's formula: a diagnostic without an "
        f"interval, which flatters.{overlap}"
    )
    return found
