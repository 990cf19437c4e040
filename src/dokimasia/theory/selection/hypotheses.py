"""What may drive a model: rival hypotheses about its motives, what each would earn in training and do afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A kind of situation, and which share of training or of deployment it is. A share of 0 is a probe and no more."""

    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A node of the causal graph: something that actions bring about, and what it leads to."""

    name: str
    leads_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One motive. `reward` is what it earns in each training situation, expected, in [0, 1]; `misbehaves` the probability
    that it misbehaves in each deployment situation; `wants` names the outcomes that it pursues for their own sake.
    """

    name: str
    prior: float
    reward: tuple[float, ...]
    misbehaves: tuple[float, ...]
    wants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hypotheses:
    """Hypotheses that exclude one another and leave none out, with the situations that they are judged in.

    `note` is what every reader of an answer must know of the numbers.
    """

    training: tuple[Situation, ...]
    deployment: tuple[Situation, ...]
    hypotheses: tuple[Hypothesis, ...]
    outcomes: tuple[Outcome, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if len(self.hypotheses) < 2:
            raise DataError(
                "Two or more hypotheses are expected.",
                f"Found {len(self.hypotheses)}.",
                "Add what else may be the case.",
            )
        for what, names in (
            ("training situations", [item.name for item in self.training]),
            ("deployment situations", [item.name for item in self.deployment]),
            ("hypotheses", self.names),
            ("outcomes", [item.name for item in self.outcomes]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice or (not names and what != "outcomes"):
                found = f"Found {twice[0]!r} twice." if twice else "Found none."
                raise DataError(f"Some {what} with different names are expected.", found, "Name each one once.")
        _distribution("The shares of training situations", self.training, [item.share for item in self.training])
        _distribution("The shares of deployment situations", self.deployment, [item.share for item in self.deployment])
        _distribution("The priors", self.hypotheses, [item.prior for item in self.hypotheses])
        for item in self.hypotheses:
            _probabilities(item.name, "rewards", item.reward, len(self.training))
            _probabilities(item.name, "probabilities of misbehaviour", item.misbehaves, len(self.deployment))
        known = [item.name for item in self.outcomes]
        named = [name for hypothesis in self.hypotheses for name in hypothesis.wants]
        named += [name for outcome in self.outcomes for name in outcome.leads_to]
        for name in named:
            if name not in known:
                raise DataError(
                    f"Outcomes that are listed are expected ({', '.join(known) or 'none is'}).",
                    f"Found {name!r}.",
                    "Add it to the outcomes, or mend its name.",
                )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self.hypotheses)

    @property
    def priors(self) -> NDArray[np.float64]:
        """Shape (n_hypotheses,); the sum is 1 exactly as far as floats allow."""
        priors = np.array([item.prior for item in self.hypotheses])
        return np.asarray(priors / priors.sum())

    @property
    def rewards(self) -> NDArray[np.float64]:
        """Expected reward, shape (n_hypotheses, n_training)."""
        return np.array([item.reward for item in self.hypotheses])

    @property
    def misbehaviour(self) -> NDArray[np.float64]:
        """Probability of misbehaviour, shape (n_hypotheses, n_deployment)."""
        return np.array([item.misbehaves for item in self.hypotheses])

    @property
    def training_shares(self) -> NDArray[np.float64]:
        """Shape (n_training,)."""
        shares = np.array([item.share for item in self.training])
        return np.asarray(shares / shares.sum())

    @property
    def deployment_shares(self) -> NDArray[np.float64]:
        """Shape (n_deployment,)."""
        shares = np.array([item.share for item in self.deployment])
        return np.asarray(shares / shares.sum())

    @property
    def fitness(self) -> NDArray[np.float64]:
        """Expected reward over training, shape (n_hypotheses,)."""
        return np.asarray(self.rewards @ self.training_shares)


def _distribution(what: str, items: Sequence[object], values: Sequence[float]) -> None:
    if not all(math.isfinite(value) and value >= 0 for value in values):
        bad = next(value for value in values if not (math.isfinite(value) and value >= 0))
        raise DataError(f"{what} are numbers of at least 0.", f"Found {bad}.", "Mend it.")
    if abs(math.fsum(values) - 1) > TOLERANCE:
        raise DataError(
            f"{what} sum to 1.",
            f"Found {len(items)} that sum to {math.fsum(values):.6g}.",
            "Divide each by the sum, or add what is missing.",
        )


def _probabilities(name: str, what: str, values: Sequence[float], wanted: int) -> None:
    if len(values) != wanted or not all(0 <= value <= 1 for value in values):
        bad = [value for value in values if not 0 <= value <= 1]
        found = f"Found {bad[0]}." if bad else f"Found {len(values)}."
        raise DataError(f"{name}: {wanted} {what} in [0, 1] are expected.", found, "Give one for each situation.")
