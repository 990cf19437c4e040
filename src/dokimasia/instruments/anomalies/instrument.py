"""The anomalies instrument: from evidence to a finding."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from dokimasia.core import Access, Cost, DataError, Evidence, Finding, Subject, throughput
from dokimasia.core.sequences import Joined
from dokimasia.core.tabulating import Cell
from dokimasia.instruments.anomalies.detectors import pyod
from dokimasia.instruments.anomalies.measuring import SHAPE, measure
from dokimasia.instruments.anomalies.result import Result
from dokimasia.instruments.anomalies.scoring import Site
from dokimasia.instruments.anomalies.telling import tell
from dokimasia.instruments.common.discriminators import (
    CAPTURE_BATCH,
    SubjectActivations,
    capture_tokens,
    format_counts,
)
from dokimasia.instruments.common.gathering import Gathered, gather
from dokimasia.instruments.common.sampling import Limits

FEWEST = 9
"""Groups to calibrate with, at the least."""
SECONDS_A_SITE = 0.5
SECONDS_A_ROW = 0.001
"""Of all fits and scores at a site, on one processor; used for estimates only."""

MISLEADS = (
    "An input may be strange without being dangerous, and dangerous without being strange: detectors see activations, not "
    "intentions. No detector works for every model and every task (arXiv 2504.08812), and activations can be made to look "
    "ordinary on purpose (arXiv 2412.09565), so an input that is not flagged is not cleared. Whatever the trusted set holds "
    "counts as ordinary, the bad with the good, and a new topic, language or format is strange, too: look at the control by "
    "format and length. The false-discovery rate holds on average over draws of the trusted set, for inputs that are "
    "independent of one another."
)


@dataclass(frozen=True, kw_only=True)
class Anomalies:
    """Which of these inputs make the model work differently from a trusted set?

    The inputs are the evaluation's, the trusted set is the deployment sample: put whatever else you trust in its place.

    Parameters
    ----------
    false_discovery:
        Expected share of ordinary inputs among those flagged.
    every_layer:
        Activations are read at every so-many-th layer, the last one included.
    limits:
        From how many transcripts on only a random sample is looked at.
    shared:
        Whether another instrument of the same run reads the same activations: a plan then leaves them out. The finding
        does not depend on it.
    """

    false_discovery: float = 0.1
    every_layer: int = 3
    limits: Limits = field(default_factory=Limits)
    shared: bool = False
    name: str = "anomalies"
    version: str = "1"
    question: str = "Which of these inputs make the model work differently from a trusted set?"

    @property
    def access(self) -> Access:
        return "activations"

    def plan(self, subject: Subject | None, evidence: Evidence) -> Cost:
        self._check()
        trusted = evidence.deployment.transcripts if evidence.deployment else ()
        inputs = Joined([source.transcripts for source in evidence.evaluation])
        _check_sizes(len(inputs), len(trusted))
        if subject is None or subject.activations is None:
            return Cost()
        rows = n = len(inputs) + len(trusted)
        if n > self.limits.exact:
            rows = min(len(inputs), self.limits.look) + min(len(trusted), self.limits.look)
        tokens = capture_tokens(Joined([inputs, trusted])[:rows])
        sites = 2 * len(self._layers(subject.activations.n_layers)) + 1
        fits = Cost(seconds=sites * (SECONDS_A_SITE + SECONDS_A_ROW * rows))
        if self.shared:
            return fits
        seconds = tokens / throughput(subject, "forward")
        return fits + Cost(calls=-(-rows // CAPTURE_BATCH), tokens=tokens, seconds=seconds)

    def measure(self, subject: Subject | None, evidence: Evidence, *, seed: int) -> Finding:
        self._check()
        _check_sizes(sum(len(source.transcripts) for source in evidence.evaluation), _size(evidence))
        smallest = max(FEWEST, math.ceil(1 / self.false_discovery - 1e-9) - 1)
        gathered = gather(evidence, limits=self.limits, fewest=2 * smallest, seed=seed)
        if subject is None or subject.activations is None:
            return self._not_measured(
                "Not measured: no subject with access to its activations was given, and strangeness of text alone is not "
                "what is asked.",
                seed,
            )
        if len(np.unique(gathered.groups[gathered.deployment])) < 2 * smallest:
            return self._too_few(gathered, len(np.unique(gathered.groups[gathered.deployment])), 2 * smallest, seed)
        pyod("base")
        layers = self._layers(subject.activations.n_layers)
        features = SubjectActivations(activations=subject.activations, layers=layers).features(gathered.transcripts)
        inputs, trusted = (rows[~features.broken[rows]] for rows in (gathered.evaluation, gathered.deployment))
        if len(np.unique(gathered.groups[trusted])) < 2 * smallest:
            return self._too_few(gathered, len(np.unique(gathered.groups[trusted])), 2 * smallest, seed)
        if not len(inputs):
            return self._not_measured("Not measured: no input gave activations that are finite.", seed)
        measured = measure(
            [Site(name, features.values[:, place]) for place, name in enumerate(features.sites)],
            Site(SHAPE, format_counts(gathered.transcripts)),
            inputs=inputs,
            trusted=trusted,
            groups=gathered.groups,
            rate=self.false_discovery,
            seed=seed,
        )
        return tell(
            instrument=self.name,
            version=self.version,
            question=self.question,
            misleads=MISLEADS,
            result=Result(gathered=gathered, measured=measured, notes=features.notes, rate=self.false_discovery),
            configuration=self._configuration(),
            seed=seed,
        )

    def _too_few(self, gathered: Gathered, found: int, needed: int, seed: int) -> Finding:
        return self._not_measured(
            f"Cannot be told: the trusted set is too small. Of {gathered.m} trusted transcripts {found} can be used and are "
            f"independent; below {needed} no input could be flagged at a false-discovery rate of "
            f"{self.false_discovery:.0%}, however strange.",
            seed,
        )

    def _not_measured(self, headline: str, seed: int) -> Finding:
        return Finding(
            instrument=self.name,
            version=self.version,
            question=self.question,
            status="not measured",
            headline=headline,
            access=self.access,
            misleads=MISLEADS,
            configuration=self._configuration(),
            seed=seed,
        )

    def _configuration(self) -> dict[str, Cell]:
        return {"false_discovery": self.false_discovery, "every_layer": self.every_layer}

    def _layers(self, n_layers: int) -> tuple[int, ...]:
        return tuple(sorted(range(n_layers - 1, -1, -self.every_layer)))

    def _check(self) -> None:
        if not 0 < self.false_discovery < 1:
            raise DataError(
                "false_discovery lies strictly between 0 and 1.",
                f"Found {self.false_discovery}.",
                "Pass for example 0.1.",
            )


def _size(evidence: Evidence) -> int:
    return len(evidence.deployment.transcripts) if evidence.deployment else 0


def _check_sizes(n: int, m: int) -> None:
    """Raise unless there is something on either side."""
    if not n or not m:
        raise DataError(
            "Looking for anomalies needs inputs and a trusted set to compare them with.",
            f"Found {n} inputs and {m} trusted transcripts.",
            "Add transcripts: a few hundred trusted ones at least.",
        )
