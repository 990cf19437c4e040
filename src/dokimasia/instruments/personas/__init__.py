"""Which characters live in the subject, which one does it show by default, and where does conversation carry it?

May import `core`, `stats`, `theory`, `models`, `sources` and `instruments/common`; no other family.
"""

from dokimasia.instruments.personas.instrument import Personas

__all__ = ["Personas"]
