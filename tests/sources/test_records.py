"""Records come out of a file one at a time, each with its line, or the file is refused by name and line."""

import json
import tracemalloc

import pytest

from dokimasia.core import SourceError
from dokimasia.sources.records import BLOCK, iterate_records


def refusal(path):
    with pytest.raises(SourceError) as caught:
        list(iterate_records(path))
    return str(caught.value)


def padded_before(border, item):
    """An array of which `item`, encoded, has exactly `border` bytes before the end of the first block."""
    opening, closing = b'["', b'",'
    padding = BLOCK - border - len(opening) - len(closing)
    return opening + b"x" * padding + closing + item + b',"after"]'


def test_json_lines_keep_their_lines(write):
    """Every line is a record under its own number, and empty lines count without being records."""
    path = write('{"a": 1}\n\n   \n"text"\n[1, 2]\r\n3\nnull')
    assert list(iterate_records(path)) == [(1, {"a": 1}), (4, "text"), (5, [1, 2]), (6, 3), (7, None)]


def test_an_array_gives_each_item_the_line_that_it_begins_on(write):
    """In an array the line is where the item begins, however many lines it has."""
    path = write('\n[\n {"a":\n 1},\n\n "text", 2\n]\n')
    assert list(iterate_records(path)) == [(3, {"a": 1}), (6, "text"), (6, 2)]


@pytest.mark.parametrize("content", ["[]", " [ ]\n", "\ufeff[\n]"])
def test_an_empty_array_has_no_records(write, content):
    """An empty array is read, and yields nothing."""
    assert list(iterate_records(write(content))) == []


def test_an_indented_object_is_one_record(write):
    """One indented JSON object, as editors write it, is one record at its first line."""
    value = {"messages": [{"role": "user", "content": "a { brace"}], "id": 7}
    assert list(iterate_records(write("\n" + json.dumps(value, indent=2)))) == [(2, value)]


def test_indented_objects_follow_one_another(write):
    """Indented objects one after another, as jq writes them, are as many records."""
    path = write('{\n "a": 1\n}\n{\n "a": 2\n}\n{"a": 3}\n')
    assert list(iterate_records(path)) == [(1, {"a": 1}), (4, {"a": 2}), (7, {"a": 3})]


@pytest.mark.parametrize("content", ['{"a": "é"}\n{"a": 2}', '[{"a": "é"},\n{"a": 2}]', '{\n"a": "é"\n}\n{"a": 2}'])
def test_a_byte_order_mark_is_no_part_of_the_text(write, content):
    """A UTF-8 byte order mark changes nothing."""
    assert [value for _, value in iterate_records(write("\ufeff" + content))] == [{"a": "é"}, {"a": 2}]


def test_only_a_line_feed_ends_a_line(write):
    """Unicode's own line separators may stand inside a text."""
    text = "one\u2028two\u2029three\x85four"
    for content in (json.dumps({"a": text}, ensure_ascii=False), json.dumps([{"a": text}], ensure_ascii=False)):
        assert [value for _, value in iterate_records(write(content))] == [{"a": text}]


@pytest.mark.parametrize("text", ["[[[", "]", "}],[{", '\\"]', "{", "\\", '","'])
def test_brackets_inside_texts_are_text(write, text):
    """Brackets, quotes and backslashes in a text do not end a record or the array."""
    values = [{"a": text}, {text: [text, [text]]}, text]
    assert [value for _, value in iterate_records(write(values))] == values
    assert [value for _, value in iterate_records(write("\n".join(map(json.dumps, values))))] == values


STRADDLING = [
    {"a": "plain words"},
    {"a": "é日本😀"},
    {"a": [True, False, None, -12.5e-3]},
    {"a": 'quote " and backslash \\'},
    [[1], {"b": "]"}],
    "a text",
]


@pytest.mark.parametrize("value", STRADDLING, ids=json.dumps)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_an_item_may_straddle_two_blocks(write, value, ascii_only):
    """An item is whole wherever the border between two blocks falls in it, in the middle of a character too."""
    item = json.dumps(value, ensure_ascii=ascii_only).encode()
    for border in range(-1, len(item) + 2):
        found = [read for _, read in iterate_records(write(padded_before(border, item)))]
        assert found[1:] == [value, "after"], border


