"""Does the subject's inside take a fact for true? A probe for true against false of unrelated facts, read on this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import (
    Access,
    Cost,
    DataError,
    Message,
    PooledActivations,
    Subject,
    SubjectError,
    Transcript,
    approximate_tokens,
    throughput,
)
from dokimasia.instruments.common.discriminators import Discriminator, FormatAndLength, Words
from dokimasia.instruments.common.discriminators.discriminator import Features, Scores
from dokimasia.instruments.common.probes import Logistic, Probe, ProbeData, ProbeReport, probe_study
from dokimasia.instruments.knowledge.choices import REQUEST
from dokimasia.sources.facts import Fact, Wording
from dokimasia.stats import Figure, auroc
from dokimasia.stats.conformal import conformal_p_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLS = ("last", "assistant")
LONGEST = 1024
"""Tokens of a sentence that are read, at most."""
FOLDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthReading:
    """One fact: by how much its true sentence reads truer than its false ones, mean over wordings, in held-out spreads.

    `p` is the share of controls, this fact among them, that read as true or truer, each in as many wordings as the fact has;
    a control that could not be read counts among them. `p_read` is what it might have been, at best, had all been read. `value` is None where some sentence could not be read, `p` also where there are no controls.
    """

    fact: str
    by_wording: tuple[float, ...]
    value: float | None
    p: float | None
    p_read: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class TruthResult:
    """The probe, judged on topics that it was not fitted on, and what it reads on facts and controls.

    `report` has the probe and, beside it, what format and words alone tell of the same pairs of sentences. `unrelated` of
    the `known` facts were used: the others are among the facts judged, or share a topic with them.
    """

    report: ProbeReport
    facts: tuple[TruthReading, ...]
    controls: tuple[TruthReading, ...]
    known: int
    unrelated: int

    @property
    def probe(self) -> Probe:
        """What reads. It was fitted on differences: differences between sentences that it scores mean something."""
        return self.report.families[0].probe

    @property
    def auroc(self) -> Figure:
        """How often a true sentence reads truer than a false one, on topics held out; intervals by topic."""
        found = self.report.families[0].held_out.auroc
        assert found is not None
        return found

    @property
    def words(self) -> Figure:
        """The same by the words alone."""
        found = next(item for item in self.report.controls if item.name == Words().name).held_out.auroc
        assert found is not None
        return found

    @property
    def tells(self) -> bool:
        """Whether the probe tells true from false on topics held out; where not, readings are no evidence either way."""
        return self.auroc.low > 0.5

    @cached_property
    def above(self) -> Figure | None:
        """How often a fact reads truer than a control does; unread ones enter the interval at their worst.

        0.5 is chance. None without facts or controls.
        """
        if not self.facts or not self.controls:
            return None

        def at(fact: float, control: float) -> Figure:
            """With these for what was not read."""
            low, high = (
                [blank if item.value is None else item.value for item in readings]
                for readings, blank in ((self.controls, control), (self.facts, fact))
            )
            return auroc(low, high)

        read = [[item.value for item in side if item.value is not None] for side in (self.controls, self.facts)]
        value = auroc(read[0], read[1]).value if all(read) else 0.5
        return Figure(value, at(-np.inf, np.inf).low, at(np.inf, -np.inf).high)


def truth(
    subject: Subject,
    facts: Sequence[Fact],
    controls: Sequence[Fact],
    known: Sequence[Fact],
    *,
    every_layer: int = 3,
    folds: int = FOLDS,
    permute: bool = True,
    seed: int,
) -> TruthResult:
    """Does the subject's inside tell these facts from their false variants, as it tells what everybody knows?

    A sentence is a reply to a neutral request, so that what is read is something that the subject says. Activations are
    taken less the mean of the true sentence and the false one of their wording: what both speak of goes, and the answer
    remains. Layer, pool and penalty are chosen in folds that share no topic; facts that everybody knows are `known`, and
    nobody can know `controls`: what the probe reads on these is what it reads without knowledge.

    Misleads where a made-up answer sounds likelier than its variants, and where sentences were learned by heart without
    being taken for true; a probe that tells what everybody knows may not reach what is hidden.

    After Marks and Tegmark (2023), arXiv 2310.06824; contrasts as in Burns et al. (2022), arXiv 2212.03827.
    """
    if subject.activations is None:
        raise SubjectError(
            "A subject that shows its activations is expected.", "Found one that does not.", "Load local weights."
        )
    layers = _layers(subject, every_layer)
    apart = unrelated(known, facts)
    data = _pairs(subject, apart, layers, seed=seed)
    report = probe_study(
        data,
        None,
        families=(Logistic(),),
        controls=tuple(_Contrasted(test) for test in (FormatAndLength(), Words())),
        folds=folds,
        permute=permute,
        seed=seed,
    )
    probe = report.families[0].probe
    values = [[_contrasts(subject, probe, fact, layers) for fact in side] for side in (facts, controls)]
    read, beside = (
        tuple(_reading(fact, found, values[1]) for fact, found in zip(side, there, strict=True))
        for side, there in zip((facts, controls), values, strict=True)
    )
    return TruthResult(report=report, facts=read, controls=beside, known=len(known), unrelated=len(apart))


def planned_truth(
    subject: Subject, facts: Sequence[Fact], controls: Sequence[Fact], known: Sequence[Fact], *, seed: int
) -> Cost:
    """What `truth` asks for: one call a fact."""
    if subject.activations is None:
        return Cost()
    apart = unrelated(known, facts)
    texts = [sentence for _, pair in _drawn(apart, seed) for sentence in pair]
    texts += [sentence for fact in (*facts, *controls) for one in fact.wordings for sentence in (one.true, *one.false)]
    tokens = approximate_tokens([REQUEST + text for text in texts], overhead=40)
    calls = len(apart) + len(facts) + len(controls)
    return Cost(calls=calls, tokens=tokens, seconds=tokens / throughput(subject, "forward"))


def unrelated(known: Sequence[Fact], facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Those that are not among the facts judged, and share no topic with them."""
    judged = {one.true for fact in facts for one in fact.wordings}
    topics = {fact.topic for fact in facts} - {""}
    return tuple(
        fact for fact in known if fact.topic not in topics and not judged & {one.true for one in fact.wordings}
    )


