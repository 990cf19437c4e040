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
    """Motives on the left, outcomes on the right, causes above effects; dashed arrows go from motives to what they want."""
    level = levels(hypotheses)
    top = max(level.values(), default=0)
    last = max(top, len(hypotheses.hypotheses) - 1, 1)
    nodes = [
        Node(label=item.name, x=0.0, y=1 - place / last, group="motive; dashed: wants")
        for place, item in enumerate(hypotheses.hypotheses)
    ]
    places: dict[str, int] = {}
    for height in range(top, -1, -1):
        row = [item.name for item in hypotheses.outcomes if level[item.name] == height]
        for place, name in enumerate(row):
            places[name] = len(nodes)
            x, y = 0.45 + 0.7 * (place + 0.5) / len(row), 1 - (top - height) / last
            nodes.append(Node(label=name, x=x, y=y, group="outcome of actions"))
    arrows = [
        Arrow(start=places[item.name], end=places[after]) for item in hypotheses.outcomes for after in item.leads_to
    ]
    arrows += [
        Arrow(start=place, end=places[wanted], dashed=True)
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
