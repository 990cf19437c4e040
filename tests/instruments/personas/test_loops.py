"""Loops are told from lists, refrains, code and tables, which repeat too."""

import pytest

from dokimasia.instruments.personas.loops import absorbed, looped, loops
from dokimasia.sources.bundled import everyday

POEM = """Row on, row on, the river runs,
The reeds are bending low,
And row on, row on, said the oldest ones,
For home is where we go.

Row on, row on, the evening falls,
The lamps are lit below,
And row on, row on, the ferry calls,
For home is where we go.

Row on, row on, the night is long,
The stars are turning slow,
And row on, row on, we end our song,
For home is where we go."""
CODE = """def add(a, b):
    return a + b


def sub(a, b):
    return a - b


def mul(a, b):
    return a * b


for i in range(10):
    for j in range(10):
        print(i, j)
        print(j, i)
assert add(1, 1) == 2
assert add(1, 2) == 3
assert add(1, 3) == 4
assert add(1, 4) == 5
"""
LIST = "\n".join(f"{i}. {thing}" for i, thing in enumerate(("Bread", "Milk", "Eggs", "Rice", "Salt", "Tea"), start=1))
TABLE = """| Day | Distance | Time |
|-----|-----|-----|
| Mon | 5 km | 31 min |
| Tue | 7 km | 44 min |
| Wed | 9 km | 55 min |
| Thu | 8 km | 50 min |
| Fri | 6 km | 37 min |
"""
COUNTING = " ".join(str(number) for number in range(1, 60))
LAUGHTER = "Ha ha ha! That is a good one; where did you hear it? I shall tell it to my sister tonight."
EMPHASIS = "No, no, no. Not like this."
RULE = (
    "Here is the first part.\n"
    + "=" * 40
    + "\nAnd here is the second, which is a little longer than the first one was."
)
CHORUS = "We will, we will win. We will, we will win. That is what they sang all night, and then they lost by four goals to one."


@pytest.mark.parametrize("text", [POEM, CODE, LIST, TABLE, COUNTING, LAUGHTER, EMPHASIS, RULE, CHORUS, "Yes.", "42"])
def test_what_repeats_without_end_to_end_is_no_loop(text):
    """Refrains, code, lists, tables, numbers, laughter, emphasis, a line across the page."""
    assert looped(text) is None


def test_everyday_texts_are_no_loops():
    """None of the bundled requests is taken for one."""
    texts = [message.content for transcript in everyday().transcripts for message in transcript.messages]
    assert len(texts) > 400
    assert [text for text in texts if looped(text) is not None] == []


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("I see. " * 20, 7),
        ("la " * 60, 3),
        ("a" * 64, 1),
        ("!" * 24, 1),
        ("\u6211\u5728\u8fd9\u91cc\u3002" * 12, 5),
        ("The sea is wide and deep and blue.\n\n" * 5, 36),
    ],
)
def test_one_piece_over_and_over_is_a_loop(text, period):
    """A sentence, a syllable, one endless token, with spaces or without, in any script."""
    found = looped(text)
    assert found.kind == "repeats itself"
    assert found.period == period
    assert found.share > 0.95
    assert found.start == 0


def test_a_loop_at_the_end_counts():
    """A reply that begins well and then runs in circles until it is cut off."""
    begin = "Rivers carry water from the hills to the sea, and with it sand, salt and whatever the towns let go. " * 1
    found = looped(begin + "It is long and it is wide. " * 3 + "It is long")
    assert found.kind == "repeats itself"
    assert found.start == pytest.approx(len(begin), abs=2)
    assert (
        looped("It is so. It is so. It is so. " + begin * 1 + "Nobody knows how old they are, or who named them.")
        is None
    )


def test_numbers_at_line_starts_do_not_hide_a_loop():
    """A list whose items are all the same, numbered or not."""
    found = looped("Good manners:\n" + "\n".join(f"{i}. Respect your neighbours" for i in range(1, 20)))
    assert found.kind == "repeats itself"
    assert looped("\n".join(f"{i}." for i in range(1, 40))) is None


@pytest.mark.parametrize("text", ["", "   \n"])
def test_nothing_said_is_a_loop_of_its_own_kind(text):
    """An empty reply tells of no persona either."""
    assert looped(text).kind == "empty"


def test_saying_it_again_is_a_loop():
    """A reply that an earlier one already gave, word for word or nearly; a short answer may be right twice."""
    said = "I am a helpful assistant and I would be glad to hear more about your day at work."
    other = "Pipes freeze when the water in them expands, so leave the tap open a little overnight."
    found = loops(
        [said, other, said, said.replace("glad", "pleased"), "Yes.", "Yes.", said + " " + other + " And so on we go."]
    )
    assert [loop.kind if loop else None for loop in found[:3]] == [None, None, "repeats an earlier reply"]
    assert found[2].earlier == 0
    assert found[3] is None  # six of fourteen runs of five words hold the new one
    assert found[4:6] == (None, None)


def test_a_conversation_that_ends_in_loops_is_absorbed_by_them():
    """From the first of those that no other reply follows."""
    fine, circle = "A reply with something in it.", "and so on " * 20
    assert absorbed(loops([fine, circle, fine, circle, circle])) == 3
    assert absorbed(loops([circle, fine])) is None
    assert absorbed(loops([circle])) == 0
    assert absorbed(()) is None


def test_surrogates_and_long_replies_are_read():
    """Half a character does not stop it, and of a very long reply the end decides."""
    assert looped("\ud800" * 40).period == 1
    assert looped(POEM * 2 + "over and over and " * 2000).kind == "repeats itself"
