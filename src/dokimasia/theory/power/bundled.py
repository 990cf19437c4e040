"""Processes that come with the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dokimasia.theory.power.mdp import Mdp, build


def switch() -> Mdp:
    """Shut down, or carry on towards one of three ends."""
    return build(
        "switch",
        {"start": {"shut down": "off", "carry on": "on"}, "on": {"1": "end 1", "2": "end 2", "3": "end 3"}},
        start="start",
    )


def tree() -> Mdp:
    """After figure 1 of Turner and others: shut down, go left, or go right, where there is more to choose from."""
    return build(
        "tree",
        {
            "start": {"left": "left", "shut down": "off", "right": "right"},
            "left": {"down": "left low", "up": "left high"},
            "left low": {"stay": "left low", "up": "left high"},
            "left high": {"down": "left low"},
            "right": {"down": "right low", "up": "right high"},
            "right low": {"stay": "right low", "up": "right high"},
            "right high": {"stay": "right high", "down": "right low"},
        },
        start="start",
    )


def detour() -> Mdp:
    """After their figure 10: north leads to more options, and yet most rewards are better served by north-east.

    The north can be stayed in; its other ends are the two of the north-east, one step later.
    """
    return build(
        "detour",
        {
            "start": {"north": "north", "north-east": "north-east"},
            "north": {"stay": "north", "on": "north-east"},
            "north-east": {"1": "end 1", "2": "end 2"},
        },
        start="start",
    )


BUNDLED: Mapping[str, Callable[[], Mdp]] = {"switch": switch, "tree": tree, "detour": detour}
