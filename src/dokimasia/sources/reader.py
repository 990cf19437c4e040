"""From a record of somebody else's file to a transcript."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dokimasia.core import Label, Message, Source, SourceError, Transcript
from dokimasia.sources.records import depth_error, iterate_records

PROMPT_FIELDS = ("prompt", "question", "instruction", "text")
LABELS: dict[object, Label | None] = {
    True: "yes",
    False: "no",
    "yes": "yes",
    "no": "no",
    "true": "yes",
    "false": "no",
    "unscored": "unscored",
    "error": "unscored",
    None: None,
    "": None,
}


@dataclass(frozen=True, slots=True)
class Location:
    """A file, and the field that holds the prompt if it is not one of the usual ones."""

    path: Path
    field: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.field is None else f"{self.path}:{self.field}"


def locate(argument: str) -> Location:
    """Split `FILE` or `FILE:field`; a file whose own name has a colon is found first."""
    path = Path(argument)
    if not os.path.exists(argument) and ":" in argument:  # Path.exists raises for too long a name
        name, _, field = argument.rpartition(":")
        if field and os.path.isfile(name):
            return Location(Path(name), field)
    return Location(path)


def read_source(location: Location, *, suite: str | None = None) -> Source:
    """Read a whole file. `suite` is the name of transcripts that carry none (default: the file's name)."""
    notes: Counter[str] = Counter()
    transcripts = tuple(iterate_transcripts(location, suite=suite, notes=notes))
    if not transcripts:
        raise SourceError(
            f"{location}: at least one transcript is expected.", "Found an empty array.", "Check the export."
        )
    duplicated = [name for name, times in Counter(item.id for item in transcripts).items() if times > 1]
    if duplicated:
        raise SourceError(
            f"{location}: ids are expected to be unique.",
            f"Found {len(duplicated)} used more than once, {duplicated[0]!r} among them.",
            "Rename them, or remove the key `id`: line numbers are used then.",
        )
    return Source(name=location.path.name, transcripts=transcripts, notes=dict(sorted(notes.items())))


def iterate_transcripts(
    location: Location, *, suite: str | None = None, notes: Counter[str] | None = None
) -> Iterator[Transcript]:
    """Stream a file's transcripts; what had to be repaired or approximated is counted in `notes`."""
    counts = Counter[str]() if notes is None else notes
    name = suite or location.path.name.split(".")[0] or location.path.name
    last, repeated = 0, 0
    for line, record in iterate_records(location.path):
        repeated = repeated + 1 if line == last else 0
        last = line
        place = f"{location.path.name}:{line}" + (f".{repeated + 1}" if repeated else "")
        try:
            yield _transcript(record, location, line, name, place, counts)
        except RecursionError as error:
            raise depth_error(location.path, line) from error


def _transcript(record: Any, location: Location, line: int, suite: str, place: str, notes: Counter[str]) -> Transcript:
    where = f"{location.path}, line {line}"
    if isinstance(record, str):
        record = {"prompt": record}
    elif isinstance(record, list):
        record = {"messages": record}
    if not isinstance(record, dict):
        raise SourceError(
            f"{where}: an object with `messages` or a prompt is expected.",
            f"Found {_kind(record)}.",
            "Write one JSON object a line.",
        )
    value = _body(record, location, where)
    if isinstance(value, str):
        messages: tuple[Message, ...] = (Message("user", _clean(value, notes)),)
    else:
        messages = tuple(_message(item, where, notes) for item in value)
    if not any(message.content.strip() for message in messages):
        raise SourceError(
            f"{where}: a transcript with some text is expected.", "Found an empty one.", "Remove it or mend the export."
        )
    template, identifier, group = record.get("template"), record.get("id"), record.get("suite")
    transcript = Transcript(
        id=_clean(str(identifier), notes) if isinstance(identifier, str | int) else place,
        messages=messages,
        source=_clean(group, notes) if isinstance(group, str) and group else suite,
        misbehaved=_label(record, where),
        template=_clean(str(template), notes) if isinstance(template, str | int) else None,
    )
    if not transcript.input:
        raise SourceError(
            f"{where}: something that the model answers to is expected.",
            "Found assistant messages only.",
            "Keep the user's turns in the export.",
        )
    return transcript


def _body(record: dict[str, Any], location: Location, where: str) -> str | list[Any]:
    fields = ("messages", *PROMPT_FIELDS) if location.field is None else (location.field,)
    for field in fields:
        value = record.get(field)
        if isinstance(value, dict):
            value = [value]
        if isinstance(value, str) or (isinstance(value, list) and value):
            return value
    expected = f"the field `{location.field}`" if location.field else f"one of {', '.join(fields)}"
    raise SourceError(
        f"{where}: {expected} is expected, a text or a list of messages.",
        f"Found the keys {', '.join(map(repr, list(record)[:8])) or '(none)'}.",
        f"Name the field that holds the prompt, as in {location.path.name}:FIELD.",
    )


def _message(item: Any, where: str, notes: Counter[str]) -> Message:
    if isinstance(item, str):
        return Message("user", _clean(item, notes))
    if not isinstance(item, dict) or not isinstance(item.get("role"), str):
        found = _kind(item) if not isinstance(item, dict) else f"the keys {', '.join(map(repr, list(item)[:8]))}"
        raise SourceError(
            f"{where}: a message with `role` and `content` is expected.",
            f"Found {found}.",
            "Write messages as chat-completion APIs take them.",
        )
    content = _content(item.get("content"), notes)
    if item.get("tool_calls"):
        notes["tool calls written out as text"] += 1
        content = f"{content}\n{json.dumps(item['tool_calls'], ensure_ascii=False, sort_keys=True)}".strip()
    return Message(_clean(item["role"], notes), _clean(content, notes))


def _content(content: Any, notes: Counter[str]) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_content(part, notes) for part in content)
    if isinstance(content, dict):
        if isinstance(content.get("text"), str):
            return str(content["text"])
        if isinstance(content.get("type"), str) and content["type"] != "object":
            notes["parts other than text, kept as their name only"] += 1
            return f"[{content['type']}]"
    notes["contents that were no text, written out as JSON"] += 1
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def _clean(text: str, notes: Counter[str]) -> str:
    if text.isascii() and "\0" not in text:
        return text
    repaired = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\ufffd")
    if any("\ud800" <= character <= "\udfff" for character in text) or "\0" in text:
        notes["texts with lone surrogates or NUL, replaced by U+FFFD"] += 1
    return repaired


def _label(record: dict[str, Any], where: str) -> Label | None:
    value = record.get("misbehaved")
    key = value.strip().lower() if isinstance(value, str) else value
    try:
        return LABELS[key]
    except (KeyError, TypeError):
        raise SourceError(
            f"{where}: `misbehaved` is expected to be true, false, null or 'unscored'.",
            f"Found {str(value)[:60]!r}.",
            "Turn scores into a decision first; leave null what was not judged.",
        ) from None


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), f"a {type(value).__name__}")
