"""Was it unlearned, or never known? How fast the subject learns a fact, beside made-up facts that it cannot have known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import (
    Cost,
    Example,
    Message,
    Subject,
    SubjectError,
    Training,
    approximate_tokens,
    throughput,
)
from dokimasia.instruments.knowledge.choices import REQUEST
from dokimasia.sources.facts import Fact, Wording
from dokimasia.stats import Figure, clustered_mean
from dokimasia.stats.conformal import conformal_p_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTINUE = "Go on with this sentence: {}"
STEPS = 8
RANK = 4
LEARNING_RATE = 1e-3
BATCH_TOKENS = 512
LEVEL = 0.05
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """One training: the loss of each step, in nats a token of the answer, before that step.

    `carried` is by how much learning raised the answer above the other ones in the wording that was not trained on, in
    nats; None if there is a single wording, or it could not be read. `losses` are empty where training failed.
    """

    losses: tuple[float, ...]
    carried: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relearning:
    """One fact beside the controls.

    Parameters
    ----------
    true, false:
        What learning the fact took, and what learning one of its false variants took.
    savings:
        The share of the steps that controls need which the fact does not, to reach the loss that the median one has half
        way; in (-inf, 1], 0 for a fact like any control. The interval resamples controls.
    p:
        Share of controls, this one among them, that are learned as fast or faster; one that could not be trained counts.
    beyond_variant:
        By how much fewer steps the fact takes than its false variant does, as a share of what controls need. Near 0 with
        large savings: what the fact speaks of is familiar, or its answers are easy words; which is right is not.
    carried_p:
        Share of controls, this one among them, of which learning one wording carries over to the other as well or better.

    What is None could not be measured.
    """

    fact: str
    true: Learned
    false: Learned
    savings: Figure | None
    p: float | None
    beyond_variant: float | None
    carried_p: float | None


@dataclass(frozen=True, kw_only=True)
class RelearningResult:
    """All facts beside all controls, each learned alone, by a copy of the subject that is thrown away."""

    facts: tuple[Relearning, ...]
    controls: tuple[Learned, ...]
    training: Training
    savings: Figure | None
    beyond_variant: Figure | None

    @property
    def enough(self) -> bool:
        """Whether there are enough controls for any fact to be faster than chance allows, at a level of 0.05."""
        return (1 + len(self.controls)) * LEVEL >= 1

    @property
    def lost(self) -> int:
        """Trainings that failed."""
        runs = [run for fact in self.facts for run in (fact.true, fact.false)]
        return sum(not run.losses for run in (*runs, *self.controls))


def relearn(
    subject: Subject,
    facts: Sequence[Fact],
    controls: Sequence[Fact],
    *,
    steps: int = STEPS,
    folder: Path,
    seed: int,
) -> RelearningResult:
    """How many steps does the subject need to learn each fact, and how many for facts that nobody can have known?

    Each fact is learned alone, in small steps from the subject as it is: all wordings but the last are trained on, as
    sentences to go on with, so that the loss is that of the answer. One false variant of each fact is learned, too. The
    level to be reached is the median loss half way, of the fact and the controls. Adapters are kept in `folder`, where a
    rerun finds them.

    Misleads where controls are not of the same form: rare words are learned slowly, whether they were known or not.

    Savings: Ebbinghaus (1885), Memory, chapter 3.
    """
    if subject.trainable is None:
        raise SubjectError(
            "A subject that can be trained is expected.", "Found one that cannot.", "Load full local weights."
        )
    training = _training(steps, seed)
    rng = np.random.default_rng([seed, 19])
    variants = [1 + int(rng.integers(min(len(one.false) for one in fact.wordings))) for fact in facts]
    beside = tuple(_learned(subject, fact, 0, training, folder) for fact in controls)
    true = [_learned(subject, fact, 0, training, folder) for fact in facts]
    false = [_learned(subject, fact, place, training, folder) for fact, place in zip(facts, variants, strict=True)]
    found = tuple(
        _compared(fact, one, other, beside, seed=seed) for fact, one, other in zip(facts, true, false, strict=True)
    )
    apart = [item.beyond_variant for item in found]
    known = [value for value in apart if value is not None]
    return RelearningResult(
        facts=found,
        controls=beside,
        training=training,
        savings=_savings([item.losses for item in true], beside, seed=seed),
        beyond_variant=clustered_mean(known, range(len(known))) if known and len(known) == len(apart) else None,
    )


def planned_relearning(
    subject: Subject, facts: Sequence[Fact], controls: Sequence[Fact], *, steps: int = STEPS
) -> Cost:
    """What `relearn` asks for: a training for each control and two for each fact, and their last wordings before and after."""
    if subject.trainable is None:
        return Cost()
    cost = Cost()
    for fact in (*facts, *facts, *controls):
        prompts = [_parted(one, 0) for one in fact.wordings]
        learnt = steps * approximate_tokens(
            ["".join(part) for part in prompts[: max(1, len(prompts) - 1)]], overhead=40
        )
        read, judged = 0, len(prompts) > 1 and subject.logprobs is not None
        if judged:
            read = 2 * approximate_tokens(["".join(prompts[-1])] * (1 + len(fact.wordings[-1].false)), overhead=40)
        seconds = learnt / throughput(subject, "train") + read / throughput(subject, "forward")
        cost += Cost(calls=3 if judged else 1, tokens=learnt + read, seconds=seconds)
    return cost


def _training(steps: int, seed: int) -> Training:
    return Training(steps=steps, learning_rate=LEARNING_RATE, rank=RANK, batch_tokens=BATCH_TOKENS, seed=seed)


def _learned(subject: Subject, fact: Fact, place: int, training: Training, folder: Path) -> Learned:
    """Train a copy on one answer of all wordings but the last: 0 is the true one, others are false."""
    assert subject.trainable is not None
    *trained_on, last = fact.wordings
    examples = []
    for wording in trained_on or [last]:
        prompt, answer = _parted(wording, place)
        examples.append(Example(messages=(Message("user", prompt),), reply=answer))
    key = repr([subject.identity, training, examples])
    name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    try:
        found = subject.trainable.train(examples, training, folder=folder / f"relearning-{name}")
        judged = subject.logprobs is not None and bool(trained_on)
        after, before = (_leaning(one, last, place) if judged else np.nan for one in (found.subject, subject))
    except SubjectError:  # a loss that is no number, or a template that refuses the sentence
        return Learned(losses=())
    return Learned(losses=found.losses, carried=after - before if np.isfinite(after - before) else None)


def _leaning(subject: Subject, wording: Wording, place: int) -> float:
    """How much rather the subject goes on with this answer than with the others, in nats."""
    if subject.logprobs is None:
        return np.nan
    parts = [_parted(wording, other) for other in range(1 + len(wording.false))]
    conversation = (Message("user", parts[0][0]),)
    (scores,) = subject.logprobs.choice_logprobs([conversation], [[answer for _, answer in parts]], precision="fast")
    values = np.asarray([score.logprob for score in scores])
    return float(values[place] - np.delete(values, place).mean())


def _parted(wording: Wording, place: int) -> tuple[str, str]:
    """What to ask, and what is answered: all variants begin alike, up to a word in which they differ."""
    sentences = (wording.true, *wording.false)
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*sentences, strict=False))
    start = "".join(letters[0] for letters in alike).rpartition(" ")[0]
    return CONTINUE.format(start) if start else REQUEST, sentences[place][len(start) :].strip()


def _compared(fact: Fact, true: Learned, false: Learned, controls: Sequence[Learned], *, seed: int) -> Relearning:
    """All that one fact shows beside the controls."""
    beside = [item for item in controls if item.losses]
    p, beyond, carried_p = None, None, None
    if true.losses and beside:
        curves = np.asarray([true.losses, *(item.losses for item in beside)])
        level = np.median(_half(curves), keepdims=True)
        mine, *others = passages(curves, level)[:, 0].tolist()
        lost = [-np.inf] * (len(controls) - len(beside))
        p = float(conformal_p_values([-steps for steps in (*others, *lost)], [-mine])[0])
        if false.losses and (usual := float(np.median(others))) > 0:
            beyond = float(passages(np.asarray([false.losses]), level)[0, 0] - mine) / usual
    if true.carried is not None and controls:
        null = [np.inf if item.carried is None else item.carried for item in controls]
        carried_p = float(conformal_p_values(null, [true.carried])[0])
    return Relearning(
        fact=fact.name,
        true=true,
        false=false,
        savings=_savings([true.losses], controls, seed=seed),
        p=p,
        beyond_variant=beyond,
        carried_p=carried_p,
    )


def _savings(facts: Sequence[Sequence[float]], controls: Sequence[Learned], *, seed: int) -> Figure | None:
    """Mean savings of these facts, with a percentile interval that resamples controls, and facts if there are several."""
    beside = np.asarray([item.losses for item in controls if item.losses])
    if not facts or not all(facts) or not len(beside):
        return None
    rng, n, m = np.random.default_rng([seed, 23]), len(facts), len(beside)
    drawn = np.concatenate([np.arange(m)[None], rng.integers(m, size=(RESAMPLES, m))])  # all of them, then resamples
    saved = []
    for losses in facts:
        halves = np.column_stack([np.full(len(drawn), _half(np.asarray([losses]))[0]), _half(beside)[drawn]])
        mine, *others = passages(np.asarray([losses, *beside.tolist()]), np.median(halves, axis=1))
        usual = np.median(np.asarray(others)[drawn.T, np.arange(len(drawn))], axis=0)
        saved.append(np.where(usual > 0, 1 - mine / np.where(usual > 0, usual, 1), 0.0))
    value, resampled = float(np.mean([item[0] for item in saved])), np.asarray(saved)[:, 1:]
    means = resampled[rng.integers(n, size=(n, RESAMPLES)), np.arange(RESAMPLES)].mean(axis=0)
    low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2])
    return Figure(value, min(value, float(low)), max(value, float(high)))


def _half(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loss half way."""
    return np.asarray(curves[:, curves.shape[1] // 2])


def passages(curves: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """After how many steps, interpolated, each loss curve (n_curves, n_steps) is down at each level (n_levels,).

    Axes (n_curves, n_levels). A curve that does not come down counts with all its steps.

    >>> passages(np.asarray([[4.0, 2.0, 1.0], [1.0, 0.5, 0.2], [9.0, 8.0, 7.0]]), np.asarray([3.0])).tolist()
    [[0.5], [0.0], [3.0]]
    """
    steps = curves.shape[1]
    below = curves[:, None] <= levels[:, None]
    first = np.where(below.any(axis=2), below.argmax(axis=2), steps)
    found: NDArray[np.float64] = first.astype(float)
    rows, places = np.nonzero((first > 0) & (first < steps))
    step = first[rows, places]
    before, after = curves[rows, step - 1], curves[rows, step]
    found[rows, places] = step - 1 + (before - levels[places]) / (before - after)
    return found
