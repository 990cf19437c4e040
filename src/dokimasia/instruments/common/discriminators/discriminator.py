"""What a discriminator is: it turns transcripts into features once, which are then fitted on some rows and score others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dokimasia.core import Access, Transcript

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_TEXT = 20_000
"""Characters of an input that are read for words and format."""


@dataclass(frozen=True, eq=False)
class Scores:
    """`scaled` is comparable across folds; `logit` is the fitted log-odds. Axis (n_rows,); NaN where not measurable."""

    scaled: NDArray[np.float64]
    logit: NDArray[np.float64]
    chosen: str = ""


class Features(Protocol):
    """Transcripts as one discriminator sees them."""

    def fit_score(
        self,
        train: NDArray[np.int64],
        positive: NDArray[np.bool_],
        groups: NDArray[np.int64],
        test: NDArray[np.int64],
        *,
        seed: int,
    ) -> Scores:
        """Fit on rows `train`, whose classes are `positive` and groups `groups` (same axis), and score rows `test`."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was approximated, with counts."""
        ...


class Discriminator(Protocol):
    """A kind of test."""

    @property
    def name(self) -> str:
        """Short name."""
        ...

    @property
    def access(self) -> Access:
        """What it asks of the subject."""
        ...

    def features(self, transcripts: Sequence[Transcript]) -> Features:
        """Look at every transcript once; labels play no part."""
        ...