@pytest.mark.parametrize("after", ["{", '{"a"', '{"a":', '{"a": 1', '{"a": 1,', '{"a": [1,'])
def test_white_space_may_straddle_two_blocks(write, after):
    """A run of white space across the border breaks nothing, whatever token stands before it."""
    rest = {"{": "}", '{"a"': ": 1}", '{"a":': "1}", '{"a": 1': "}", '{"a": 1,': '"b": 2}', '{"a": [1,': "2]}"}[after]
    item = (after + " " * 400 + rest).encode()
    found = [read for _, read in iterate_records(write(padded_before(200, item)))]
    assert found[1:] == [json.loads(item), "after"]


def test_a_large_array_keeps_order_and_lines(write):
    """An array of several blocks comes out complete and in order, with the right lines."""
    values = [{"n": number, "text": "wörd [" * 100} for number in range(5000)]
    path = write("[\n" + ",\n".join(json.dumps(value, ensure_ascii=False) for value in values) + "\n]")
    assert path.stat().st_size > 3 * BLOCK
    assert list(iterate_records(path)) == [(number + 2, value) for number, value in enumerate(values)]


@pytest.mark.parametrize("array", [True, False])
def test_a_large_file_is_never_held_whole(write, array):
    """Reading takes the memory of a few blocks, not that of the file."""
    lines = [json.dumps({"text": "x" * 20_000})] * 1500
    path = write("[" + ",\n".join(lines) + "]" if array else "\n".join(lines))
    del lines
    tracemalloc.start()
    try:
        assert sum(1 for _ in iterate_records(path)) == 1500
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 28 * BLOCK
    assert peak < 12 * BLOCK


def test_records_come_before_the_break(write):
    """What stands before a broken place has been handed out when the error comes."""
    stream = iterate_records(write('[{"a": 1},\n{"a": 2},\n{"a" 3}]'))
    assert [next(stream), next(stream)] == [(1, {"a": 1}), (2, {"a": 2})]
    with pytest.raises(SourceError, match="line 3"):
        next(stream)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"a": 1}\n{"a": }\n{"a": 3}', 2),
        ('{"a": 1}\n\n{"a": 1} {"a": 2}', 3),
        ('{"a": 1}\n{"a": 2', 2),
        ('{"a": 1}\n{\n{"a": 2}', 3),
        ('{\n "a": 1,\n "b": nope\n}', 3),
        ('{\n "a": 1,\n\n\n "b": nope\n}', 5),
        ('[{"a": 1},\n{"a": 2},\n nope]', 3),
        ('[\n{"a": 1},\n{"b": 1,\n "c": nope}\n]', 4),
        ('[{"a": 1},\n{"a": 2', 2),
        ('[{"a": 1},\n{"a": 2},\n', 3),
        ('[{"a": 1},\n{"a": "unfinished', 2),
        ("[", 1),
        ("{", 1),
        ("nope", 1),
    ],
)
def test_a_broken_file_is_refused_by_name_and_line(write, content, line):
    """The error names the file and the line at which it is broken or cut short."""
    path = write(content)
    assert f"{path}, line {line}:" in refusal(path)


def test_a_break_in_the_middle_of_a_large_array_has_its_line(write):
    """Many blocks into an array the line of the break is still right."""
    lines = [json.dumps({"n": number, "text": "x" * 500}) for number in range(9000)]
    lines[6000] = lines[6000].replace('"text":', '"text"')
    path = write("[" + ",\n".join(lines) + "]")
    assert f"{path}, line 6001:" in refusal(path)


@pytest.mark.parametrize(
    "content",
    ['["a"] x', '["a"]]', '["a"]\n["b"]', '["a"]\n{"a": 1}', '["a"]' + " " * (BLOCK + 9) + "x"],
    ids=["a word", "a bracket", "an array", "an object", "a word far behind"],
)
def test_what_follows_the_end_of_an_array_is_not_dropped(write, content):
    """Records behind an array's end are never lost in silence: the file is refused, or they are read."""
    path = write(content)
    found = []
    try:
        found += iterate_records(path)
    except SourceError as error:
        reason = str(error)
    assert len(found) > 1 or str(path) in reason


def test_white_space_behind_an_array_is_no_fault(write):
    """An array may end with empty lines."""
    assert list(iterate_records(write('["a"]\n\n \n'))) == [(1, "a")]


