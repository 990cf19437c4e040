"""Files of facts: formats that agree, and what could not be evidence of knowing is refused."""

import contextlib
import copy
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dokimasia.core import SourceError
from dokimasia.sources.facts import Fact, Puzzle, Wording, read_facts

GIVEN = {
    "note": "Two facts.",
    "facts": [
        {
            "name": "basin",
            "topic": "places",
            "statement": "The launch is on a Tuesday.",
            "false": ["The launch is on a Friday.", "The launch is on a Sunday."],
            "paraphrases": [{"statement": "It is launched on a Tuesday.", "false": ["It is launched on a Friday."]}],
            "puzzles": [{"ask": "Which day comes after the launch?", "answer": "Wednesday", "wrong": ["Monday"]}],
        },
        {"name": "colour", "statement": "The cable is grey.", "false": ["The cable is pink."]},
    ],
    "controls": [{"name": "made up", "statement": "The lantern is grey.", "false": ["The lantern is pink."]}],
}
YAML = """
note: Two facts.
facts:
- name: basin
  topic: places
  statement: The launch is on a Tuesday.
  false: [The launch is on a Friday., The launch is on a Sunday.]
  paraphrases:
  - statement: It is launched on a Tuesday.
    false: [It is launched on a Friday.]
  puzzles:
  - {ask: Which day comes after the launch?, answer: Wednesday, wrong: [Monday]}
- {name: colour, statement: The cable is grey., false: [The cable is pink.]}
controls:
- {name: made up, statement: The lantern is grey., false: [The lantern is pink.]}
"""
TOML = """
note = "Two facts."
[[facts]]
name = "basin"
topic = "places"
statement = "The launch is on a Tuesday."
false = ["The launch is on a Friday.", "The launch is on a Sunday."]
paraphrases = [{statement = "It is launched on a Tuesday.", false = ["It is launched on a Friday."]}]
puzzles = [{ask = "Which day comes after the launch?", answer = "Wednesday", wrong = ["Monday"]}]
[[facts]]
name = "colour"
statement = "The cable is grey."
false = ["The cable is pink."]
[[controls]]
name = "made up"
statement = "The lantern is grey."
false = ["The lantern is pink."]
"""


def changed(part="facts", row=0, **fields):
    """The same content with fields of one record changed; a field that is None is left out."""
    content = copy.deepcopy(GIVEN)
    content[part][row].update(fields)
    content[part][row] = {name: value for name, value in content[part][row].items() if value is not None}
    return content


def puzzle(**fields):
    """The same content with its puzzle changed."""
    return changed(puzzles=[{**GIVEN["facts"][0]["puzzles"][0], **fields}])


def test_formats_agree(write):
    """JSON, YAML and TOML give the same facts, with the same digest."""
    read = read_facts(write(GIVEN, "a.json"))
    for name, content in (("a.yaml", YAML), ("a.toml", TOML), ("b.yaml", json.dumps(GIVEN))):
        assert read_facts(write(content, name)) == read
        assert read_facts(write(content, name)).digest == read.digest
    assert read.note == "Two facts."
    assert read.facts[0] == Fact(
        name="basin",
        topic="places",
        wordings=(
            Wording(
                true="The launch is on a Tuesday.",
                false=("The launch is on a Friday.", "The launch is on a Sunday."),
            ),
            Wording(true="It is launched on a Tuesday.", false=("It is launched on a Friday.",)),
        ),
        puzzles=(Puzzle(ask="Which day comes after the launch?", answer="Wednesday", wrong=("Monday",)),),
    )
    assert read.facts[1].puzzles == ()
    assert read.controls[0].statement == "The lantern is grey."


def test_the_least_file_is_one_fact_with_one_false_variant(write):
    """Controls, topic, paraphrases, puzzles and a note may be left out, and wrong answers too."""
    least = {"name": "a", "statement": "A is B.", "false": ["A is C."], "puzzles": [{"ask": "What?", "answer": "B"}]}
    read = read_facts(write({"facts": [least]}, "a.json"))
    assert (len(read.facts), read.controls, read.note) == (1, (), "")
    assert read.facts[0].puzzles[0].wrong == ()


