"""Figures with many curves: all are drawn, each in its own colour, and their names hide none."""

from matplotlib.colors import to_hex

from dokimasia.core import FigureData, Series
from dokimasia.show import draw
from dokimasia.show.draw import COLOURS


def figure(count):
    series = tuple(Series(name=f"curve {place}", x=(0.0, 1.0), y=(0.0, 1.0 - place / 20)) for place in range(count))
    return FigureData(name="many", title="Many", kind="curves", x_label="x", y_label="y", series=series)


def test_seven_curves_are_all_drawn_in_colours_of_their_own():
    """Six discriminators and an envelope fit into one figure."""
    axes = draw(figure(7))
    assert [line.get_label() for line in axes.lines] == [f"curve {place}" for place in range(7)]
    assert len({to_hex(line.get_color()) for line in axes.lines}) == 7 == len(COLOURS)


def test_the_names_of_many_curves_stand_below():
    """With few curves the legend lies inside; with many it lies under the axis and covers nothing."""
    for count, inside in ((3, True), (7, False)):
        axes = draw(figure(count))
        axes.figure.canvas.draw()
        legend = axes.get_legend().get_window_extent()
        assert (legend.y0 > axes.get_window_extent().y0) == inside
        assert (legend.y1 > axes.get_window_extent().y0) == inside
