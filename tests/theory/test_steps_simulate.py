import math
import tracemalloc

import numpy as np
import pytest

from dokimasia.core import DataError
from dokimasia.theory.steps.budget import budget_scale, success_probability
from dokimasia.theory.steps.laws import LogNormal, Pareto, Stretched
from dokimasia.theory.steps.simulate import BLOCK, shares_within, simulated_times
from dokimasia.theory.steps.sums import sum_within


@pytest.mark.parametrize("n", [1, 10, BLOCK - 1, BLOCK, 2 * BLOCK + 3])
def test_each_replicate_is_a_sum_of_that_many_times(n):
    """Blocks hold as many replicates as asked for, each at least n, whatever the length is beside a block."""
    blocks = list(simulated_times(Pareto(alpha=3.0), 2.0, n, 7, seed=1))
    times = np.concatenate(blocks)
    assert times.shape == (7,)
    assert (times >= n).all()
    assert times.mean() == pytest.approx(1.2 * n, rel=0.3 if n < 100 else 0.05)


def test_the_same_seed_draws_the_same_times():
    """Two runs of one seed are equal to the last bit, those of another differ."""
    first, second, other = (
        np.concatenate(list(simulated_times(Pareto(alpha=0.2), 3.0, 50, 2000, seed=seed))) for seed in (3, 3, 4)
    )
    assert (first == second).all()
    assert (first != other).any()


@pytest.mark.parametrize("law", [Pareto(alpha=0.3), LogNormal(sigma=2.0), Stretched(alpha=0.3, power=0.2)])
def test_one_step_follows_its_law(law):
    """Of simulated times the share beyond x is the survival function to the power of Q, within 4 standard errors."""
    times = np.concatenate(list(simulated_times(law, 2.5, 1, 50_000, seed=9)))
    for x in (1.1, 3.0, 30.0):
        expected = math.exp(2.5 * float(law.log_survival(np.array([math.log(x)]))[0]))
        share = float((times > x).mean())
        assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / len(times))


@pytest.mark.parametrize("a", [0.1, 0.5, 0.7])
def test_success_within_a_budget_is_the_limit_law_nearly(a):
    """Within a budget for some 1000 subtasks, success is the Mittag-Leffler survival to 0.02, exactly and simulated."""
    budget = (1000 * math.gamma(1 - a)) ** (1 / a)
    for n in (300, 1000, 2000):
        limit = float(success_probability(n, a=a, scale=budget_scale(budget, a=a)))
        exact = sum_within(budget, n, a=a)
        assert exact == pytest.approx(limit, abs=0.02)
        counts, total = shares_within((budget,), simulated_times(Pareto(alpha=a), 1.0, n, 4000, seed=n))
        assert abs(counts[0] / total - exact) < 4 * math.sqrt(exact * (1 - exact) / total)


def test_times_past_the_largest_float_are_infinite():
    """At an index of 1/1000 most times overflow: they are infinite, without a warning, and beyond every budget."""
    counts, total = shares_within((1e300,), simulated_times(Pareto(alpha=1e-3), 1.0, 1, 5000, seed=0))
    expected = 1 - 1e300**-1e-3
    assert abs(counts[0] / total - expected) < 4 * math.sqrt(expected * (1 - expected) / total)


def test_memory_does_not_grow_with_replicates():
    """Two hundred times the replicates take the same memory, within a block."""

    def peak(replicates):
        tracemalloc.start()
        shares_within((1e6,), simulated_times(Pareto(alpha=0.3), 1.0, 10, replicates, seed=0))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(1_000_000) < peak(5000) + 8 * BLOCK


def test_simulation_is_lazy():
    """Asked for 1e10 replicates, the first block comes at once."""
    assert len(next(iter(simulated_times(Pareto(alpha=0.3), 1.0, 10, 10**10, seed=0)))) == BLOCK // 10


@pytest.mark.parametrize("n", [0, 2.5, -1, math.nan])
def test_lengths_that_are_not_whole_are_refused(n):
    """Only whole numbers of subtasks can be drawn, and the message says where others go."""
    with pytest.raises(DataError, match="closed forms"):
        simulated_times(Pareto(alpha=0.3), 1.0, n, 10, seed=0)
    with pytest.raises(DataError, match="replicates"):
        simulated_times(Pareto(alpha=0.3), 1.0, 10, 0, seed=0)
