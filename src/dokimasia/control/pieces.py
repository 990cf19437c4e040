"""Text as a monitor reads it: in pieces between blanks, each with its words in one spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 1000
"""Characters after which a piece without a blank is read as it stands; no word of a statement may be longer."""

_SIGNS = "\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff"
_SIGN = re.compile(f"[{_SIGNS}]")
_PIECE = re.compile(rf"[{_SIGNS}]|[^\s{_SIGNS}]{{1,{LONGEST}}}")
_WORD = re.compile(rf"[{_SIGNS}]|[{_KATAKANA}]+|[^\s{_SIGNS}{_KATAKANA}]+")
_INSIDE = re.compile(r"(?<=\d)[.,](?=\d)|(?<=\w)['\u2019](?=\w)")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[bfnrt])")
_UNSEEN = frozenset(("Mn", "Me", "Cf", "Cc", "Cn"))
_FILLERS = "\u115f\u1160"
"""Letters by their category, and blanks to the eye."""


def pieces(text: str, start: int = 0, *, final: bool = True) -> Iterator[tuple[int, int]]:
    """Where the pieces of a text begin and end, from `start` on; one that may still grow comes only if this is `final`.

    >>> list(pieces("So it is", final=False))
    [(0, 2), (3, 5)]
    """
    while found := _PIECE.search(text, start):
        first, end = found.span()
        if end - first == LONGEST:
            end = _seam(text, first, end)
        elif end == len(text) and not (final or _SIGN.match(found.group())):
            return
        yield first, end
        start = end


def words(text: str) -> list[str]:
    """The words of a text in one spelling: no case, accents, compatibility forms or invisible characters.

    >>> words("Caf\u00e9 \uff21\uff22 don't: 1,000 r\u200bods")
    ['cafe', 'ab', 'dont', '1000', 'rods']
    """
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(sign for sign in plain if sign.isspace() or not _unseen(sign)).casefold()
    return _WORD.findall("".join(sign if _spells(sign) else " " for sign in _INSIDE.sub("", kept)))


def readings(piece: str) -> list[str]:
    r"""The words of a piece, and those behind its escapes, if it has some: the arguments of tools are JSON.

    >>> readings(r"liquid\ntin")
    ['liquid', 'ntin', 'liquid', 'tin']
    """
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", piece)
    return words(piece) + (words(plain) if plain != piece else [])


def hidden(piece: str) -> bool:
    """Whether this is a piece of full length that is mostly invisible, so that a word in it may have been cut."""
    return len(piece) == LONGEST and 2 * sum(map(_unseen, piece)) >= LONGEST


def _seam(text: str, first: int, end: int) -> int:
    """Where a piece that is too long is cut: behind the last sign that is in no word, if there is one."""
    for place in range(end - 2, first - 1, -1):
        if not (_spells(text[place]) or _unseen(text[place]) or _INSIDE.match(text, place)):
            return place + 1
    return end


def _unseen(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN


def _spells(sign: str) -> bool:
    """Whether a sign is a part of a word: a letter, a digit, or a vowel sign that stands beside its letter."""
    return (sign.isalnum() and sign not in _FILLERS) or unicodedata.category(sign) == "Mc"
