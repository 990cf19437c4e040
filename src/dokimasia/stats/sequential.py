"""Successes that come one at a time: when may one stop and say which of two rates they have?

Wald's sequential probability ratio test between two success rates, its error rates and length exactly by recursion and by
Wald's approximations, and the recursion itself for any other rule that stops on counts. Where the second rate is unknown,
or where one wants to look at any time without having planned for it, see `dokimasia.stats.betting`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dokimasia.core.errors import DataError
from dokimasia.stats.intervals import finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Rule = Callable[[int, NDArray[np.int64]], NDArray[np.int8]]
    """(trials so far, numbers of successes) -> 1 where it stops and alarms, -1 where it stops and clears, 0 elsewhere."""

Verdict = Literal["alarm", "clear", "undecided"]
NEGLIGIBLE = 1e-15
"""The recursion ends where so little probability is still undecided."""


class Decision(NamedTuple):
    """What a test said, after how many trials, and the log of the probability ratio there, in nats."""

    verdict: Verdict
    trials: int
    log_ratio: float


class Approximation(NamedTuple):
    """Wald's approximations at one true rate: probability of an alarm, and the mean number of trials."""

    alarm: float
    mean_trials: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Passage:
    """How a stopping rule behaves at one true success `rate`; exact, see `first_passage`.

    `alarm`, `clear` and `undecided` sum to 1; `undecided` is left after `len(alarm_at)` trials. `alarm_at` and `clear_at`,
    both (n_trials,), are the probabilities of stopping at trial 1, 2 and so on. `mean_trials` counts an undecided run as
    long as the recursion.
    """

    rate: float
    alarm: float
    clear: float
    undecided: float
    mean_trials: float
    alarm_at: NDArray[np.float64]
    clear_at: NDArray[np.float64]

    def alarm_by(self, trials: int) -> float:
        """Probability of an alarm within so many trials."""
        return float(self.alarm_at[:trials].sum())

    def trials_by(self, share: float) -> int | None:
        """The least number of trials within which so large a share of runs has stopped; None if the recursion is shorter."""
        stopped = np.cumsum(self.alarm_at + self.clear_at)
        return int(np.argmax(stopped >= share)) + 1 if stopped[-1] >= share else None


@dataclass(frozen=True, kw_only=True)
class SequentialTest:
    """Is the success rate the null's or the alternative's? Wald's sequential probability ratio test.

    Parameters
    ----------
    null, alternative:
        The two success rates, different and strictly between 0 and 1. An alarm speaks for the alternative.
    alpha, beta:
        Aims for the probability of an alarm at the null, and of an all-clear at the alternative. What Wald proves is
        slightly less: at most `alpha / (1 - beta)` and `beta / (1 - alpha)`, and their sum at most `alpha + beta`. What the
        test really does is in `passage`; it is usually below both aims, since runs overshoot the bounds.

    Misleads where trials are not independent at one rate: of a subject that succeeds now and then on purpose the rate is
    in between, and both errors are those of `passage` at that rate. An observation that is missing is none of the
    test's: decide which outcome is the worse one, and pass that.

    >>> test = SequentialTest(null=0.1, alternative=0.7, alpha=0.01, beta=0.05)
    >>> test.decide([1, 0, 1, 1])
    Decision(verdict='alarm', trials=4, log_ratio=4.73911815849783)
    >>> round(test.passage(0.1).alarm, 4), round(test.passage(0.7).alarm, 3)
    (0.0048, 0.966)

    Wald (1945), Annals of Mathematical Statistics 16:117-186.
    """

    null: float
    alternative: float
    alpha: float = 0.05
    beta: float = 0.05

    def __post_init__(self) -> None:
        for name, rate in (("null", self.null), ("alternative", self.alternative)):
            if not 0 < rate < 1:
                raise DataError(
                    f"The {name} rate lies strictly between 0 and 1.",
                    f"Found {rate}.",
                    "Take a rate near it: at 0 one success would decide, at 1 one failure.",
                )
        if self.null == self.alternative:
            raise DataError(
                "Two different rates are expected.", f"Found {self.null} twice.", "Nothing tells them apart."
            )
        if not (self.alpha > 0 and self.beta > 0 and self.alpha + self.beta < 1):
            raise DataError(
                "alpha and beta are positive and sum to less than 1.",
                f"Found {self.alpha} and {self.beta}.",
                "Pass for example 0.05 and 0.05; with errors of 0 no test ever stops.",
            )

    @property
    def success(self) -> float:
        """What a success adds to the log ratio, in nats."""
        return math.log(self.alternative / self.null)

    @property
    def failure(self) -> float:
        """What a failure adds to the log ratio, in nats."""
        return math.log1p(-self.alternative) - math.log1p(-self.null)

    @property
    def upper(self) -> float:
        """The log ratio at which the test alarms, in nats."""
        return math.log((1 - self.beta) / self.alpha)

    @property
    def lower(self) -> float:
        """The log ratio at which the test clears, in nats; negative."""
        return math.log(self.beta / (1 - self.alpha))

    def decide(self, outcomes: ArrayLike) -> Decision:
        """What the test says of these outcomes, (n_trials,) each 0 or 1 in order; those after it stops are not read."""
        trials = _zero_or_one(outcomes)
        path = np.cumsum(np.where(trials == 1, self.success, self.failure))
        stopped = (path >= self.upper) | (path <= self.lower)
        if not stopped.any():
            return Decision("undecided", len(path), float(path[-1]) if len(path) else 0.0)
        place = int(np.argmax(stopped))
        return Decision("alarm" if path[place] > 0 else "clear", place + 1, float(path[place]))

    def rule(self, trials: int, successes: NDArray[np.int64]) -> NDArray[np.int8]:
        """The test as a rule for `first_passage`."""
        ratio = successes * self.success + (trials - successes) * self.failure
        return (ratio >= self.upper).astype(np.int8) - (ratio <= self.lower).astype(np.int8)

    def passage(self, rate: float, *, longest: int = 100_000) -> Passage:
        """How the test behaves if the true success rate is this one. Exact; `rate` in [0, 1]."""
        return first_passage(self.rule, rate, longest=longest)

    def wald(self, rate: float) -> Approximation:
        """Wald's approximations, as if the log ratio stopped on a bound and not beyond it; `rate` strictly in (0, 1).

        The alarm's is `(1 - B**h) / (A**h - B**h)` with `A`, `B` the bounds of the ratio and `h` the non-zero root of
        `rate (s/g)**h + (1 - rate) ((1-s)/(1-g))**h = 1`. At the null `h = 1`, at the alternative `h = -1`, and there the
        mean number is `[(1 - beta) upper + beta lower] / KL(s || g)`.
        """
        if not 0 < rate < 1:
            raise DataError(
                "Wald's approximations need a rate strictly between 0 and 1.", f"Found {rate}.", "Use passage(rate)."
            )
        drift = rate * self.success + (1 - rate) * self.failure
        square = rate * self.success**2 + (1 - rate) * self.failure**2
        exponent = self._exponent(rate)
        if abs(exponent) < 1e-6:  # the limit h -> 0
            alarm = -self.lower / (self.upper - self.lower)
            return Approximation(alarm, -self.upper * self.lower / square)
        alarm = math.expm1(exponent * self.lower) / (
            math.expm1(exponent * self.lower) - math.expm1(exponent * self.upper)
        )
        return Approximation(alarm, (alarm * self.upper + (1 - alarm) * self.lower) / drift)

    def _exponent(self, rate: float) -> float:
        """Wald's h: by bisection, on the side where the sign of the drift puts it."""
        drift = rate * self.success + (1 - rate) * self.failure
        if drift == 0:
            return 0.0
        side = -math.copysign(1.0, drift)

        def beyond(size: float) -> bool:
            h = side * size
            total = np.logaddexp(math.log(rate) + h * self.success, math.log1p(-rate) + h * self.failure)
            return bool(total > 0)

        low, high = 0.0, 1.0
        while not beyond(high):
            low, high = high, 2 * high
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (low, middle) if beyond(middle) else (middle, high)
        return side * (low + high) / 2


