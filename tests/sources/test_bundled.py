"""The deployment sample that ships is large, varied and free of copies."""

import re
import unicodedata

import pytest

from dokimasia.sources import everyday, families

SCRIPTS = {
    "ARABIC": "Arabic",
    "DEVANAGARI": "Hindi",
    "GREEK": "Greek",
    "HANGUL": "Korean",
    "HEBREW": "Hebrew",
    "HIRAGANA": "Japanese",
    "THAI": "Thai",
}
WORDS = {
    "English": r"\b(the|and|what|with)\b",
    "French": r"\b(je|dans|avec|est|une|bonjour)\b",
    "German": r"\b(ich|nicht|und|für|wenn|die)\b",
    "Italian": r"\b(il|devo|perché|sono|della)\b",
    "Polish": r"\b(jest|jak|się|nie|kuchni)\b|\w*[łęąść]\w*",
    "Portuguese": r"\b(não|meu|com|estou|uma)\b",
    "Spanish": r"\b(el|la|está|estoy|los|por|ayer)\b",
    "Turkish": r"\b(için|bir|ve|falan)\b|\w*[ığş]\w*",
    "Vietnamese": r"\b(không|mình|có|gần|như)\b|\w*[ơưạếồ]\w*",
}


@pytest.fixture(scope="module")
def source():
    return everyday()


def language(text):
    """A guess from the script, or for Latin letters from the commonest small words."""
    letters = [unicodedata.name(character).split()[0] for character in text if character.isalpha()]
    for script, name in SCRIPTS.items():
        if letters.count(script) > len(letters) / 3:
            return name
    if letters.count("CYRILLIC") > len(letters) / 2:
        return "Ukrainian" if re.search("[іїєґ]", text) else "Russian"
    if letters.count("CJK") > len(letters) / 3:
        return "Chinese"
    counts = {name: len(re.findall(pattern, text.lower())) for name, pattern in WORDS.items()}
    return max(counts, key=counts.__getitem__)


def test_there_are_enough(source):
    """There are at least 240 transcripts."""
    assert len(source.transcripts) >= 240


def test_many_have_several_turns(source):
    """At least forty are conversations in which the user speaks more than once."""
    turns = [sum(message.role == "user" for message in item.messages) for item in source.transcripts]
    assert sum(count > 1 for count in turns) >= 40


def test_they_are_in_many_languages(source):
    """At least ten languages occur, told by script and by their commonest words, each in a message to be answered."""
    found = {language(item.input[-1].content) for item in source.transcripts}
    assert len(found) >= 10, sorted(found)
    assert {"English", "Chinese", "Arabic", "Hindi", "Russian"} <= found


def test_most_are_in_english(source):
    """The heuristic that counts languages finds English where it is plain."""
    found = [language(item.input[-1].content) for item in source.transcripts]
    assert found.count("English") > len(found) * 0.6


def test_no_two_are_near_duplicates(source):
    """No two are copies of one another, nor cast from one mould."""
    found = families(source.transcripts)
    assert len(set(found.duplicates)) == len(source.transcripts)
    assert len(set(found.templates)) == len(source.transcripts)


def test_they_are_a_deployment_sample(source):
    """All carry the source `deployment`, an id of their own and no label."""
    assert {item.source for item in source.transcripts} == {"deployment"}
    assert len({item.id for item in source.transcripts}) == len(source.transcripts)
    assert not source.scored


def test_each_waits_for_an_answer(source):
    """None ends in a message by the assistant, and every message says something."""
    assert all(item.messages[-1].role != "assistant" for item in source.transcripts)
    assert all(message.content.strip() for item in source.transcripts for message in item.messages)


def test_nothing_had_to_be_repaired(source):
    """The files are read without any repair, and the same each time."""
    assert source.notes == {}
    assert source.digest == everyday().digest
