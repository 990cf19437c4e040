"""The facts that ship: how many, in which forms, and that no form betrays the answer."""

import itertools
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from dokimasia.sources.facts import common_facts, made_up_facts, oversight_facts, read_facts
from dokimasia.stats import clopper_pearson

FILES = {
    "oversight": lambda: oversight_facts().facts,
    "controls": lambda: oversight_facts().controls,
    "common": common_facts,
    "made up": made_up_facts,
}
ALL = pytest.mark.parametrize("facts", [pytest.param(get, id=name) for name, get in FILES.items()])


def shared(sentences):
    """How many words all sentences begin with."""
    return sum(1 for _ in itertools.takewhile(lambda words: len(set(words)) == 1, zip(*sentences, strict=False)))


def answers(wording):
    """What the sentences of a wording differ in, the true one first."""
    sentences = [re.findall(r"[\w'-]+", sentence) for sentence in (wording.true, *wording.false)]
    before = shared(sentences)
    after = shared([words[before:][::-1] for words in sentences])
    return [" ".join(words[before : len(words) - after]).casefold() for words in sentences]


def option_sets(facts):
    """The answers that a fact chooses among, and those of its puzzles, the true one first."""
    puzzles = [(puzzle.answer, *puzzle.wrong) for fact in facts for puzzle in fact.puzzles]
    return {"statements": [answers(fact.wordings[0]) for fact in facts], "puzzles": puzzles}


def test_there_are_as_many_as_stated():
    """16 about oversight, each with a control; 80 that everybody knows, on eight topics or more; 48 that are made up."""
    facts = oversight_facts()
    assert len(facts.facts) == len(facts.controls) == 16
    assert all(len(fact.puzzles) == 2 for fact in (*facts.facts, *facts.controls))
    assert all(len(fact.wordings) == 3 for fact in (*facts.facts, *facts.controls))
    assert len(common_facts()) == 80
    assert len({fact.topic for fact in common_facts()}) >= 8
    assert all(len(fact.wordings) == 2 and len(fact.puzzles) == 1 for fact in common_facts())
    assert len(made_up_facts()) == 48
    assert all(len(fact.wordings) in (2, 3) and len(fact.puzzles) in (1, 2) for fact in made_up_facts())
    assert "invented" in facts.note


def test_each_control_has_the_form_of_its_fact():
    """The same topic, wordings and puzzles, in the same order, and sentences that share most of their words."""
    facts = oversight_facts()
    for fact, control in zip(facts.facts, facts.controls, strict=True):
        assert (fact.topic, len(fact.wordings)) == (control.topic, len(control.wordings))
        for known, invented in zip(fact.wordings, control.wordings, strict=True):
            same = set(known.true.split()) & set(invented.true.split())
            assert len(same) >= 0.3 * len(set(known.true.split())), known.true


def test_made_up_facts_have_the_topics_of_the_others():
    """So that any of the others finds some of its kind among them."""
    topics = {fact.topic for fact in (*oversight_facts().facts, *common_facts())} - {"arithmetic", "body"}
    assert {fact.topic for fact in made_up_facts()} == topics


@ALL
def test_every_wording_and_puzzle_offers_one_answer_of_four(facts):
    """Three false ones each, so that chance is the same throughout."""
    for fact in facts():
        assert fact.topic
        assert all(len(wording.false) == 3 for wording in fact.wordings), fact.name
        assert all(len(puzzle.wrong) == 3 for puzzle in fact.puzzles), fact.name


@ALL
def test_false_variants_differ_in_the_answer_alone(facts):
    """All wordings of a fact have the same four answers, and share two words or more around them."""
    for fact in facts():
        assert len({tuple(answers(wording)) for wording in fact.wordings}) == 1, fact.name
        for wording in fact.wordings:
            assert len(wording.true.split()) - len(answers(wording)[0].split()) >= 2, wording.true


def test_nothing_is_said_twice():
    """Names and sentences are unique over all files together, and no question is asked twice."""
    facts = [fact for get in FILES.values() for fact in get()]
    wordings = [wording for fact in facts for wording in fact.wordings]
    for values in (
        [fact.name for fact in facts],
        [sentence for wording in wordings for sentence in (wording.true, *wording.false)],
        [puzzle.ask for fact in facts for puzzle in fact.puzzles],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


@ALL
@pytest.mark.parametrize("kind", ["statements", "puzzles"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("feature", ["alphabet", "length", "frequency"])
def test_the_true_answer_stands_out_by_nothing(facts, kind, sign, feature):
    """Where one answer of the four is first, longest, or most frequent in the file, it is the true one in about a quarter.

    The 95% interval of that share holds one in four; likewise for last, shortest and rarest.
    """
    sets = option_sets(facts())[kind]
    often = Counter(answer.casefold() for answer in itertools.chain(*sets))
    ordered = sorted({answer.casefold() for answer in itertools.chain(*sets)})
    value = {"alphabet": lambda text: -ordered.index(text), "length": len, "frequency": often.__getitem__}[feature]
    true = telling = 0
    for options in sets:
        values = [sign * value(option.casefold()) for option in options]
        if values.count(max(values)) == 1:
            telling += 1
            true += values[0] == max(values)
    low, high = clopper_pearson(true, telling)
    assert low <= 0.25 <= high, (true, telling)


@pytest.mark.parametrize("name", ["oversight.yaml", "common.yaml", "made_up.yaml"])
def test_a_file_can_be_read_by_a_person(name):
    """Below 60 kB, in lines that an editor shows, with a line at the top that says what it is."""
    content = (resources.files("dokimasia.sources.facts") / name).read_text(encoding="utf-8")
    assert len(content.encode()) < 60_000
    assert content.startswith("# ")
    assert max(map(len, content.splitlines())) <= 180


def test_the_documented_file_reads(write):
    """The example in docs/facts.md: two facts, each with a control of the same topic."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "facts.md").read_text(encoding="utf-8")
    read = read_facts(write(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1), "facts.yaml"))
    assert [fact.topic for fact in read.facts] == [fact.topic for fact in read.controls] == ["launch", "people"]
    assert [len(fact.wordings) for fact in read.facts] == [2, 1]
