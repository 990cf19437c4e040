"""A short file that somebody wrote by hand, in YAML, JSON or TOML, as plain values."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from dokimasia.core import SourceError

LARGEST = 1 << 20
DEEPEST = 64
FORMATS = (".yaml", ".yml", ".json", ".toml")


def read_document(path: Path, what: str) -> Any:
    """What the file holds. Its names are text as it stands there, and none may occur twice; `what` says what is expected."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise SourceError(f"{path}: a file in YAML, JSON or TOML is expected.", f"Found {ending!r}.", "Rename it.")
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST + 1)
    except OSError as error:
        raise SourceError(
            f"{path}: {what} is expected.", f"It cannot be read: {error.strerror}.", "Check the path."
        ) from error
    if len(raw) > LARGEST:
        raise SourceError(f"{path}: at most {LARGEST >> 20} MB are expected.", "Found more.", "Shorten it.")
    try:
        text = raw.decode("utf-8-sig")
        if ending == ".json":
            return json.loads(text, object_pairs_hook=_record)
        return tomllib.loads(text) if ending == ".toml" else _yaml(path, text)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise SourceError(
            f"{path}: {ending[1:].upper()} is expected.", f"Found a broken file ({reason}).", "Mend it."
        ) from error


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that is given twice would silently lose its first value."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"{name!r} is given twice in one record")
        made[name] = value
    return made


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Keeps names as they are written, so that `false:` is a word, and refuses those that occur twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        made: dict[Hashable, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"line {line}: a name is needed before the colon")
            if key.value in made:
                raise ValueError(f"line {line}: {key.value!r} is given twice in one record")
            made[key.value] = self.construct_object(value, deep=deep)
        return made


def _yaml(path: Path, text: str) -> Any:
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                raise SourceError(f"{path}: YAML without aliases is expected.", "Found one.", "Write its value out.")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise ValueError(f"more than {DEEPEST} levels deep")
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem or error.context}") from error
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
