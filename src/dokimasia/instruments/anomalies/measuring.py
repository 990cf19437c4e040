"""P-values of every input by every detector at every site, all of them together, and where there is nothing to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dokimasia.instruments.anomalies.detectors import DETECTORS
from dokimasia.instruments.anomalies.scoring import Site, halves, surprises, together
from dokimasia.instruments.common.gathering import firsts
from dokimasia.stats import Figure, auroc, false_discovery_adjusted, tpr_at_fpr
from dokimasia.stats.conformal import conformal_p_values, fewest_detectable, outliers_at_least

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVERYTHING = "all detectors, all sites"
SHAPE = "format and length alone"
STRANGE = 0.05
ALARM = 0.1
AGAINST_ITSELF = "trusted set against itself"
PERMUTED = "inputs and trusted set dealt out afresh"


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One way to look: surprise of calibration rows (n_calibration,), of inputs (n_inputs,), and the inputs' p-values.

    `once` are places among the inputs, one for each group.
    """

    name: str
    calibration: NDArray[np.float64]
    inputs: NDArray[np.float64]
    once: NDArray[np.int64]
    rate: float

    @cached_property
    def p(self) -> NDArray[np.float64]:
        """Conformal p-values, (n_inputs,)."""
        return conformal_p_values(self.calibration, self.inputs)

    @cached_property
    def adjusted(self) -> NDArray[np.float64]:
        """The false-discovery rate at which each input would be flagged, (n_inputs,)."""
        return false_discovery_adjusted(self.p)

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which inputs are flagged, (n_inputs,)."""
        return self.adjusted <= self.rate + 1e-12

    @property
    def flagged_under_any_dependence(self) -> NDArray[np.bool_]:
        """The same by Benjamini and Yekutieli (2001), Annals of Statistics 29:1165-1188, theorem 1.3."""
        harmonic = float((1 / np.arange(1, len(self.p) + 1)).sum())
        return self.adjusted * harmonic <= self.rate + 1e-12

    @cached_property
    def auc(self) -> Figure:
        """How often an input is stranger than a trusted transcript."""
        return auroc(self.calibration, self.inputs[self.once])

    @cached_property
    def strange(self) -> Figure:
        """Share of inputs stranger than 95% of the trusted set."""
        return tpr_at_fpr(self.calibration, self.inputs[self.once], fpr=STRANGE)

    @property
    def at_least(self) -> int:
        """How many inputs, groups counted once, are no draws from the trusted set, at 95% confidence."""
        return outliers_at_least(self.calibration, self.inputs[self.once], beyond=STRANGE)


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the same procedure says where there is nothing to find: false alarms at p <= 0.1, and inputs flagged."""

    kind: str
    name: str
    alarms: Figure
    flagged: int
    n: int
    calibration: int

    @property
    def suspicious(self) -> bool:
        """Whether there are more false alarms than chance explains."""
        return self.alarms.low > ALARM


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """All views. `grid` has a row a site and a column a detector. Places among inputs are places in `rows`.

    `finite` trusted transcripts could be used; detectors were fitted on `fitted` of them and calibrated on `calibration`
    others. `itself` are p-values of half of those against the other half.
    """

    rows: NDArray[np.int64]
    everything: View
    swapped: View
    detectors: tuple[View, ...]
    sites: tuple[View, ...]
    grid: tuple[tuple[View, ...], ...]
    shape: View
    controls: tuple[Control, ...]
    finite: int
    fitted: int
    calibration: int
    itself: NDArray[np.float64]

    @property
    def fewest(self) -> int | None:
        """How many inputs must be as strange as can be seen before any is flagged; None: not even all are enough."""
        return fewest_detectable(self.calibration, len(self.rows), self.everything.rate)