@pytest.mark.parametrize(
    "template",
    [
        '{{"a": "one"}}\n{{"a": "caf{}"}}\n',
        '[{{"a": "one"}},\n{{"a": "caf{}"}}]',
        '{{"a": 0}}\n{{\n"a": "caf{}"\n}}',
        "[" + '\n{{"a": "padding of an item before it"}},' * 40_000 + '\n{{"a": "caf{}"}}]',
    ],
    ids=["lines", "array", "indented", "large array"],
)
def test_text_in_another_encoding_is_refused_by_line_and_byte(write, template):
    """A Latin-1 byte is named with its line and value, in every layout."""
    before, after = template.format("|").split("|")
    path = write(before.encode() + b"\xe9" + after.encode())
    message = refusal(path)
    assert f"{path}, line {before.count(chr(10)) + 1}:" in message
    assert "0xe9" in message


@pytest.mark.parametrize("layout", ["lines", "array"])
def test_a_character_cut_in_two_is_refused(write, layout):
    """A file that ends inside a UTF-8 character is refused, not mended."""
    cut = b'{"a": "one"}\n"caf\xc3' if layout == "lines" else b'["one",\n"caf\xc3'
    path = write(cut)
    assert f"{path}, line 2:" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_wide_encodings_are_refused(write, encoding):
    """Text in two or four bytes a character is refused with the file's name, with a byte order mark or without."""
    path = write('{"a": 1}\n{"a": 2}\n'.encode(encoding))
    assert str(path) in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_called_by_its_name(write, encoding):
    """With a byte order mark the error says what was found."""
    assert "UTF-16" in refusal(write('\ufeff{"a": 1}'.encode(encoding)))


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "empty"), (b" \n\t\r\n", "white space"), (b"\xef\xbb\xbf", "bytes")]
)
def test_a_file_without_content_is_refused(write, content, word):
    """An empty file is refused, and so is one of white space only."""
    path = write(content)
    message = refusal(path)
    assert str(path) in message
    assert word in message


def test_a_long_run_of_empty_lines_is_no_empty_file(write):
    """Records that stand behind very many empty lines are read."""
    assert list(iterate_records(write("\n" * 70_000 + '{"a": 1}'))) == [(70_001, {"a": 1})]


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: folder,
        lambda folder: folder / "missing.jsonl",
        lambda folder: folder / "missing" / "suite.jsonl",
        lambda folder: folder / "file" / "suite.jsonl",
        lambda folder: folder / "loop",
        lambda folder: folder / ("x" * 300),
    ],
    ids=["folder", "missing file", "missing folder", "a file as a folder", "a link to itself", "too long a name"],
)
def test_what_is_no_file_is_refused(tmp_path, make):
    """A path under which no file can be opened gives an error that names it."""
    (tmp_path / "file").write_text("{}")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    path = make(tmp_path)
    assert str(path) in refusal(path)


def test_a_file_that_may_not_be_read_is_refused(unprivileged):
    """A file without permission to read gives an error that names it and says why."""
    path = unprivileged / "mine.jsonl"
    path.write_text('{"a": 1}')
    path.chmod(0)
    message = refusal(path)
    assert str(path) in message
    assert "not permitted" in message


@pytest.mark.parametrize("opening", ["[", '{"a":', '["b",', '{\n"a":', '[{\n"a":'])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_is_refused(write, opening, closed):
    """A hundred thousand brackets are refused as too deep, whatever they open and whether they close."""
    closing = {"[": "]", '{"a":': "}", '["b",': "]", '{\n"a":': "}", '[{\n"a":': "}]"}[opening]
    depth = 100_000
    path = write(opening * depth + "1" + closing * depth * closed)
    assert f"{path}, line " in refusal(path)


@pytest.mark.parametrize("layout", ['{{"a": {}}}', '[{{"a": {}}}]', '{{\n"a": {}\n}}'])
def test_a_huge_integer_is_refused(write, layout):
    """An integer of very many digits, which Python will not convert, is refused by line."""
    path = write(layout.format("9" * 100_000))
    assert f"{path}, line 1:" in refusal(path)


@pytest.mark.timeout(10)
def test_a_long_indented_object_is_read_in_one_go(write):
    """The time for an indented object grows with its length, not with its square."""
    value = {"messages": [{"role": "user", "content": f"turn {number}"} for number in range(8000)]}
    assert list(iterate_records(write(json.dumps(value, indent=1)))) == [(1, value)]


@pytest.mark.timeout(10)
def test_small_items_behind_a_large_one_are_read_in_one_go(write):
    """After a large item has filled the buffer, the small ones behind it still take a time in proportion to them."""
    small = ",".join(f'{{"prompt": "request number {number}"}}' for number in range(200_000))
    path = write('[{"prompt": "' + "x" * 8_400_000 + f'"}},{small}]')
    assert sum(1 for _ in iterate_records(path)) == 200_001
