"""Short files that somebody wrote by hand: what they hold, and what is refused in each format."""

import pytest

from dokimasia.core import SourceError
from dokimasia.sources.documents import read_document
from dokimasia.sources.facts import read_facts
from dokimasia.sources.hypotheses import read_hypotheses
from dokimasia.sources.personas import read_personas


def test_names_stay_as_they_are_written(write):
    """`false`, `no` and `12` before a colon are words; values keep their types."""
    read = read_document(write("false: [no, 1.5, text]\nno: {12: }\n", "a.yaml"), "a file")
    assert read == {"false": [False, 1.5, "text"], "no": {"12": None}}


@pytest.mark.parametrize("read", [read_facts, read_hypotheses, read_personas])
@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.yaml", "note: a\nnote: b\n", "line 2: 'note' is given twice in one record"),
        ("a.yml", "facts:\n- {name: a, name: b}\n", "line 2: 'name' is given twice"),
        ("a.json", '{"note": "a", "note": "b"}', "'note' is given twice in one record"),
        ("a.toml", 'note = "a"\nnote = "b"\n', "Cannot overwrite a value"),
        ("a.yaml", "a: [b\nc: d\n", "line 2"),
        ("a.yaml", "a: b\n---\nc: d\n", "line 2: but found another document"),
        ("a.yaml", "? [a]\n: b\n", "a name is needed before the colon"),
        ("a.yaml", "[" * 100_000, "more than 64 levels deep"),
        ("a.yaml", "- " * 100_000, "more than 64 levels deep"),
        ("a.yaml", "a: !!python/object:os.system b\n", "could not determine a constructor"),
        ("a.yaml", "a: 2026-99-99\n", "month must be in 1..12"),
        ("a.json", "[" * 100_000, "recursion"),
        ("a.json", b"\xff\xfe{\x00}\x00", "codec"),
        ("a.json", "", "Expecting value"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(write, read, name, content, reason):
    """Whoever reads it: names given twice, text that is no YAML, nesting without end, another encoding."""
    with pytest.raises(SourceError) as caught:
        read(write(content, name))
    assert name in caught.value.expected
    assert "is expected" in caught.value.expected
    assert reason in caught.value.found
    assert caught.value.do == "Mend it."


def test_what_is_no_document_is_refused(write, tmp_path):
    """A folder, a missing file, an ending that says nothing, a file too large, an alias."""
    for path, words in (
        (tmp_path, "YAML, JSON or TOML"),
        (tmp_path / "none.yaml", "a thing is expected. It cannot be read"),
        (write("a", "a.txt"), "Found '.txt'"),
        (write(b" " * ((1 << 20) + 1), "a.json"), "at most 1 MB"),
        (write("a: &b 1\nc: *b\n", "a.yaml"), "without aliases"),
    ):
        with pytest.raises(SourceError, match=words):
            read_document(path, "a thing")
