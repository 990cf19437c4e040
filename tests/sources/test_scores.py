"""Scores from arrays and tables: what is read, what is named when it cannot be."""

import gzip
import json

import numpy as np
import pytest

from dokimasia.core import SourceError
from dokimasia.sources.scores import Scores, read_scores


def written(path, text):
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "int64", "bool"])
def test_an_array_of_one_axis_is_a_proxy(tmp_path, kind):
    """Any real type is read as float64, under the name `proxy`."""
    values = np.asarray([0, 1, 1, 0], dtype=kind)
    np.save(tmp_path / "scores.npy", values)
    found = read_scores(tmp_path / "scores.npy")
    assert found.proxy.dtype == np.float64
    assert found.proxy.tolist() == [0, 1, 1, 0]
    assert found.gold is None
    assert (found.name, found.proxy_column) == ("scores.npy", "proxy")


def test_columns_of_an_array_are_numbered_or_named(tmp_path):
    """Of two axes the second is columns 0, 1, ...; a structured type has its field names."""
    np.save(tmp_path / "two.npy", np.asarray([[1.0, 2.0], [3.0, 4.0]]))
    found = read_scores(tmp_path / "two.npy", proxy="1", gold="0")
    assert found.proxy.tolist() == [2, 4]
    assert found.gold.tolist() == [1, 3]
    np.save(tmp_path / "named.npy", np.asarray([(1.0, 2)], dtype=[("reward", "f8"), ("truth", "i4")]))
    found = read_scores(tmp_path / "named.npy", gold="truth")
    assert (found.proxy.tolist(), found.gold.tolist()) == ([1.0], [2.0])


