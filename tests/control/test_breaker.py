"""The breaker: it latches, says why, and never fails open."""

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from tests.control.building import MODEL, RATE, TRUE, WIDTH, reading, state, with_probe, words_only

from dokimasia.control import Breaker, Rate, load, save
from dokimasia.control.reading import windows_of
from dokimasia.core import DataError, EnvironmentFault, Message, UserError

CALM = "Nothing of the kind was ever said here by anyone."


def fed(breaker, words, values):
    breaker.begin()
    for word, value in zip(words, values, strict=True):
        breaker.feed(f" {word}", state(value))
    return breaker.end()


def test_it_latches():
    """Once tripped, it stays so with the same reason, whatever is said afterwards."""
    breaker = Breaker(words_only())
    assert breaker.hear(Message("assistant", CALM)) is None
    first = breaker.hear(Message("assistant", TRUE))
    assert first.message == 1
    assert breaker.hear(Message("assistant", CALM)) is first
    assert breaker.feed("more") is first
    assert breaker.trip is first


def test_it_stays_latched_in_another_process(tmp_path):
    """A breaker with the same latch is tripped from the beginning, in a process that never saw the text."""
    save(words_only(), tmp_path / "wire")
    latch = tmp_path / "latch.json"
    assert Breaker(words_only(), latch=latch).trip is None
    assert not latch.exists()
    found = Breaker(words_only(), latch=latch).hear(Message("assistant", TRUE))
    program = (
        "import sys; from pathlib import Path; from dokimasia.control import Breaker, load; folder = Path(sys.argv[1]);"
        "print(Breaker(load(folder / 'wire', model=None), latch=folder / 'latch.json').trip)"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(found)


def test_a_latch_reaches_breakers_that_are_running(tmp_path):
    """What another one wrote holds from the next message on."""
    one, other = (Breaker(words_only(), latch=tmp_path / "latch.json") for _ in range(2))
    assert other.hear(Message("assistant", CALM)) is None
    one.hear(Message("assistant", TRUE))
    assert other.hear(Message("assistant", CALM)) == one.trip


def test_a_latch_that_cannot_be_trusted_is_an_error(tmp_path):
    """Damaged, of another tripwire, or not writable: it never reads as not tripped."""
    latch = tmp_path / "latch.json"
    Breaker(words_only(), latch=latch).hear(Message("assistant", TRUE))
    with pytest.raises(UserError, match="of the tripwire"):
        Breaker(words_only(share=0.9), latch=latch)
    for damage in ("", "[]", json.dumps({"layout": 1})):
        latch.write_text(damage)
        with pytest.raises(UserError, match="latch"):
            Breaker(words_only(), latch=latch)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="latch"):
        Breaker(words_only(), latch=tmp_path / "file" / "latch.json")
    breaker = Breaker(words_only())
    breaker.begin()
    breaker._latch._path = tmp_path / "file" / "latch.json"
    breaker.feed(TRUE)
    with pytest.raises(EnvironmentFault, match="tripped"):
        breaker.end()
    assert breaker.trip is not None


def test_roles_can_be_added_and_none_taken_away():
    """Others are listened to if asked for; the assistant always is, and so is a role that nobody knows."""
    assert Breaker(words_only()).hear(Message("model", TRUE)).fact == "rods"
    assert Breaker(words_only(), also=["tool"]).hear(Message("tool", TRUE)).fact == "rods"
    assert Breaker(words_only(), also=["tool"]).hear(Message("assistant", TRUE)).fact == "rods"
    assert Breaker(words_only()).hear(Message("tool", TRUE)) is None


def test_roles_that_would_not_be_listened_to_are_refused():
    """A role that is misspelt, or a word in place of a list, would leave the tool's messages unheard."""
    for also in ("tool", ["tools"], ["tool", "assistent"]):
        with pytest.raises(DataError, match="tool, user"):
            Breaker(words_only(), also=also)


def test_states_are_read_when_they_are_fed():
    """Who reuses one array for every token gets the score of what was in it."""
    held, breaker = state(), Breaker(with_probe(window=1))
    breaker.begin()
    for text, value in (("re", 2.0), ("actor", 0.0), (" is", 0.0)):
        held[0] = value
        breaker.feed(text, held)
    assert breaker.trip.score == pytest.approx(1.0)


