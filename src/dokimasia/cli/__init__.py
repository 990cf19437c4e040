"""Parses, calls one function, prints. No logic: each command loads what it calls when it is called."""

from dokimasia.cli.entry import main

__all__ = ["main"]
