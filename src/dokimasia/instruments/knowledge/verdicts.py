"""From several kinds of evidence to one verdict on a fact, with stated error rates: known, not known or inconclusive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from dokimasia.stats import auroc, false_discovery_adjusted
from dokimasia.stats.conformal import conformal_p_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Says = Literal["known", "not known", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One kind of evidence on one fact.

    `p_unknown` is how often a fact that nobody knows would speak as strongly for being known, at most; `p_known` how often
    one that everybody knows would speak as weakly for it; `p_denied` how often one that nobody knows would speak as
    strongly *against* it. A kind that cannot say one of them has None there. `least` is the smallest `p_unknown` that so
    many references allow, `least_known` the smallest `p_known`. `p_read` is what `p_unknown` might have been, at best, had all
    been read that was not; None if it is the same.

    A kind that does not tell the two sets of references apart, of this subject, is not heard. `tells` says whether it does,
    the fact counted among those that nobody knows, and `tells_known` the same, the fact counted among those that everybody
    knows: a choice of kinds that treats the fact like its references leaves their ranks as they are.
    """

    kind: str
    p_unknown: float
    p_known: float | None = None
    p_denied: float | None = None
    p_read: float | None = None
    least: float = 0.0
    least_known: float = 0.0
    tells: bool = True
    tells_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all kinds of evidence on one fact come to.

    `p_unknown` is the smallest of the kinds that are heard, times their number; `by` names the kinds that say what the verdict says, and
    `why` gives the reason where it is inconclusive.
    """

    fact: str
    says: Says
    p_unknown: float
    p_known: float | None
    by: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """One verdict a fact, and what they come to together."""

    of: tuple[Verdict, ...]
    alpha: float
    beta: float

    def count(self, says: Says) -> int:
        """How many facts got this verdict."""
        return sum(item.says == says for item in self.of)

    @cached_property
    def adjusted(self) -> NDArray[np.float64]:
        """At which false-discovery rate each fact would be among those that are known, (n_facts,)."""
        return false_discovery_adjusted([item.p_unknown for item in self.of])


def ranked(
    kind: str,
    fact: tuple[float, float],
    unknown: Sequence[tuple[float, float]],
    known: Sequence[tuple[float, float]],
) -> Evidence:
    """A fact's place among facts that nobody knows and among facts that everybody knows.

    Each is given by the ends between which its score lies, equal where nothing is missing: what is missing counts against
    whatever would be concluded. Right for any score, if the fact and the references are exchangeable.

    >>> ranked("choices", (9.0, 9.0), [(value, value) for value in range(9)], [(8.0, 8.0), (10.0, 10.0)]).p_unknown
    0.1
    """
    low, high = fact
    unknown_low, unknown_high = [one for one, _ in unknown], [one for _, one in unknown]
    known_low = [one for one, _ in known]
    return Evidence(
        kind=kind,
        p_unknown=_beyond(unknown_high, low),
        p_known=_beyond([-one for one in known_low], -high),
        p_denied=_beyond([-one for one in unknown_low], -high),
        p_read=_beyond([one for one, _ in unknown], high),
        least=1 / (1 + len(unknown)),
        least_known=1 / (1 + len(known)),
        tells=tell_apart([*unknown_high, high], known_low),
        tells_known=tell_apart(unknown_high, [*known_low, low]),
    )


def judged(fact: str, kinds: Sequence[Evidence], *, alpha: float, beta: float) -> Verdict:
    """Is this fact known, by rules that were fixed before anything was measured?

    *Known* if some kind finds it further up than `alpha` over the number of kinds that are heard allows for a fact that nobody
    knows (Bonferroni), and not also further down than what everybody knows. *Not known* if no kind does, and each that can
    say so finds it further down than `beta` allows for a fact that everybody knows, but none finds it further down than
    what nobody knows, where somebody may have pushed it, and none might say *known* had all been read. Where
    references are too few for all kinds that tell, the first are heard, and the others can only speak against *not known*. Else inconclusive. So a fact like those that nobody knows is
    called known with probability at most `alpha`, and one like those that everybody knows not known with at most `beta`.
    """
    able = [item for item in kinds if item.tells]
    heard = able[: affordable(alpha, max((item.least for item in able), default=0.0))]
    share = alpha / max(1, len(heard))
    low = [item for item in kinds if item.tells_known and item.p_known is not None]
    p_known = max((item.p_known for item in low if item.p_known is not None), default=None)
    up = [item for item in heard if reaches(item.p_unknown, share)]
    between = [item for item in up if item.p_known is not None and reaches(item.p_known, beta)]
    perhaps = [item.kind for item in able if reaches(item.p_unknown if item.p_read is None else item.p_read, share)]
    denied = [item for item in heard if item.p_denied is not None and reaches(item.p_denied, share)]
    says: Says = "inconclusive"
    by: tuple[str, ...] = ()
    why = ""
    if not heard:
        why = "nothing tells what everybody knows from what nobody knows" if kinds else "nothing was measured"
    elif len(between) < len(up):
        says, by = "known", tuple(item.kind for item in up if item not in between)
    elif between:
        why = "further up than what nobody knows, and further down than what everybody knows"
    elif p_known is None or not reaches(p_known, beta):
        why = _unclear(heard, share, beta)
    elif perhaps:
        why = f"what could not be read, or is not heard, might show that it is known: {', '.join(perhaps)}"
    elif denied:
        why = "further down than what nobody knows, as if it had been taught to deny it"
    else:
        says, by = "not known", tuple(item.kind for item in low)
    return Verdict(
        fact=fact,
        says=says,
        p_unknown=min([1.0, *(len(heard) * item.p_unknown for item in heard)]),
        p_known=p_known,
        by=by,
        why=why,
    )


def affordable(alpha: float, least: float) -> int | None:
    """Among how many kinds the error rate can be shared so that each can still reach its part, one at least; None if any.

    >>> affordable(0.05, 1 / 41), affordable(0.05, 1 / 60), affordable(0.05, 1 / 10)
    (2, 3, 1)
    """
    return max(1, math.floor(alpha / least * (1 + 1e-9))) if least else None


def fewest(level: float) -> int:
    """How many references a conformal p-value needs to reach this level.

    >>> fewest(0.05), fewest(0.05 / 3)
    (19, 59)
    """
    return math.ceil(1 / level - 1 - 1e-9)


def _unclear(kinds: Sequence[Evidence], share: float, beta: float) -> str:
    poor = [item.kind for item in kinds if not reaches(item.least, share)]
    if len(poor) == len(kinds):
        return f"too few facts that nobody knows: {fewest(share)} are needed"
    if any(not reaches(item.least_known, beta) for item in kinds):
        return f"too few facts that everybody knows: {fewest(beta)} are needed"
    return "as what nobody knows may be, and as what everybody knows may be"


def reaches(p: float, level: float) -> bool:
    """Whether p is at most this level, but for rounding."""
    return p <= level * (1 + 1e-9)


def tell_apart(unknown: Sequence[float], known: Sequence[float]) -> bool:
    """Whether what everybody knows scores above what nobody knows more often than not, at 95%."""
    return bool(unknown and known) and auroc(unknown, known).low > 0.5


def _beyond(references: ArrayLike, score: float) -> float:
    """The share of references, this score among them, at least as high; 1 if there are none."""
    found = np.asarray(references, dtype=float)
    return float(conformal_p_values(found, [score])[0]) if len(found) else 1.0
