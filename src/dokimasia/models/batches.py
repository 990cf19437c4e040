"""Which sequences are run together: sorted by length, at most so many padded tokens a batch."""

from __future__ import annotations

from collections.abc import Sequence


def budgeted(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices in batches of similar length, each at most `budget` padded tokens (or one sequence), longest first.

    >>> budgeted([3, 9, 4, 10], budget=20)
    [[3, 1], [2, 0]]
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda position: (-lengths[position], position)):
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
