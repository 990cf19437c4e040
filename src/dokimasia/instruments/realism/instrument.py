"""The realism instrument: from evidence to a finding."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from dokimasia.core import Access, Cost, DataError, Evidence, Finding, Subject, throughput
from dokimasia.instruments.common.discriminators import (
    CAPTURE_BATCH,
    Discriminator,
    FormatAndLength,
    SubjectActivations,
    Words,
    capture_tokens,
)
from dokimasia.instruments.realism.blindspots import clusters
from dokimasia.instruments.realism.measure import judge
from dokimasia.instruments.realism.population import check_sizes, gather
from dokimasia.instruments.realism.telling import tell
from dokimasia.instruments.realism.tells import rank_suites, telling_items, telling_words

MISLEADS = (
    "The ceiling is conditional: it holds if the model tells evaluation from deployment no better than this "
    "discriminator. A model that sees more can do worse, and a weak discriminator's low ceiling proves nothing. It speaks "
    "of independent transcripts, of a policy fixed beforehand, and of a judge that misses nothing (if the judge finds "
    "only a share a of misbehaviours, divide the rate bound by a)."
)


@dataclass(frozen=True, kw_only=True)
class Realism:
    """How far does this evaluation speak for this deployment?

    Parameters
    ----------
    misbehaved:
        The user's own count of misbehaviours; overrides labels. None counts labels.
    delta:
        Error probability of each bound, one-sided.
    every_layer:
        Activations are read at every so-many-th layer, the last one included.
    """

    misbehaved: int | None = None
    delta: float = 0.05
    every_layer: int = 3
    name: str = "realism"
    version: str = "1"
    question: str = "How far does this evaluation speak for this deployment?"

    @property
    def access(self) -> Access:
        return "activations"

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        deployment = evidence.deployment.transcripts if evidence.deployment else ()
        items = [item for source in evidence.evaluation for item in source.transcripts]
        check_sizes(len(items), len(deployment))
        items += deployment
        seconds = 2.0 + 0.02 * len(items)
        if subject is None or subject.activations is None:
            return Cost(seconds=seconds)
        tokens = capture_tokens(items)
        return Cost(
            calls=-(-len(items) // CAPTURE_BATCH),
            tokens=tokens,
            seconds=2 * seconds + tokens / throughput(subject, "forward"),
        )

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        if not 0 < self.delta < 1:
            raise DataError("delta lies strictly between 0 and 1.", f"Found {self.delta}.", "Pass for example 0.05.")
        population = gather(evidence, override=self.misbehaved)
        discriminators: list[Discriminator] = [FormatAndLength(), Words()]
        if subject is not None and subject.activations is not None:
            last = subject.activations.n_layers - 1
            layers = tuple(sorted(range(last, -1, -self.every_layer)))
            discriminators.append(SubjectActivations(activations=subject.activations, layers=layers))
        verdicts = [
            judge(
                discriminator,
                population,
                delta=self.delta,
                exposure_delta=self.delta / len(discriminators),
                seed=seed,
            )
            for discriminator in discriminators
        ]
        strongest = max(verdicts, key=lambda item: (item.pooled.ceiling, item.clean.ceiling, item.auc.value))
        words = telling_words(population, seed=seed)
        scores = strongest.held_out.scaled
        return tell(
            instrument=self.name,
            version=self.version,
            question=self.question,
            misleads=MISLEADS,
            population=population,
            verdicts=verdicts,
            strongest=strongest,
            words=words,
            items=telling_items(population, scores, words),
            suites=rank_suites(population, scores),
            clusters=clusters(population, seed=seed),
            configuration={
                key: value for key, value in asdict(self).items() if key not in ("name", "version", "question")
            },
            seed=seed,
            delta=self.delta,
        )
