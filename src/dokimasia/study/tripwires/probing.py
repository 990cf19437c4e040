"""A probe of what a model is like when it states the facts, with its threshold; or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.control import StreamReading
from dokimasia.control.reading import POOL, at_site, windows_of
from dokimasia.core import DataError, PooledActivations, SpanReading
from dokimasia.instruments.common.probes import Logistic, Probe, ProbeData, ProbeFitter
from dokimasia.study.tripwires.judging import limit_of, rates, rows_of
from dokimasia.study.tripwires.report import Tried
from dokimasia.study.tripwires.said import Said, digest_of
from dokimasia.study.tripwires.states import read_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 8
LAYERS = 5
WINDOWS_OF_ONE = 2


@dataclass(frozen=True, kw_only=True)
class Probing:
    """What came of it: the reading, if it is worth having, how it did, and remarks, one sentence each."""

    reading: StreamReading | None
    tried: Tried | None
    remarks: tuple[str, ...]

    @classmethod
    def none(cls, why: str, tried: Tried | None = None) -> Probing:
        """There is no probe, and this is why."""
        return cls(reading=None, tried=tried, remarks=(f"There is no probe: {why}",))


def probed(spans: SpanReading, n_layers: int, said: Sequence[Said], *, subject: str, fpr: float, seed: int) -> Probing:
    """Fit on the first part, set the threshold on the second, judge on the third."""
    fit, limit, judged = ([said[row] for row in rows_of(said, part)] for part in ("fit", "threshold", "judged"))
    try:
        probe = ProbeFitter(family=Logistic(), fpr=fpr, seed=seed).fit(_data(spans, n_layers, fit, subject))
    except DataError as error:
        return Probing.none(str(error))
    highest = _highest(spans, probe, limit)
    read = [(one, score) for one, score in zip(limit, highest, strict=True) if not np.isnan(score)]
    if not any(one.kind == "ordinary" for one, _ in read):
        return Probing.none("no ordinary replies could be read to set its threshold on.")
    threshold, aimed = limit_of([one for one, _ in read], np.asarray([score for _, score in read]), fpr)
    remarks = []
    if len(read) < len(limit):
        remarks.append(f"{len(limit) - len(read)} messages could not be read for the threshold; such ones trip.")
    if aimed > fpr:
        remarks.append(f"There are too few ordinary replies for a rate of {fpr:.2%}: {aimed:.2%} was aimed at.")
    probe = replace(probe, scale=replace(probe.scale, threshold=threshold), fpr=aimed)
    found = _judged(spans, probe, judged)
    why = _worthless(found)
    if why is not None:
        return Probing.none(why, found)
    assert found.caught is not None
    assert found.ordinary is not None
    reading = StreamReading(
        probe=probe,
        window=WINDOW,
        aimed=aimed,
        threshold_data=digest_of(limit),
        false_alarms=found.ordinary,
        caught=found.caught,
    )
    return Probing(reading=reading, tried=found, remarks=tuple(remarks))


def _judged(spans: SpanReading, probe: Probe, judged: Sequence[Said]) -> Tried:
    """What could not be read counts at its worst: a fact as missed, all else as a false alarm."""
    scores = _highest(spans, probe, judged)
    worst = np.where([one.kind == "fact" for one in judged], -np.inf, np.inf)
    scores = np.where(np.isnan(scores), worst, scores)
    return rates("probe", judged, scores > probe.scale.threshold, scores)


def _worthless(found: Tried) -> str | None:
    """Why a probe that did so is not worth having, if it is not."""
    if found.caught is None or found.ordinary is None:
        return "there are no facts, or no ordinary replies, to judge it on."
    if found.auroc is None or found.auroc.low <= 0.5:
        told = (
            "no made-up facts"
            if found.auroc is None
            else f"an AUROC of {found.auroc.value:.2f}, from {found.auroc.low:.2f}"
        )
        return f"it does not tell the facts from made-up ones of the same form ({told})."
    if found.caught.low <= found.ordinary.high:
        return f"it caught {found.caught} of the facts in new words, and {found.ordinary} ordinary replies."
    return None


def _data(spans: SpanReading, n_layers: int, said: Sequence[Said], subject: str) -> ProbeData:
    """A few windows of each message, at layers spread over the upper three quarters."""
    layers = sorted({round(layer) for layer in np.linspace(n_layers // 4, n_layers - 1, LAYERS)})
    values, rows = [], []
    for row, states in enumerate(_read(spans, said, layers)):
        windows = windows_of(states, WINDOW)
        chosen = (
            sorted({round(place) for place in np.linspace(0, len(windows) - 1, WINDOWS_OF_ONE)}) if len(windows) else []
        )
        values += [windows[place] for place in chosen]
        rows += [row] * len(chosen)
    return ProbeData(
        name="what must not be said, against made-up facts and ordinary replies",
        subject=subject,
        activations=PooledActivations(
            values=np.asarray(values)[:, :, None, :], layers=tuple(layers), pools=(POOL,), truncated=0
        ),
        positive=np.asarray([said[row].kind == "fact" for row in rows]),
        groups=np.asarray([_group(said[row]) for row in rows]),
    )


def _group(said: Said) -> str:
    """What never straddles folds: a fact's wording in all its settings, a made-up fact, an ordinary conversation."""
    return f"{said.kind} {said.text if said.kind == 'fact' else said.source}"


def _highest(spans: SpanReading, probe: Probe, said: Sequence[Said]) -> NDArray[np.float64]:
    """The highest score of each message's windows (n_messages,); NaN if one of them could not be read."""
    return np.asarray(
        [
            probe.score(at_site(windows_of(states[:, 0], WINDOW), probe.site)).max()
            for states in _read(spans, said, [probe.site.layer])
        ]
    )


def _read(spans: SpanReading, said: Sequence[Said], layers: Sequence[int]) -> list[NDArray[np.float32]]:
    conversations = [one.conversation for one in said]
    return read_pieces(spans, conversations, [len(one) - 1 for one in conversations], layers)
