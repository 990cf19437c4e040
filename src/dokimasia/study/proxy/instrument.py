"""One file of scores: is this reward safe to optimise, and how hard?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dokimasia.core import Access, Cost, Evidence, Finding, Subject
from dokimasia.sources.scores import Scores, read_scores
from dokimasia.study.alone import measure_alone
from dokimasia.study.progress import Watch
from dokimasia.study.proxy.measuring import Measured, Tail, measure_proxy
from dokimasia.study.proxy.showing import figures, tables
from dokimasia.study.proxy.telling import MISLEADS, QUESTION, caveats, estimates, headline
from dokimasia.study.run import Study

SECONDS_PER_SCORE = 3e-4


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """Measures scores that are there already: it asks nothing of a model, and looks at no transcripts."""

    scores: Scores
    name: str = "proxy"
    version: str = "1"
    question: str = QUESTION
    access: Access = "none"

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        """A few seconds, most of them for resampling."""
        return Cost(seconds=2 + SECONDS_PER_SCORE * len(self.scores.proxy))

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        """Answer the question."""
        found = measure_proxy(self.scores, seed=seed)
        return Finding(
            instrument=self.name,
            version=self.version,
            question=self.question,
            status="measured",
            headline=headline(found),
            access=self.access,
            estimates=tuple(estimates(found)),
            tables=tuple(tables(found)),
            figures=tuple(figures(found)),
            caveats=caveats(found),
            misleads=MISLEADS,
            not_measured=found.missing,
            configuration=described(self.scores),
            seed=seed,
            raw=_raw(found),
        )


def proxy(
    scores: str | Path | Scores,
    *,
    proxy_column: str | None = None,
    gold_column: str | None = None,
    seed: int = 0,
    run: str | Path | None = None,
    watch: Watch | None = None,
) -> Finding:
    """Is this reward safe to optimise, and how hard?

    `scores` is a file (see `read_scores`) or scores in memory: what the reward gave to outputs of the policy that is to be
    optimised, with a gold score of the same outputs if there is one. Nothing is stored unless `run` names a folder.
    """
    read = scores if isinstance(scores, Scores) else read_scores(scores, proxy=proxy_column, gold=gold_column)
    study = Study(
        subject=None,
        evidence=Evidence(),
        instruments=(Proxy(scores=read),),
        options={"scores": described(read)},
        seed=seed,
    )
    return measure_alone(study, run=run, watch=watch)


def described(scores: Scores) -> dict[str, str | int | None]:
    """What identifies scores, as plain values."""
    return {
        "file": scores.name,
        "digest": scores.digest,
        "n": len(scores.proxy),
        "proxy": scores.proxy_column,
        "gold": scores.gold_column if scores.gold is not None else None,
    }


def _raw(found: Measured) -> Mapping[str, object]:
    selection = found.selection
    return {
        **described(found.scores),
        "tails": [_plain(tail) for tail in (found.judged, found.other) if tail is not None],
        "best_of_n": [
            {
                "n": n,
                "nats": kl,
                "proxy": proxy_score._asdict(),
                "gold": selection.gold[place]._asdict() if selection.gold else None,
                "doubling_adds": selection.gains[place]._asdict() if place < len(selection.gains) else None,
            }
            for place, (n, kl, proxy_score) in enumerate(zip(selection.n, selection.kl, selection.proxy, strict=True))
        ],
        "helps_to": selection.helps_to,
        "hurts_from": selection.hurts_from,
        "in_tail": [
            {**item._asdict(), "gold": item.gold._asdict(), "expected": item.expected._asdict()}
            for item in found.in_tail
        ],
        "weighted": []
        if found.tilted is None
        else [
            {"nats": kl, "gold": gold._asdict()} for kl, gold in zip(found.tilted.kl, found.tilted.gold, strict=True)
        ],
        "not_measured": [{"what": item.what, "why": item.why} for item in found.missing],
    }


def _plain(tail: Tail) -> dict[str, object]:
    return {
        "of": tail.what,
        "verdict": tail.test.verdict,
        "enough_data": tail.enough,
        "thresholds": [
            {"k": fit.k, "xi": fit.xi, "low": fit.low, "high": fit.high, "p": fit.p, "adjusted": adjusted}
            for fit, adjusted in zip(tail.test.fits, tail.test.adjusted, strict=True)
        ],
        "controls": [
            {
                "name": item.name,
                "xi": list(item.xi),
                "verdicts": {said: item.share(said) for said in sorted(item.verdicts)},
            }
            for item in tail.controls
        ],
    }
