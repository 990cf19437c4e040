"""Every curve fitted to an agent, and which curves predict families of tasks that they were not fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from dokimasia.core import DataError
from dokimasia.theory.horizons.attempts import Attempts
from dokimasia.theory.horizons.curve import Curve
from dokimasia.theory.horizons.fitting import fit, losses
from dokimasia.theory.horizons.hazards import CeilingExponential, Constant, Exponential, Lomax
from dokimasia.theory.horizons.linear import Logistic, Probit, Weibull
from dokimasia.theory.horizons.steps import Steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dokimasia.theory.horizons.curve import Floats

MOST_FOLDS = 100
TIE = 0.01
"""Nats in all below which two curves are the same: one is then the other's limit, and what is left is rounding."""
CONSTANT, LOGISTIC = Constant(), Logistic()
CURVES: tuple[Curve, ...] = (
    CONSTANT,
    Exponential(),
    Steps(),
    CeilingExponential(),
    Lomax(),
    Weibull(),
    LOGISTIC,
    Probit(),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CurveFit:
    """One curve fitted to one agent: `theta` (n_parameters,), and `loss` in nats by METR's weights.

    `held_out` (n_tasks,) is the loss of each task by the fit to all other families, None with fewer than two families.
    `replicates` (n_replicates, n_parameters) are fits to resampled families.
    """

    curve: Curve
    theta: Floats
    loss: float
    held_out: Floats | None
    replicates: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentFits:
    """All curves fitted to one agent. `drawn` (n_replicates, n_tasks) says how often each task's family was resampled."""

    name: str
    attempts: Attempts
    fits: tuple[CurveFit, ...]
    drawn: NDArray[np.int64]

    def of(self, curve: Curve) -> CurveFit:
        """The fit of this curve."""
        return next(item for item in self.fits if item.curve.name == curve.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one curve does over all agents: `loss` on what it was fitted to, and `held_out` on families that it was not.

    `behind` is how much more it loses on held-out families than the curve that loses least, with the interval
    `(low, high)`; a curve is a `rival` of that one if it may be as good. Without held-out losses every curve is.
    """

    curve: Curve
    parameters: int
    loss: float
    held_out: float | None
    behind: float | None
    low: float | None
    high: float | None
    rival: bool


def fit_agent(
    name: str, attempts: Attempts, *, n_replicates: int, seed: int, curves: Sequence[Curve] = CURVES
) -> AgentFits:
    """Fit every curve to one agent: to all its tasks, to all but each family, and to families drawn with replacement.

    Beyond a hundred families several are left out together.
    """
    family = np.unique(attempts.families, return_inverse=True)[1]
    n_families = attempts.n_families
    n_folds = min(n_families, MOST_FOLDS) if n_families > 1 else 0
    fold = family % max(n_folds, 1)
    kept = np.arange(n_folds)[:, None] != fold
    chances = np.full(n_families, 1 / n_families)
    drawn = np.random.default_rng(seed).multinomial(n_families, chances, size=n_replicates)[:, family]
    times = np.concatenate([np.ones((1, len(family))), kept, drawn])
    fits = []
    for curve in curves:
        found = fit(curve, attempts.x, attempts.rates, times * attempts.weights)
        held_out: Floats | None = None
        if n_folds:
            each = losses(curve, attempts.x, attempts.rates, found.theta[1 : 1 + n_folds])
            held_out = each[fold, np.arange(len(fold))] * attempts.weights
        fits.append(
            CurveFit(
                curve=curve,
                theta=found.theta[0],
                loss=float(found.loss[0]),
                held_out=held_out,
                replicates=found.theta[1 + n_folds :],
            )
        )
    return AgentFits(name=name, attempts=attempts, fits=tuple(fits), drawn=drawn)


def standings(agents: Sequence[AgentFits], *, confidence: float = 0.95) -> tuple[Standing, ...]:
    """Which curves fit, and which predict families that they were not fitted to? In the order of the fits.

    The interval of a difference takes families as units, the losses of all agents on one family together, and Student's
    quantile at one less than the number of families. Folds share most of what they are fitted to, which it leaves aside.
    Agents with runs of one family only take no part in the cross-validation.
    """
    if not agents:
        raise DataError("Fits to at least one agent are expected.", "Found none.", "Fit curves to an agent's runs.")
    curves = [item.curve for item in agents[0].fits]
    loss = np.sum([[item.loss for item in agent.fits] for agent in agents], axis=0)
    held_out = _by_family(agents)
    made = []
    for place, curve in enumerate(curves):
        total = behind = low = high = None
        if held_out is not None:
            totals = held_out.sum(axis=1)
            total = float(totals[place])
            difference = held_out[place] - held_out[np.argmin(totals)]
            behind = float(difference.sum())
            n = len(difference)
            reach = float(stdtrit(n - 1, 0.5 + confidence / 2) * difference.std(ddof=1) * np.sqrt(n))
            low, high = behind - reach, behind + reach
        made.append(
            Standing(
                curve=curve,
                parameters=len(curve.low),
                loss=float(loss[place]),
                held_out=total,
                behind=behind,
                low=low,
                high=high,
                rival=low is None or low <= 0 or (behind or 0.0) < TIE,
            )
        )
    return tuple(made)


def _by_family(agents: Sequence[AgentFits]) -> Floats | None:
    """Losses on families left out, (n_curves, n_families), all agents together; None if no agent has any."""
    sums: dict[int, Floats] = {}
    for agent in agents:
        each = [item.held_out for item in agent.fits if item.held_out is not None]
        for family in np.unique(agent.attempts.families).tolist() if each else ():
            own = np.asarray(each)[:, agent.attempts.families == family].sum(axis=1)
            sums[family] = sums.get(family, 0.0) + own
    return np.stack([sums[family] for family in sorted(sums)], axis=1) if sums else None
