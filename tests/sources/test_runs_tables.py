"""Tables of runs: columns, formats, and what is refused."""

import csv
import gzip
import json

import pytest

from dokimasia.core import SourceError
from dokimasia.sources.runs import Columns, read_runs

ROWS = [
    {"agent": "A", "task": "one", "family": "x", "minutes": 3, "score": 1},
    {"agent": "A", "task": "one", "family": "x", "minutes": 3, "score": 0},
    {"agent": "A", "task": "two", "family": "y", "minutes": 90.5, "score": 0.25},
    {"agent": "B", "task": "one", "family": "x", "minutes": 3, "score": 1},
]


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_runs_become_tallies_by_agent_and_task(tmp_path):
    """Each agent and task has its runs, its score and how many scores were fractions, sorted by name."""
    runs = read_runs(lines(tmp_path / "runs.jsonl", ROWS[::-1]))
    assert (runs.name, runs.rows) == ("runs.jsonl", 4)
    assert [(t.agent, t.task, t.family, t.minutes, t.runs, t.score, t.fractions) for t in runs.tallies] == [
        ("A", "one", "x", 3, 2, 1, 0),
        ("A", "two", "y", 90.5, 1, 0.25, 1),
        ("B", "one", "x", 3, 1, 1, 0),
    ]


def test_every_format_holds_the_same_runs(tmp_path):
    """JSON Lines, a JSON array, CSV, TSV, Parquet and gzip give the same tallies and the same digest."""
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    from pyarrow import parquet

    paths = [lines(tmp_path / "a.jsonl", ROWS)]
    (tmp_path / "b.json").write_text(json.dumps(ROWS, indent=1), "utf-8")
    for name, sign in (("c.csv", ","), ("d.tsv", "\t")):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(ROWS[0]), delimiter=sign)
            writer.writeheader()
            writer.writerows(ROWS)
    parquet.write_table(pa.Table.from_pylist(ROWS[:2] + ROWS[3:] + ROWS[2:3]), tmp_path / "e.parquet")
    (tmp_path / "f.jsonl.gz").write_bytes(gzip.compress(paths[0].read_bytes()))
    paths += [tmp_path / name for name in ("b.json", "c.csv", "d.tsv", "e.parquet", "f.jsonl.gz")]
    found = [read_runs(path) for path in paths]
    assert all(item.tallies == found[0].tallies for item in found)
    assert len({item.digest for item in found}) == 1


def test_the_digest_is_of_what_was_read(tmp_path):
    """Another order of rows has the same digest, sums of fractions included; another score has another."""
    rows = [{**ROWS[0], "score": score} for score in (0.1, 0.7, 0.2, 0.3)]
    one, two = (read_runs(lines(tmp_path / "r.jsonl", given)).digest for given in (rows, rows[::-1]))
    assert one == two
    assert read_runs(lines(tmp_path / "r.jsonl", rows[:3])).digest != one


def test_metrs_names_come_before_plain_ones(tmp_path):
    """A table with METR's columns is read by them: the alias, not the model; the binarised score, not the raw one."""
    row = {
        "alias": "A",
        "model": "a-1",
        "task_id": "x/one",
        "task_family": "x",
        "human_minutes": 3,
        "score": 15.7,
        "score_binarized": 1,
    }
    runs = read_runs(lines(tmp_path / "runs.jsonl", [row]))
    assert runs.columns == {
        "agent": "alias",
        "task": "task_id",
        "family": "task_family",
        "minutes": "human_minutes",
        "score": "score_binarized",
    }
    assert runs.tallies[0].score == 1


def test_columns_may_have_other_names(tmp_path):
    """A column that is named is the one that is read, whatever else there is."""
    rows = [{**row, "passed": row["score"] == 1, "solver": f"{row['agent']}+tools"} for row in ROWS]
    runs = read_runs(lines(tmp_path / "r.jsonl", rows), Columns(agent="solver", score="passed"))
    assert {item.agent for item in runs.tallies} == {"A+tools", "B+tools"}
    assert [item.score for item in runs.tallies] == [1, 0, 1]


