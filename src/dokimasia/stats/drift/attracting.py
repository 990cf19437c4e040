"""Is there an attractor: do conversations return to one place, more than their turns in another order would, and not by chance?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from dokimasia.stats.drift.linear import DRAWS, LinearMap, check, linear_map, shortfall
from dokimasia.stats.drift.resampling import Resampler, jackknifed
from dokimasia.stats.drift.turns import Turns, gathered, sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Verdict = Literal["attractor", "no attractor found", "too few turns"]

ORDERS = 999
SIMULATED = 200
REFERENCE = 0.5
"""The radius that turns should suffice for: half of a displacement is left after one turn."""
WANTED = 0.8
MOST_CONVERSATIONS = 2000


@dataclass(frozen=True, kw_only=True)
class Attraction:
    """Whether conversations return to one place.

    `p_value` is that of the permuted-turn test, `inside` says whether the fixed point lies where the conversations went, and
    `misfit` is the p-value of the test that the map tells all (None where there are too few turns for it).
    `power` is the chance that a drift which halves displacements within a turn would have been told from a random walk and
    from turns in random order, in conversations as many and as long as these; `needed` how many conversations of such
    lengths would have a chance of 80%, None where that is beyond reach. `map` is None where none can be fitted, and `why`
    says what decided.
    """

    verdict: Verdict
    why: str
    map: LinearMap | None
    p_value: float
    inside: bool
    misfit: float | None
    power: float
    needed: int | None


def attraction(
    trajectories: Sequence[ArrayLike], *, alpha: float = 0.05, draws: int = DRAWS, orders: int = ORDERS, seed: int = 0
) -> Attraction:
    """Is there an attractor?

    It is claimed if all of four things hold. The map predicts the next turn better than with the turns of each conversation
    in random order (p at most `alpha`; the statistic is minus the log determinant of the residual covariance). The interval
    of its spectral radius, of confidence `1 - alpha`, lies below 1. Its fixed point lies in the region visited. And
    neither the number of the turn nor the turn before tells more than in conversations drawn from the map (`misfit` above
    `alpha`), as they do where turns go on drifting, or are read through noise. So on turns whose
    order means nothing, and on random walks, it is claimed in at most a share `alpha` of cases: either error alone would have
    to pass a test of that level.

    Turns that scatter about one place from the first have no order, and are no attractor by this test, though nothing could
    be steadier: what counts is that a conversation that is elsewhere comes back, by steps that can be followed or at once.

    Misleads where a walk is read through noise that is too small to be seen as misfit, and looks like return.
    """
    turns = gathered(trajectories)
    short = shortfall(turns)
    if short is not None:
        return Attraction(
            verdict="too few turns",
            why=f"Found {short}.",
            map=None,
            p_value=1.0,
            inside=False,
            misfit=None,
            power=0.0,
            needed=_needed(turns, alpha, seed),
        )
    check(turns)
    found = linear_map(trajectories, confidence=1 - alpha, draws=draws, seed=seed)
    p_value, inside = ordered(turns, orders=orders, seed=seed), _inside(turns, found)
    reasons = []
    if p_value > alpha:
        reasons.append(f"turns in random order are predicted as well (p = {p_value:.2g})")
    if not found.radius.high < 1:
        reasons.append("a walk that never returns is not excluded")
    if not inside:
        reasons.append("the fixed point lies outside of what was visited")
    misfit = fits(turns, found.matrix, draws=draws, seed=seed)
    if misfit is None:
        reasons.append("there are too few turns in a row to see whether the map tells all")
    elif misfit <= alpha:
        reasons.append("the map does not tell all: turns go on drifting, or are read through noise")
    power = _power(turns, alpha, seed)
    short_of_power = bool(reasons) and power < WANTED
    return Attraction(
        verdict="too few turns" if short_of_power else "no attractor found" if reasons else "attractor",
        why=f"{' and '.join(reasons)}.".capitalize()
        if reasons
        else "Turns come back to one place, as no order of chance does.",
        map=found,
        p_value=p_value,
        inside=inside,
        misfit=misfit,
        power=power,
        needed=_needed(turns, alpha, seed) if short_of_power else None,
    )


def ordered(turns: Turns, *, orders: int, seed: int) -> float:
    """How often does a random order of each conversation's turns let the map predict as well? An exact p-value."""
    rng = np.random.default_rng(seed)
    keys = rng.random((orders, *turns.present.shape))
    shuffled = _reordered(turns.points, turns.present, keys)
    observed = _predicted(turns.points[None], turns.paired)[0]
    return float((1 + (_predicted(shuffled, turns.paired) >= observed - 1e-9).sum()) / (orders + 1))


