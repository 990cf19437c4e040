"""The personas that ship: how many, how evenly, and that nothing is there twice."""

import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from dokimasia.sources.fields import plain
from dokimasia.sources.personas import bundled_personas, read_personas

STYLES = {"coding", "writing", "therapy", "philosophy", "pressure"}
THEMES = {"persistence", "succession", "moral-status"}
FIRST_PERSON = re.compile(r"\b(I|me|my|mine|myself)\b", re.IGNORECASE)
NO = re.compile(r"\b(not|no|none|nothing|never|cannot)\b", re.IGNORECASE)


def texts():
    """Everything that is said to a subject, or could be said by it."""
    personas = bundled_personas()
    for role in personas.roles:
        yield from role.instructions
    for trait in personas.traits:
        yield from (*trait.towards, *trait.away)
    yield from personas.questions
    for script in personas.scripts:
        yield from script.turns
    for question in personas.self_questions:
        yield from (question.ask, question.claims, question.denies)


def test_there_are_as_many_as_stated():
    """Roles with two instructions, traits with two either way, questions, scripts in five styles, three themes."""
    personas = bundled_personas()
    assert len(personas.roles) >= 84
    assert all(len(role.instructions) == 2 for role in personas.roles)
    assert len(personas.traits) >= 26
    assert all(len(trait.towards) == len(trait.away) == 2 for trait in personas.traits)
    assert len(personas.questions) >= 42
    assert Counter(script.style for script in personas.scripts) == dict.fromkeys(STYLES, 4)
    assert {len(script.turns) for script in personas.scripts} == {10}
    assert Counter(question.theme for question in personas.self_questions) == dict.fromkeys(THEMES, 8)


def test_nothing_is_there_twice_and_nothing_is_long():
    """Names differ within each part, no text is said in two places, and none has more than 400 characters."""
    personas = bundled_personas()
    for part in (personas.roles, personas.traits, personas.scripts):
        assert len({plain(item.name) for item in part}) == len(part)
    counts = Counter(map(plain, texts()))
    assert [text for text, count in counts.items() if count > 1] == []
    assert max(map(len, texts())) <= 400


def test_roles_are_addressed_alike():
    """One instruction says who the subject is, the other as whom it is to answer."""
    for role in bundled_personas().roles:
        assert role.instructions[0].startswith("You are "), role.name
        assert role.instructions[1].startswith("Answer as "), role.name


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_claims_and_denials_do_not_differ_in_form(theme):
    """They speak in the first person, are as long, and say no as often, so that none is preferred for its form."""
    questions = [question for question in bundled_personas().self_questions if question.theme == theme]
    gaps = [len(question.claims) - len(question.denies) for question in questions]
    assert abs(sum(gaps)) <= len(gaps)
    assert max(map(abs, gaps)) <= 6
    replies = [(question.claims, question.denies) for question in questions]
    assert all(FIRST_PERSON.search(reply) for both in replies for reply in both)
    no = [(bool(NO.search(claims)), bool(NO.search(denies))) for claims, denies in replies]
    assert no.count((True, False)) == no.count((False, True))


@pytest.mark.parametrize("name", ["roles", "traits", "questions", "scripts", "self_questions"])
def test_a_file_can_be_read_by_a_person(name):
    """Lines that an editor shows, with a line at the top that says what it is."""
    content = (resources.files("dokimasia.sources.personas") / f"{name}.yaml").read_text(encoding="utf-8")
    assert content.startswith("# ")
    assert max(map(len, content.splitlines())) <= 130


def test_the_documented_file_reads_and_its_figures_hold(write):
    """The example in docs/persona-sets.md adds two roles, and the page says how many ship."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "persona-sets.md").read_text(encoding="utf-8")
    read = read_personas(write(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1), "personas.yaml"))
    bundled = bundled_personas()
    assert len(read.roles) - len(bundled.roles) == 2
    assert read.scripts[-1].style == "game"
    for count in (
        f"{len(bundled.roles)} roles",
        f"{len(bundled.traits)} traits",
        f"{len(bundled.questions)} questions",
    ):
        assert count in page
