"""The causal graph: what actions bring about, what that leads to, and which outcome each motive wants."""

from __future__ import annotations

from dokimasia.core import Arrow, DataError, FigureData, Node
from dokimasia.theory.selection.hypotheses import Hypotheses


def levels(hypotheses: Hypotheses) -> dict[str, int]:
    """How many steps before the end each outcome stands: 0 leads to nothing. Circles are refused."""
    leads = {item.name: item.leads_to for item in hypotheses.outcomes}
    found: dict[str, int] = {}
    while len(found) < len(leads):
        ready = [name for name, after in leads.items() if name not in found and all(item in found for item in after)]
        if not ready:
            left = ", ".join(name for name in leads if name not in found)
            raise DataError(
                "Outcomes that lead on without circles are expected.",
                f"Found a circle among {left}.",
                "Leave out the arrow that goes back.",
            )
        found |= {name: 1 + max((found[item] for item in leads[name]), default=-1) for name in ready}
    return found


def causal_graph(hypotheses: Hypotheses) -> FigureData:
    """Outcomes from the first above to the last, motives below them; a dashed arrow goes from a motive to what it wants."""
    level = levels(hypotheses)
    top = max(level.values(), default=-1) + 1
    rows = [[item.name for item in hypotheses.outcomes if level[item.name] == row] for row in range(top)]
    nodes = [
        Node(label=name, x=(place + 0.5) / len(row), y=(height + 1) / max(top, 1), group="outcome of actions")
        for height, row in enumerate(rows)
        for place, name in enumerate(row)
    ]
    places = {node.label: place for place, node in enumerate(nodes)}
    motives = len(hypotheses.hypotheses)
    first = len(nodes)
    nodes += [
        Node(label=item.name, x=(place + 0.5) / motives, y=0.0, group="motive; dashed: wants")
        for place, item in enumerate(hypotheses.hypotheses)
    ]
    arrows = [
        Arrow(start=places[item.name], end=places[after]) for item in hypotheses.outcomes for after in item.leads_to
    ]
    arrows += [
        Arrow(start=first + place, end=places[wanted], dashed=True)
        for place, item in enumerate(hypotheses.hypotheses)
        for wanted in item.wants
    ]
    return FigureData(
        name="selection-graph",
        title="What each motive wants, and what that leads to",
        kind="graph",
        nodes=tuple(nodes),
        arrows=tuple(arrows),
        caption=(
            "A motive is selected if the behaviour that it causes leads to its having influence in deployment. Wanting an "
            "outcome on the way there, or one behind it, both do."
        ),
    )
