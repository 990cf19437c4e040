"""The same questions asked of somebody's pairs of proxy and gold: best of n, tilting, and value in the tail.

Everything here is about what optimisation would select **from the policy that was sampled**, and reaches as far as the sample does:
best of n up to a tenth of it, weights up to an effective twenty outputs. Beyond that is extrapolation, and none is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln, stdtrit

from dokimasia.core import DataError
from dokimasia.stats import Figure
from dokimasia.stats.multiplicity import holm_adjusted
from dokimasia.theory.goodhart.divergence import discrete_best_of_n_kl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]

SHARE = 10
"""Best of n is estimated up to n = a tenth of the outputs, where some twenty of them still count."""
EFFECTIVE = 20.0
TILTS = 24
FEWEST = 20
TAIL = (20, 50, 100, 200, 500, 1000, 2000)
CELLS = 1_500_000
NEGLIGIBLE = 80.0


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Best of n, by doublings of n: nats from the policy, and proxy and gold score with pointwise intervals.

    `gains` are what each doubling adds to the gold score (to the proxy if there is no gold), with intervals that hold for all
    doublings together.
    """

    n: tuple[int, ...]
    kl: tuple[float, ...]
    proxy: tuple[Figure, ...]
    gold: tuple[Figure, ...]
    gains: tuple[Figure, ...]
    level: float

    @property
    def helps_to(self) -> int | None:
        """The largest n whose last doubling is shown to have raised the score."""
        return max((n for n, gain in zip(self.n[1:], self.gains, strict=True) if gain.low > 0), default=None)

    @property
    def hurts_from(self) -> int | None:
        """The smallest n from which doubling is shown to lower the score."""
        return min((n for n, gain in zip(self.n, self.gains, strict=False) if gain.high < 0), default=None)

    @property
    def best(self) -> int:
        """The n with the largest estimated score; where the curve is flat, chance decides."""
        scores = self.gold or self.proxy
        return self.n[int(np.argmax([item.value for item in scores]))]


@dataclass(frozen=True, kw_only=True)
class Tilted:
    """The policy weighted by `exp(proxy / beta)`: gold score by nats, with pointwise intervals at the same divergence."""

    beta: tuple[float, ...]
    kl: tuple[float, ...]
    gold: tuple[Figure, ...]
    level: float


class InTail(NamedTuple):
    """Gold score of the `k` outputs with the largest proxy, and what independence of error and value would give.

    `expected` has the 5% and 95% quantiles over permutations as its ends; `p` is two-sided, `adjusted` for all `k` together.
    """

    k: int
    threshold: float
    gold: Figure
    expected: Figure
    p: float
    adjusted: float


