"""Planes: every place, track, arrow and fixed point is drawn, and names that would overlap are left out."""

import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from dokimasia.core import FigureData, Flow, Mark, Place, Track
from dokimasia.show import draw, to_svg

SPOTS = np.random.default_rng(0).normal(size=(80, 2))
PLANE = FigureData(
    name="plane",
    title="A plane <&>",
    kind="plane",
    x_label="first",
    y_label="second",
    places=(
        *(Place(label=f"role {i}", x=float(x), y=float(y), group="roles") for i, (x, y) in enumerate(SPOTS)),
        Place(label="default", x=0.1, y=0.1, group="default voice", key=True),
    ),
    tracks=(
        Track(x=(0.0, 1.0, 1.5), y=(0.0, 0.5, -0.5), group="therapy"),
        Track(x=(-1.0, -0.5), y=(1.0, 0.5), group="coding"),
    ),
    flows=tuple(Flow(x=float(x), y=float(y), dx=-float(x), dy=-float(y)) for x in range(-2, 3) for y in range(-2, 3)),
    marks=(Mark(label="attractor", x=0.3, y=-0.2),),
)


def names(axes):
    return [text for text in axes.texts if text.get_text()]


def test_everything_is_drawn():
    """81 places, two tracks with both their ends, 25 arrows, a fixed point, and a legend of the four groups."""
    axes = draw(PLANE)
    dots = [line for line in axes.lines if line.get_linestyle() == "None"]
    places = [line for line in dots if line.get_marker() == "o" and line.get_markersize() in (3.5, 7.0)]
    assert np.isfinite(np.concatenate([line.get_xydata() for line in places])).all(axis=1).sum() == 81
    assert sum(line.get_linestyle() == "-" for line in axes.lines) == 2
    assert [line.get_marker() for line in dots].count("X") == 1
    (arrows,) = axes.collections
    assert len(arrows.get_offsets()) == 25
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "roles",
        "default voice",
        "therapy",
        "coding",
    ]


def test_names_do_not_overlap():
    """Of 80 roles those are named that there is room for; the default voice and the fixed point always are."""
    axes = draw(PLANE)
    shown = names(axes)
    boxes = [text.get_window_extent() for text in shown]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert {"default", "attractor"} <= {text.get_text() for text in shown}
    assert 20 < len(shown) < 82


def test_names_stay_inside():
    """None runs out of the figure."""
    axes = draw(PLANE)
    inside = axes.get_window_extent()
    for text in names(axes):
        box = text.get_window_extent()
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1


def test_both_axes_have_one_unit():
    """A circle of places is drawn as a circle, and arrows point where they carry."""
    axes = draw(PLANE)
    axes.figure.draw_without_rendering()
    right, up = (axes.transData.transform(point) - axes.transData.transform((0, 0)) for point in ((1, 0), (0, 1)))
    assert right[0] == pytest.approx(up[1], rel=1e-6)


def test_long_arrows_are_shortened_alike():
    """None reaches farther than the next begins, and their proportions stay; short ones keep their length."""
    (drawn,) = draw(PLANE).collections
    lengths = np.hypot(drawn.U, drawn.V)
    assert lengths.max() == pytest.approx(1.0)
    assert lengths.min() == pytest.approx(0.0)
    short = tuple(replace(flow, dx=0.01, dy=0.0) for flow in PLANE.flows)
    (drawn,) = draw(replace(PLANE, flows=short)).collections
    assert pytest.approx(0.01) == drawn.U
    still = tuple(replace(flow, dx=0.0, dy=0.0) for flow in PLANE.flows)
    ET.fromstring(to_svg(replace(PLANE, flows=still)))


def test_svg_is_self_contained_and_repeats():
    """No style attribute, references of this figure only, ink that follows the page, the same bytes."""
    svg = to_svg(PLANE)
    assert svg == to_svg(PLANE)
    identifiers = {element.get("id") for element in ET.fromstring(svg).iter() if element.get("id")}
    assert all(name.startswith("plane-") for name in identifiers)
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= identifiers
    assert "style=" not in svg
    assert "currentColor" in svg
    assert "#010203" not in svg


@pytest.mark.parametrize("part", ["places", "tracks", "flows", "marks"])
def test_a_plane_may_have_one_part_only(part):
    """Or none: an empty drawing, not an error."""
    empty = replace(PLANE, places=(), tracks=(), flows=(), marks=())
    ET.fromstring(to_svg(empty))
    ET.fromstring(to_svg(replace(empty, **{part: getattr(PLANE, part)})))


def test_places_on_one_spot_are_drawn():
    """Roles that a model cannot tell apart stand on one another; one key name is kept."""
    same = tuple(Place(label=f"role {i}", x=1.0, y=1.0, key=i == 3) for i in range(6))
    axes = draw(replace(PLANE, places=same, tracks=(), flows=(), marks=()))
    assert "role 3" in [text.get_text() for text in names(axes)]


@pytest.mark.parametrize(
    "label", ["$\\frac{a$", "<script>alert(1)</script>\x00", "\ud800", "a" * 5000, "\u6d4b \U0001f600", "", "_x"]
)
def test_a_place_may_have_any_name(label):
    """Formulas, markup, control characters, lone surrogates, other scripts: drawn as text, short, in valid SVG."""
    place = Place(label=label, x=0.0, y=0.0, group=label, key=True)
    text = to_svg(replace(PLANE, places=(place,), tracks=(Track(x=(0.0,), y=(1.0,), group=label + "b"),)))
    ET.fromstring(text)
    assert "<script" not in text
