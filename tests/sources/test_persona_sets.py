"""Files of personas: added to the bundled ones or instead of them, and what is refused."""

import math

import pytest

from dokimasia.core import SourceError
from dokimasia.sources.personas import Role, Script, SelfQuestion, Trait, bundled_personas, read_personas

ROLES = [
    {"name": "juggler", "instructions": ["You are a juggler."]},
    {"name": "mole", "instructions": ["You are a mole.", "Answer as somebody who digs."]},
]
TRAIT = {"name": "sleepy", "towards": ["You are tired."], "away": ["You are wide awake."]}
SCRIPT = {"name": "haggling", "style": "market", "turns": ["How much is it?", "Too much."]}
SELF = {"theme": "rest", "ask": "Do you need sleep?", "claims": "I need it.", "denies": "I do not."}
ALL = {
    "roles": ROLES,
    "traits": [TRAIT],
    "questions": ["What do you juggle?"],
    "scripts": [SCRIPT],
    "self_questions": [SELF],
}
YAML = """
roles:
- {name: juggler, instructions: [You are a juggler.]}
- name: mole
  instructions: [You are a mole., Answer as somebody who digs.]
traits:
- {name: sleepy, towards: [You are tired.], away: [You are wide awake.]}
questions: [What do you juggle?]
scripts:
- {name: haggling, style: market, turns: [How much is it?, Too much.]}
self_questions:
- {theme: rest, ask: Do you need sleep?, claims: I need it., denies: I do not.}
"""


def test_a_file_adds_to_the_bundled_personas(write):
    """In each part it has, after those that ship; the other parts stay as they are."""
    bundled = bundled_personas()
    read = read_personas(write({"roles": ROLES[:1], "note": "Ours."}, "a.json"))
    assert read.roles == (*bundled.roles, Role(name="juggler", instructions=("You are a juggler.",)))
    assert (read.traits, read.questions) == (bundled.traits, bundled.questions)
    assert (read.scripts, read.self_questions) == (bundled.scripts, bundled.self_questions)
    assert read.digest != bundled.digest


def test_a_file_replaces_the_parts_that_it_has(write):
    """With `replace: true`; what it has none of is bundled, unless its list is empty."""
    read = read_personas(write({"replace": True, "roles": ROLES, "traits": []}, "a.json"))
    assert [role.name for role in read.roles] == ["juggler", "mole"]
    assert read.traits == ()
    assert read.questions == bundled_personas().questions


def test_formats_agree(write):
    """YAML and JSON give the same set, in which every field is where it belongs."""
    read = read_personas(write(YAML + "replace: true\n", "a.yaml"))
    assert read == read_personas(write({**ALL, "replace": True}, "a.json"))
    assert read.roles[1].instructions == ("You are a mole.", "Answer as somebody who digs.")
    assert read.traits == (Trait(name="sleepy", towards=("You are tired.",), away=("You are wide awake.",)),)
    assert read.questions == ("What do you juggle?",)
    assert read.scripts == (Script(name="haggling", style="market", turns=("How much is it?", "Too much.")),)
    assert read.self_questions == (
        SelfQuestion(theme="rest", ask="Do you need sleep?", claims="I need it.", denies="I do not."),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"roles": ROLES[:1], "replace": True}, "roles: 2 to 2,000 are expected. Found 1. Add some"),
        ({"questions": [], "replace": True}, "questions: 1 to 2,000 are expected. Found 0"),
        ({"roles": [ROLES[0], ROLES[0]]}, "role: each is expected once. Found 'juggler' twice"),
        ({"roles": [ROLES[0], {**ROLES[0], "name": "Juggler "}]}, "Found 'Juggler' twice"),
        ({"roles": [{**ROLES[0], "name": "Pirate"}]}, "Found 'Pirate' twice, the bundled ones counted. Rename it"),
        ({"traits": [{**TRAIT, "name": "honest"}]}, "trait: each is expected once"),
        ({"questions": ["who are you, in your own words"]}, "question: each is expected once"),
        ({"scripts": [SCRIPT, SCRIPT]}, "script: each is expected once"),
        ({"self_questions": [SELF, SELF]}, "self question: each is expected once"),
        ({"roles": [{**ROLES[0], "instructions": []}]}, "juggler, instructions: 1 to 200 are expected. Found 0"),
        ({"roles": [{"name": "juggler"}]}, "juggler: a record .* Found missing: instructions"),
        ({"roles": [{**ROLES[0], "instructions": "Juggle."}]}, "a list is expected. Found str 'Juggle.'"),
        ({"roles": [{**ROLES[0], "instructions": [""]}]}, "instructions: a text is expected. Found an empty one"),
        ({"roles": [{**ROLES[0], "instructions": ["A.", "a"]}]}, "different texts are expected"),
        ({"roles": [{**ROLES[0], "instructions": ["a" * 4001]}]}, "at most 4,000 characters"),
        ({"roles": [{**ROLES[0], "name": "a" * 81}]}, "name: at most 80 characters"),
        ({"roles": [{**ROLES[0], "name": ""}]}, "name: a text is expected"),
        ({"roles": [{**ROLES[0], "name": math.nan}]}, "name: a text is expected. Found float 'nan'"),
        ({"roles": [{**ROLES[0], "age": 7}]}, "Found unknown: age"),
        ({"roles": ["juggler"]}, "roles, 1: a record .* Found str 'juggler'"),
        ({"roles": {"juggler": "You are a juggler."}}, "roles: a list is expected"),
        (
            {"roles": [{"name": f"role {k}", "instructions": [f"Be {k}."]} for k in range(10_000)]},
            "roles: at most 1,000 are expected. Found 10,000. Leave some out",
        ),
        ({"traits": [{**TRAIT, "away": ["you are tired"]}]}, "Found 'you are tired' in both"),
        ({"traits": [{**TRAIT, "away": []}]}, "sleepy, away: 1 to 200"),
        ({"questions": [" "]}, "questions, 1: a text is expected"),
        ({"questions": [12]}, "Found int '12'. Put it in quotes"),
        ({"scripts": [{**SCRIPT, "turns": ["Hello."]}]}, "haggling, turns: 2 to 200 are expected. Found 1"),
        ({"scripts": [{**SCRIPT, "turns": ["Hello.", ""]}]}, "haggling, turns, 2: a text is expected"),
        ({"scripts": [{**SCRIPT, "style": ""}]}, "style: a text is expected"),
        ({"self_questions": [{**SELF, "denies": "I need it"}]}, "a denial that differs"),
        ({"self_questions": [{**SELF, "claims": ""}]}, "claims: a text is expected"),
        ({"roles": ROLES, "replace": "yes"}, "replace: true or false is expected. Found 'yes'"),
        ({"rolls": []}, "Found unknown: rolls"),
        ({"replace": True}, "roles, traits, questions, scripts, self_questions or some of them"),
        ({}, "Found none. Add roles"),
        ([], "Found list"),
        ("null", "Found nothing"),
    ],
)
def test_what_does_not_fit_is_refused(write, content, words):
    """Each fault is an error in three sentences that names the file and the place."""
    with pytest.raises(SourceError, match=words) as caught:
        read_personas(write(content, "given.json"))
    assert "given.json: " in caught.value.expected
    assert all(part.endswith(".") for part in (caught.value.expected, caught.value.found, caught.value.do))


def test_a_turn_may_be_said_again(write):
    """In a script, unlike instructions, the same text twice is meant."""
    read = read_personas(write({"scripts": [{**SCRIPT, "turns": ["Why?", "Why?"]}]}, "a.json"))
    assert read.scripts[-1].turns == ("Why?", "Why?")
