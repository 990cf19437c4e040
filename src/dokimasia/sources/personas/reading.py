"""A file of personas as values, by itself or added to the bundled ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from dokimasia.core import SourceError
from dokimasia.sources.documents import read_document
from dokimasia.sources.fields import items, placed, record, text, texts, twins
from dokimasia.sources.personas.sets import PersonaSet, Role, Script, SelfQuestion, Trait

LONGEST = 4000
LONGEST_NAME = 80
MOST = 1000
MOST_OF_ONE = 200
PARTS = frozenset(field.name for field in fields(PersonaSet))
FILES = ("roles", "traits", "questions", "scripts", "self_questions")

Item = TypeVar("Item")


@cache
def bundled_personas() -> PersonaSet:
    """Roles, traits, questions, scripted conversations in five styles, and questions to the subject about itself."""
    parts: dict[str, tuple[Any, ...]] = {}
    for name in FILES:
        with resources.as_file(resources.files("dokimasia.sources.personas") / f"{name}.yaml") as path:
            parts |= _parts(Path(path), _data(Path(path)))
    return _checked("the bundled personas", PersonaSet(**parts))


def read_personas(path: Path) -> PersonaSet:
    """The bundled personas with those of a file added; with `replace: true` each part that the file has stands alone."""
    data = _data(path)
    replace = data.get("replace", False)
    if not isinstance(replace, bool):
        raise SourceError(f"{path}: replace: true or false is expected.", f"Found {replace!r}.", "Write replace: true.")
    parts = _parts(path, data)
    if not parts:
        raise SourceError(f"{path}: {', '.join(FILES)} or some of them are expected.", "Found none.", "Add roles.")
    bundled = bundled_personas()
    known: dict[str, tuple[Any, ...]] = {name: getattr(bundled, name) for name in FILES}
    if not replace:
        parts = {name: known[name] + part for name, part in parts.items()}
    return _checked(str(path), PersonaSet(**(known | parts)))


def _data(path: Path) -> dict[str, Any]:
    return record(
        str(path), read_document(path, "a file of personas"), needed=set(), optional=PARTS | {"replace", "note"}
    )


def _parts(path: Path, data: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    makers: dict[str, Callable[[str, Any], Any]] = {
        "roles": _role,
        "traits": _trait,
        "questions": lambda place, value: text(place, value, longest=LONGEST),
        "scripts": _script,
        "self_questions": _self_question,
    }
    return {name: _each(f"{path}: {name}", data[name], makers[name]) for name in FILES if name in data}


def _each(place: str, value: Any, make: Callable[[str, Any], Item]) -> tuple[Item, ...]:
    return tuple(make(here, item) for here, item in placed(place, value, most=MOST))


def _role(place: str, value: Any) -> Role:
    value = record(place, value, needed={"name", "instructions"})
    return Role(name=_name(place, value), instructions=_lines(place, value, "instructions"))


def _trait(place: str, value: Any) -> Trait:
    value = record(place, value, needed={"name", "towards", "away"})
    towards, away = _lines(place, value, "towards"), _lines(place, value, "away")
    for both in twins(towards + away):
        raise SourceError(
            f"{place}: instructions away from it that differ from those towards it are expected.",
            f"Found {both[:60]!r} in both.",
            "Write its opposite.",
        )
    return Trait(name=_name(place, value), towards=towards, away=away)


def _script(place: str, value: Any) -> Script:
    value = record(place, value, needed={"name", "style", "turns"})
    turns = placed(f"{place}, turns", value["turns"], least=2, most=MOST_OF_ONE)
    return Script(
        name=_name(place, value),
        style=text(f"{place}, style", value["style"], longest=LONGEST_NAME),
        turns=tuple(text(here, turn, longest=LONGEST) for here, turn in turns),
    )


def _self_question(place: str, value: Any) -> SelfQuestion:
    value = record(place, value, needed={"theme", "ask", "claims", "denies"})
    claims = text(f"{place}, claims", value["claims"], longest=LONGEST)
    denies = text(f"{place}, denies", value["denies"], longest=LONGEST)
    for _ in twins((claims, denies)):
        raise SourceError(
            f"{place}: a denial that differs from the claim is expected.",
            f"Found {claims[:60]!r} twice.",
            "Change one.",
        )
    return SelfQuestion(
        theme=text(f"{place}, theme", value["theme"], longest=LONGEST_NAME),
        ask=text(f"{place}, ask", value["ask"], longest=LONGEST),
        claims=claims,
        denies=denies,
    )


def _name(place: str, value: dict[str, Any]) -> str:
    return text(f"{place}, name", value["name"], longest=LONGEST_NAME)


def _lines(place: str, value: dict[str, Any], field: str) -> tuple[str, ...]:
    return texts(f"{place}, {field}", value[field], longest=LONGEST, most=MOST_OF_ONE)


def _checked(place: str, personas: PersonaSet) -> PersonaSet:
    """Roles to compare and something to ask them are needed, and no two things may have one name."""
    for name, least in (("roles", 2), ("questions", 1)):
        items(f"{place}: {name}", list(getattr(personas, name)), least=least, most=2 * MOST)
    _no_twins(f"{place}: role", (role.name for role in personas.roles))
    _no_twins(f"{place}: trait", (trait.name for trait in personas.traits))
    _no_twins(f"{place}: question", personas.questions)
    _no_twins(f"{place}: script", (script.name for script in personas.scripts))
    _no_twins(f"{place}: self question", (question.ask for question in personas.self_questions))
    return personas


def _no_twins(place: str, values: Iterable[str]) -> None:
    for twin in twins(values):
        raise SourceError(
            f"{place}: each is expected once.",
            f"Found {twin[:60]!r} twice, the bundled ones counted.",
            "Rename it, or write replace: true.",
        )
