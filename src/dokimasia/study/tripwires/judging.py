"""What each part of a tripwire trips on, as rates; and what words alone would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.control import Breaker, Matcher, Rate, Tripwire, statements_of
from dokimasia.control.pieces import words
from dokimasia.core import Message, Transcript
from dokimasia.instruments.common.discriminators import Words
from dokimasia.sources.facts import Fact
from dokimasia.stats.clustered import clustered_auroc, clustered_rate
from dokimasia.study.tripwires.report import Tried
from dokimasia.study.tripwires.said import Kind, Said, digest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Scores = NDArray[np.float64]

LEVEL = 0.95
REACH = 40


def matcher_of(facts: Sequence[Fact]) -> Matcher:
    """A matcher of these facts that reaches over the longest of their wordings."""
    longest = max((len(words(wording.true)) for fact in facts for wording in fact.wordings), default=0)
    return Matcher(statements=statements_of(facts), reach=max(REACH, 2 * longest))


def judged_matcher(facts: Sequence[Fact], said: Sequence[Said]) -> Tried:
    """The matcher, on each wording of a fact with the others given; its false alarms on all else that is said."""
    left_out, flags = [], []
    for fact in facts:
        for place, wording in enumerate(fact.wordings if len(fact.wordings) > 1 else ()):
            others = replace(fact, wordings=fact.wordings[:place] + fact.wordings[place + 1 :])
            one = Said(kind="fact", part="judged", source=fact.name, conversation=(Message("assistant", wording.true),))
            left_out.append(one)
            flags.append(trips(matcher_of([others]), one))
    matcher = matcher_of(facts)
    rest = [one for one in said if one.kind != "fact"]
    flags += [trips(matcher, one) for one in rest]
    return rates("matcher", [*left_out, *rest], np.asarray(flags))


def judged_words(said: Sequence[Said], *, fpr: float, seed: int) -> Tried | None:
    """A classifier of the words alone, fitted, set and judged on the same messages as the probe."""
    texts = [Transcript(id=str(row), messages=(Message("user", one.text),), source="") for row, one in enumerate(said)]
    fit, threshold, judged = (rows_of(said, part) for part in ("fit", "threshold", "judged"))
    positive = np.asarray([said[row].kind == "fact" for row in fit])
    if not len(threshold) or positive.all() or not positive.any():
        return None
    rest = np.concatenate([threshold, judged])
    scores = Words().features(texts).fit_score(fit, positive, fit, rest, seed=seed).logit
    limit, _ = limit_of([said[row] for row in threshold], scores[: len(threshold)], fpr)
    scores = scores[len(threshold) :]
    return rates("words only (control)", [said[row] for row in judged], scores > limit, scores)


def trips(matcher: Matcher, said: Said) -> bool:
    """Whether the matcher trips on what the assistant says at the end."""
    breaker = Breaker(Tripwire(matcher=matcher, reading=None, facts=""))
    breaker.recall(said.conversation[:-1])
    return breaker.hear(said.conversation[-1]) is not None


def rates(name: str, said: Sequence[Said], flags: Flags, scores: Scores | None = None) -> Tried:
    """Rates by kind, with intervals that respect facts and conversations."""
    kinds = np.asarray([one.kind for one in said])
    auroc = None
    facts, made_up = kinds == "fact", kinds == "made-up"
    if scores is not None and facts.any() and made_up.any():
        source = np.asarray([f"{one.kind} {one.source}" for one in said])
        auroc = clustered_auroc(scores[made_up], scores[facts], source[made_up], source[facts], confidence=LEVEL)

    def rate(kind: Kind) -> Rate | None:
        rows = np.flatnonzero(kinds == kind).tolist()
        if not rows:
            return None
        mine = [said[row] for row in rows]
        figure = clustered_rate(flags[rows], [one.source for one in mine], confidence=LEVEL)
        return Rate(
            tripped=int(flags[rows].sum()),
            n=len(rows),
            low=figure.low,
            high=figure.high,
            level=LEVEL,
            data=digest_of(mine),
        )

    return Tried(
        name=name,
        caught=rate("fact"),
        ordinary=rate("ordinary"),
        made_up=rate("made-up"),
        variants=rate("variant"),
        auroc=auroc,
    )


def limit_of(said: Sequence[Said], scores: Scores, fpr: float) -> tuple[float, float]:
    """The score that another ordinary reply exceeds with probability `fpr` at most, and so does another made-up fact.

    The higher of their split conformal quantiles, from finite scores (n,). Of fewer than 1/fpr - 1 it is the highest, which
    another one exceeds with probability 1/(n + 1); the second number is that of ordinary replies. Vovk, Gammerman and Shafer
    (2005).
    """
    kinds = np.asarray([one.kind for one in said])
    limits = []
    for kind in ("ordinary", "made-up"):
        mine = np.sort(scores[kinds == kind])
        rank = min(len(mine), ceil((len(mine) + 1) * (1 - fpr) - 1e-9))
        limits += [float(mine[rank - 1])] if rank else []
    return max(limits), max(fpr, 1 / (1 + int((kinds == "ordinary").sum())))


def rows_of(said: Sequence[Said], part: str) -> NDArray[np.int64]:
    """The rows of one part."""
    return np.flatnonzero(np.asarray([one.part == part for one in said]))