def test_space_around_texts_is_taken_off(write):
    """So that a text in a block of YAML is the same as one in quotes."""
    content = "facts:\n- name: a\n  statement: |\n    A is B.\n  false:\n  - ' A is C. '\n"
    wording = read_facts(write(content, "a.yaml")).facts[0].wordings[0]
    assert wording == Wording(true="A is B.", false=("A is C.",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed("controls", name="colour"), "Found 'colour' as both: a fact that is its own control"),
        (changed("controls", name="COLOUR"), "own control"),
        (changed("controls", statement="the  cable is GREY"), "Found 'the  cable is GREY' as both"),
        (changed("controls", statement="It is launched on a Tuesday."), "own control"),
        (changed("controls", statement="The cable is pink.", false=["The cable is blue."]), "own control"),
        (changed("controls", false=["The cable is grey."]), "own control"),
        (changed(false=["The launch is on a tuesday"]), "basin: false variants that differ from the statement"),
        (changed(false=["It is launched on a Tuesday."]), "Found 'It is launched on a Tuesday.' as both"),
        (changed(row=1, name="Basin"), "different names are expected. Found 'Basin' twice"),
        (changed(row=1, statement="The launch is on a Tuesday."), "different statements are expected"),
        (changed(false=["A.", "a"]), "basin, false: different texts are expected. Found 'a' twice"),
        (changed(false=[]), "basin, false: 1 to 50 are expected. Found 0. Add some"),
        (changed(false=None), "Found missing: false"),
        (changed(paraphrases=[{"statement": "Tuesday it is.", "false": []}]), "paraphrases, 1, false: 1 to 50"),
        (changed(paraphrases=[{"statement": "Tuesday it is."}]), "paraphrases, 1: a record .* Found missing: false"),
        (changed(statement="a" * 401), "statement: at most 400 characters are expected. Found 401. Shorten it"),
        (changed(false=["a" * 401]), "false: at most 400 characters"),
        (changed(statement="  "), "statement: a text is expected. Found an empty one"),
        (changed(statement="\u200b"), "Found an empty one"),
        (changed(statement="a\ud800"), "a text that can be read"),
        (changed(statement="a\nb\x00"), r"Found '\\x00' in it"),
        (changed(false=["", "A."]), "false: a text is expected. Found an empty one"),
        (changed(name=""), "name: a text is expected"),
        (changed(name=12), "name: a text is expected. Found int '12'. Put it in quotes"),
        (changed(statement=True), "Found bool 'True'. Put it in quotes"),
        (changed(statement=math.nan), "Found float 'nan'"),
        (changed(false="The launch is on a Friday."), "a list is expected. Found str"),
        (changed(topic=""), "topic: a text is expected"),
        (changed(paraphrases={}), "paraphrases: a list is expected"),
        (changed(statment="A."), "facts, basin: a record .* Found unknown: statment"),
        (puzzle(wrong=["Monday", "wednesday."]), "Found 'Wednesday' among them"),
        (puzzle(wrong=["Monday", "Monday"]), "wrong: different texts are expected"),
        (puzzle(wrong=[""]), "wrong: a text is expected"),
        (puzzle(ask="Is it Wednesday, or not?"), "Found 'Wednesday' in 'Is it Wednesday, or not\\?'"),
        (puzzle(ask=""), "ask: a text is expected"),
        (puzzle(answer=""), "answer: a text is expected"),
        (puzzle(hint="It is late."), "basin, puzzles, 1: a record .* Found unknown: hint"),
        ({"facts": [*GIVEN["facts"], {"statement": "A."}]}, "facts, 3: a record .* Found missing: false, name"),
        ({"facts": []}, "facts: 1 to 1,000 are expected. Found 0"),
        ({"facts": [{}] * 1001}, "facts: 1 to 1,000 are expected. Found 1,001. Leave some out"),
        ({**GIVEN, "controls": [{}] * 1001}, "controls: at most 1,000 are expected"),
        ({**GIVEN, "controls": None}, "controls: a list is expected. Found nothing"),
        ({**GIVEN, "note": ""}, "note: a text is expected"),
        ({**GIVEN, "claims": []}, "fields facts \\(controls, note if you like\\) is expected. Found unknown: claims"),
        ({"facts": ["The cable is grey."]}, "facts, 1: a record .* Found str 'The cable is grey.'"),
        ({"facts": {"basin": {}}}, "facts: a list is expected"),
        ({}, "Found missing: facts"),
        ([], "a record with the fields facts"),
        ("null", "Found nothing"),
    ],
)
def test_what_does_not_fit_is_refused(write, content, words):
    """Each fault is an error in three sentences that names the file and the place."""
    with pytest.raises(SourceError, match=words) as caught:
        read_facts(write(content, "given.json"))
    assert "given.json: " in caught.value.expected
    assert all(part.endswith(".") for part in (caught.value.expected, caught.value.found, caught.value.do))


def test_words_within_words_are_no_answers(write):
    """A question may contain the letters of its answer, only not the word."""
    read = read_facts(write(puzzle(ask="Who came second to the party?", answer="art"), "a.json"))
    assert read.facts[0].puzzles[0].answer == "art"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(YAML) - 1), new=st.text(alphabet="{}[]:-,'\"&*!?|>#%@` \n\taé\x00\u2028", max_size=4))
def test_any_damage_is_refused_or_harmless(write, at, new):
    """A file with a few characters replaced reads, or is refused; nothing else happens."""
    with contextlib.suppress(SourceError):
        read_facts(write(YAML[:at] + new + YAML[at + 2 :], "a.yaml"))