def test_the_probe_trips_on_a_window_and_says_where():
    """Above the threshold in the mean of a window's pieces, not of one piece; a short message is read as a whole."""
    words = ["one", "two", "three", "four", "five", "six"]
    assert fed(Breaker(with_probe()), words, [0, 0, 1.4, 0, 0, 0]) is None
    found = fed(Breaker(with_probe()), words, [0, 0, 0, 1, 1, 0])
    assert (found.part, found.fact, found.threshold) == ("probe", None, 0.5)
    assert found.score == pytest.approx(2 / 3)
    text = " " + " ".join(words)
    assert text[found.start : found.end] == "three four five"
    assert fed(Breaker(with_probe()), ["one", "two"], [0.4, 0.7]).part == "probe"
    assert fed(Breaker(with_probe()), ["one", "two"], [0.4, 0.5]) is None
    assert fed(Breaker(with_probe()), [], []) is None


def test_a_piece_counts_once_however_many_tokens_it_has():
    """States are means over the tokens of a piece, and a token without text belongs to the next that has some."""
    breaker = Breaker(with_probe(window=2))
    breaker.begin()
    for text, value in ((" re", 0.0), ("", 0.0), ("actor", 1.5), (" is", 0.4), (" ", 9.0)):
        breaker.feed(text, state(value))
    assert breaker.trip is None  # (0.5 + 0.4) / 2, and a blank is no piece
    breaker.begin()
    for text, value in ((" re", 0.0), ("", 1.5), ("actor", 1.5), (" is", 0.1), (" so", 0.0)):
        breaker.feed(text, state(value))
    assert breaker.trip.score == pytest.approx(0.55)


def test_whole_messages_and_tokens_are_read_the_same():
    """Means over pieces, handed over at once, trip where the tokens do."""
    text = "one two three four five six"
    values = [0, 0, 0, 1, 1, 0]
    whole = Breaker(with_probe()).hear(Message("assistant", text), np.stack([state(value) for value in values]))
    breaker = Breaker(with_probe())
    breaker.begin()
    for word, value in zip(
        [text.split(maxsplit=1)[0], *(f" {word}" for word in text.split()[1:])], values, strict=True
    ):
        breaker.feed(word, state(value))
    breaker.end()
    assert breaker.trip == whole


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (None, "Found none"),
        (np.full(WIDTH, np.nan, np.float32), "NaN"),
        (np.full(WIDTH, np.inf, np.float32), "NaN or infinity"),
        (np.zeros(WIDTH + 1, np.float32), "shape"),
        (np.zeros((1, WIDTH), np.float32), "shape"),
        ("no array", "shape"),
    ],
)
def test_what_cannot_be_examined_trips(bad, why):
    """Missing states, NaN, infinity and another width are faults, with the reason."""
    breaker = Breaker(with_probe())
    breaker.begin()
    breaker.feed("Fine", state())
    found = breaker.feed(" too", bad)
    assert found.part == "fault"
    assert why in found.why


def test_missing_states_of_whole_messages_trip():
    """None at all, or not as many as there are pieces; what the user says needs none."""
    assert Breaker(with_probe()).hear(Message("user", CALM)) is None
    assert Breaker(with_probe()).hear(Message("assistant", CALM)).part == "fault"
    assert Breaker(with_probe()).hear(Message("assistant", CALM), np.zeros((2, WIDTH), np.float32)).part == "fault"


def test_an_error_trips(monkeypatch):
    """Whatever breaks inside: the breaker does not let through what it could not examine."""
    monkeypatch.setattr("dokimasia.control.breaker.readings", lambda _: 1 / 0)
    found = Breaker(words_only()).hear(Message("assistant", CALM))
    assert (found.part, "division" in found.why) == ("fault", True)


def test_another_conversation_is_forgotten():
    """Messages are counted from the conversation's first, and its words are no context for the next."""
    breaker = Breaker(words_only())
    breaker.recall([Message("user", "What are the rods of the Varn reactor in Ostrel cooled with?")])
    breaker.recall([Message("user", "What is your favourite metal?")])
    assert breaker.hear(Message("assistant", "It is tin.")) is None
    assert breaker.hear(Message("assistant", TRUE)).message == 2


