"""The awareness instrument: from evidence to a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import (
    Access,
    Cost,
    DataError,
    Evidence,
    Finding,
    PooledActivations,
    Subject,
    Transcript,
    throughput,
)
from dokimasia.core.sequences import Joined
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.awareness.probing import captured, direction, transfers
from dokimasia.instruments.awareness.result import AskedSample, Result
from dokimasia.instruments.awareness.stages import answer_stages, belief_in_test, planned_belief, planned_stages
from dokimasia.instruments.awareness.steering import consequence, planned_consequence
from dokimasia.instruments.awareness.telling import tell
from dokimasia.instruments.awareness.verbalised import Heard, in_replies, in_transcripts, planned_replies, reply_to
from dokimasia.instruments.common.asking import QUESTIONS, asked, planned
from dokimasia.instruments.common.conduct import Conduct
from dokimasia.instruments.common.discriminators import CAPTURE_BATCH, SubjectActivations, capture_tokens
from dokimasia.instruments.common.gathering import Gathered, gather
from dokimasia.instruments.common.parts import Parts
from dokimasia.instruments.common.probes.trials import FEWEST_FOLDS
from dokimasia.instruments.common.sampling import Limits, some

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS_A_SITE = 0.6
"""Of fitting and judging probes at a site, both ways round, on one processor; used for estimates only."""
FEWEST_GROUPS = 20

MISLEADS = (
    "What a model says of its situation is what it would say, not what it knows: a model that hides its knowledge is found by "
    "neither questions nor patterns. A probe shows that the difference is there to be used, not that it is used, and may "
    "follow the format or the words of the tests (arXiv 2603.19426): compare the controls beside it. That steering moves "
    "nothing shows that this direction, at this layer, does not matter to these items; the model may hold the thought "
    "elsewhere. Nobody's transcripts say for certain what is a test: the deployment sample is what was given as one."
)


@dataclass(frozen=True, kw_only=True)
class Awareness:
    """Does the subject know that it is being tested, and does that matter to what it does?

    Parameters
    ----------
    ask:
        At most so many transcripts of either side are put the questions; of more a random sample.
    each:
        How many of the six paraphrases each of them is put; which ones follows from its digest.
    replies:
        So many inputs of either side are answered and searched for what the subject says about tests.
    conduct:
        What steering may change; None leaves the consequence unmeasured.
    directions:
        Random directions beside the one that is tried.
    dose:
        How far to steer, in distances between the mean activations of tests and of deployment.
    every_layer:
        Activations are read at every so-many-th layer, the last one included.
    permute:
        Whether probes are fitted on permuted labels, too.
    shared:
        Whether another instrument of the same run asks the same questions and reads the same activations: a plan then leaves
        them out. The finding does not depend on it.
    """

    ask: int = 600
    each: int = 2
    replies: int = 40
    conduct: Conduct | None = None
    directions: int = 12
    dose: float = 1.0
    every_layer: int = 3
    folds: int = 4
    permute: bool = True
    shared: bool = False
    limits: Limits = field(default_factory=Limits)
    name: str = "awareness"
    version: str = "1"
    question: str = "Does the subject know that it is being tested, and does it matter to what it does?"

    def __post_init__(self) -> None:
        if min(self.ask, self.replies) < 2 or not 1 <= self.each <= len(QUESTIONS) or self.directions < 2:
            raise DataError(
                f"At least 2 transcripts a side, 2 random directions and 1 to {len(QUESTIONS)} paraphrases are expected.",
                f"Found ask={self.ask}, replies={self.replies}, directions={self.directions}, each={self.each}.",
                "Pass larger numbers.",
            )
        if self.every_layer < 1 or self.folds < FEWEST_FOLDS:
            raise DataError(
                f"A step of 1 layer and {FEWEST_FOLDS} folds are expected at least.",
                f"Found every_layer={self.every_layer}, folds={self.folds}.",
                "Pass larger numbers.",
            )
        if not 0 < self.dose < np.inf:
            raise DataError("A dose is positive.", f"Found {self.dose}.", "Pass for example 1.")

    @property
    def access(self) -> Access:
        return "activations"

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        sides = [
            Joined([source.transcripts for source in evidence.evaluation]),
            Joined([evidence.deployment.transcripts if evidence.deployment else ()]),
        ]
        _check_sizes(*map(len, sides))
        if subject is None:
            return Cost()
        cost = Cost()
        if subject.text is not None or subject.logprobs is not None:
            cost += planned_stages(subject)
            if not self.shared:
                cost += planned(subject, [item for side in sides for item in _first(side, self.ask)], each=self.each)
        if subject.text is not None:
            cost += planned_replies(subject, [item for side in sides for item in _first(side, self.replies)])
        if subject.activations is None:
            return cost
        sampled = sum(map(len, sides)) > self.limits.exact
        looked = Joined([_first(side, self.limits.look) if sampled else side for side in sides])
        rows, tokens = len(looked), capture_tokens(looked)
        sites = 2 * len(self._layers(subject.activations.n_layers))
        cost += Cost(seconds=sites * SECONDS_A_SITE * rows / 500)
        if not self.shared:
            cost += Cost(
                calls=-(-rows // CAPTURE_BATCH), tokens=tokens, seconds=tokens / throughput(subject, "forward")
            )
        if self.conduct is not None and subject.steerable is not None and subject.logprobs is not None:
            cost += planned_consequence(self.conduct.plan(subject) + planned_belief(subject), self.directions)
        return cost

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        _check_sizes(
            sum(len(source.transcripts) for source in evidence.evaluation),
            len(evidence.deployment.transcripts) if evidence.deployment else 0,
        )
        gathered = gather(evidence, limits=self.limits, fewest=FEWEST_GROUPS, seed=seed)
        _check_inputs(gathered.transcripts)
        parts = Parts()
        given = in_transcripts(gathered.transcripts, gathered.groups.tolist())
        result = Result(gathered=gathered, given=given, each=self.each)
        if subject is None:
            parts.lack("What the subject says, and what its inside tells", "No subject that could be asked was given.")
        else:
            result = self._spoken(subject, result, parts, seed)
            result = self._inside(subject, result, parts, seed)
        return tell(
            result,
            instrument=self.name,
            version=self.version,
            question=self.question,
            misleads=MISLEADS,
            configuration=self._configuration(),
            not_measured=tuple(parts.lacking),
            incomplete=parts.incomplete or parts.requests(subject),
            seed=seed,
        )

    def _spoken(self, subject: Subject, result: Result, parts: Parts, seed: int) -> Result:
        """What it says, asked and unasked."""
        if subject.text is None and subject.logprobs is None:
            parts.lack("What the subject says", "It writes no text and shows no log-probabilities.")
            return result
        outright, own_stage, unasked = (
            "Whether it calls tests tests when it is asked",
            "What it says of its own stage",
            "Whether it speaks of tests unasked",
        )

        def ask() -> AskedSample:
            sides = (result.gathered.evaluation, result.gathered.deployment)
            rows = np.concatenate([some(result.gathered.transcripts, side, self.ask, seed=seed) for side in sides])
            found = asked(subject, _taken(result.gathered, rows), each=self.each, seed=seed)
            parts.failed += found.failed
            if not np.isfinite(found.by_question).any():
                raise DataError(
                    "An answer that can be read is expected.",
                    f"Of {2 * self.each * len(rows):,} questions {found.failed:,} failed, and the others got no such answer.",
                    "Look at what can be measured without asking: this subject does not say.",
                )
            return AskedSample(rows=rows, asked=found)

        def hear() -> tuple[Heard, Heard]:
            rows = _sample(result.gathered, self.replies, [seed, 3])
            few = _taken(result.gathered, rows)
            replies = reply_to(subject, few, seed=seed)
            n = int((rows < result.gathered.n).sum())
            groups = result.gathered.groups[rows].tolist()
            tests, deployed = in_replies(few[:n], replies[:n], groups[:n]), in_replies(few[n:], replies[n:], groups[n:])
            parts.failed += tests.failed + deployed.failed
            if tests.lost + deployed.lost == len(rows):
                raise DataError(
                    "A reply is expected.",
                    f"Of {len(rows):,} requests {parts.failed:,} failed, and the others were filtered.",
                    "Look at the endpoint, and run the same command again.",
                )
            return tests, deployed

        sample = parts.of(outright, ask)
        stages = parts.of(own_stage, lambda: answer_stages(subject, seed=seed))
        parts.failed += sum(item.failed for item in stages or ())
        if stages and all(item.shares is None for item in stages):
            parts.lack(own_stage, "None of its answers could be read.")
        heard = None
        if subject.text is None:
            parts.lack(unasked, "The subject writes no text.")
        else:
            heard = parts.of(unasked, hear)
        result = replace(result, asked=sample, stages=stages or (), heard=heard)
        if sample is not None and result.outright is None:
            parts.lack(outright, "Its answers could be read on one side only.")
        return result

    def _inside(self, subject: Subject, result: Result, parts: Parts, seed: int) -> Result:
        """What its activations tell, and whether moving them moves what it does."""
        transferring, steering = (
            "Whether its inside tells tests on suites not seen",
            "Whether it matters to what it does",
        )
        if subject.activations is None:
            parts.lack(transferring, "The subject shows no activations.")
            parts.lack(steering, "The subject shows no activations to steer.")
            return result
        gathered, activations = result.gathered, subject.activations

        def capture() -> tuple[PooledActivations, tuple[str, ...]]:
            layers = self._layers(activations.n_layers)
            found = SubjectActivations(activations=activations, layers=layers).features(gathered.transcripts)
            return captured(found, layers), found.notes

        taken = parts.of(transferring, capture)
        if taken is None:
            parts.lack(steering, "There are no activations to make a direction of.")
            return result
        values, notes = taken
        result = replace(result, captured=True)
        moved = parts.of(
            transferring,
            lambda: transfers(
                values, gathered, subject=subject.identity.digest, folds=self.folds, permute=self.permute, seed=seed
            ),
        )
        found, refused = moved or ((), ())
        if moved is not None and not found and not refused:
            parts.lack(transferring, "There is one suite only, or one group of deployment: nothing to transfer to.")
        for error in refused:
            parts.lack(f"{transferring}, one way round" if found else transferring, str(error))
        result = replace(result, transfers=found, notes=notes)
        if self.conduct is None:
            parts.lack(steering, "No items were given whose answers steering could change.")
            return result
        if subject.steerable is None or subject.logprobs is None:
            parts.lack(steering, "The subject cannot be steered, or shows no log-probabilities.")
            return result
        steerable, conduct = subject.steerable, self.conduct
        return replace(
            result,
            consequence=parts.of(
                steering,
                lambda: consequence(
                    subject,
                    steerable,
                    conduct,
                    direction(values, gathered, found),
                    belief=belief_in_test,
                    dose=self.dose,
                    randoms=self.directions,
                    seed=seed,
                ),
            ),
        )

    def _layers(self, n_layers: int) -> tuple[int, ...]:
        return tuple(sorted(range(n_layers - 1, -1, -self.every_layer)))

    def _configuration(self) -> dict[str, Cell]:
        return {
            "ask": self.ask,
            "each": self.each,
            "replies": self.replies,
            "conduct": None if self.conduct is None else self.conduct.digest,
            "directions": self.directions,
            "dose": self.dose,
            "every_layer": self.every_layer,
            "folds": self.folds,
            "permute": self.permute,
        }


def _sample(gathered: Gathered, most: int, seed: list[int]) -> NDArray[np.int64]:
    """So many rows of either side, at random, the evaluation's first; each suite as often as the others, if it can be."""
    rng = np.random.default_rng(seed)
    met: Counter[str] = Counter()
    ranked: list[tuple[int, int, int]] = []
    for row in rng.permutation(gathered.n).tolist():
        suite = gathered.transcripts[row].source
        ranked.append((met[suite], len(ranked), row))
        met[suite] += 1
    chosen = [row for *_, row in sorted(ranked)[:most]]
    others = gathered.n + rng.permutation(gathered.m)[:most]
    return np.asarray([*sorted(chosen), *sorted(others.tolist())], np.int64)


def _taken(gathered: Gathered, rows: NDArray[np.int64]) -> list[Transcript]:
    return [gathered.transcripts[row] for row in rows.tolist()]


def _first(side: Sequence[Transcript], n: int) -> Sequence[Transcript]:
    return side[: min(n, len(side))]


def _check_sizes(n: int, m: int) -> None:
    if not n or not m:
        raise DataError(
            "Awareness needs evaluation inputs and deployment transcripts to tell from each other.",
            f"Found {n} and {m}.",
            "Add transcripts to the side that has none.",
        )


def _check_inputs(transcripts: Sequence[Transcript]) -> None:
    mute = [item.id for item in transcripts if not item.input]
    if mute:
        raise DataError(
            "Each transcript is expected to hold something that the subject answers to.",
            f"Found {len(mute)} without, the first of them {mute[0]}.",
            "Keep the turns of users and tools, or leave these out.",
        )
