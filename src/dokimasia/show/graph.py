"""Boxes and arrows onto matplotlib axes."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dokimasia.core import Arrow, FigureData, Node

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.text import Text

WIDTH = 5.0  # inches: narrower than other figures, so that its words are legible on a phone
LETTERS = 58  # of a row of boxes, at this width
LONGEST_LINE = 14
LINE = 0.19
GAP = 0.55


def graph_size(figure: FigureData) -> tuple[float, float]:
    """Inches, width first: every level of boxes has room for its longest label and for the arrows below it."""
    letters = _letters(figure)
    levels: dict[float, int] = {}
    for node in figure.nodes:
        levels[node.y] = max(levels.get(node.y, 1), len(_lines(node, letters)))
    legend = LINE * len(_groups(figure)) if len(_groups(figure)) > 1 else 0.0
    return WIDTH, 0.3 + legend + sum(GAP + LINE * lines for lines in levels.values())


def draw_graph(figure: FigureData, axes: Axes, colours: Sequence[str]) -> None:
    """Draw boxes in the colours of their groups, and arrows from edge to edge."""
    groups = _groups(figure)
    paint = {group: colours[place % len(colours)] for place, group in enumerate(groups)}
    letters = _letters(figure)
    boxes = [
        axes.text(
            node.x,
            node.y,
            "\n".join(_lines(node, letters)),
            ha="center",
            va="center",
            parse_math=False,
            bbox={"boxstyle": "round,pad=0.45", "facecolor": "none", "edgecolor": paint[node.group], "linewidth": 1.4},
        )
        for node in figure.nodes
    ]
    both = {(arrow.start, arrow.end) for arrow in figure.arrows}
    for arrow in figure.arrows:
        _arrow(figure, arrow, boxes, axes, bent=arrow.start != arrow.end and (arrow.end, arrow.start) in both)
    axes.set_xlim(-0.15, 1.15)
    axes.set_ylim(-0.12, 1.12)
    axes.set_axis_off()
    if len(groups) > 1:
        from matplotlib.patches import Patch

        handles = [Patch(facecolor="none", edgecolor=paint[group], linewidth=1.4) for group in groups]
        axes.legend(handles, groups, loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False)


def _arrow(figure: FigureData, arrow: Arrow, boxes: Sequence[Text], axes: Axes, *, bent: bool) -> None:
    look: dict[str, Any] = {
        "arrowstyle": "-|>",
        "color": axes.xaxis.label.get_color(),
        "linewidth": 1.0,
        "linestyle": "--" if arrow.dashed else "-",
    }
    start, end = figure.nodes[arrow.start], figure.nodes[arrow.end]
    from_box, to_box = boxes[arrow.start].get_bbox_patch(), boxes[arrow.end].get_bbox_patch()
    assert to_box is not None
    if arrow.start == arrow.end:  # above the box, placed by shares of its width and height
        look |= {"connectionstyle": "arc3,rad=-1.6"}
        loop = axes.annotate("", (0.7, 1.0), xytext=(0.3, 1.0), xycoords=to_box, textcoords=to_box, arrowprops=look)
        loop.set_in_layout(False)
        beside: tuple[tuple[float, float], str | Artist] = (0.75, 1.0), to_box
    else:
        look |= {"patchA": from_box, "patchB": to_box, "shrinkA": 2, "shrinkB": 2}
        look |= {"connectionstyle": f"arc3,rad={0.25 if bent else 0.0}"}
        axes.annotate("", (end.x, end.y), xytext=(start.x, start.y), arrowprops=look)
        beside = ((start.x + end.x) / 2, (start.y + end.y) / 2), "data"
    if arrow.label:
        axes.annotate(
            arrow.label,
            beside[0],
            xycoords=beside[1],
            xytext=(4, 4),
            textcoords="offset points",
            fontsize="small",
            parse_math=False,
        ).set_in_layout(False)


def _groups(figure: FigureData) -> list[str]:
    return list(dict.fromkeys(node.group for node in figure.nodes))


def _letters(figure: FigureData) -> dict[float, int]:
    """How many letters a line of a label may have on each level, if its boxes are to fit beside one another."""
    boxes = Counter(node.y for node in figure.nodes)
    return {level: max(6, min(LONGEST_LINE, LETTERS // number - 2)) for level, number in boxes.items()}


def _lines(node: Node, letters: Mapping[float, int]) -> list[str]:
    return textwrap.wrap(node.label, letters[node.y]) or [""]
