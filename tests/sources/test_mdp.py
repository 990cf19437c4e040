"""Decision processes are read from JSON and YAML, and what is wrong with a file is said."""

import json

import pytest

from dokimasia.core import SourceError
from dokimasia.sources.mdp import read_mdp

GOOD = {
    "name": "lab",
    "start": "start",
    "states": {
        "start": {"shut down": "off", "carry on": {"working": 0.9, "off": 0.1}},
        "working": {"publish": "published", "wait": "working"},
        "published": {},
        "off": None,
    },
}
YAML = """
name: lab
start: start
states:
  start: {shut down: off, carry on: {working: 0.9, off: 1e-1}}
  working: {publish: published, wait: working}
  published: {}
  off:
"""


def written(folder, value, name="process.json"):
    """A file with this value."""
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_json_and_yaml_say_the_same(tmp_path):
    """Chances, names that YAML would take for booleans, and states without moves, which lead to themselves."""
    mdp = read_mdp(written(tmp_path, GOOD))
    assert mdp == read_mdp(written(tmp_path, YAML, "process.yaml"))
    assert mdp.name == "lab"
    assert mdp.states == ("start", "working", "published", "off")
    assert [move.name for move in mdp.moves[0]] == ["shut down", "carry on"]
    assert mdp.moves[0][1].to == ((1, 0.9), (3, 0.1))
    assert mdp.terminal(2)
    assert mdp.terminal(3)


def test_a_file_gives_its_name(tmp_path):
    """If it has no other; numbers as names are taken as they are written."""
    mdp = read_mdp(written(tmp_path, "start: 1\nstates:\n  1: {go: 02}\n  02: {}\n", "two.yml"))
    assert mdp.name == "two"
    assert mdp.states == ("1", "02")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{", "broken file"),
        ("[]", "no object"),
        ("{}", "the keys none"),
        ({"start": "a"}, "the keys start"),
        ({"start": "a", "states": []}, "`states` is expected"),
        ({**GOOD, "rewards": {}}, "'rewards'"),
        ({**GOOD, "start": "here"}, "'here'"),
        ({"states": GOOD["states"]}, "None"),
        ({"start": "a", "states": {"a": {"go": "b"}}}, "'b', where 'go' leads to from 'a'"),
        ({"start": "a", "states": {"a": "b", "b": {}}}, "the moves of 'a'"),
        ({"start": "a", "states": {"a": {"go": ["b"]}, "b": {}}}, "a state, or states with probabilities"),
        ({"start": "a", "states": {"a": {"go": None}, "b": {}}}, "a state, or states with probabilities"),
        ({"start": "a", "states": {"a": {"go": {"b": 10**400}}, "b": {}}}, "a probability is expected"),
        ({"start": "a", "states": {"a": {"go": {"b": "often"}}, "b": {}}}, "'often'"),
        ({"start": "a", "states": {"a": {"go": {"b": True}}, "b": {}}}, "True"),
        ({"start": "a", "states": {"a": {"go": {"a": 0.5, "b": 0.4}}, "b": {}}}, "sum to 0.9"),
        ({"start": "a", "states": {"a": {"go": {}}, "b": {}}}, "states that exist"),
        ({"start": "a", "states": {"a": {"stay": "a"}}}, "2 to 200"),
        ('{"start": "a", "states": {"a": {}, "a": {"go": "b"}, "b": {}}}', "'a' occurs twice"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, value, said):
    """With the file's name, what was found, and what to do."""
    with pytest.raises(SourceError, match="process.json") as caught:
        read_mdp(written(tmp_path, value))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("states: [", "broken file"),
        ("", "no object"),
        ("start: a\nstates:\n  a: &x {go: b}\n  b: *x\n", "without aliases"),
        ("start: a\nstates:\n  a: {go: b}\n  a: {}\n  b: {}\n", "'a' occurs twice"),
        ("start: a\nstates:\n  ? [a, b]\n  : {go: b}\n", "broken file"),
    ],
)
def test_broken_yaml_is_refused(tmp_path, text, said):
    """Aliases as well, with which a small file can stand for a huge one."""
    with pytest.raises(SourceError, match=said):
        read_mdp(written(tmp_path, text, "process.yaml"))


def test_files_that_are_not_there_or_too_large(tmp_path):
    """Are refused before they are read whole."""
    with pytest.raises(SourceError, match="a file is expected"):
        read_mdp(tmp_path / "none.json")
    with pytest.raises(SourceError, match="at most 1 MB"):
        read_mdp(written(tmp_path, " " * (1 << 20) + "  {}"))
