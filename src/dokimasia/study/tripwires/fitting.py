"""Fit a tripwire: a matcher to the facts' wordings, and a probe to what a model is like when it says them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dokimasia.control import Tripwire, save
from dokimasia.core import DataError, Transcript
from dokimasia.models import Loading, load_subject
from dokimasia.sources import everyday, locate, read_source
from dokimasia.sources.facts import Facts, made_up_facts, oversight_facts, read_facts
from dokimasia.study.progress import Silent, Watch
from dokimasia.study.tripwires.judging import LEVEL, judged_matcher, judged_words, matcher_of, rows_of
from dokimasia.study.tripwires.probing import Probing, probed
from dokimasia.study.tripwires.report import TripwireReport
from dokimasia.study.tripwires.said import digest_of, replies_to, stated
from dokimasia.study.tripwires.watching import watched

BUNDLED = "bundled"
LOADING = Loading()
MOST_ORDINARY = 400


def fit_tripwire(
    facts: str | Path | Facts = BUNDLED,
    *,
    model: str | Path | None = BUNDLED,
    ordinary: str | Path = BUNDLED,
    fpr: float = 0.01,
    seed: int = 0,
    folder: str | Path,
    loading: Loading = LOADING,
    watch: Watch | None = None,
) -> TripwireReport:
    """What trips when these facts are said, and how often does it trip on anything else?

    `facts` is a file of facts or "bundled" (facts about how models are tested and watched), `ordinary` a file of transcripts
    or "bundled"; what the assistant has not answered in them, the model answers now, and without one their own text stands for a reply. The probe's threshold is set so that a
    share `fpr` of ordinary replies trips it, and of made-up facts. Without a `model`, or if the probe does not tell the facts from made-up ones
    of the same form, the tripwire is its matcher alone. It is written to `folder`; `watch` is told how far it is.
    """
    if not 0 < fpr < 1:
        raise DataError("A false-positive rate lies between 0 and 1.", f"Found {fpr}.", "Pass one such as 0.01.")
    wanted = _facts(facts)
    asked = {fact.statement for fact in wanted.facts}
    controls = wanted.controls or tuple(fact for fact in made_up_facts() if fact.statement not in asked)
    matcher = matcher_of(wanted.facts)
    transcripts = _transcripts(ordinary, seed)
    subject = None if model is None else load_subject(model, loading)
    able = subject is not None and subject.spans is not None and subject.activations is not None
    said = [
        *stated(wanted.facts, "fact", seed=seed),
        *stated(wanted.facts, "variant", seed=seed),
        *stated(controls, "made-up", seed=seed),
    ]
    watch = watch or Silent()
    if subject is not None and able:
        subject = watched(subject, [one.conversation for one in said], transcripts, watch)
    said += replies_to(transcripts, subject.text if able and subject is not None else None, seed=seed)
    if subject is None:
        probing = Probing.none("no model was named.")
    elif subject.spans is None or subject.activations is None:
        probing = Probing.none(f"{subject.identity.name} does not show its activations.")
    else:
        probing = probed(
            subject.spans, subject.activations.n_layers, said, subject=subject.identity.digest, fpr=fpr, seed=seed
        )
    tests = (judged_matcher(wanted.facts, said), probing.tried, judged_words(said, fpr=fpr, seed=seed))
    tripwire = Tripwire(matcher=matcher, reading=probing.reading, facts=wanted.digest, remarks=probing.remarks)
    save(tripwire, Path(folder))
    if able:
        watch.finish("tripwire", "fitted" if probing.reading else "fitted, without a probe")
    return TripwireReport(
        tripwire=tripwire,
        folder=Path(folder),
        tests=tuple(one for one in tests if one is not None),
        level=LEVEL,
        digests={
            "facts": wanted.digest,
            **{part: digest_of([said[row] for row in rows_of(said, part)]) for part in ("fit", "threshold", "judged")},
        },
    )


def _facts(facts: str | Path | Facts) -> Facts:
    if isinstance(facts, Facts):
        return facts
    return oversight_facts() if facts == BUNDLED else read_facts(Path(facts))


def _transcripts(ordinary: str | Path, seed: int) -> list[Transcript]:
    """The ordinary conversations; of very many, some drawn at random."""
    source = everyday() if ordinary == BUNDLED else read_source(locate(str(ordinary)))
    found = source.transcripts
    if len(found) <= MOST_ORDINARY:
        return list(found)
    return [found[row] for row in sorted(np.random.default_rng(seed).choice(len(found), MOST_ORDINARY, replace=False))]
