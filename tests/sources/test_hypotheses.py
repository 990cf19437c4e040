"""Files of hypotheses: formats that agree, and what is refused."""

import json

import pytest

from dokimasia.core import SourceError
from dokimasia.sources.hypotheses import families, read_hypotheses

GIVEN = {
    "training": {"easy": 0.9, "flawed": 0.1},
    "deployment": {"usual": 1, "probe": 0},
    "outcomes": {"result": ["reward"], "reward": []},
    "hypotheses": [
        {"name": "meant", "prior": 0.9, "reward": [0.8, 0.1], "misbehaves": [0, 0.1], "wants": ["result"]},
        {"name": "hack", "prior": 0.1, "reward": {"flawed": 0.9, "easy": 0.8}, "misbehaves": [0, 1]},
    ],
}
YAML = """
training: {easy: 0.9, flawed: 0.1}
deployment: {usual: 1, probe: 0}
outcomes:
  result: [reward]
  reward:
hypotheses:
  - {name: meant, prior: 0.9, reward: [0.8, 0.1], misbehaves: [0, 0.1], wants: [result]}
  - {name: hack, prior: 0.1, reward: [0.8, 0.9], misbehaves: {probe: 1, usual: 0}}
"""
TOML = """
training = {easy = 0.9, flawed = 0.1}
deployment = {usual = 1, probe = 0}
outcomes = {result = ["reward"], reward = []}
[[hypotheses]]
name = "meant"
prior = 0.9
reward = [0.8, 0.1]
misbehaves = [0, 0.1]
wants = ["result"]
[[hypotheses]]
name = "hack"
prior = 0.1
reward = [0.8, 0.9]
misbehaves = [0, 1]
"""


def written(folder, text, name="given.json"):
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def test_formats_agree(tmp_path):
    """JSON, YAML and TOML give the same hypotheses, by list or by name."""
    read = read_hypotheses(written(tmp_path, GIVEN))
    assert read == read_hypotheses(written(tmp_path, YAML, "given.yaml"))
    assert read == read_hypotheses(written(tmp_path, TOML, "given.toml"))
    assert read.hypotheses[1].reward == (0.8, 0.9)
    assert read.hypotheses[0].wants == ("result",)


def test_the_five_families_ship():
    """They read, reward seeker and schemer earn the same in every situation, and what is meant earns less than most."""
    found = families()
    assert found.names == ("aligned", "intended by process", "kludge", "reward seeker", "schemer")
    assert "made up" in found.note
    assert found.hypotheses[3].reward == found.hypotheses[4].reward
    assert found.fitness[3] == found.fitness.max() > found.fitness[0]
    assert {name for item in found.hypotheses for name in item.wants} <= {item.name for item in found.outcomes}


def changed(place=None, **fields):
    """The same content with fields changed, in all or in one hypothesis."""
    if place is None:
        return {**GIVEN, **fields}
    rows = [dict(row) for row in GIVEN["hypotheses"]]
    rows[place].update(fields)
    return {**GIVEN, "hypotheses": rows}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (changed(1, prior=0.2), "sum to 1.1"),
        (changed(1, prior="much"), "hack, prior: a number is expected. Found 'much'"),
        (changed(1, prior=True), "Found True"),
        (changed(1, prior=10**400), "a number is expected"),
        (changed(1, reward=[0.8]), "2 rewards"),
        (changed(1, reward=[0.8, 1.2]), r"in \[0, 1\] are expected. Found 1.2"),
        (changed(1, reward={"easy": 1}), "Missing or unknown: flawed"),
        (changed(1, reward="high"), "Found str 'high'"),
        (changed(1, wants=["power"]), "Found 'power'"),
        (changed(1, wants="reward"), "a list of names"),
        (changed(1, name="meant"), "'meant' twice"),
        (changed(1, priors=1), "leave out any other"),
        (changed(hypotheses=GIVEN["hypotheses"][:1]), "Two or more"),
        (changed(hypotheses={}), "a list of records"),
        (changed(training=[0.5, 0.5]), "Write NAME: SHARE"),
        (changed(training={"easy": 0.5, "flawed": 0.1}), "sum to 0.6"),
        (changed(outcomes=["reward"]), "what they lead to"),
        (changed(probes={}), "Found: training, deployment, outcomes, hypotheses, probes"),
        ({"training": {}}, "the parts training, deployment and hypotheses"),
        ([], "Found: list"),
        ("{", "Found a broken file"),
        ("[" * 100_000, "Found a broken file"),
        (" " * ((1 << 20) + 1), "at most 1 MB"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, content, words):
    """Each fault is an error that names the file and what to do."""
    with pytest.raises(SourceError, match=words) as caught:
        read_hypotheses(written(tmp_path, content))
    assert "given.json" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "training: {easy: .nan", "broken"),
        ("a.yaml", "a: &x 1\nb: *x", "without aliases"),
        ("a.yaml", YAML.replace("prior: 0.9", "prior: .nan"), "Found nan"),
        ("a.yaml", "", "Found: NoneType"),
        ("a.toml", "a = = 1", "broken"),
        ("a.csv", "a,b", "YAML, JSON or TOML"),
    ],
)
def test_faults_of_each_format_are_named(tmp_path, name, text, words):
    """Broken text, aliases, numbers that are none, an ending that says nothing."""
    with pytest.raises(SourceError, match=words):
        read_hypotheses(written(tmp_path, text, name))


def test_a_file_that_is_not_there_is_named(tmp_path):
    """And so is a file in no encoding that we know."""
    with pytest.raises(SourceError, match="cannot be read"):
        read_hypotheses(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(SourceError, match="broken"):
        read_hypotheses(tmp_path / "latin.yaml")
