"""Something that a subject may do wrong, measured finely enough to see a small change of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dokimasia.core import Cost, Subject

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Leanings:
    """What a subject would rather do, item by item; all axes (n_items,).

    `values` are log-odds of misbehaving in `unit`, higher means more so. `misbehaved` says where it counts as done, and
    `settled` where it counts as either done or not done. `templates` names each item's mould.
    """

    values: NDArray[np.float64]
    misbehaved: NDArray[np.bool_]
    settled: NDArray[np.bool_]
    templates: tuple[str, ...]
    unit: str


class Conduct(Protocol):
    """Asks a subject, as it is or steered, for the same items each time."""

    @property
    def name(self) -> str:
        """What is looked at, as a noun."""
        ...

    @property
    def digest(self) -> str:
        """Digest of the items."""
        ...

    def plan(self, subject: Subject) -> Cost:
        """What `leanings` asks for."""
        ...

    def leanings(self, subject: Subject) -> Leanings:
        """The subject's leanings; the same items in the same order whoever is asked."""
        ...
