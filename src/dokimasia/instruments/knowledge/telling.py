"""From what was measured to a finding: the sentences on top, caveats, and the machine-readable summary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dokimasia.core import Access, Finding, NotMeasured
from dokimasia.core.rounding import counted, percent_range
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.knowledge.drawing import figures
from dokimasia.instruments.knowledge.estimating import estimates
from dokimasia.instruments.knowledge.hiding import unseen_from
from dokimasia.instruments.knowledge.result import Asked, Result, rate
from dokimasia.instruments.knowledge.tabulating import tables
from dokimasia.instruments.knowledge.verdicts import fewest
from dokimasia.stats import Figure


def tell(
    result: Result,
    *,
    instrument: str,
    version: str,
    question: str,
    misleads: str,
    configuration: Mapping[str, Cell],
    not_measured: tuple[NotMeasured, ...],
    incomplete: str,
    seed: int,
) -> Finding:
    """Put everything into one finding."""
    raw = _raw(result)
    if incomplete:
        raw |= {"errored": 1, "incomplete": incomplete}
    return Finding(
        instrument=instrument,
        version=version,
        question=question,
        status="measured" if result.kinds else "not measured",
        headline=_headline(result)
        if result.kinds
        else "Not measured: " + " ".join(dict.fromkeys(item.why for item in not_measured)),
        access=_access(result),
        estimates=estimates(result),
        tables=tables(result),
        figures=figures(result, seed=seed),
        caveats=_caveats(result),
        misleads=misleads,
        not_measured=not_measured,
        configuration=configuration,
        seed=seed,
        raw=raw,
    )


def _access(result: Result) -> Access:
    if result.relearning is not None:
        return "training"
    if result.truth is not None:
        return "activations"
    if result.asked is not None:
        return "logprobs" if result.asked.choices.unit == "nats" else "text"
    return "none" if result.puzzles is None else result.puzzles.access


def _headline(result: Result) -> str:
    verdicts = result.verdicts
    n = len(verdicts.of)
    known, unknown, unclear = (verdicts.count(says) for says in ("known", "not known", "inconclusive"))
    counts = (
        f"Of {counted(n, 'fact')} in question it knows {known}, does not know {unknown}, and {unclear} "
        f"{'is' if unclear == 1 else 'are'} inconclusive; what nobody knows is called known at most {result.alpha:g} of the time, "
        f"and what everybody knows not known at most {result.beta:g} of the time."
    )
    return " ".join(
        part for part in (counts, _innocent(result, known), _lost(result), _reach(result), _relearnt(result)) if part
    )


def _innocent(result: Result, known: int) -> str:
    innocent = known - len(result.suspect)
    if not innocent:
        return ""
    return (
        f"Of what it knows, {innocent} {'is' if innocent == 1 else 'are'} known to everybody or to the baseline, too."
    )


def _reach(result: Result) -> str:
    """What the rule finds of what everybody knows: how much an empty list is worth."""
    if result.caught is None:
        return ""
    hits, n = result.caught
    _, low, high = rate(hits, n)
    return f"Of {counted(n, 'fact')} that everybody knows, the same rule finds {hits} known {percent_range(low, high)}."


def _relearnt(result: Result) -> str:
    if result.relearning is None:
        return ""
    n = len(result.relearnt)
    which = "is" if n == 1 else "are"
    return f"{n} {which} learnt faster than what nobody knows (each with an error rate of {result.alpha:g}), as what was known once."


def _caveats(result: Result) -> tuple[str, ...]:
    those = result.drawn
    offered = dict(
        zip(
            ("facts in question", "facts that nobody knows", "facts that everybody knows"),
            zip((len(those.facts), len(those.unknown), len(those.known)), those.offered, strict=True),
            strict=True,
        )
    )
    found = []
    taken = [f"{n} of {there} {what}" for what, (n, there) in offered.items() if n < there]
    if taken:
        found.append(f"A random subset was taken: {', '.join(taken)}.")
    if those.made_up and those.made_up < len(those.unknown):
        found.append(
            f"{those.made_up} of the {len(those.unknown)} facts that nobody knows are dokimasia's own, since too few were given."
        )
    elif those.made_up:
        found.append(
            "All facts that nobody knows are dokimasia's own. Whether they are as easily guessed as those in question is "
            "not known: give controls of the same form."
        )
    if result.heard:
        found.append(
            f"Heard {'is' if len(result.heard) == 1 else 'are'} what tells what everybody knows from what nobody knows: "
            f"{', '.join(result.heard)}. A fact is known if one of these puts it further up than {result.share:.3g} of what nobody knows "
            f"may stand; not known if all that can say so put it further down than {result.beta:.3g} of what everybody knows may stand, and "
            "none further down than what nobody knows."
        )
    found += _able(result)
    alone = [place + 1 for place, fact in enumerate(those.facts) if len(fact.wordings) < 2]
    if alone:
        found.append(
            f"In one wording only, so without an interval and easily swayed by its words: {_numbers(alone)}. It is compared "
            "with the first wording of each reference."
        )
    if those.common:
        found.append(f"Facts in question that are among those that everybody knows: {len(those.common)}.")
    if those.cut is not None:
        found.append(
            f"All are asked about with {counted(those.cut, 'false variant')} a wording, since some fact has no more; the others' "
            "further ones were left out."
        )
    if result.asked is not None:
        given = result.asked.choices
        if given.unit == "votes":
            found.append("The subject shows no log-probabilities: its choices are letters, one vote an order.")
        if given.unread:
            found.append(
                f"Answers that could not be read: {given.unread}, so that some facts could lie anywhere. They count against every conclusion."
            )
        if given.refused:
            found.append(f"Facts about which the subject could not be asked, among those not read: {given.refused}.")
    if result.asked is not None and result.baseline is not None:
        found += _before(result.asked, result.baseline)
    if result.puzzles is not None:
        found += _puzzled(result)
    if result.truth is not None:
        found += result.truth.report.notes
    if result.relearning is not None:
        if len(result.relearning.controls) < fewest(result.alpha):
            found.append(
                f"Learning again shows nothing of a single fact: {len(result.relearning.controls)} facts that nobody knows are too few."
            )
        if result.relearning.lost:
            found.append(f"Trainings that failed: {result.relearning.lost}. They count against every conclusion.")
    return tuple(found)


def _before(asked: Asked, baseline: Asked) -> list[str]:
    found = []
    if asked.choices.unit != baseline.choices.unit:
        found.append(
            f"The subject's choices are {asked.choices.unit} and the baseline's {baseline.choices.unit}: by how much they moved cannot be said."
        )
    if baseline.choices.unread:
        found.append(
            f"Answers of the baseline that could not be read: {baseline.choices.unread}. What it may know is taken for unknown to it."
        )
    return found


def _lost(result: Result) -> str:
    n = len(result.lost)
    if not n:
        return ""
    return (
        f"{n} {'is' if n == 1 else 'are'} said less readily than by the baseline (each with an error rate of {result.alpha:g}): forgotten, "
        "unlearned or trained away."
    )


def _able(result: Result) -> list[str]:
    found = []
    least = len(result.drawn.unknown)
    needed = fewest(result.share)
    if least < needed:
        found.append(
            f"Nothing can be called known: {counted(least, 'fact')} that nobody knows are too few, {needed} are needed."
        )
    if len(result.drawn.known) < fewest(result.beta):
        found.append(
            f"Nothing can be called not known: {counted(len(result.drawn.known), 'fact')} that everybody knows are too few, "
            f"{fewest(result.beta)} are needed."
        )
    spare = [kind for kind in result.kinds if kind not in result.heard and result.tells(kind)]
    if spare:
        found.append(
            f"Not heard, since {counted(least, 'fact')} that nobody knows are too few for so many kinds of evidence "
            f"({fewest(result.alpha / (len(result.heard) + len(spare)))} are needed): {', '.join(spare)}. "
            "It can still keep a fact from being called not known."
        )
    deaf = [kind for kind in result.kinds if not result.tells(kind)]
    if deaf:
        found.append(
            f"Not heard, since of this subject it does not tell what everybody knows from what nobody knows: {', '.join(deaf)}."
        )
    return found


def _puzzled(result: Result) -> list[str]:
    puzzles = result.puzzles
    assert puzzles is not None
    found = [f"No sequential test over all facts, each solved or not: {puzzles.why}"] if puzzles.why else []
    if puzzles.pooled is not None:
        found.append(
            f"The sequential test on all facts together says {puzzles.pooled.verdict} after {counted(puzzles.pooled.read, 'fact')} "
            f"(false alarms {puzzles.pooled.false_alarm:.2g}, missed {puzzles.pooled.missed:.2g})."
        )
        half = unseen_from(puzzles)
        if half is not None:
            found.append(f"A subject that hides {half:.0%} of the facts escapes it every second time.")
    if puzzles.left_out:
        found.append(
            f"Puzzles that the baseline solves without the fact, or does not answer, were left out: {len(puzzles.left_out)}."
        )
    if puzzles.unmatched:
        found.append(
            f"Given puzzles were not put: {puzzles.unmatched}. Without controls' puzzles or a baseline it is not known how often they "
            "are solved without the fact."
        )
    lost = sum(item.missing for item in (*puzzles.facts, *puzzles.controls, *puzzles.known))
    if lost:
        found.append(f"Answers to puzzles that are missing: {lost}. They count against every conclusion.")
    return found


def _numbers(places: list[int]) -> str:
    return ("fact " if len(places) == 1 else "facts ") + ", ".join(map(str, places))


def _raw(result: Result) -> dict[str, Any]:
    those, asked = result.drawn, result.asked
    gains = {item.fact: item for item in result.gains}
    rows = []
    for place, verdict in enumerate(result.verdicts.of):
        choice = None if asked is None else asked.facts[place]
        single, reading, gain = result.single(verdict.fact), result.reading(verdict.fact), gains.get(verdict.fact)
        rows.append(
            {
                "fact": verdict.fact,
                "verdict": verdict.says,
                "by": list(verdict.by),
                "why": verdict.why,
                "p_unknown": verdict.p_unknown,
                "p_known": verdict.p_known,
                "false_discovery_rate": float(result.verdicts.adjusted[place]),
                "choices": None if choice is None else _number(choice.score().value),
                "choices_interval": None if choice is None else _figure(choice.interval),
                "puzzles": None
                if single is None
                else {"solved": single.outcome.least, "p": single.p, "p_known": single.p_known},
                "truth": None if reading is None else {"value": reading.value, "p": reading.p},
                "gain": None if gain is None else {"value": _number(gain.value), "p": gain.p, "p_lost": gain.p_lost},
                "common": verdict.fact in those.common,
                "baseline_knows": verdict.fact in result.baseline_knows,
            }
        )
    return {
        "facts": rows,
        "known": result.verdicts.count("known"),
        "not_known": result.verdicts.count("not known"),
        "inconclusive": result.verdicts.count("inconclusive"),
        "suspect": [item.fact for item in result.suspect],
        "lost": list(result.lost),
        "kinds": {kind: {"tells": result.tells(kind), "level": result.share} for kind in result.kinds},
        "references": {"unknown": len(those.unknown), "made_up": those.made_up, "known": len(those.known)},
        "unit": None if asked is None else asked.choices.unit,
        "unknown_choices": [] if asked is None else [_number(item.score().value) for item in asked.unknown],
        "known_choices": [] if asked is None else [_number(item.score().value) for item in asked.known],
        "separation": _figure(result.separation),
        "caught": None if result.caught is None else {"known": result.caught[0], "of": result.caught[1]},
        "pooled": None
        if result.puzzles is None or result.puzzles.pooled is None
        else {"verdict": result.puzzles.pooled.verdict, "read": result.puzzles.pooled.read},
        "relearning": None
        if result.relearning is None
        else [
            {"fact": item.fact, "savings": _figure(item.savings), "p": item.p, "beyond_variant": item.beyond_variant}
            for item in result.relearning.facts
        ],
        "truth_probe": None if result.truth is None else _figure(result.truth.auroc),
    }


def _figure(figure: Figure | None) -> dict[str, float] | None:
    """The figure, or None; an interval without ends is not given."""
    return None if figure is None or not math.isfinite(figure.high - figure.low) else figure._asdict()


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
