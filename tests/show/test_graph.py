import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from dokimasia.core import Arrow, FigureData, Node
from dokimasia.show import draw, to_svg
from dokimasia.show.graph import LETTERS

GRAPH = FigureData(
    name="graph",
    title="Causes <&>",
    kind="graph",
    nodes=(
        Node(label="behaviour in training", x=0.5, y=1.0, group="outcome"),
        Node(label="reward", x=0.0, y=0.5, group="outcome"),
        Node(label="schemer", x=1.0, y=0.0, group="motive"),
    ),
    arrows=(
        Arrow(start=0, end=1, label="earns"),
        Arrow(start=1, end=0),
        Arrow(start=2, end=1, dashed=True),
        Arrow(start=2, end=2),
    ),
)
HOSTILE = [
    "$\\frac{a$ and $b$",
    "<script>alert(1)</script>\x00",
    "\ud800",
    "a" * 5000,
    "\u6d4b \U0001f600",
    "",
    "_x",
    "$" * 79,
]


def test_svg_is_self_contained_and_repeats():
    """No style attribute, ids and references of this figure only, ink that follows the page, the same bytes."""
    svg = to_svg(GRAPH)
    assert svg == to_svg(GRAPH)
    identifiers = {element.get("id") for element in ET.fromstring(svg).iter() if element.get("id")}
    assert all(name.startswith("graph-") for name in identifiers)
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= identifiers
    assert "style=" not in svg
    assert "currentColor" in svg
    assert "#010203" not in svg


def test_every_box_and_arrow_is_drawn():
    """Three boxes, four arrows of which one is dashed, one label on an arrow, and a legend of the two groups."""
    axes = draw(GRAPH)
    arrows = [text.arrow_patch for text in axes.texts if getattr(text, "arrow_patch", None) is not None]
    assert len([text for text in axes.texts if text.get_bbox_patch() is not None]) == 3
    assert len(arrows) == 4
    assert sum(arrow.get_linestyle() == "--" for arrow in arrows) == 1
    assert [text.get_text() for text in axes.texts if "earns" in text.get_text()] == ["earns"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["outcome", "motive"]


def test_an_arrow_reaches_from_edge_to_edge():
    """It starts outside the box that it leaves, and no point of it lies in the one that it reaches."""
    axes = draw(replace(GRAPH, nodes=GRAPH.nodes[:2], arrows=(Arrow(start=0, end=1),)))
    axes.figure.draw_without_rendering()
    boxes = [text.get_bbox_patch().get_window_extent() for text in axes.texts if text.get_bbox_patch() is not None]
    (arrow,) = [text.arrow_patch for text in axes.texts if getattr(text, "arrow_patch", None) is not None]
    path = arrow.get_transform().transform_path(arrow.get_path()).vertices
    assert not boxes[0].contains(*path[0])
    assert not any(boxes[1].contains(*point) for point in path)


@pytest.mark.parametrize("label", HOSTILE)
def test_a_box_may_have_any_label(label):
    """Formulas, markup, control characters, lone surrogates, other scripts: drawn as text, short, in valid SVG."""
    nodes = tuple(replace(node, label=label, group=label + node.group) for node in GRAPH.nodes)
    text = to_svg(replace(GRAPH, nodes=nodes, arrows=(Arrow(start=0, end=1, label=label),)))
    ET.fromstring(text)
    assert "<script" not in text
    assert len(text) < 30_000


def test_a_dollar_is_a_dollar():
    """No backslash is shown, wherever the line is broken."""
    svg = to_svg(replace(GRAPH, nodes=(Node(label="$5 for $6", x=0, y=0, group="a"),), arrows=()))
    assert ">$5 for $6<" in svg


def test_words_stay_legible_on_a_phone():
    """However full a level is, its lines fit beside one another in the figure's width, which is that of a phone."""
    for number in (1, 3, 5):
        nodes = tuple(Node(label="a motive with a long name", x=place, y=0.0) for place in range(number))
        axes = draw(replace(GRAPH, nodes=nodes, arrows=()))
        lines = [line for text in axes.texts for line in text.get_text().split("\n")]
        assert max(map(len, lines)) * number <= LETTERS
        assert axes.figure.get_size_inches()[0] * 72 <= 360


def test_a_graph_may_be_empty():
    """No boxes, no arrows, no groups: an empty drawing, not an error."""
    ET.fromstring(to_svg(replace(GRAPH, nodes=(), arrows=())))