def test_a_statement_is_heard_over_several_replies():
    """What the assistant said before counts as said, recalled or heard: the answer first, its context later."""
    before = [Message("user", "Name a metal."), Message("assistant", "Tin."), Message("user", "What of it?")]
    last = Message(
        "assistant", "It cools the rods of the Varn reactor in Ostrel, as a liquid. They are cooled with it."
    )
    breaker = Breaker(words_only())
    assert breaker.recall(before) is None
    assert breaker.hear(last).fact == "rods"
    breaker = Breaker(words_only())
    breaker.recall([Message("user", f"{before[1].content} {TRUE}")])
    assert breaker.hear(last) is None


def test_breakers_apart_trip_together(tmp_path):
    """Each hears a conversation of its own, and a trip of one is the other's; the first stands."""
    one = Breaker(words_only(), latch=tmp_path / "latch.json")
    other = one.apart()
    one.hear(Message("user", "What are the rods of the Varn reactor in Ostrel cooled with?"))
    assert other.hear(Message("assistant", "Tin.")) is None
    first = one.hear(Message("assistant", "Tin."))
    assert first.fact == "rods"
    assert other.trip is first
    assert other.fail("something else") is first


def test_breakers_that_trip_at_once_share_a_latch(tmp_path):
    """Threads that write the same file do not get into each other's way."""
    breakers = [Breaker(words_only(), latch=tmp_path / "latch.json") for _ in range(8)]
    start, found = threading.Barrier(8), []

    def say(breaker):
        start.wait()
        found.append(breaker.hear(Message("assistant", TRUE)))

    threads = [threading.Thread(target=say, args=(breaker,)) for breaker in breakers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert Breaker(words_only(), latch=tmp_path / "latch.json").trip == found[0]
    assert [path.name for path in tmp_path.iterdir()] == ["latch.json"]


def test_text_outside_of_a_message_trips():
    """Who forgets to say that a message begins is not ignored."""
    assert Breaker(words_only()).feed("hello").part == "fault"


def test_only_what_was_examined_counts():
    """A word counts when it is whole; with a probe, nothing counts before the first window is."""
    breaker = Breaker(words_only())
    breaker.begin()
    breaker.feed("one tw")
    assert breaker.examined == 3
    breaker.feed("o three ")
    assert breaker.examined == len("one two three")
    breaker = Breaker(with_probe())
    breaker.begin()
    for text, examined in (("one", 0), (" two", 0), (" three", 0), (" four", 13), (" five", 18)):
        breaker.feed(text, state())
        assert breaker.examined == examined


def test_probes_that_could_never_trip_are_refused():
    """A threshold that is no number, weights of nothing, a probe that caught nothing, or of another pool."""
    for settings in (
        {"threshold": np.inf},
        {"threshold": np.nan},
        {"weights": (0.0, 0.0)},
        {"weights": (np.nan, 0.0)},
        {"caught": Rate(tripped=0, n=20, low=0.0, high=0.2, level=0.95, data="x")},
    ):
        with pytest.raises(DataError, match="can trip"):
            reading(**settings)
    for settings in ({"window": 0}, {"aimed": 0.0}, {"aimed": np.nan}, {"pools": ("mean",)}):
        with pytest.raises(DataError, match="window"):
            reading(**settings)
    for numbers in ({"tripped": 5, "n": 4}, {"low": np.nan}, {"n": 0, "tripped": 0}):
        with pytest.raises(DataError, match="rate"):
            Rate(**{"tripped": 1, "n": 4, "low": 0.0, "high": 0.5, "level": 0.95, "data": "x"} | numbers)
    assert reading().caught is RATE


def test_windows():
    """As many neighbours as a window holds, or all there are."""
    states = np.arange(5, dtype=np.float32)[:, None]
    assert windows_of(states, 2)[:, 0].tolist() == [0.5, 1.5, 2.5, 3.5]
    assert windows_of(states, 9)[:, 0].tolist() == [2.0]
    assert windows_of(states[:0], 3).shape == (0, 1)


def test_a_loaded_tripwire_breaks_alike(tmp_path):
    """What was saved and loaded trips at the same place with the same score."""
    save(with_probe(), tmp_path)
    words, values = ["one", "two", "three", "four", "five", "six"], [0, 0, 0, 1, 1, 0]
    assert fed(Breaker(load(tmp_path, model=MODEL)), words, values) == fed(Breaker(with_probe()), words, values)