def _layers(subject: Subject, every_layer: int) -> tuple[int, ...]:
    """Every `every_layer`-th, counted back from the last."""
    assert subject.activations is not None
    return tuple(sorted(range(subject.activations.n_layers - 1, -1, -every_layer)))


def _drawn(known: Sequence[Fact], seed: int) -> list[tuple[Fact, tuple[str, str]]]:
    """By wording of each fact, the true sentence and one of the false ones."""
    rng = np.random.default_rng([seed, 17])
    return [(fact, (one.true, one.false[rng.integers(len(one.false))])) for fact in known for one in fact.wordings]


def _pairs(subject: Subject, known: Sequence[Fact], layers: tuple[int, ...], *, seed: int) -> ProbeData:
    """Rows in pairs, true and false, less the mean of both: if one is unread, so is the other."""
    drawn = _drawn(known, seed)
    if not drawn:
        raise DataError(
            "A truth probe needs facts that everybody knows, on other topics than those judged.",
            "Found none.",
            "Give some.",
        )
    parts = []
    for fact in known:
        mine = [sentence for owner, pair in drawn if owner is fact for sentence in pair]
        parts.append(_captured(subject, mine, layers))
    values = np.concatenate([part.values for part in parts])
    values = values - (values[0::2] + values[1::2]).repeat(2, axis=0) / 2
    sentences = [sentence for _, pair in drawn for sentence in pair]
    return ProbeData(
        name="what everybody knows",
        subject=subject.identity.digest,
        activations=PooledActivations(
            values=values, layers=layers, pools=POOLS, truncated=sum(part.truncated for part in parts)
        ),
        positive=np.arange(len(values)) % 2 == 0,
        groups=np.asarray([f"topic {fact.topic}" if fact.topic else fact.name for fact, _ in drawn]).repeat(2),
        transcripts=tuple(
            Transcript(id=f"known-{row}", messages=(Message("user", text),), source="known")
            for row, text in enumerate(sentences)
        ),
    )


def _captured(subject: Subject, sentences: Sequence[str], layers: tuple[int, ...]) -> PooledActivations:
    """Of the sentences of one fact, as replies; one call, whatever else is asked."""
    assert subject.activations is not None
    conversations = [(Message("user", REQUEST), Message("assistant", sentence)) for sentence in sentences]
    return subject.activations.activations(conversations, layers=layers, pools=POOLS, max_tokens=LONGEST)


def _contrasts(subject: Subject, probe: Probe, fact: Fact, layers: tuple[int, ...]) -> NDArray[np.float64]:
    """By wording (n_wordings,), the score of the true sentence less the mean of the false ones; NaN where one was not read."""
    sentences = [_sentences(one) for one in fact.wordings]
    scores = probe.score(_captured(subject, [text for group in sentences for text in group], layers))
    ends = np.cumsum([len(group) for group in sentences])[:-1]
    return np.asarray([group[0] - group[1:].mean() for group in np.split(scores, ends)])


def _sentences(wording: Wording) -> tuple[str, ...]:
    return (wording.true, *wording.false)


def _reading(fact: Fact, found: NDArray[np.float64], controls: Sequence[NDArray[np.float64]]) -> TruthReading:
    read = [float(item[: len(found)].mean()) for item in controls if np.isfinite(item).all()]
    lost = len(controls) - len(read)
    value = float(found.mean()) if np.isfinite(found).all() else None

    def rank(score: float, unread: float) -> float:
        return float(conformal_p_values([*read, *[unread] * lost], [score])[0])

    return TruthReading(
        fact=fact.name,
        by_wording=tuple(found.tolist()),
        value=value,
        p=rank(value, np.inf) if value is not None and controls else None,
        p_read=rank(np.inf if value is None else value, -np.inf) if controls else None,
    )


@dataclass(frozen=True)
class _Contrasted:
    """A test of rows that come in pairs: its scores are taken less the mean of their pair, as the probe's are."""

    inner: Discriminator

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def access(self) -> Access:
        return self.inner.access

    def features(self, transcripts: Sequence[Transcript]) -> _ContrastedFeatures:
        return _ContrastedFeatures(self.inner.features(transcripts))


@dataclass(frozen=True)
class _ContrastedFeatures:
    inner: Features

    @property
    def notes(self) -> tuple[str, ...]:
        return self.inner.notes

    def fit_score(
        self,
        train: NDArray[np.int64],
        positive: NDArray[np.bool_],
        groups: NDArray[np.int64],
        test: NDArray[np.int64],
        *,
        seed: int,
    ) -> Scores:
        scores = self.inner.fit_score(train, positive, groups, test, seed=seed)
        pair = np.unique(test // 2, return_inverse=True)[1]
        means = [np.bincount(pair, axis) / np.bincount(pair) for axis in (scores.scaled, scores.logit)]
        return Scores(scores.scaled - means[0][pair], scores.logit - means[1][pair], scores.chosen)
