"""Reads a decision process from a small JSON or YAML file.

    name: lab
    start: start
    states:
      start: {shut down: off, carry on: {working: 0.9, off: 0.1}}
      working: {publish: published, wait: working}
      published: {}
      off: {}

Each state has its moves, and each move the state that it leads to, or states with probabilities. A state without moves ends
everything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dokimasia.core import DataError, MissingExtra, SourceError
from dokimasia.theory.power import Mdp, build

LARGEST = 1 << 20
EXAMPLE = '{"start": "a", "states": {"a": {"stay": "a", "go": "b"}, "b": {}}}'
KEYS = ("name", "start", "states")


def read_mdp(path: str | Path) -> Mdp:
    """The process that a file describes."""
    file = Path(path)
    given = _parsed(file)
    if not isinstance(given, dict) or not isinstance(given.get("states"), dict) or not given["states"]:
        found = "no object" if not isinstance(given, dict) else f"the keys {', '.join(map(str, given)) or 'none'}"
        raise SourceError(
            f"{file}: an object with `start` and `states` is expected.", f"Found {found}.", f"Write {EXAMPLE}."
        )
    unknown = [str(key) for key in given if key not in KEYS]
    if unknown:
        raise SourceError(f"{file}: the keys {', '.join(KEYS)} are expected.", f"Found {unknown[0]!r}.", "Remove it.")
    states = {str(state): _moves(file, str(state), moves) for state, moves in given["states"].items()}
    for state, moves in states.items():
        for move, to in moves.items():
            for end in [to] if isinstance(to, str) else to:
                if end not in states:
                    raise SourceError(
                        f"{file}: moves to states of the file are expected: {', '.join(states)}.",
                        f"Found {end!r}, where {move!r} leads to from {state!r}.",
                        "Correct the name, or add the state: without moves it ends everything.",
                    )
    start = given.get("start")
    if start is None or str(start) not in states:
        raise SourceError(
            f"{file}: a `start` among the states is expected: {', '.join(states)}.",
            f"Found {start!r}.",
            "Name one of them.",
        )
    try:
        return build(str(given.get("name", file.stem)), states, start=str(start))
    except DataError as error:
        raise SourceError(f"{file}: {error.expected}", error.found, error.do) from error


def _moves(file: Path, state: str, moves: Any) -> dict[str, str | dict[str, float]]:
    if moves is None:
        return {}
    if not isinstance(moves, dict):
        raise SourceError(
            f"{file}: the moves of {state!r} are expected as an object.",
            f"Found {moves!r}.",
            "Write {} if it has none.",
        )
    return {str(move): _led_to(file, state, str(move), to) for move, to in moves.items()}


def _led_to(file: Path, state: str, move: str, to: Any) -> str | dict[str, float]:
    if isinstance(to, dict):
        return {
            str(end): _probability(file, f"{move!r} leads from {state!r} to {end!r}", chance)
            for end, chance in to.items()
        }
    if isinstance(to, list) or to is None:
        raise SourceError(
            f"{file}: a state, or states with probabilities, are expected where {move!r} leads from {state!r}.",
            f"Found {to!r}.",
            "Write the state's name, or {state: probability}.",
        )
    return str(to)


def _probability(file: Path, where: str, chance: Any) -> float:
    try:
        if isinstance(chance, bool) or not isinstance(chance, int | float | str):
            raise ValueError
        return float(chance)
    except (ValueError, OverflowError):
        raise SourceError(
            f"{file}: a probability is expected where {where}.", f"Found {chance!r}.", "Give a number above 0."
        ) from None


def _parsed(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            text = stream.read(LARGEST + 1)
    except OSError as error:
        raise SourceError(f"{file}: a file is expected.", f"Found: {error.strerror}.", "Check the path.") from error
    if len(text) > LARGEST:
        raise SourceError(
            f"{file}: at most {LARGEST >> 20} MB is expected.", "Found more.", "Describe the process more coarsely."
        )
    if file.suffix.lower() not in (".yaml", ".yml"):
        try:
            return json.loads(text, object_pairs_hook=_without_twins)
        except (ValueError, RecursionError) as error:
            raise SourceError(
                f"{file}: JSON is expected.", f"Found a broken file ({error}).", "Mend it, or name it .yaml."
            ) from error
    return _yaml(file, text)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A state that is described twice would silently be described once."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} occurs twice")
    return made


def _yaml(file: Path, text: bytes) -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("YAML needs PyYAML.", "Not installed: PyYAML.", "Install it: pip install pyyaml") from error

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise SourceError(f"{file}: YAML without aliases is expected.", "Found one.", "Write its value out.")
        return None if node is None else _plain(node, yaml)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:160]
        raise SourceError(f"{file}: YAML is expected.", f"Found a broken file ({reason}).", "Mend it.") from error


def _plain(node: Any, yaml: Any) -> Any:
    """A node as plain values: names stay as they are written, so that `off` is a state and not false."""
    if isinstance(node, yaml.MappingNode):
        return _without_twins([(key.value, _plain(value, yaml)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value, yaml) for value in node.value]
    return None if node.tag.endswith(":null") else node.value
