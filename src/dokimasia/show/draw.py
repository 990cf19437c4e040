"""Figure data onto matplotlib axes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dokimasia.core import DataError, FigureData, Finding, Series
from dokimasia.show.graph import draw_graph, graph_size
from dokimasia.show.plane import draw_plane, plane_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

COLOURS = ("#2a7fc9", "#d98200", "#159a6b", "#c65a9a", "#7d6bd0", "#8a8a8a", "#b3423a")
CROWDED = 6
"""Curves from which on their names stand below the figure."""
ROW_HEIGHT = 0.3
LONGEST_LABEL = 80


def draw(what: FigureData | Finding, name: str | None = None, *, axes: Axes | None = None) -> Axes:
    """Draw a figure, or the figure of this `name` (None: the first) of a finding, on `axes` (made if None); return them."""
    figure = _plain(what if isinstance(what, FigureData) else _of(what, name))
    if axes is None:
        from matplotlib.figure import Figure

        axes = Figure(figsize=figure_size(figure), layout="constrained").add_subplot()
    if figure.kind == "graph":
        draw_graph(figure, axes, COLOURS)
        return axes
    axes.set_xlabel(figure.x_label)
    axes.set_ylabel(figure.y_label)
    if figure.kind == "plane":
        draw_plane(figure, axes, COLOURS)
    elif figure.kind == "dots":
        _dots(figure, axes)
    else:
        _curves(figure, axes)
    axes.grid(visible=True, axis="x" if figure.kind == "dots" else "both", linewidth=0.5, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _of(finding: Finding, name: str | None) -> FigureData:
    if name is not None:
        return finding.figure(name)
    if not finding.figures:
        raise DataError("A finding with a figure is expected.", f"{finding.instrument} has none.", "Draw another one.")
    return finding.figures[0]


def _plain(figure: FigureData) -> FigureData:
    """The same figure with labels that matplotlib takes as text: names of suites are whatever somebody's file says."""
    return replace(
        figure,
        x_label=_label(figure.x_label),
        y_label=_label(figure.y_label),
        rows=tuple(map(_label, figure.rows)),
        series=tuple(replace(series, name=_label(series.name)) for series in figure.series),
        places=tuple(replace(place, label=_label(place.label), group=_label(place.group)) for place in figure.places),
        tracks=tuple(replace(track, group=_label(track.group)) for track in figure.tracks),
        marks=tuple(replace(mark, label=_label(mark.label)) for mark in figure.marks),
        nodes=tuple(replace(node, label=_flat(node.label), group=_label(node.group)) for node in figure.nodes),
        arrows=tuple(replace(arrow, label=_flat(arrow.label)) for arrow in figure.arrows),
    )


def _label(text: str) -> str:
    """Text on one line, without formulas and without characters that SVG cannot hold or a font cannot show."""
    return _flat(text).replace("$", r"\$")


def _flat(text: str) -> str:
    flat = "".join(sign if sign.isprintable() else "\ufffd" for sign in " ".join(text.split()))
    return flat if len(flat) <= LONGEST_LABEL else f"{flat[: LONGEST_LABEL - 1]}…"


def figure_size(figure: FigureData) -> tuple[float, float]:
    """Inches, width first."""
    if figure.kind == "graph":
        return graph_size(figure)
    if figure.kind == "plane":
        return plane_size(figure)
    if figure.kind == "dots":
        legend = 0.3 if len(figure.series) > 1 else 0.0
        return 7.2, 0.9 + legend + ROW_HEIGHT * max(len(figure.rows), 2)
    return 7.2, 4.4 + (0.13 * len(figure.series) if len(figure.series) >= CROWDED else 0.0)


def _curves(figure: FigureData, axes: Axes) -> None:
    for series, colour in zip(figure.series, COLOURS, strict=False):
        if series.style == "step":
            axes.step(series.x, series.y, where="post", color=colour, label=series.name, linewidth=1.8)
        else:
            line = {"dashed": "--", "points": "", "line": "-"}[series.style]
            marker = "o" if series.style == "points" else ""
            axes.plot(series.x, series.y, linestyle=line, marker=marker, color=colour, label=series.name, linewidth=1.3)
        if series.low:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.18, linewidth=0)
    if figure.x_log:
        axes.set_xscale("log")
        _plain_ticks(axes.xaxis)
    if figure.y_log:
        axes.set_yscale("log")
        _plain_ticks(axes.yaxis)
    if not (figure.free or figure.y_log):
        axes.set_ylim(-0.02, 1.05)
    for mark in figure.marks:
        axes.plot([mark.x], [mark.y], marker="D", markersize=6, color=axes.xaxis.label.get_color(), clip_on=False)
        right = mark.x > 0.2
        axes.annotate(
            mark.label,
            (mark.x, mark.y),
            xytext=(-9 if right else 9, -15),
            textcoords="offset points",
            ha="right" if right else "left",
            fontweight="bold",
        )
    crowded = len(figure.series) >= CROWDED
    if figure.series[0].y[-1] >= figure.series[0].y[0] and not crowded:
        axes.legend(loc="lower right", frameon=False)
    else:  # curves that fall, or very many, leave no corner free for long names
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), frameon=False, ncols=2 if crowded else 1)


def _plain_ticks(axis: Axis) -> None:
    """Numbers as people write them, where that is short; powers of ten elsewhere."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    def written(value: float, _: int) -> str:
        return f"{value:,.0f}" if 1000 <= value < 1e6 else f"{value:.3g}"

    axis.set_major_formatter(FuncFormatter(written))
    axis.set_minor_formatter(NullFormatter())


def _dots(figure: FigureData, axes: Axes) -> None:
    shift = 0.16 if len(figure.series) > 1 and _overlap(figure) else 0.0
    for place, (series, colour) in enumerate(zip(figure.series, COLOURS, strict=False)):
        _interval_dots(series, axes, colour, offset=shift * (2 * place - len(figure.series) + 1))
    axes.set_yticks(range(len(figure.rows)), figure.rows)
    axes.set_ylim(len(figure.rows) - 0.4, -0.6)
    ends = [abs(end) for series in figure.series for end in series.low + series.high]
    signed = any(end < 0 for series in figure.series for end in series.low)
    if figure.x_log:
        axes.set_xscale("log")
        _plain_ticks(axes.xaxis)
    elif not figure.free:
        axes.set_xlim(*((-1.05 * max(ends), 1.05 * max(ends)) if signed else (-0.02, 1.02)))
    if figure.reference is not None:
        axes.axvline(figure.reference, linewidth=1, linestyle=":", color=axes.xaxis.label.get_color())
    if len(figure.series) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False)


def _interval_dots(series: Series, axes: Axes, colour: str, *, offset: float) -> None:
    rows = [row + offset for row in series.y]
    axes.hlines(rows, series.low, series.high, color=colour, linewidth=2, alpha=0.6)
    axes.plot(series.x, rows, linestyle="", marker="o", markersize=5, color=colour, label=series.name)


def _overlap(figure: FigureData) -> bool:
    """Whether two series share a row."""
    rows = [row for series in figure.series for row in series.y]
    return len(set(rows)) < len(rows)