def _reordered(
    points: NDArray[np.float64], present: NDArray[np.bool_], keys: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Turns in the order of random keys (..., n, n_turns); those that are missing stay where they are."""
    drawn = np.argsort(np.where(present, keys, np.inf), axis=-1, kind="stable")
    places = np.broadcast_to(np.argsort(~present, axis=-1, kind="stable"), drawn.shape)
    order = np.empty_like(drawn)
    np.put_along_axis(order, places, drawn, axis=-1)
    shape = np.broadcast_shapes(points.shape, (*keys.shape, points.shape[-1]))
    return np.take_along_axis(np.broadcast_to(points, shape), np.broadcast_to(order, shape[:-1])[..., None], axis=-2)


def _predicted(points: NDArray[np.float64], paired: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Minus the log determinant of what the map leaves, of conversations (n_sets, n, n_turns, k): higher is better predicted."""
    fitted = sums(points, paired).fitted()[:, None]
    left = points[..., 1:, :] - points[..., :-1, :] @ fitted[..., 1:, :] - fitted[..., :1, :]
    left = np.where(paired[..., None], left, 0.0)
    return np.asarray(-np.linalg.slogdet(np.einsum("snti,sntj->sij", left, left))[1])


def fits(turns: Turns, matrix: NDArray[np.float64], *, draws: int, seed: int) -> float | None:
    """Do the turn's number, or the turn before it, tell more than in conversations drawn from the map? A p-value.

    Twice the smaller of the two tests'; None with too few turns for the second.
    """
    if not _told_apart(turns):
        return None
    observed = _added(turns.points[None], turns)
    resampler = Resampler.of(turns, draws=draws, seed=seed)
    simulated = np.concatenate([_added(one, turns) for one in resampler.conversations(matrix)], axis=1)
    values = (1 + (simulated >= observed).sum(axis=1)) / (1 + simulated.shape[1])
    return min(1.0, 2 * float(values.min()))


def _thrice(turns: Turns) -> NDArray[np.bool_]:
    """Where three turns follow one another, (n, n_turns - 2)."""
    return np.asarray(turns.paired[:, :-1] & turns.paired[:, 1:])


def _told_apart(turns: Turns) -> bool:
    """Whether there are turns enough to see what the turn before adds."""
    return bool(_thrice(turns).sum() >= 3 * (turns.k + 2))


def _added(points: NDArray[np.float64], turns: Turns) -> NDArray[np.float64]:
    """By how much the log determinant of what is left falls with the turn's number, and with the turn before (2, n_sets)."""
    paired, thrice = turns.paired, _thrice(turns)
    number = np.nonzero(paired)[1].astype(float)[None, :, None]
    by_number = _saved(points[:, :, 1:][:, paired], points[:, :, :-1][:, paired], number)
    by_turn = _saved(points[:, :, 2:][:, thrice], points[:, :, 1:-1][:, thrice], points[:, :, :-2][:, thrice])
    return np.stack([by_number, by_turn])


def _saved(after: NDArray[np.float64], now: NDArray[np.float64], more: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much lower the log determinant of what is left of `after` (n_sets, n, k) is, given `more` beside `now`."""
    after, now, more = (values - values.mean(axis=1, keepdims=True) for values in (after, now, more))
    more = np.broadcast_to(more, (*now.shape[:2], more.shape[2]))
    return np.asarray(_left(after, now) - _left(after, np.concatenate([now, more], axis=2)))


def _left(after: NDArray[np.float64], given: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = np.swapaxes(given, 1, 2)
    left = after - given @ np.linalg.solve(turned @ given, turned @ after)
    return np.asarray(np.linalg.slogdet(np.swapaxes(left, 1, 2) @ left)[1])


def _inside(turns: Turns, found: LinearMap) -> bool:
    """Whether the fixed point is no farther from the middle of the turns than the farthest turn is, in units of their spread."""
    place = np.array([figure.value for figure in found.fixed_point])
    if not np.isfinite(place).all():
        return False
    away = turns.visited - turns.visited.mean(axis=0)
    shape = np.linalg.inv(away.T @ away / len(away))
    farthest = np.einsum("ni,ij,nj->n", away, shape, away).max()
    from_middle = place - turns.visited.mean(axis=0)
    return bool(from_middle @ shape @ from_middle <= farthest)


def _power(turns: Turns, alpha: float, seed: int) -> float:
    """The chance that a drift of the reference radius passes both tests in conversations with turns where these have them."""
    if not _told_apart(turns):
        return 0.0
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((SIMULATED, *turns.points.shape))
    walk, drift = np.cumsum(noise, axis=2), noise.copy()
    drift[:, :, 0] /= math.sqrt(1 - REFERENCE**2)
    for turn in range(1, drift.shape[2]):
        drift[:, :, turn] += REFERENCE * drift[:, :, turn - 1]
    null, found = jackknifed(walk, turns.paired), jackknifed(drift, turns.paired)
    told = (found.value - 1) / found.error < np.quantile((null.value - 1) / null.error, alpha / 2)
    orders, better, seen = math.ceil(2 / alpha) - 1, np.zeros(SIMULATED), _predicted(drift, turns.paired)
    for keys in rng.random((orders, *turns.present.shape)):
        better += _predicted(_reordered(drift, turns.present, keys), turns.paired) >= seen
    return float((told & ((1 + better) / (1 + orders) <= alpha)).mean())


def _needed(turns: Turns, alpha: float, seed: int) -> int | None:
    """How many conversations of these lengths the reference drift would be found in, at the power that is wanted."""
    if not turns.n or turns.points.shape[1] < 3:
        return None
    return _enough(turns.present.tobytes(), turns.points.shape, alpha, seed)


@cache
def _enough(present: bytes, shape: tuple[int, int, int], alpha: float, seed: int) -> int | None:
    """The same, which depends on no more than which turns there are."""
    there = np.frombuffer(present, np.bool_).reshape(shape[:2])
    points = np.where(there[:, :, None], np.zeros(shape), np.nan)
    n = max(shape[0], 4)
    while n < MOST_CONVERSATIONS:
        more = Turns(np.resize(points, (n, *shape[1:])), 0, 0)
        if shortfall(more) is None and _power(more, alpha, seed) >= WANTED:
            return n
        n = math.ceil(n * 1.3)
    return None