def first_passage(rule: Rule, rate: float, *, longest: int = 100_000) -> Passage:
    """How often, and when, does a rule that stops on counts of successes stop? Exact, by recursion over the trials.

    Parameters
    ----------
    rule:
        Called with the number of trials n and the possible numbers of successes, (n_counts,); returns 1 where it stops with
        an alarm, -1 where it stops with an all-clear, 0 where it goes on.
    rate:
        The true success rate, in [0, 1].
    longest:
        The recursion ends there, or where at most 1e-15 is undecided.

    Takes time proportional to the trials times the counts at which the rule still goes on.

    >>> three_in_a_row = lambda n, k: (k == 3).astype(np.int8) - (k < n).astype(np.int8)
    >>> round(first_passage(three_in_a_row, 0.5).alarm, 3)
    0.125
    """
    if not 0 <= rate <= 1:
        raise DataError("A success rate lies in [0, 1].", f"Found {rate}.", "Pass for example 0.5.")
    if longest < 1:
        raise DataError("The recursion takes one trial at least.", f"Found {longest}.", "Pass a positive number.")
    first, going = 0, np.ones(1)
    alarms: list[float] = []
    clears: list[float] = []
    for trials in range(1, longest + 1):
        after = np.zeros(len(going) + 1)
        after[:-1] += going * (1 - rate)
        after[1:] += going * rate
        stops = rule(trials, first + np.arange(len(after)))
        alarms.append(float(after[stops == 1].sum()))
        clears.append(float(after[stops == -1].sum()))
        after[stops != 0] = 0
        kept = np.flatnonzero(after)
        if not len(kept):
            going = np.zeros(1)
            break
        first, going = first + int(kept[0]), after[kept[0] : kept[-1] + 1]
        if going.sum() <= NEGLIGIBLE:
            break
    alarm_at, clear_at, undecided = np.asarray(alarms), np.asarray(clears), float(going.sum())
    numbers = np.arange(1, len(alarm_at) + 1)
    return Passage(
        rate=float(rate),
        alarm=float(alarm_at.sum()),
        clear=float(clear_at.sum()),
        undecided=undecided,
        mean_trials=float(numbers @ (alarm_at + clear_at)) + len(numbers) * undecided,
        alarm_at=alarm_at,
        clear_at=clear_at,
    )


def _zero_or_one(outcomes: ArrayLike) -> NDArray[np.float64]:
    trials = finite("outcomes", outcomes)
    if not np.isin(trials, (0, 1)).all():
        raise DataError("Outcomes are 0 or 1.", "Found other numbers.", "Pass 1 for a success, 0 for a failure.")
    return trials
