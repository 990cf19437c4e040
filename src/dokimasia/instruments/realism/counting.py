"""Which discriminators count: those that scored everything, and of the others those that tell better what they scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dokimasia.instruments.realism.measure import Terms, Verdict, verdict
from dokimasia.instruments.realism.population import Population


def counting(verdicts: Sequence[Verdict], population: Population, terms: Terms) -> list[Verdict]:
    """The verdicts of which the strongest is reported.

    Fewer items make a ceiling higher by themselves. So a discriminator that scored a part is compared, on that part, with
    those that scored all, and counts if it leaves more open than any of them does there.
    """
    everything = (population.n, population.m)
    whole = [item for item in verdicts if item.scored == everything]
    return [
        item
        for item in verdicts
        if item.scored == everything
        or item.strength > max(_on_part_of(item, other, population, terms).strength for other in whole)
    ]


def _on_part_of(part: Verdict, whole: Verdict, population: Population, terms: Terms) -> Verdict:
    """What a discriminator that scored everything says of the transcripts that another one scored."""
    place = np.full(len(population.transcripts), -1)
    place[whole.held_out.rows] = np.arange(len(whole.held_out.rows))
    rows = part.held_out.rows
    there = place[rows]
    found = whole.held_out
    held_out = replace(
        found, rows=rows, scaled=found.scaled[there], logit=found.logit[there], deployment=found.deployment[there]
    )
    return verdict(whole, held_out, population, terms, split=None, controls=(), notes=())
