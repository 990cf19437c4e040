"""One law of error at a time: what selection on the proxy comes to, by quadrature and by simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dokimasia.theory.goodhart.selection import Simulated, best_of_n, simulate_best_of_n
from dokimasia.theory.goodhart.sums import Proxy, threshold

RARITIES = tuple(10 ** (step / 2) for step in range(1, 19))
SIMULATED = (16, 256)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one law of error comes to: value above thresholds (`RARITIES`), of the best of `counts`, and simulated (`SIMULATED`)."""

    proxy: Proxy
    counts: tuple[int, ...]
    tail: tuple[float, ...]
    best: tuple[float, ...]
    simulated: tuple[Simulated, ...]

    @property
    def name(self) -> str:
        """The law of the error."""
        return self.proxy.error.name

    @property
    def off(self) -> tuple[float, ...]:
        """How many standard errors simulation and quadrature differ by."""
        exact = dict(zip(self.counts, self.best, strict=True))
        return tuple(abs(item.mean - exact[n]) / item.error for n, item in zip(SIMULATED, self.simulated, strict=True))


def row(proxy: Proxy, most: int, *, replicates: int, seed: int) -> Row:
    """Work it out for one proxy, best of n up to `most`."""
    powers = {2**power for power in range(41) if 2**power <= most}
    counts = tuple(sorted(powers | set(SIMULATED) | {most}))
    tails = (threshold(proxy, -math.log(rarity)) for rarity in RARITIES)
    return Row(
        proxy=proxy,
        counts=counts,
        tail=tuple(map(proxy.conditional_mean, tails)),
        best=best_of_n(proxy, counts),
        simulated=tuple(simulate_best_of_n(proxy, n, replicates=replicates, seed=seed) for n in SIMULATED),
    )
