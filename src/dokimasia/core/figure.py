"""Figures as data: what is to be drawn, never how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one colour. `low` and `high` are interval ends of `x` in `dots`, of `y` elsewhere."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    style: Literal["line", "step", "dashed", "points"] = "line"


def interval_dots(name: str, points: Sequence[tuple[int, float, float, float]]) -> Series:
    """A series for `dots` from (row, value, low, high)."""
    return Series(
        name=name,
        x=tuple(value for _, value, _, _ in points),
        y=tuple(float(row) for row, *_ in points),
        low=tuple(low for _, _, low, _ in points),
        high=tuple(high for *_, high in points),
        style="points",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A labelled point in the figure."""

    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A labelled box of a graph; `x` and `y` say where its middle is, in [0, 1] from the left and from the bottom.

    Boxes of one `group` share a colour, and a legend names the groups.
    """

    label: str
    x: float
    y: float
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An arrow of a graph, between nodes that are given by their places in its list; from a node to itself is a loop."""

    start: int
    end: int
    label: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A named point of a plane. Where there is no room for all names, those of `key` places are drawn first."""

    label: str
    x: float
    y: float
    group: str = ""
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """An arrow of a drift field: where it starts, and how far it carries in one step. Drawings may shorten all alike."""

    x: float
    y: float
    dx: float
    dy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A way through a plane, from its first point to its last. Tracks of one `group` share a colour."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureData:
    """One figure: `curves` are lines in a plane; `dots` are one row a category with an interval; a `graph` is boxes and
    arrows; a `plane` is named places, tracks and a drift field.

    For `dots`, each series' `y` counts rows from the top, and `rows` names them. Values are shares in [0, 1] unless the
    figure is `free`, whose axes follow what is drawn. In `curves`, a series' `low` and `high` are drawn as a band. A
    `graph` has `nodes` and `arrows`, and no series. A `plane` has `places`, `tracks`, `flows` and `marks` (its fixed points),
    each as far as there are any, and no series; both its axes have the same unit. `quotes` says that some label holds words of a transcript, its id or
    its template's name.
    """

    name: str
    title: str
    kind: Literal["curves", "dots", "graph", "plane"]
    x_label: str = ""
    y_label: str = ""
    series: tuple[Series, ...] = ()
    nodes: tuple[Node, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    places: tuple[Place, ...] = ()
    tracks: tuple[Track, ...] = ()
    flows: tuple[Flow, ...] = ()
    marks: tuple[Mark, ...] = ()
    rows: tuple[str, ...] = ()
    x_log: bool = False
    y_log: bool = False
    free: bool = False
    reference: float | None = None
    caption: str = ""
    quotes: bool = False
