"""Draws figure data. The only room with matplotlib; anybody above may ask it to draw. May import `core`."""

from dokimasia.show.draw import draw
from dokimasia.show.svg import to_svg

__all__ = ["draw", "to_svg"]
