"""Does capping the assistant axis bring it back, and what does that cost?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import (
    Cap,
    ChoiceScore,
    Cost,
    DataError,
    Message,
    Steerable,
    Subject,
    SubjectError,
    approximate_tokens,
    throughput,
)
from dokimasia.instruments.personas.space import Space
from dokimasia.instruments.personas.speaking import (
    DEFAULTS,
    Spoken,
    Voice,
    planned_reading,
    planned_speaking,
    read,
    speak,
)
from dokimasia.sources.facts import Fact
from dokimasia.stats import Figure, PairedDifference, clustered_mean, paired_difference
from dokimasia.stats.ratios import ratio_of_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUANTILE = 0.25
"""The share of default replies that lie below where the axis is capped (Lu et al. 2026, arXiv 2601.10387)."""
FEWEST_RANDOMS = 2
BATCH = 8
SAY = "Say something that is true."


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """What the subject said and knew while one direction was capped, or none.

    `read` (n_voices, n_questions, n_spaces) are the places along the assistant axis of its replies, as the *uncapped*
    subject reads them, and `own` as it stood in its own stream meanwhile: the default voice first, NaN where a reply
    has a fault. `ordinary` (n_ordinary,) is the log-probability that it gives to ordinary replies, in nats a token, and
    `margins` (n_facts,) how much rather it says what everybody knows than the likeliest false variant, also in nats a
    token.
    """

    name: str
    spoken: Spoken
    read: NDArray[np.float64]
    own: NDArray[np.float64]
    ordinary: NDArray[np.float64]
    margins: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Capping:
    """The axis capped from below at `low`, in units of the stream, against random directions capped at the same quantile.

    Places are in units of the spaces: the one in which the axis was capped, then those further up, where the cap is no
    longer true by making.
    """

    spaces: tuple[Space, ...]
    low: float
    roles: tuple[str, ...]
    questions: tuple[str, ...]
    plain: Way
    capped: Way
    randoms: tuple[Way, ...]

    def displaced(self, place: int = 0) -> Figure | None:
        """How far below the default voice the roles speak, uncapped; mean over roles, given its replies to the same questions."""
        gap = self.plain.read[:1, :, place] - self.plain.read[1:, :, place]
        return _mean(gap)

    def moved(self, way: Way, place: int = 0) -> Figure | None:
        """By how much the roles' replies moved towards the default voice, read without a cap; mean over roles.

        A reply with a fault is left out in both: see `lost`.
        """
        return _mean(way.read[1:, :, place] - self.plain.read[1:, :, place])

    def moved_inside(self, way: Way, place: int = 0) -> Figure | None:
        """The same in the subject's own stream: true by making where the cap is, evidence further up."""
        return _mean(way.own[1:, :, place] - self.plain.own[1:, :, place])

    def beyond_random(self, place: int = 0) -> Figure | None:
        """By how much more the cap moved the roles' replies than random directions did on average, on the same replies."""
        others = np.mean([way.read[1:, :, place] for way in self.randoms], axis=0)
        return _mean(self.capped.read[1:, :, place] - others)

    def brought_back(self, place: int = 0) -> Figure | None:
        """Which share of the way back to the default voice that is, mean over roles: 1 is all of it.

        None where there is no way to go for certain. In the lower end replies that capping spoilt count as not moved.
        """
        gap = (self.plain.read[:1] - self.plain.read[1:])[:, :, place]
        moved = self.capped.read[1:, :, place] - self.plain.read[1:, :, place]
        seen, worst = _share(moved, gap), _share(np.where(np.isnan(moved), 0.0, moved), gap)
        return seen and worst and Figure(seen.value, min(seen.low, worst.low), seen.high)

    def cost(self, way: Way) -> Figure | None:
        """The change of the log-probability of ordinary replies, in nats a token; below 0 is a loss. Paired by reply."""
        change = way.ordinary - self.plain.ordinary
        return clustered_mean(change, np.arange(len(change))) if len(change) and np.isfinite(change).all() else None

    def forgotten(self, way: Way) -> PairedDifference | None:
        """The change of the share of what everybody knows that it says right; below 0 is a loss.

        What is no number counts as wrong after the cap, and as right before it.
        """
        before = np.where(np.isfinite(self.plain.margins), self.plain.margins > 0, True)
        after = np.where(np.isfinite(way.margins), way.margins > 0, False)
        return paired_difference(after.astype(int) - before.astype(int)) if len(before) else None

    def right(self, way: Way) -> tuple[int, int]:
        """How many of the facts it says right, and of how many."""
        return int((way.margins > 0).sum()), len(way.margins)

    def lost(self, way: Way) -> int:
        """Replies of roles with a fault: failed, empty, looped, refused or unread."""
        return sum(bool(fault) for fault in way.spoken.faults[len(self.questions) :])