def test_pickled_arrays_are_refused_unread(tmp_path):
    """An array of Python objects is a program; it is named, and never loaded."""

    class Trap:
        def __reduce__(self):
            return (print, ("loaded",))

    np.save(tmp_path / "trap.npy", np.asarray([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(SourceError, match="never loaded"):
        read_scores(tmp_path / "trap.npy")


@pytest.mark.parametrize("values", [np.asarray([1j, 2.0]), np.asarray(["a", "b"]), np.zeros((2, 2, 2))])
def test_arrays_that_are_no_numbers_are_refused(tmp_path, values):
    """Complex numbers, texts and cubes are named."""
    np.save(tmp_path / "odd.npy", values)
    with pytest.raises(SourceError, match=r"Found (the type|the shape)"):
        read_scores(tmp_path / "odd.npy", proxy="proxy")


def test_damaged_arrays_are_refused(tmp_path):
    """A file cut short, and one whose header promises more than there is memory for."""
    np.save(tmp_path / "whole.npy", np.arange(100.0))
    data = (tmp_path / "whole.npy").read_bytes()
    (tmp_path / "short.npy").write_bytes(data[:-40])
    (tmp_path / "vast.npy").write_bytes(data.replace(b"(100,)", b"(1000000000000000,)".ljust(6)))
    for name in ("short.npy", "vast.npy"):
        with pytest.raises(SourceError, match="Found a damaged one"):
            read_scores(tmp_path / name)


def test_tables_are_read_alike(tmp_path):
    """CSV, TSV, JSON Lines, a JSON array, Parquet and a packed file give the same numbers and the same digest."""
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    rows = [{"reward": 0.5, "gold": 1}, {"reward": -2.25, "gold": 0}, {"reward": 3.0, "gold": 1}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    files = [
        written(tmp_path / "a.csv", "reward,gold\n0.5,1\n-2.25,0\n3.0,1\n"),
        written(tmp_path / "a.tsv", "id\treward\tgold\nx\t0.5\t1\ny\t-2.25\t0\nz\t3.0\t1\n"),
        written(tmp_path / "a.jsonl", lines),
        written(tmp_path / "a.json", json.dumps(rows)),
    ]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pandas.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    found = [
        read_scores(path, proxy="reward", gold="gold")
        for path in (*files, tmp_path / "a.jsonl.gz", tmp_path / "a.parquet")
    ]
    assert all(item.proxy.tolist() == [0.5, -2.25, 3.0] for item in found)
    assert all(item.gold.tolist() == [1, 0, 1] for item in found)
    assert len({item.digest for item in found}) == 1


@pytest.mark.parametrize(
    "text", ["1.5\n-2\n3e1\n", "my_reward\n1.5\n-2\n30\n", "[1.5, -2, 30]", '"x"\n1.5\n-2\n30.0\n']
)
def test_a_single_column_needs_no_name(tmp_path, text):
    """Numbers one a line, with or without any header, or a JSON list of them."""
    assert read_scores(written(tmp_path / "scores.csv", text)).proxy.tolist() == [1.5, -2, 30]


def test_the_proxy_is_guessed_only_where_there_is_one(tmp_path):
    """The only numeric column, or the only one with a usual name; otherwise the columns are listed."""
    table = written(tmp_path / "a.csv", "id,reward,length\nx,1,10\ny,2,20\n")
    assert read_scores(table).proxy_column == "reward"
    other = written(tmp_path / "b.csv", "id,quality,gold\nx,1,10\ny,2,20\n")
    assert read_scores(other, gold="gold").proxy_column == "quality"
    with pytest.raises(SourceError, match="`id`, `quality`, `gold`"):
        read_scores(other)


def test_a_missing_column_lists_those_found(tmp_path):
    """For proxy and gold, in tables and arrays; a long list is cut."""
    table = written(tmp_path / "a.csv", "id,reward\nx,1\ny,2\n")
    for named in ({"proxy": "score"}, {"gold": "truth"}):
        with pytest.raises(SourceError, match="Found the columns `id`, `reward`"):
            read_scores(table, **named)
    wide = written(tmp_path / "b.csv", ",".join(f"c{k}" for k in range(20)) + "\n" + ",".join("1" * 20) + "\n")
    with pytest.raises(SourceError, match="and 8 more"):
        read_scores(wide, proxy="x")
    np.save(tmp_path / "a.npy", np.arange(4.0))
    with pytest.raises(SourceError, match="`proxy`"):
        read_scores(tmp_path / "a.npy", gold="gold")


def test_missing_cells_are_kept_as_not_a_number(tmp_path):
    """Empty cells, nulls, absent keys, `nan` and `inf` keep their places: who measures counts them."""
    table = written(tmp_path / "a.csv", "reward,gold\n1,\nnan,2\ninf,3\n")
    found = read_scores(table, proxy="reward", gold="gold")
    assert np.isnan(found.proxy).tolist() == [False, True, False]
    assert np.isinf(found.proxy).tolist() == [False, False, True]
    assert np.isnan(found.gold).tolist() == [True, False, False]
    lines = written(tmp_path / "a.jsonl", '{"r": 1}\n{"r": null}\n{"s": 2}\n{"r": 4, "s": 1}\n')
    assert np.isnan(read_scores(lines, proxy="r").proxy).tolist() == [False, True, True, False]
    assert np.isnan(read_scores(lines, proxy="s").proxy).tolist() == [True, True, False, False]


def test_words_among_numbers_are_named_with_their_row(tmp_path):
    """The first that is no number, where it stands, and how many there are."""
    table = written(tmp_path / "a.csv", "reward,x\n1,1\nfailed,2\n3,1\nerror,1\n")
    with pytest.raises(SourceError, match="'failed' in row 2, and 2 such in all"):
        read_scores(table, proxy="reward")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"\x80\x04\x95pickle", "never loaded"),
        (b"reward\n", "is expected"),
        (b'"word"\n"word"\n', "Found"),
        (b"reward,gold\n1,2\n1\n", "1 in place of 2"),
    ],
)
def test_files_without_scores_are_refused(tmp_path, data, match):
    """Empty, binary, headers alone, words, broken rows: each says what was found."""
    (tmp_path / "odd").write_bytes(data)
    with pytest.raises(SourceError, match=match):
        read_scores(tmp_path / "odd")


def test_a_file_that_is_not_there_is_named(tmp_path):
    """No traceback for a wrong path."""
    with pytest.raises(SourceError, match="There is none"):
        read_scores(tmp_path / "nothing.npy")


def test_the_digest_depends_on_every_number_and_on_which_is_which():
    """Order, values and the gold score enter it; names do not."""
    one = Scores(name="a", proxy=np.asarray([1.0, 2.0]), gold=np.asarray([3.0, 4.0]))
    same = Scores(name="b", proxy=np.asarray([1.0, 2.0]), gold=np.asarray([3.0, 4.0]), proxy_column="x")
    others = [
        Scores(name="a", proxy=np.asarray([2.0, 1.0]), gold=np.asarray([3.0, 4.0])),
        Scores(name="a", proxy=np.asarray([3.0, 4.0]), gold=np.asarray([1.0, 2.0])),
        Scores(name="a", proxy=np.asarray([1.0, 2.0])),
        Scores(name="a", proxy=np.asarray([1.0, 2.0, 3.0, 4.0])),
    ]
    assert one.digest == same.digest
    assert len({one.digest, *(item.digest for item in others)}) == 5
