"""A process as boxes and arrows."""

from __future__ import annotations

from collections.abc import Sequence

from dokimasia.core import Arrow, FigureData, Node
from dokimasia.theory.power.mdp import Mdp

MOST_DRAWN = 20


def picture(mdp: Mdp, powers: Sequence[float]) -> FigureData | None:
    """States by their distance from the start, each with its POWER; None where there are too many to draw."""
    near = mdp.reach([mdp.start])
    if len(near) > MOST_DRAWN:
        return None
    rows = _levels(mdp)
    deepest = max(len(rows) - 1, 1)
    nodes = []
    for depth, row in enumerate(rows):
        for number, state in enumerate(row):
            nodes.append(
                Node(
                    label=f"{mdp.states[state]}\n{powers[state]:.3f}",
                    x=(number + 0.5) / len(row),
                    y=1.0 - depth / deepest,
                    group="nothing leads away" if mdp.terminal(state) else "a choice",
                )
            )
    order = [state for row in rows for state in row]
    arrows: dict[tuple[int, int], Arrow] = {}
    for state in order:
        for move in () if mdp.terminal(state) else mdp.moves[state]:
            for to, chance in move.to:
                label = (move.name if state == mdp.start else "") + ("" if move.certain else f" {chance:g}")
                arrows.setdefault(
                    (order.index(state), order.index(to)),
                    Arrow(start=order.index(state), end=order.index(to), label=label.strip(), dashed=not move.certain),
                )
    return FigureData(
        name="power-process",
        title=f"The process {mdp.name}, and the POWER of each state",
        kind="graph",
        nodes=tuple(nodes),
        arrows=tuple(arrows.values()),
        caption="POWER is the average optimal value, from the next step on, per step. Dashed: chance decides.",
    )


def _levels(mdp: Mdp) -> list[list[int]]:
    rows, seen = [[mdp.start]], {mdp.start}
    while rows[-1]:
        row = []
        for state in rows[-1]:
            for move in mdp.moves[state]:
                for to, _ in move.to:
                    if to not in seen:
                        seen.add(to)
                        row.append(to)
        rows.append(row)
    return rows[:-1]
