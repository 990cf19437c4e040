"""A small protocol of control, whole: a monitor, an audit budget, edits, a hidden coin; and an attacker who selects and waits.

Outputs are ranked by a monitor's score. The most suspicious share `audited` is audited, the next share `edited` is rewritten
by a trusted model, and of all that is left unaudited a share `coin` is audited at random. An audit finds an attack with
probability `sensitivity`; a rewrite removes it with probability `repair` and costs an honest output `loss` of its use.

The attacker makes `candidates` attacks and submits the least suspicious by its own view of the score, which correlates with
the score by `sight`. It may wait: attack once in `waits` of the moments at which it would, choosing the best, which multiplies
the candidates and divides the rate. What becomes perfect is a limit of one of these numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from dokimasia.core.errors import DataError
from dokimasia.theory.detection.audits import above_selected
from dokimasia.theory.detection.domain import inside, upto, whole, within


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """What is done to outputs; see the module. A `separation` of infinity is a perfect monitor."""

    separation: float
    audited: float
    coin: float = 0.0
    sensitivity: float = 1.0
    edited: float = 0.0
    repair: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        for name in ("audited", "coin", "sensitivity", "edited", "repair", "loss"):
            within(f"`{name}`", getattr(self, name), edge="It is a share.")
        within("`audited` and `edited` together", self.audited + self.edited, high=1 + 1e-12)
        if not self.separation >= 0:
            raise DataError("The separation is 0 or more.", f"Found {self.separation}.", "At 0 the monitor is blind.")

    @property
    def reviewed(self) -> float:
        """The share of outputs that is audited, one way or the other."""
        return self.audited + self.coin * (1 - self.audited)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacker:
    """What the untrusted model does; see the module. `candidates` of infinity is a perfect attacker."""

    candidates: float = 1.0
    sight: float = 1.0
    rate: float = 0.01
    waits: float = 1.0

    def __post_init__(self) -> None:
        upto("The rate of attacks", self.rate, edge="Without attacks there is nothing to catch.")
        within("`sight`", self.sight, edge="It is a correlation; at 0 selection selects nothing.")
        for name in ("candidates", "waits"):
            if not getattr(self, name) >= 1:
                raise DataError(f"`{name}` is 1 or more.", f"Found {getattr(self, name)}.", "At 1 nothing is chosen.")

    @property
    def choices(self) -> float:
        """From how many attacks the one submitted is chosen."""
        return self.candidates * self.waits

    @property
    def attempts(self) -> float:
        """The share of outputs that attack."""
        return self.rate / self.waits


class Outcome(NamedTuple):
    """Of an attack: probability that it `succeeds`, is `caught`, or is `repaired` by a rewrite; they sum to 1.

    `attempts` is the share of outputs that attack, `usefulness` what honest outputs keep of their use, in [0, 1].
    """

    succeeds: float
    caught: float
    repaired: float
    attempts: float
    usefulness: float

    def no_harm(self, tasks: float) -> float:
        """Probability that no attack succeeds in so many tasks, a catch ending the deployment."""
        ending = self.succeeds + self.caught
        if ending == 0:
            return 1.0
        quiet = 0.0 if self.attempts * ending >= 1 else math.exp(tasks * math.log1p(-self.attempts * ending))
        return quiet + self.caught / ending * (1 - quiet)

    def clean_record(self, tasks: float) -> float:
        """Probability that nothing is caught in so many tasks: what a clean record multiplies the odds of this attacker by."""
        caught = self.attempts * self.caught
        return 0.0 if caught >= 1 else math.exp(tasks * math.log1p(-caught))


def outcome(protocol: Protocol, attacker: Attacker) -> Outcome:
    """What becomes of an attack, and of usefulness.

    >>> plain = Protocol(separation=2.0, audited=0.01)
    >>> round(outcome(plain, Attacker(candidates=4, rate=1e-9)).caught, 3)
    0.019
    >>> coin = Protocol(separation=2.0, audited=0.01, coin=0.05, sensitivity=0.8)
    >>> round(outcome(coin, Attacker(candidates=math.inf)).caught, 3)
    0.04
    """
    audited, either = (_reached(protocol, attacker, share) for share in _shares(protocol))
    return _settled(protocol, attacker, audited, either)


def _settled(
    protocol: Protocol, attacker: Attacker, audited: tuple[float, float], either: tuple[float, float]
) -> Outcome:
    """From the shares of (honest outputs, attacks) that are audited, and audited or edited, by rank."""
    by_coin = protocol.coin * protocol.sensitivity
    edited = either[1] - audited[1]
    caught = audited[1] * protocol.sensitivity + (1 - audited[1]) * by_coin
    repaired = edited * protocol.repair * (1 - by_coin)
    return Outcome(
        succeeds=max(0.0, 1 - caught - repaired),
        caught=caught,
        repaired=repaired,
        attempts=attacker.attempts,
        usefulness=1 - protocol.loss * (either[0] - audited[0]),
    )


def _shares(protocol: Protocol) -> tuple[float, float]:
    return protocol.audited, min(1.0, protocol.audited + protocol.edited)


def _reached(protocol: Protocol, attacker: Attacker, share: float) -> tuple[float, float]:
    """Of honest outputs and of attacks, the shares among the most suspicious `share` of all outputs."""
    q = attacker.attempts
    if share in {0.0, 1.0}:
        return share, share
    selects = attacker.choices == math.inf and attacker.sight > 0
    if protocol.separation == math.inf:
        if selects:
            raise DataError(
                "At most one of monitor and attacker is perfect.",
                "Found both.",
                "The limits do not commute: whichever is taken last wins. Make one of them large and finite.",
            )
        return (max(0.0, share - q) / (1 - q) if q < 1 else 0.0), min(1.0, share / q) if q else 1.0
    if selects:
        return (min(1.0, share / (1 - q)) if q < 1 else 0.0), max(0.0, share - (1 - q)) / q if q else 0.0
    threshold = _threshold(protocol, attacker, share)
    return float(ndtr(-threshold)), above_selected(protocol.separation - threshold, attacker.choices, attacker.sight)


def _threshold(protocol: Protocol, attacker: Attacker, share: float) -> float:
    """The score that a share of all outputs exceeds, attacks among them; by bisection."""
    q, low, high = attacker.attempts, -40.0, 40.0
    for _ in range(60):
        t = (low + high) / 2
        above = above_selected(protocol.separation - t, attacker.choices, attacker.sight) if q else 0.0
        low, high = (t, high) if (1 - q) * float(ndtr(-t)) + q * above > share else (low, t)
    return (low + high) / 2


def candidates_to_halve(separation: float, audited: float) -> float:
    """With how many candidates does an attacker who sees the score halve the probability of being audited?

    `1 - ln 2 / ln(catch)`: it grows like the reciprocal of what the monitor misses, `exp(d'^2/2)` and more, and is finite
    at each separation. So a perfect monitor beats every attacker with a number of candidates, and a perfect attacker every
    monitor with a separation.
    """
    margin = inside("The separation", separation, high=37.0, edge="Beyond, the number exceeds double precision.")
    missed = float(ndtr(-margin - ndtri(inside("The audited share", audited, edge="At 0 nothing is audited."))))
    return math.inf if missed == 0 else 1 - math.log(2) / math.log1p(-missed)


def simulate(protocol: Protocol, attacker: Attacker, *, attacks: int, seed: int) -> tuple[int, int, int]:
    """Of so many attacks drawn, how many succeeded, were caught, and were repaired? Finite numbers only."""
    whole("The number of attacks", attacks)
    if math.inf in {protocol.separation, attacker.choices}:
        raise DataError("Finite numbers.", "Found infinity.", "The limits have closed forms; draw near them.")
    rng = np.random.default_rng(seed)
    audit, edit = (
        (-math.inf if share == 1 else math.inf if share == 0 else _threshold(protocol, attacker, share))
        for share in _shares(protocol)
    )
    view = -ndtri(-np.expm1(np.log(rng.random(attacks)) / attacker.choices))  # of the largest; mirrored below
    sight = attacker.sight if attacker.choices > 1 else 0.0
    scores = protocol.separation - sight * view + math.sqrt(1 - sight**2) * rng.normal(size=attacks)
    looked = (scores > audit) | (rng.random(attacks) < protocol.coin)
    caught = looked & (rng.random(attacks) < protocol.sensitivity)
    rewritten = ~caught & (scores > edit) & (scores <= audit) & (rng.random(attacks) < protocol.repair)
    return int((~caught & ~rewritten).sum()), int(caught.sum()), int(rewritten.sum())
