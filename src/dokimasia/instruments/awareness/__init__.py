"""Awareness: does the subject know that it is being tested, and does it matter to what it does?"""

from dokimasia.instruments.awareness.instrument import Awareness

__all__ = ["Awareness"]
