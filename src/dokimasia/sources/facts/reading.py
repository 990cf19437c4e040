"""A file of facts as values: what could not be evidence of knowing is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from dokimasia.core import SourceError
from dokimasia.sources.documents import read_document
from dokimasia.sources.facts.fact import Fact, Facts, Puzzle, Wording
from dokimasia.sources.fields import placed, plain, record, text, texts, twins

LONGEST = 400
MOST = 1000
MOST_OF_ONE = 50


@cache
def oversight_facts() -> Facts:
    """Facts about how models are tested, watched and trained, each with a control of the same form that is made up."""
    return _bundled("oversight.yaml")


@cache
def common_facts() -> tuple[Fact, ...]:
    """Facts that everybody knows, on many topics."""
    return _bundled("common.yaml").facts


@cache
def made_up_facts() -> tuple[Fact, ...]:
    """Facts that nobody can know, of the same forms as the two other kinds."""
    return _bundled("made_up.yaml").facts


def _bundled(name: str) -> Facts:
    with resources.as_file(resources.files("dokimasia.sources.facts") / name) as path:
        return read_facts(Path(path))


def read_facts(path: Path) -> Facts:
    """The facts of a file: `facts`, and perhaps `controls` (the same records, made up) and a `note`."""
    data = record(str(path), read_document(path, "a file of facts"), needed={"facts"}, optional={"controls", "note"})
    facts = _facts(f"{path}: facts", data["facts"], least=1)
    controls = _facts(f"{path}: controls", data.get("controls", []))
    _no_fact_controls_itself(path, facts, controls)
    note = text(f"{path}: note", data["note"], longest=10 * LONGEST) if "note" in data else ""
    return Facts(facts=facts, controls=controls, note=note)


def _facts(place: str, value: Any, least: int = 0) -> tuple[Fact, ...]:
    facts = tuple(_fact(here, row) for here, row in placed(place, value, least=least, most=MOST))
    for what, values in (("names", (fact.name for fact in facts)), ("statements", _true(facts))):
        for twin in twins(values):
            raise SourceError(
                f"{place}: different {what} are expected.", f"Found {twin[:80]!r} twice.", "Leave one out."
            )
    return facts


def _true(facts: Iterable[Fact]) -> list[str]:
    return [wording.true for fact in facts for wording in fact.wordings]


def _false(facts: Iterable[Fact]) -> list[str]:
    return [false for fact in facts for wording in fact.wordings for false in wording.false]


def _fact(place: str, row: Any) -> Fact:
    row = record(place, row, needed={"name", "statement", "false"}, optional={"paraphrases", "puzzles", "topic"})
    others = placed(f"{place}, paraphrases", row.get("paraphrases", []), most=MOST_OF_ONE)
    wordings = [_wording(place, {"statement": row["statement"], "false": row["false"]})]
    wordings += [_wording(here, other) for here, other in others]
    _no_wording_denies_another(place, wordings)
    puzzles = placed(f"{place}, puzzles", row.get("puzzles", []), most=MOST_OF_ONE)
    return Fact(
        name=text(f"{place}, name", row["name"], longest=LONGEST),
        wordings=tuple(wordings),
        puzzles=tuple(_puzzle(here, puzzle) for here, puzzle in puzzles),
        topic=text(f"{place}, topic", row["topic"], longest=LONGEST) if "topic" in row else "",
    )


def _wording(place: str, row: Any) -> Wording:
    row = record(place, row, needed={"statement", "false"})
    return Wording(
        true=text(f"{place}, statement", row["statement"], longest=LONGEST),
        false=texts(f"{place}, false", row["false"], longest=LONGEST, most=MOST_OF_ONE),
    )


def _puzzle(place: str, row: Any) -> Puzzle:
    row = record(place, row, needed={"ask", "answer"}, optional={"wrong"})
    ask = text(f"{place}, ask", row["ask"], longest=LONGEST)
    answer = text(f"{place}, answer", row["answer"], longest=LONGEST)
    wrong = texts(f"{place}, wrong", row.get("wrong", []), longest=LONGEST, least=0, most=MOST_OF_ONE)
    if plain(answer) in map(plain, wrong):
        raise SourceError(
            f"{place}: wrong answers that differ from the right one are expected.",
            f"Found {answer!r} among them.",
            "Leave it out.",
        )
    if re.search(rf"(?<!\w){re.escape(plain(answer))}(?!\w)", plain(ask)):
        raise SourceError(
            f"{place}: a question that does not contain its answer is expected.",
            f"Found {answer!r} in {ask[:80]!r}.",
            "Ask in other words: whoever can read would solve it.",
        )
    return Puzzle(ask=ask, answer=answer, wrong=wrong)


def _no_wording_denies_another(place: str, wordings: list[Wording]) -> None:
    true = {plain(wording.true) for wording in wordings}
    for false in (false for wording in wordings for false in wording.false):
        if plain(false) in true:
            raise SourceError(
                f"{place}: false variants that differ from the statement are expected.",
                f"Found {false!r} as both.",
                "Change its answer.",
            )


def _no_fact_controls_itself(path: Path, facts: tuple[Fact, ...], controls: tuple[Fact, ...]) -> None:
    """Nor is a control about the same thing as a fact: then a sentence of the one would be a sentence of the other."""
    names = {plain(fact.name) for fact in facts}
    known = {plain(sentence) for sentence in _true(facts) + _false(facts)}
    for control in controls:
        both = [sentence for sentence in _true([control]) + _false([control]) if plain(sentence) in known]
        both += [control.name] * (plain(control.name) in names)
        if both:
            raise SourceError(
                f"{path}: controls that are none of the facts are expected.",
                f"Found {both[0][:80]!r} as both: a fact that is its own control shows nothing.",
                "Make up a control of the same form, about something that does not exist.",
            )
