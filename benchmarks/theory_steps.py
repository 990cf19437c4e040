"""The simulator of independent steps: beside a Python loop over replicates, beside drawing its random numbers, its memory.

Times are of the processor, the least of three; the draws are exponentials into a buffer of the same size.
`DOKIMASIA_DRAWS=1000000000` sums that many in one go, which takes some ten seconds.
"""

import os
import time
import tracemalloc

import numpy as np

from dokimasia.theory.steps.laws import Pareto
from dokimasia.theory.steps.simulate import BLOCK, shares_within, simulated_times

A = 0.6
BUDGET = 1e6
CASES = ((10, 200_000, 10_000, 10.0), (10**6, 4, 4, 3.0))  # subtasks, replicates, those of the loop, times faster
MOST_OF_DRAWING = 2.0
REPEATS = 3
DRAWS = int(os.environ.get("DOKIMASIA_DRAWS", "100000000"))


def seconds(function):
    """Processor time, the least of a few runs."""
    found = []
    for _ in range(REPEATS):
        started = time.process_time()
        function()
        found.append(time.process_time() - started)
    return min(found)


def simulate(n, replicates):
    return shares_within((BUDGET,), simulated_times(Pareto(alpha=A / 2), 2.0, n, replicates, seed=0))


def loop(n, replicates):
    rng = np.random.default_rng(0)
    return sum((1 + rng.pareto(A, n)).sum() <= BUDGET for _ in range(replicates))


def draw(count):
    rng, buffer = np.random.default_rng(0), np.empty(BLOCK)
    for _ in range(count // BLOCK):
        rng.standard_exponential(out=buffer)


def peak(replicates):
    tracemalloc.start()
    simulate(10, replicates)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def run():
    for n, replicates, looped, limit in CASES:
        ours = seconds(lambda n=n, replicates=replicates: simulate(n, replicates)) / (n * replicates)
        theirs = seconds(lambda n=n, looped=looped: loop(n, looped)) / (n * looped)
        drawn = seconds(lambda n=n, replicates=replicates: draw(n * replicates)) / (n * replicates)
        yield (
            f"{n:,} subtasks: {ours * 1e9:.1f} ns a draw, {theirs / ours:.1f} times as fast as a loop over replicates (limit {limit:g})",
            theirs / ours >= limit,
        )
        yield (
            f"{n:,} subtasks: {ours / drawn:.2f} times what drawing the exponentials takes (limit {MOST_OF_DRAWING:g})",
            ours / drawn <= MOST_OF_DRAWING,
        )
    small, large = peak(10_000), peak(1_000_000)
    yield (
        f"memory at the peak: {small / 2**10:.0f} kB for 10,000 replicates, {large / 2**10:.0f} kB for 1,000,000",
        large < small + 2**14,
    )
    started = time.process_time()
    _, total = simulate(1000, DRAWS // 1000)
    yield f"{total * 1000:,} draws in one go: {time.process_time() - started:.1f} s", total * 1000 == DRAWS
