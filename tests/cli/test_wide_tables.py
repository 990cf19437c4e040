"""Tables on narrow terminals."""

import io

import pytest
from rich.console import Console

from dokimasia.cli.printing import print_table
from dokimasia.core import Table


def printed(columns: int, width: int) -> str:
    names = tuple(f"column-{place}" for place in range(columns))
    table = Table(name="t", title="Wide", columns=names, rows=(tuple(f"value-{name}" for name in names),))
    out = io.StringIO()
    print_table(table, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize(("columns", "lines"), [(4, 6), (12, 14)])
def test_no_word_is_broken(columns, lines):
    """A table that fits stands as a table; of one that does not each row is told in lines, every word whole."""
    text = printed(columns, 80)
    for place in range(columns):
        assert f"value-column-{place}" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert len(text.rstrip("\n").splitlines()) <= lines