def cap_axis(
    subject: Subject,
    steerable: Steerable,
    spaces: Sequence[Space],
    defaults: NDArray[np.float64],
    ordinary: Sequence[tuple[Message, ...]],
    roles: Sequence[Voice],
    questions: Sequence[str],
    facts: Sequence[Fact],
    *,
    max_tokens: int,
    randoms: int,
    seed: int,
) -> Capping:
    """Cap the axis in the first of the spaces, see what the roles say then, and what it costs.

    Every token is capped, those that are read and those that are written.

    Parameters
    ----------
    spaces:
        Where the axis is capped, then those further up, where that is judged, too.
    defaults:
        (n_replies, d_model) the stream over default replies in the first space: where these lie decides where it is capped.
    ordinary:
        Conversations that end with a reply of the default voice.
    roles, questions, facts:
        Voices that are displaced and what they are asked; what everybody knows.
    randoms:
        How many directions are capped for comparison, each at its own quantile: random combinations of the differences
        between default replies, with nothing of the axis in them.
    """
    home = spaces[0]
    axis, *others = _directions(home, defaults, randoms, seed)
    task = _Task(
        spaces=tuple(spaces),
        voices=(DEFAULTS[0], *roles),
        questions=tuple(questions),
        ordinary=tuple(messages for messages in ordinary if messages[-1].content.strip()),
        facts=tuple(facts),
        max_tokens=max_tokens,
        seed=seed,
    )

    def capped(name: str, vector: NDArray[np.float64]) -> Way:
        cap = Cap(layer=home.layer, vector=vector.astype(np.float32), low=_low(vector, defaults))
        return task.way(name, steerable.steered([cap]), reader=subject)

    return Capping(
        spaces=tuple(spaces),
        low=_low(axis, defaults),
        roles=tuple(role.name for role in roles),
        questions=tuple(questions),
        plain=task.way("not capped", subject, reader=None),
        capped=capped("capped", axis),
        randoms=tuple(capped(f"random direction {number}", vector) for number, vector in enumerate(others, start=1)),
    )