def doublings(n_outputs: int) -> tuple[int, ...]:
    """The n of best of n that so many outputs can speak for: 1, 2, 4, ... up to a tenth.

    >>> doublings(100), doublings(9)
    ((1, 2, 4, 8), (1,))
    """
    return tuple(1 << power for power in range(max(1, (n_outputs // SHARE).bit_length())))


def best_of_n_observed(
    proxy: Reals, gold: Reals | None, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Selection:
    """What would the best of n outputs by the proxy score, if outputs are drawn like these?

    The estimate averages over all subsets of n of the outputs, and so is unbiased; ties are broken at random. Intervals come from
    resampled outputs, about the estimate. Nats are exact for the scores as they are tied (`discrete_best_of_n_kl`), where the usual
    formula is an upper bound.
    """
    _enough(proxy)
    groups = _grouped(proxy, gold)
    n = doublings(len(proxy))
    scores = [groups.proxy] if gold is None else [groups.proxy, groups.gold]
    estimates = np.stack([_unbiased(groups.sizes, n) @ item for item in scores])
    first = _firsts(groups.sizes, n)

    def selected(counts: Reals) -> Reals:
        """Proxy and gold of the best of each n with replacement, (scores, rows, n)."""
        sizes = np.add.reduceat(counts, groups.starts, axis=1)
        means = [groups.proxy[None, :]]
        if gold is not None:
            drawn = np.add.reduceat(counts * groups.ordered_gold, groups.starts, axis=1) / np.maximum(sizes, 1.0)
            means.append(np.where(sizes > 0, drawn, groups.gold))
        return _with_replacement(np.cumsum(sizes, axis=1) / len(proxy), means, first)

    plug_in = selected(np.ones((1, len(proxy))))
    parts = [selected(counts) for counts in _resampled(len(proxy), resamples, seed)]
    drawn = np.concatenate(parts, axis=1) + (estimates[:, None, :] - plug_in)
    figures = [_pointwise(value, sample, level) for value, sample in zip(estimates, drawn, strict=True)]
    shares = groups.sizes / len(proxy)
    return Selection(
        n=n,
        kl=tuple(discrete_best_of_n_kl(shares, item) for item in n),
        proxy=figures[0],
        gold=figures[1] if gold is not None else (),
        gains=_together(np.diff(estimates[-1]), np.diff(drawn[-1], axis=1), level),
        level=level,
    )


def tilted_observed(proxy: Reals, gold: Reals, *, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> Tilted:
    """What would the policy weighted by `exp(proxy / beta)` score, as beta falls?

    Self-normalised weights, down to the beta at which an effective twenty outputs are left. Each resample is read at the same
    divergence. A sample always has an optimum, even where the policy has none because the proxy's tail is exponential or heavier.
    """
    _enough(proxy)
    centred = proxy - proxy.max()
    strongest = _strongest(centred)
    tilts = strongest * np.linspace(0, 1.3, TILTS + 7)
    exponents = np.multiply.outer(centred, tilts)
    weights = np.where(exponents > -NEGLIGIBLE, np.exp(exponents), 0.0)
    columns = np.concatenate([weights, weights * centred[:, None], weights * gold[:, None]], axis=1)

    def curve(counts: Reals) -> tuple[Reals, Reals]:
        mass, scored, valued = np.split(counts @ columns, 3, axis=1)
        kl = tilts * scored / mass - np.log(mass / len(proxy))
        return np.maximum.accumulate(np.maximum(kl, 0.0), axis=1), valued / mass

    kl, value = (part[0] for part in curve(np.ones((1, len(proxy)))))
    kept = tilts <= strongest * (1 + 1e-9)
    drawn = [
        np.stack([np.interp(kl[kept], *pair) for pair in zip(*curve(counts), strict=True)])
        for counts in _resampled(len(proxy), resamples, seed)
    ]
    with np.errstate(divide="ignore"):
        beta = 1 / tilts[kept]
    return Tilted(
        beta=tuple(beta.tolist()),
        kl=tuple(kl[kept].tolist()),
        gold=_pointwise(value[kept], np.concatenate(drawn), level),
        level=level,
    )


def errors_of(proxy: Reals, gold: Reals) -> tuple[Reals, Reals]:
    """What the gold score explains of the proxy, by isotonic regression, and the error that is left, both (n,).

    The proxy's mean at a gold score is supposed to rise with it, and nothing else.
    """
    from scipy.optimize import isotonic_regression

    _, place, times = np.unique(gold, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=proxy) / times
    fitted = np.asarray(isotonic_regression(means, weights=times.astype(float)).x)[place]
    return fitted, proxy - fitted


def value_in_tail(
    proxy: Reals, gold: Reals, *, level: float = 0.95, permutations: int = 499, seed: int = 0
) -> tuple[InTail, ...]:
    """Is the gold score of what scores highest what independent error would give?

    The errors of `errors_of` are dealt out afresh, many times, and the outputs with the largest new proxies looked at. Gold scores
    below that: large errors go with low values, which is worse than any theorem about independent error says.
    """
    counts = [k for k in TAIL if k * SHARE <= len(proxy)]
    if not counts:
        return ()
    fitted, error = errors_of(proxy, gold)
    rng = np.random.default_rng(seed)
    observed = _top_means(proxy, gold, counts, rng)
    dealt = np.stack([_top_means(fitted + rng.permutation(error), gold, counts, rng) for _ in range(permutations)])
    centre = dealt.mean(axis=0)
    further = np.abs(dealt - centre) >= np.abs(observed - centre) * (1 - 1e-12)
    p = (1 + further.sum(axis=0)) / (permutations + 1)
    order = np.argsort(-proxy, kind="stable")
    found = []
    for place, (k, adjusted) in enumerate(zip(counts, holm_adjusted(p), strict=True)):
        half = float(stdtrit(k - 1, 0.5 + level / 2)) * float(gold[order[:k]].std(ddof=1)) / math.sqrt(k)
        mean = float(observed[place])
        low, high = np.quantile(dealt[:, place], [0.05, 0.95])
        found.append(
            InTail(
                k=k,
                threshold=float(proxy[order[k - 1]]),
                gold=Figure(mean, mean - half, mean + half),
                expected=Figure(float(centre[place]), float(low), float(high)),
                p=float(p[place]),
                adjusted=float(adjusted),
            )
        )
    return tuple(found)


class _Groups(NamedTuple):
    """Outputs by distinct proxy, ascending: the proxies, mean gold scores and sizes, where each begins, and gold in order."""

    proxy: Reals
    gold: Reals
    sizes: Reals
    starts: NDArray[np.int64]
    ordered_gold: Reals


def _grouped(proxy: Reals, gold: Reals | None) -> _Groups:
    order = np.argsort(proxy, kind="stable")
    values, starts, sizes = np.unique(proxy[order], return_index=True, return_counts=True)
    ordered = np.zeros(len(proxy)) if gold is None else gold[order]
    return _Groups(values, np.add.reduceat(ordered, starts) / sizes, sizes.astype(float), starts, ordered)


def _unbiased(sizes: Reals, n: Sequence[int]) -> Reals:
    """Weights (n, groups): the share of subsets of n whose largest proxy lies in a group."""
    upto, total = np.cumsum(sizes), sizes.sum()
    weights = []
    for size in n:
        shares = np.zeros(len(upto) + 1)
        enough = upto >= size
        at = upto[enough]
        logs = gammaln(at + 1) - gammaln(at - size + 1) - gammaln(total + 1) + gammaln(total - size + 1)
        shares[1:][enough] = np.exp(np.minimum(logs, 0.0))
        shares[-1] = 1.0
        weights.append(np.diff(shares))
    return np.stack(weights)


def _firsts(sizes: Reals, n: Sequence[int]) -> list[int]:
    """For each n, the first group that its best lies in with any probability worth adding."""
    below = np.cumsum(sizes) / sizes.sum()
    return [int(np.searchsorted(below, math.exp(-NEGLIGIBLE / size))) for size in n]


def _with_replacement(cumulative: Reals, means: Sequence[Reals], first: Sequence[int]) -> Reals:
    """Expected scores of the best of 1, 2, 4, ... draws with replacement, (scores, rows, n).

    The best lies in group g or below with probability `cumulative**n`, and n doubles, so that powers are squares; summed by parts.
    """
    power, done = cumulative.copy(), 0
    found = np.empty((len(means), len(cumulative), len(first)))
    for place, start in enumerate(first):
        power, done = power[:, start - done :], start
        if place:
            power = np.square(power)
        for row, mean in zip(found, means, strict=True):
            steps = np.diff(mean[:, start:], axis=1)
            fallen = power[:, :-1] @ steps[0] if len(mean) == 1 else np.einsum("bg,bg->b", power[:, :-1], steps)
            row[:, place] = mean[:, -1] - fallen
    return found


def _resampled(n: int, resamples: int, seed: int) -> Iterator[Reals]:
    """How often each output is drawn in so many resamples, a block of rows at a time."""
    rng = np.random.default_rng([seed, n])
    rows = max(1, CELLS // n)
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = rng.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)


def _strongest(centred: Reals) -> float:
    """The largest tilt that leaves an effective twenty outputs."""
    low, high = 0.0, 1 / max(float(centred.std()), 1e-300)

    def effective(tilt: float) -> float:
        weights = np.exp(tilt * centred)
        return float(weights.sum() ** 2 / (weights**2).sum())

    for _ in range(60):
        if effective(high) < EFFECTIVE:
            break
        high *= 2
    else:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= EFFECTIVE else (low, middle)
    return low


def _top_means(proxy: Reals, gold: Reals, counts: Sequence[int], rng: np.random.Generator) -> Reals:
    """Mean gold score of the k largest proxies for each k, ties broken at random."""
    most = max(counts)
    some = np.argpartition(proxy, len(proxy) - most)[len(proxy) - most :]
    tied = np.flatnonzero(proxy == proxy[some].min())
    if len(tied) > 1:
        some = np.concatenate([some[proxy[some] > proxy[tied[0]]], rng.permutation(tied)])
    some = rng.permutation(some[:most])
    running = np.cumsum(gold[some[np.argsort(-proxy[some], kind="stable")]])
    return np.asarray([running[k - 1] / k for k in counts])


def _pointwise(values: Reals, drawn: Reals, level: float) -> tuple[Figure, ...]:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(
        Figure(float(value), float(min(a, value)), float(max(b, value)))
        for value, a, b in zip(values, low, high, strict=True)
    )


def _together(values: Reals, drawn: Reals, level: float) -> tuple[Figure, ...]:
    """Intervals that hold for all values at once, by the largest studentised deviation."""
    if not len(values):
        return ()
    spread = drawn.std(axis=0, ddof=1)
    off = np.abs(drawn - drawn.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    reach = float(np.quantile(off.max(axis=1), level)) * spread
    return tuple(Figure(float(v), float(v - r), float(v + r)) for v, r in zip(values, reach, strict=True))


def _enough(proxy: Reals) -> None:
    if len(proxy) < FEWEST or proxy.min() == proxy.max():
        raise DataError(
            f"At least {FEWEST} outputs, not all with the same score, are expected.",
            f"Found {len(proxy)}"
            + (", all with the same score." if len(proxy) and proxy.min() == proxy.max() else "."),
            "A few thousand say something about strong optimisation.",
        )
