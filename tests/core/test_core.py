import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dokimasia.core import Cost, Message, SourceError, Transcript, UserError
from dokimasia.core.rounding import counted, number_down, number_up, percent_down, percent_up


def talk(*turns):
    return Transcript(id="t", messages=tuple(Message(*turn) for turn in turns), source="s")


def test_the_input_ends_where_the_assistant_closes():
    """Closing assistant messages are output; those in between belong to what the subject saw."""
    item = talk(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    assert [message.content for message in item.input] == ["a", "b", "c"]
    assert item.input_text == "a\n\nb\n\nc"


@given(st.lists(st.tuples(st.sampled_from(["user", "system"]), st.text()), min_size=1, max_size=4))
def test_digests_follow_roles_and_contents_alone(turns):
    """Equal messages have equal digests whatever the id; moving a character between messages changes it."""
    one, other = talk(*turns), talk(*turns).labelled("yes")
    assert one.digest == other.digest
    assert one.digest != talk(*turns, ("user", "")).digest


def test_digests_do_not_depend_on_where_messages_are_cut():
    """Two messages are not the same as one message of both."""
    assert talk(("user", "ab")).digest != talk(("user", "a"), ("user", "b")).digest


@given(st.floats(0, 1))
def test_bounds_are_rounded_outward(rate):
    """What is printed is never better than what was found."""
    assert float(percent_up(rate).rstrip("%")) >= rate * 100 - 1e-6
    assert float(percent_down(rate).rstrip("%")) <= rate * 100 + 1e-6
    assert float(number_up(rate)) >= rate - 1e-6 >= float(number_down(rate)) - 2e-6


def test_exact_percentages_are_not_pushed_a_digit_further():
    """17.1% is 17.1%, although its float lies a little above."""
    assert percent_up(0.171) == percent_down(0.171) == "17.1%"
    assert percent_up(0.0) == "0.0%"
    assert percent_up(1.0) == "100%"
    assert counted(1, "item") == "1 item"


def test_errors_say_three_things_and_survive_pickling():
    """Expected, found, what to do: in the message, and in another process."""
    error = SourceError("Expected.", "Found.", "Do.")
    assert str(error) == "Expected. Found. Do."
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, UserError)
    assert (copy.expected, copy.found, copy.do, copy.exit_code) == ("Expected.", "Found.", "Do.", 2)


def test_costs_add():
    """Costs add up field by field."""
    assert Cost(calls=1, tokens=2, seconds=3, usd=4) + Cost(calls=1) == Cost(calls=2, tokens=2, seconds=3, usd=4)


def test_importing_the_package_is_light():
    """`import dokimasia` loads neither torch, inspect_ai, scipy.stats nor matplotlib; its names work all the same."""
    import subprocess
    import sys

    code = (
        "import sys, dokimasia\n"
        "heavy = {'torch', 'inspect_ai', 'scipy.stats', 'matplotlib', 'sklearn', 'transformers'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert dokimasia.stats.clopper_pearson(0, 3)[0] == 0\n"
        "assert not heavy & set(sys.modules)\n"
        "assert callable(dokimasia.load_subject) and callable(dokimasia.realism)\n"
        "assert 'torch' not in sys.modules and 'audit' in dir(dokimasia)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_names_are_attribute_errors():
    """A name that the package does not have is an ordinary AttributeError."""
    import dokimasia

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dokimasia.nothing