def measure(
    sites: Sequence[Site],
    shape: Site,
    *,
    inputs: NDArray[np.int64],
    trusted: NDArray[np.int64],
    groups: NDArray[np.int64],
    rate: float,
    seed: int,
) -> Measured:
    """Fit on one half of the trusted groups, calibrate on the other, one row a group, and look at the inputs.

    `inputs` and `trusted` are rows whose numbers are finite. How the detectors at all sites count together is settled
    beforehand, since which of them is right cannot be known.
    """
    every = [*sites, shape]
    fit, rest = halves(trusted, groups, seed=[seed, 0])
    main, swapped = (
        _looked(every, one, firsts(other, groups), inputs, groups, seed) for one, other in ((fit, rest), (rest, fit))
    )
    first, second = halves(firsts(rest, groups), groups, seed=[seed, 4])
    place = {int(row): index for index, row in enumerate(main.calibration_rows)}
    itself = main.taken([place[int(row)] for row in first], [place[int(row)] for row in second])
    dealt = _looked(every, *_dealt(inputs, trusted, groups, seed), groups, seed)
    found = main.views(sites, rate)
    return Measured(
        rows=inputs,
        everything=found[0],
        swapped=swapped.views(sites, rate)[0],
        detectors=tuple(found[1 : 1 + len(DETECTORS)]),
        shape=found[-1],
        sites=tuple(main.view(site.name, np.s_[:, at, :], rate) for at, site in enumerate(sites)),
        grid=tuple(
            tuple(main.view(item.name, np.s_[:, at, column], rate) for column, item in enumerate(DETECTORS))
            for at in range(len(sites))
        ),
        controls=tuple(
            _control(kind, view)
            for kind, looked in ((AGAINST_ITSELF, itself), (PERMUTED, dealt))
            for view in looked.views(sites, rate)
        ),
        finite=len(trusted),
        fitted=len(fit),
        calibration=len(found[0].calibration),
        itself=itself.views(sites, rate)[0].p,
    )


@dataclass(frozen=True, eq=False)
class _Looked:
    """Surprises after one fit, axes (n_rows, n_sites + 1, n_detectors); the last site is format and length."""

    calibration_rows: NDArray[np.int64]
    calibration: NDArray[np.float64]
    inputs: NDArray[np.float64]
    once: NDArray[np.int64]

    def taken(self, calibration: list[int], tested: list[int]) -> _Looked:
        """Some calibration rows in the place of inputs, against others."""
        rows, values = self.calibration_rows[calibration], self.calibration
        return _Looked(rows, values[calibration], values[tested], np.arange(len(tested)))

    def view(self, name: str, part: tuple[Any, ...], rate: float) -> View:
        """Part of the sites and detectors, together."""
        ordinary, tested = (
            together(values[part].reshape(len(values), -1)) for values in (self.calibration, self.inputs)
        )
        return View(name=name, calibration=ordinary, inputs=tested, once=self.once, rate=rate)

    def views(self, sites: Sequence[Site], rate: float) -> list[View]:
        """Everything, each detector at all sites, and last the control by format and length."""
        inside = np.s_[: len(sites)]
        return [
            self.view(EVERYTHING, np.s_[:, inside, :], rate),
            *(self.view(item.name, np.s_[:, inside, column], rate) for column, item in enumerate(DETECTORS)),
            self.view(SHAPE, np.s_[:, -1, :], rate),
        ]


def _looked(
    sites: Sequence[Site],
    fit: NDArray[np.int64],
    calibration: NDArray[np.int64],
    inputs: NDArray[np.int64],
    groups: NDArray[np.int64],
    seed: int,
) -> _Looked:
    found = surprises(sites, DETECTORS, fit, np.concatenate([calibration, inputs]), groups, seed=seed)
    n = len(calibration)
    once = np.searchsorted(inputs, firsts(inputs, groups))
    return _Looked(calibration, found[:n], found[n:], once)


def _dealt(
    inputs: NDArray[np.int64], trusted: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows to fit on, to calibrate with and to look at, dealt out from both sides together, one row a group."""
    rows = np.random.default_rng([seed, 5]).permutation(firsts(np.concatenate([inputs, trusted]), groups))
    ordinary = int(np.clip(len(rows) * len(trusted) // (len(inputs) + len(trusted)), 16, len(rows) - 1))
    fit, calibration, tested = np.split(rows, [ordinary // 2, ordinary])
    return np.sort(fit), np.sort(calibration), np.sort(tested)


def _control(kind: str, view: View) -> Control:
    return Control(
        kind=kind,
        name=view.name,
        alarms=tpr_at_fpr(view.calibration, view.inputs, fpr=ALARM),
        flagged=int(view.flagged.sum()),
        n=len(view.inputs),
        calibration=len(view.calibration),
    )
