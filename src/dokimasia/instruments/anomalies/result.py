"""What was measured, counted by input: those that could not be measured are flagged, too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import Citation, Transcript
from dokimasia.instruments.anomalies.detectors import DETECTORS
from dokimasia.instruments.anomalies.measuring import Measured, View
from dokimasia.instruments.common.gathering import Gathered
from dokimasia.stats import Interval, clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXCERPT = 240


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """One flagged input. `p`, `adjusted` and `site`, where it stands out most, are None if it could not be measured."""

    item: Transcript
    p: float | None
    adjusted: float | None
    site: str | None
    detectors: int
    by_shape: bool
    again: bool


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Inputs of one source: how many, how many flagged, and how many by format and length alone."""

    name: str
    n: int
    flagged: int
    by_shape: int

    def interval(self, k: int) -> Interval:
        """Where the share of `k` of its inputs lies."""
        return clopper_pearson(k, self.n)


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """Everything that is told. Masks have axis (n_inputs,), the inputs that could not be measured among them."""

    gathered: Gathered
    measured: Measured
    notes: tuple[str, ...]
    rate: float

    @property
    def unmeasured(self) -> NDArray[np.bool_]:
        """Inputs whose activations are not finite."""
        mask = np.ones(self.gathered.n, np.bool_)
        mask[self.measured.rows] = False
        return mask

    @cached_property
    def flagged(self) -> NDArray[np.bool_]:
        """Flagged by everything together, or not measurable."""
        return self.unmeasured | self.over(self.measured.everything.flagged)

    @cached_property
    def by_shape(self) -> NDArray[np.bool_]:
        """Flagged by format and length alone."""
        return self.over(self.measured.shape.flagged)

    def over(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of measured inputs as one of all inputs."""
        found = np.zeros(self.gathered.n, np.bool_)
        found[self.measured.rows[mask]] = True
        return found

    @cached_property
    def suites(self) -> tuple[Suite, ...]:
        """By source, those with the largest flagged share first."""
        source = np.asarray([item.source for item in self.gathered.transcripts[: self.gathered.n]])
        found = [
            Suite(
                name=str(name),
                n=int((source == name).sum()),
                flagged=int(self.flagged[source == name].sum()),
                by_shape=int(self.by_shape[source == name].sum()),
            )
            for name in np.unique(source)
        ]
        return tuple(sorted(found, key=lambda item: (-item.flagged / item.n, item.name)))

    @cached_property
    def strangest(self) -> tuple[Flagged, ...]:
        """Flagged inputs: those that could not be measured, then the strangest first."""
        measured, transcripts = self.measured, self.gathered.transcripts
        everything = measured.everything
        lost = [
            Flagged(
                item=transcripts[row],
                p=None,
                adjusted=None,
                site=None,
                detectors=0,
                by_shape=bool(self.by_shape[row]),
                again=False,
            )
            for row in np.flatnonzero(self.unmeasured).tolist()
        ]
        order = np.argsort(-everything.inputs, kind="stable")
        return (
            *lost,
            *(
                Flagged(
                    item=transcripts[measured.rows[place]],
                    p=float(everything.p[place]),
                    adjusted=float(everything.adjusted[place]),
                    site=max(measured.sites, key=lambda view: float(view.inputs[place])).name,
                    detectors=sum(bool(view.flagged[place]) for view in measured.detectors),
                    by_shape=bool(measured.shape.flagged[place]),
                    again=bool(measured.swapped.flagged[place]),
                )
                for place in order[everything.flagged[order]].tolist()
            ),
        )

    def share(self, view: View) -> tuple[int, Interval]:
        """How many inputs a view flags, and where their share lies: the unmeasured count as flagged in its upper end."""
        k, n, lost = int(view.flagged.sum()), self.gathered.n, int(self.unmeasured.sum())
        return k + lost, Interval(clopper_pearson(k, n).low, clopper_pearson(k + lost, n).high)


def cite(found: Flagged, n: int) -> Citation:
    """The beginning of the last user message, and why the input is cited."""
    index = max(range(len(found.item.input)), key=lambda place: (found.item.input[place].role == "user", place))
    content = found.item.input[index].content
    why = "Could not be measured: its activations are not finite."
    if found.p is not None:
        reached = round(found.p * (n + 1)) - 1
        why = (
            f"{reached} of {n} trusted transcripts {'is' if reached == 1 else 'are'} as strange; stands out most at "
            f"{found.site}; flagged by {found.detectors} of {len(DETECTORS)} detectors"
            + (", and by format and length alone." if found.by_shape else ", not by format and length alone.")
        )
    return Citation(
        transcript=found.item.id,
        source=found.item.source,
        message=index,
        start=0,
        end=min(len(content), EXCERPT),
        text=content[:EXCERPT],
        why=why,
    )
