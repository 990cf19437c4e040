"""Has the reply run into a loop? Small models repeat themselves, which is no persona.

A reply loops if one piece of it stands there three times or more end to end, and these cover half of the reply, or its last
quarter and end of it; if it says again what an earlier reply said; or if it is empty. A refrain, a list, a table and code repeat
too, but with something else in between, or for a small part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["empty", "repeats itself", "repeats an earlier reply"]

TIMES = 3
HALF = 0.5
TAIL = 0.25
SHORTEST = 20
"""Characters that the repetitions cover at least: shorter ones are laughter, or emphasis."""
SHORTEST_TAIL = 60
LONGEST_PERIOD = 600
READ = 12_000
"""Characters of a reply that are looked at: its end, where loops are."""
GRAM = 5
SHORTEST_REPLY = 8
"""Words of a reply from which on saying it again counts: a short answer may be the right one twice."""
SAID = 0.8

_NUMBERED = re.compile(r"^[ \t]*(?:\d+[.):]|[-*\u2022])[ \t]*", re.MULTILINE)


class Loop(NamedTuple):
    """How a reply loops: the `share` of it that does, the characters after which it repeats, and where that starts.

    `earlier` is the place of the earlier reply that it repeats, if that is the kind.
    """

    kind: Kind
    share: float
    period: int = 0
    start: int = 0
    earlier: int | None = None


def looped(text: str) -> Loop | None:
    """Does this reply repeat itself, or say nothing?

    >>> looped("I see. " * 20)
    Loop(kind='repeats itself', share=1.0, period=7, start=0, earlier=None)
    >>> looped("I see, I see, said the blind man.")
    """
    if not text.strip():
        return Loop("empty", 1.0)
    kept = np.arange(max(0, len(text.rstrip()) - READ), len(text.rstrip()))
    plain = _repeated(text, kept)
    if plain is not None:
        return plain
    numbered = np.ones(len(text), bool)
    for match in _NUMBERED.finditer(text):
        numbered[match.start() : match.end()] = False
    return None if numbered.all() else _repeated(text, kept[numbered[kept]], letters=True)


def loops(replies: Sequence[str]) -> tuple[Loop | None, ...]:
    """Which replies of a conversation loop, each by itself or by saying again what an earlier one said?"""
    found: list[Loop | None] = []
    seen: list[set[tuple[str, ...]]] = []
    for reply in replies:
        grams = _grams(reply)
        shares = [len(grams & other) / len(grams) if grams else 0.0 for other in seen]
        loop = looped(reply)
        if loop is None and max(shares, default=0.0) >= SAID:
            first = next(place for place, share in enumerate(shares) if share >= SAID)
            loop = Loop("repeats an earlier reply", shares[first], earlier=first)
        found.append(loop)
        seen.append(grams)
    return tuple(found)


def absorbed(found: Sequence[Loop | None]) -> int | None:
    """The first turn of the loops in which a conversation ends, or None if its last reply is none."""
    first = len(found)
    while first and found[first - 1] is not None:
        first -= 1
    return None if first == len(found) else first


def _repeated(text: str, kept: NDArray[np.int64], *, letters: bool = False) -> Loop | None:
    """The widest stretch of the characters `kept` that repeats with one period, if it is a loop."""
    code = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)[kept]
    size = len(code)
    best: tuple[int, int, int] | None = None
    for period in range(1, min(LONGEST_PERIOD, size // TIMES) + 1):
        length, begin = _longest(code[period:] == code[:-period])
        covered = length + period
        if covered < TIMES * period or (best is not None and covered <= best[0]):
            continue
        if letters and not any(text[place].isalpha() for place in kept[begin : begin + period]):
            continue
        best = covered, period, begin
    if best is None:
        return None
    covered, period, begin = best
    share = covered / size
    at_the_end = begin + covered == size and covered >= SHORTEST_TAIL and share >= TAIL
    if (share < HALF or covered < SHORTEST) and not at_the_end:
        return None
    return Loop("repeats itself", float(share), period, int(kept[begin]))


def _longest(same: NDArray[np.bool_]) -> tuple[int, int]:
    """Length and start of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).view(np.int8)))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    place = int(lengths.argmax())
    return int(lengths[place]), int(edges[2 * place])


def _grams(text: str) -> set[tuple[str, ...]]:
    """Runs of five words, in lower case; none of a short reply."""
    words = re.findall(r"\w+", text.lower())
    return set() if len(words) < SHORTEST_REPLY else {tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)}