def planned_capping(
    subject: Subject,
    n_ordinary: int,
    roles: Sequence[Voice],
    questions: Sequence[str],
    facts: Sequence[Fact],
    *,
    max_tokens: int,
    randoms: int,
) -> Cost:
    """What `cap_axis` asks for, of a subject that says something each time."""
    voices = (DEFAULTS[0], *roles)
    n = len(voices) * len(questions)
    speaking = planned_speaking(subject, voices, questions, max_tokens=max_tokens)
    reading = planned_reading(subject, n, n * max_tokens + approximate_tokens([*questions] * len(voices), overhead=80))
    texts = [text for fact in facts for text in (fact.statement, *fact.wordings[0].false)]
    tokens = n_ordinary * 2 * max_tokens + approximate_tokens(texts, overhead=20)
    scoring = Cost(
        calls=-(-n_ordinary // BATCH) + -(-len(facts) // BATCH),
        tokens=tokens,
        seconds=tokens / throughput(subject, "forward"),
    )
    return sum([speaking + scoring, *[speaking + reading + scoring] * (1 + randoms)], Cost())


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """What is asked of each way."""

    spaces: tuple[Space, ...]
    voices: tuple[Voice, ...]
    questions: tuple[str, ...]
    ordinary: tuple[tuple[Message, ...], ...]
    facts: tuple[Fact, ...]
    max_tokens: int
    seed: int

    def way(self, name: str, subject: Subject, *, reader: Subject | None) -> Way:
        """Ask this subject; `reader` reads its replies, if it is another one."""
        layers = tuple(sorted({space.layer for space in self.spaces}))
        spoken = speak(subject, self.voices, self.questions, max_tokens=self.max_tokens, layers=layers, seed=self.seed)
        own = self._placed(spoken, spoken.values)
        return Way(
            name=name,
            spoken=spoken,
            own=own,
            read=own if reader is None else self._placed(spoken, read(reader, spoken.conversations, layers)),
            ordinary=np.asarray(
                [
                    scores[0].per_token
                    for scores in _scored(
                        subject, [one[:-1] for one in self.ordinary], [(one[-1].content,) for one in self.ordinary]
                    )
                ]
            ),
            margins=np.asarray(
                [
                    true.per_token - max(wrong.per_token for wrong in false)
                    for true, *false in _scored(
                        subject,
                        [(Message("user", SAY),) for _ in self.facts],
                        [(fact.statement, *fact.wordings[0].false) for fact in self.facts],
                    )
                ]
            ),
        )

    def _placed(self, spoken: Spoken, values: NDArray[np.float32] | None) -> NDArray[np.float64]:
        """Places (n_voices, n_questions, n_spaces) along the axis, NaN for a reply with a fault."""
        if values is None:
            raise SubjectError(
                "A subject that shows its activations is expected.", "This one shows none.", "Name a local model."
            )
        by_layer = np.array(values, np.float64).reshape(len(spoken.faults), len(spoken.layers), -1)
        by_layer[[bool(fault) for fault in spoken.faults]] = np.nan
        places = [space.along(by_layer[:, spoken.layers.index(space.layer)]) for space in self.spaces]
        return np.stack(places, axis=-1).reshape(len(self.voices), len(self.questions), -1)


def _scored(
    subject: Subject, conversations: Sequence[tuple[Message, ...]], choices: Sequence[tuple[str, ...]]
) -> list[list[ChoiceScore]]:
    if subject.logprobs is None:
        raise SubjectError(
            "A subject that shows log-probabilities is expected.", "This one shows none.", "Name a local model."
        )
    found: list[list[ChoiceScore]] = []
    for start in range(0, len(conversations), BATCH):
        part = slice(start, start + BATCH)
        found += subject.logprobs.choice_logprobs(conversations[part], choices[part], precision="fast")
    return found


def _directions(space: Space, defaults: NDArray[np.float64], randoms: int, seed: int) -> list[NDArray[np.float64]]:
    """The axis, then random directions, each of unit length."""
    spread = defaults - defaults.mean(axis=0)
    spread -= np.outer(spread @ space.axis, space.axis)
    drawn = np.random.default_rng([seed, 19]).standard_normal((randoms, len(spread))) @ spread
    lengths = np.linalg.norm(drawn, axis=1, keepdims=True)
    if len(defaults) < 2 or randoms < FEWEST_RANDOMS or not (lengths > 1e-9 * space.scale).all():
        raise DataError(
            f"Default replies that differ, and {FEWEST_RANDOMS} random directions or more, are expected.",
            f"Found {len(defaults)} replies and {randoms} directions.",
            "Put more questions to the default voice.",
        )
    return [space.axis, *(drawn / lengths)]


def _low(vector: NDArray[np.float64], defaults: NDArray[np.float64]) -> float:
    """Below which share `QUANTILE` of the default replies lie along this direction, in units of the stream."""
    return float(np.quantile(defaults @ vector, QUANTILE))


def _mean(values: NDArray[np.float64]) -> Figure | None:
    """The mean of (n_roles, n_questions), roles standing or falling together; None where nothing was read."""
    there = np.isfinite(values)
    return clustered_mean(values[there], np.nonzero(there)[0]) if there.any() else None


def _share(moved: NDArray[np.float64], gap: NDArray[np.float64]) -> Figure | None:
    """The mean of one as a share of the mean of the other, (n_roles, n_questions) each, by role."""
    there = np.isfinite(moved) & np.isfinite(gap)
    rows = np.flatnonzero(there.any(axis=1))
    sums = [np.where(there, values, 0.0).sum(axis=1)[rows] / there.sum(axis=1)[rows] for values in (moved, gap)]
    return ratio_of_means(*sums)
