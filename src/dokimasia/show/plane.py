"""Named places, tracks and a drift field onto matplotlib axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dokimasia.core import FigureData, Flow, Place

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox
    from numpy.typing import NDArray

WIDTH, HEIGHT = 7.2, 5.6
LEGEND_LINE = 0.22
MARGIN = 0.06
GROW = 1.25
"""Boxes around names are so much larger than measured: the page's font may be wider than the one that measures."""
OFFSETS = ((6, 0), (-6, 0), (0, 6), (0, -6), (5, 5), (-5, 5), (5, -5), (-5, -5))
"""Where a name may stand beside its point, in typographic points, in the order in which places are tried."""


def plane_size(figure: FigureData) -> tuple[float, float]:
    """Inches, width first."""
    groups = _groups(figure)
    return WIDTH, HEIGHT + (LEGEND_LINE * ((len(groups) + 2) // 3) if len(groups) > 1 else 0.0)


def draw_plane(figure: FigureData, axes: Axes, colours: Sequence[str]) -> None:
    """Draw arrows of the field, shortened alike, then tracks from a small ring to a dot, then places, fixed points, and names that fit."""
    import numpy as np

    groups = _groups(figure)
    paint = {group: colours[place % len(colours)] for place, group in enumerate(groups)}
    ink = axes.xaxis.label.get_color()
    _frame(figure, axes)
    if figure.flows:
        start, step = (np.array([pair(flow) for flow in figure.flows]) for pair in (_start, _step))
        axes.quiver(
            *start.T,
            *(step * _shrunk(start, step)).T,
            angles="xy",
            scale_units="xy",
            scale=1,
            width=0.0025,
            color=ink,
            alpha=0.45,
        )
    for track in figure.tracks:
        colour = paint[track.group]
        axes.plot(track.x, track.y, color=colour, linewidth=1.0, alpha=0.7)
        axes.plot(
            track.x[:1], track.y[:1], marker="o", markersize=5, color=colour, markerfacecolor="none", linestyle=""
        )
        axes.plot(track.x[-1:], track.y[-1:], marker="o", markersize=4, color=colour, linestyle="")
    for group in groups:
        members = [place for place in figure.places if place.group == group]
        for key, size in ((False, 3.5), (True, 7.0)):
            points = [(place.x, place.y) for place in members if place.key is key] or [(math.nan, math.nan)]
            axes.plot(
                *zip(*points, strict=True),
                marker="o",
                markersize=size,
                linestyle="",
                color=paint[group],
                alpha=1.0 if key else 0.75,
            )
    for mark in figure.marks:
        axes.plot([mark.x], [mark.y], marker="X", markersize=9, color=ink, linestyle="")
    axes.set_aspect("equal", adjustable="datalim")
    _names(figure, axes)
    if len(groups) > 1:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], marker="o", linestyle="", color=paint[group]) for group in groups]
        axes.legend(handles, groups, loc="upper left", bbox_to_anchor=(0, -0.12), frameon=False, ncols=3)


def _start(flow: Flow) -> tuple[float, float]:
    return flow.x, flow.y


def _step(flow: Flow) -> tuple[float, float]:
    return flow.dx, flow.dy


def _shrunk(start: NDArray[np.float64], step: NDArray[np.float64]) -> float:
    """By how much to shorten all arrows, if the longest is to reach no farther than the next one begins."""
    import numpy as np

    apart = np.hypot(*(start[:, None] - start).transpose(2, 0, 1))
    nearest, longest = float(apart[apart > 0].min(initial=np.inf)), float(np.hypot(*step.T).max())
    return min(1.0, nearest / longest) if longest > 0 else 1.0


def _groups(figure: FigureData) -> list[str]:
    return list(dict.fromkeys([place.group for place in figure.places] + [track.group for track in figure.tracks]))


def _frame(figure: FigureData, axes: Axes) -> None:
    """Limits around everything that is drawn but the tips of arrows, settled before names are placed."""
    points = [(place.x, place.y) for place in figure.places]
    points += [(mark.x, mark.y) for mark in figure.marks] + [(flow.x, flow.y) for flow in figure.flows]
    points += [point for track in figure.tracks for point in zip(track.x, track.y, strict=True)]
    if points:
        axes.update_datalim(points)
    axes.margins(MARGIN)
    axes.autoscale_view()


def _names(figure: FigureData, axes: Axes) -> None:
    """Write the fixed points' names, then those of key places, then others, the loneliest first, as long as none overlaps."""
    from matplotlib.transforms import Bbox

    if axes.figure is not None:
        axes.figure.draw_without_rendering()  # type: ignore[union-attr]  # layout is settled: sizes are known
    marks = [Place(label=mark.label, x=mark.x, y=mark.y, key=True) for mark in figure.marks]
    places = [*marks, *_by_need(figure.places)]
    points = [axes.transData.transform((place.x, place.y)) for place in (*marks, *figure.places)]
    taken = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in points]
    inside = axes.get_window_extent()
    for place in places:
        if place.label:
            _name(place, axes, inside, taken)


def _by_need(places: Sequence[Place]) -> list[Place]:
    """Key places first, then those farthest from any other."""
    import numpy as np

    if len(places) < 2:
        return list(places)
    at = np.array([(place.x, place.y) for place in places])
    apart = np.hypot(*(at[:, None] - at).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1)
    return [places[i] for i in sorted(range(len(places)), key=lambda i: (not places[i].key, -nearest[i], i))]


def _name(place: Place, axes: Axes, inside: Bbox, taken: list[Bbox]) -> None:
    """Write one name where there is room for it, or nowhere; one of a key place where it hides least."""
    text = axes.annotate(
        place.label,
        (place.x, place.y),
        xytext=OFFSETS[0],
        textcoords="offset points",
        fontsize=9 if place.key else 8,
        fontweight="bold" if place.key else "normal",
        annotation_clip=False,
    )
    text.set_in_layout(False)
    extent, canvas = text.get_window_extent(), axes.get_figure(root=True)
    assert canvas is not None
    size = (extent.width * GROW, extent.height)
    point = axes.transData.transform((place.x, place.y))
    boxes = [_box(point, offset, size, canvas.dpi / 72) for offset in OFFSETS]
    outside = [box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1 for box in boxes]
    costs = [(out, box.count_overlaps(taken)) for out, box in zip(outside, boxes, strict=True)]
    best = costs.index(min(costs))
    if costs[best] != (False, 0) and not place.key:
        text.remove()
        return
    dx, dy = OFFSETS[best]
    text.set_position((dx, dy))
    text.set_horizontalalignment("left" if dx > 0 else "right" if dx < 0 else "center")
    text.set_verticalalignment("bottom" if dy > 0 else "top" if dy < 0 else "center")
    taken.append(boxes[best])


def _box(point: NDArray[np.float64], offset: tuple[float, float], size: tuple[float, float], unit: float) -> Bbox:
    """What a name of this size, in pixels, covers at this offset, in typographic points of `unit` pixels."""
    from matplotlib.transforms import Bbox

    x, y = (
        at + by * unit - (0 if by > 0 else extent if by < 0 else extent / 2)
        for at, by, extent in zip(point, offset, size, strict=True)
    )
    return Bbox.from_bounds(x, y, *size)