def test_a_missing_column_is_named_beside_those_that_there_are(tmp_path):
    """The refusal says which column, under which names it was looked for, what was found, and how to name it."""
    rows = [{key: value for key, value in row.items() if key != "family"} for row in ROWS]
    path = lines(tmp_path / "r.jsonl", rows)
    with pytest.raises(SourceError) as caught:
        read_runs(path)
    said = str(caught.value)
    assert "the family of each run is expected, `task_family` or `family`" in said
    assert "'agent', 'task', 'minutes', 'score'" in said
    assert "--family-column" in said
    with pytest.raises(SourceError, match="`topic`"):
        read_runs(path, Columns(family="topic"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minutes": 0}, "human minutes above 0"),
        ({"minutes": -3}, "human minutes above 0"),
        ({"minutes": "soon"}, "human minutes above 0"),
        ({"minutes": "nan"}, "human minutes above 0"),
        ({"minutes": "inf"}, "human minutes above 0"),
        ({"minutes": None}, "human minutes above 0"),
        ({"score": 1.2}, "between 0 and 1"),
        ({"score": -0.1}, "between 0 and 1"),
        ({"score": "good"}, "between 0 and 1"),
        ({"score": "nan"}, "between 0 and 1"),
        ({"score": [1]}, "between 0 and 1"),
        ({"score": None}, "write 0 if it was cut off"),
        ({"score": ""}, "write 0 if it was cut off"),
        ({"family": None}, "the family of the run"),
        ({"agent": " "}, "the agent of the run"),
        ({"task": {"id": 1}}, "the task of the run"),
        ({"minutes": 4}, "one human time a task"),
    ],
    ids=str,
)
def test_what_is_no_run_is_refused_with_its_line(tmp_path, change, message):
    """Nothing is left out in silence: the line, what was expected and what was found are said."""
    path = lines(tmp_path / "r.jsonl", [*ROWS, {**ROWS[0], **change}])
    with pytest.raises(SourceError, match=message) as caught:
        read_runs(path)
    assert "line 5" in str(caught.value)


def test_truths_are_scores(tmp_path):
    """True and false count, in JSON and as the words of a CSV file."""
    given = [{**ROWS[0], "score": score} for score in (True, False, "true", "False", "1", "0.5")]
    (tally,) = read_runs(lines(tmp_path / "r.jsonl", given)).tallies
    assert (tally.runs, tally.score, tally.fractions) == (6, 3.5, 1)


def test_tasks_of_two_families_may_share_a_name(tmp_path):
    """A task is known by its family and its name."""
    rows = [ROWS[0], {**ROWS[0], "family": "z", "minutes": 50}]
    assert [(t.family, t.minutes) for t in read_runs(lines(tmp_path / "r.jsonl", rows)).tallies] == [
        ("x", 3),
        ("z", 50),
    ]


@pytest.mark.parametrize("text", ["", " \n\n", "[]", "just words\n", "%PDF-1.7\n"])
def test_a_file_without_runs_is_refused(tmp_path, text):
    """Empty files, empty arrays, prose and other formats are told apart from a table."""
    path = tmp_path / "r.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(SourceError, match=r"a table of runs|at least one run"):
        read_runs(path)


def test_broken_records_are_refused_with_their_line(tmp_path):
    """A line that is no JSON, or no object, or a row with a cell too many."""
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n{broken\n", "utf-8")
    with pytest.raises(SourceError, match="line 2"):
        read_runs(path)
    path.write_text(json.dumps(ROWS[0]) + "\n17\n", "utf-8")
    with pytest.raises(SourceError, match="named columns"):
        read_runs(path)
    path.write_text("agent,task,family,minutes,score\nA,one,x,3,1\nA,one,x,3,1,9\n", "utf-8")
    with pytest.raises(SourceError, match="line 3"):
        read_runs(path)
    with pytest.raises(SourceError, match="There is none"):
        read_runs(tmp_path / "nothing.csv")
