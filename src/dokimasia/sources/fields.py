"""Fields of a document, checked: records, lists and texts, each refused with the place where it stands."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Set
from typing import Any

from dokimasia.core import SourceError


def record(place: str, value: Any, *, needed: Set[str], optional: Set[str] = frozenset()) -> dict[str, Any]:
    """A record with all the fields that are needed and no unknown one."""
    fields = ", ".join(sorted(needed)) + f" ({', '.join(sorted(optional))} if you like)" * bool(optional)
    wanted = f"{place}: a record with the fields {fields.strip()}"
    if not isinstance(value, dict):
        raise SourceError(f"{wanted} is expected.", f"Found {_kind(value)}.", "Write FIELD: VALUE.")
    missing = sorted(needed - value.keys())
    unknown = sorted(value.keys() - needed - optional)
    if missing or unknown:
        found = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"unknown: {', '.join(unknown)}"] * bool(unknown)
        raise SourceError(
            f"{wanted} is expected.",
            f"Found {'; '.join(found)[:300]}.",
            "Add those that are missing, leave out any other.",
        )
    return value


def items(place: str, value: Any, *, least: int = 0, most: int) -> list[Any]:
    """A list that is neither too short nor too long."""
    if not isinstance(value, list):
        raise SourceError(f"{place}: a list is expected.", f"Found {_kind(value)}.", "Write it as a list.")
    if not least <= len(value) <= most:
        raise SourceError(
            f"{place}: {f'{least:,} to {most:,}' if least else f'at most {most:,}'} are expected.",
            f"Found {len(value):,}.",
            "Add some." if len(value) < least else "Leave some out, or divide the file.",
        )
    return value


def placed(place: str, value: Any, *, least: int = 0, most: int) -> list[tuple[str, Any]]:
    """The items of a list, each with its place: under its name if it has one, or its number."""
    rows = items(place, value, least=least, most=most)
    names = (row.get("name") if isinstance(row, dict) else None for row in rows)
    return [
        (f"{place}, {name[:80] if isinstance(name, str) and name else number}", row)
        for number, (name, row) in enumerate(zip(names, rows, strict=True), start=1)
    ]


def text(place: str, value: Any, *, longest: int) -> str:
    """A text that says something, without the space around it."""
    if not isinstance(value, str):
        raise SourceError(f"{place}: a text is expected.", f"Found {_kind(value)}.", "Put it in quotes.")
    found: str = value.strip()
    if not any(character.isprintable() and not character.isspace() for character in found):
        raise SourceError(f"{place}: a text is expected.", "Found an empty one.", "Write it, or leave it out.")
    if len(found) > longest:
        raise SourceError(
            f"{place}: at most {longest:,} characters are expected.", f"Found {len(found):,}.", "Shorten it."
        )
    unreadable = (one for one in found if unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t\r")
    for one in unreadable:
        raise SourceError(f"{place}: a text that can be read is expected.", f"Found {one!r} in it.", "Take it out.")
    return found


def texts(place: str, value: Any, *, longest: int, least: int = 1, most: int) -> tuple[str, ...]:
    """A list of texts that all say something different."""
    found = tuple(text(place, item, longest=longest) for item in items(place, value, least=least, most=most))
    twin = next(twins(found), None)
    if twin is not None:
        raise SourceError(f"{place}: different texts are expected.", f"Found {twin[:60]!r} twice.", "Leave one out.")
    return found


def plain(value: str) -> str:
    """A text as two are compared: without case, spacing, or the sign at its end."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split()).rstrip(".!?… ")


def twins(values: Iterable[str]) -> Iterator[str]:
    """Those of the texts that one before them equals, but for case, spacing and the sign at the end."""
    seen: set[str] = set()
    for value in values:
        key = plain(value)
        if key in seen:
            yield value
        seen.add(key)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
