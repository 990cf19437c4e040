"""Every curve fitted to every agent, and which curves predict families of tasks that they were not fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    `held_out` (n_families,) is the loss of each family by the fit to all others, None with fewer than two families.
    `replicates` (n_replicates, n_parameters) are fits to resampled families.
    """

    curve: Curve
    theta: Floats
    loss: float
    held_out: Floats | None
    replicates: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentFits:
    """All curves fitted to one agent. `drawn` (n_replicates, n_families) says how often each family was resampled."""

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


def resampled(n_families: int, n_replicates: int, *, seed: int) -> NDArray[np.int64]:
    """How often each family is drawn in each cluster-bootstrap replicate, (n_replicates, n_families)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_families, np.full(n_families, 1 / n_families), size=n_replicates)


def fit_agent(name: str, attempts: Attempts, drawn: NDArray[np.int64], curves: Sequence[Curve] = CURVES) -> AgentFits:
    """Fit every curve to one agent: to all its tasks, to all but each family, and to each replicate of `drawn`.

    Beyond a hundred families several are left out together. Replicates that drew none of the agent's are dropped.
    """
    own, place = np.unique(attempts.families, return_inverse=True)
    drawn = drawn[drawn[:, own].any(axis=1)]
    n_families, n_folds = drawn.shape[1], min(len(own), MOST_FOLDS) if len(own) > 1 else 0
    fold = place % max(n_folds, 1)
    left_out = np.arange(n_folds)[:, None] == fold
    times = np.concatenate([np.ones((1, len(fold))), ~left_out, drawn[:, attempts.families]])
    fits = []
    for curve in curves:
        found = fit(curve, attempts.x, attempts.rates, times * attempts.weights)
        held_out: Floats | None = None
        if n_folds:
            each = losses(curve, attempts.x, attempts.rates, found.theta[1 : 1 + n_folds])
            unseen = each[fold, np.arange(len(fold))] * attempts.weights
            held_out = np.bincount(attempts.families, unseen, minlength=n_families).astype(float)
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


def fit_agents(
    agents: Mapping[str, Attempts], *, n_families: int, n_replicates: int, seed: int, curves: Sequence[Curve] = CURVES
) -> tuple[AgentFits, ...]:
    """The same for several agents, whose families are numbered alike; each replicate draws one set of families for all."""
    if not agents:
        raise DataError("Runs of at least one agent are expected.", "Found none.", "Name agents that there are.")
    drawn = resampled(n_families, n_replicates, seed=seed)
    return tuple(fit_agent(name, attempts, drawn, curves) for name, attempts in agents.items())


def standings(agents: Sequence[AgentFits], *, confidence: float = 0.95) -> tuple[Standing, ...]:
    """Which curves fit, and which predict families that they were not fitted to? In the order of the fits.

    The interval of a difference takes families as units, the losses of all agents on one family together, and Student's
    quantile at one less than the number of families. Folds share most of what they are fitted to, which it leaves aside.
    Agents with runs of one family only take no part in the cross-validation.
    """
    curves = [item.curve for item in agents[0].fits]
    loss = np.sum([[item.loss for item in agent.fits] for agent in agents], axis=0)
    crossed = [agent for agent in agents if agent.fits[0].held_out is not None]
    by_agent = [[item.held_out for item in agent.fits if item.held_out is not None] for agent in crossed]
    held_out = np.sum(np.asarray(by_agent, float), axis=0) if crossed else None
    seen = np.unique([family for agent in crossed for family in agent.attempts.families])
    made = []
    for place, curve in enumerate(curves):
        total = behind = low = high = None
        if held_out is not None:
            totals = held_out.sum(axis=1)
            total = float(totals[place])
            difference = (held_out[place] - held_out[np.argmin(totals)])[seen]
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
