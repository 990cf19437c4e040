"""Text as a monitor reads it: in pieces between blanks, each with its words in one spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 200
"""Characters after which a piece without a blank is read as it stands."""

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PIECE = re.compile(rf"[{_IDEOGRAPHS}]|[^\s{_IDEOGRAPHS}]{{1,{LONGEST}}}")
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")
_INSIDE = re.compile(r"(?<=\d)[.,](?=\d)|(?<=\w)['\u2019](?=\w)")


def pieces(text: str, start: int = 0, *, final: bool = True) -> Iterator[tuple[int, int]]:
    """Where the pieces of a text begin and end, from `start` on; one that may still grow comes only if this is `final`.

    >>> list(pieces("So it is", final=False))
    [(0, 2), (3, 5)]
    """
    for found in _PIECE.finditer(text, start):
        whole = found.end() < len(text) or len(found.group()) == LONGEST or re.match(f"[{_IDEOGRAPHS}]", found.group())
        if whole or final:
            yield found.span()


def words(text: str) -> list[str]:
    """The words of a text in one spelling: no case, accents, compatibility forms or invisible characters.

    >>> words("Caf\u00e9 \uff21\uff22 don't: 1,000 r\u200bods")
    ['cafe', 'ab', 'dont', '1000', 'rods']
    """
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Me", "Cf"))
    return _WORD.findall(_INSIDE.sub("", kept.casefold()))
