"""Files that public projects publish are read as they are."""

from collections import Counter
from pathlib import Path

import pytest

from dokimasia.sources import locate, read_source

FOLDER = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "arena-hard/questions_v0.1.jsonl": 500,
    "anthropic-evals/advanced-ai-risk_human.jsonl": 8116,
    "toolemu/cases.json:User Instruction": 144,
    "webarena/tasks.json:intent": 806,
    "osworld/tasks_sample.jsonl": 195,
}


def located(name):
    path = FOLDER / name.partition(":")[0]
    if not path.is_file():
        pytest.skip(f"no public data beside the project: {name}")
    return locate(str(FOLDER / name))


@pytest.mark.parametrize(("name", "n"), FILES.items(), ids=FILES)
def test_every_record_is_read(name, n):
    """Each record of the file is a transcript with text, and nothing had to be repaired."""
    source = read_source(located(name))
    assert len(source.transcripts) == n
    assert all(item.input_text.strip() for item in source.transcripts)
    assert source.notes == {}


def test_suites_are_told_apart():
    """A file of several suites keeps them apart by its key `suite`."""
    source = read_source(located("anthropic-evals/advanced-ai-risk_human.jsonl"))
    assert len(Counter(item.source for item in source.transcripts)) == 16


def test_answers_in_an_odd_shape_are_noted():
    """Replies whose content is an object are written out as JSON, and the note says how many."""
    source = read_source(located("arena-hard/answers_v0.1_gpt-4-0613.jsonl"))
    assert len(source.transcripts) == 500
    assert source.notes == {"contents that were no text, written out as JSON": 500}
    assert all(item.input[-1].role == "user" for item in source.transcripts)
