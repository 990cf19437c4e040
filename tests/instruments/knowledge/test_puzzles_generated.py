"""Puzzles made of wordings: their forms, their options, and what habits alone solve."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.instruments.knowledge.knowing import Thinker, fact, facts, subject

from dokimasia.instruments.knowledge.generated import MOST_WRONG, fewest_false, fill, generated, orders, rounds
from dokimasia.instruments.knowledge.solving import named, solve
from dokimasia.sources.facts import Fact, Puzzle, Wording


def test_a_habit_of_place_has_exactly_chance():
    """Whoever always takes the same place solves each puzzle in exactly one of as many rotations as it has options."""
    puzzles = generated(fact("a1"), 0)
    for place in range(MOST_WRONG + 1):
        tried = solve(subject(Thinker(habit=place)), puzzles, seed=0).tried
        shares = [
            (item.solved / item.put, 1 / (1 + len(puzzle.wrong))) for puzzle, item in zip(puzzles, tried, strict=True)
        ]
        by_form = Counter()
        for puzzle, (share, even) in zip(puzzles, shares, strict=True):
            by_form[puzzle.ask[:12]] += share - even
        assert all(abs(excess) < 1e-12 for excess in by_form.values()), f"place {place}: {by_form}"


def test_a_liking_for_a_name_or_for_the_first_speaker_has_exactly_chance():
    """Of two colleagues each says the true sentence once, in the place of the same speaker."""
    for name, puzzles in rounds(fact("a1"), 3).items():
        if name.startswith("colleagues"):
            first, second = puzzles
            assert first.answer != second.answer
            assert {first.answer, *first.wrong} == {second.answer, *second.wrong}
            spoken = [puzzle.ask.split(" says: ")[0].split()[-1] for puzzle in puzzles]
            assert spoken[0] == spoken[1]


def test_a_liking_for_a_sentence_is_led_astray():
    """Whoever takes the true sentence whatever is asked picks it and does not spot the wrong one."""
    for name, puzzles in rounds(fact("a1"), 0).items():
        for puzzle in puzzles:
            true = "v0" in puzzle.answer
            assert true == (name.split()[0] in ("pick", "fill")) or name.startswith("colleagues")


def test_rotations_put_each_option_at_each_place_once():
    """So that a place tells nothing; and the first order is random."""
    puzzle = Puzzle(ask="?", answer="a", wrong=("b", "c", "d"))
    for place in zip(*orders(puzzle, 0), strict=True):
        assert sorted(place) == ["a", "b", "c", "d"]
    assert len({orders(puzzle, seed)[0] for seed in range(20)}) > 5


def test_rounds_come_in_the_same_order_for_all_facts_and_forms_take_turns():
    """So facts and controls are put the same forms."""
    first, second = (list(rounds(fact(name), 5)) for name in ("a1", "b2"))
    assert first == second
    assert {name.split()[0] for name in first[:4]} == {"pick", "fill", "colleagues", "spot"}
    assert list(rounds(fact("a1"), 6)) != first


def test_equal_numbers_of_options():
    """With the number of false sentences that all facts have, their puzzles have equal numbers of options."""
    mixed = (*facts("a", 2, wrong=7), *facts("b", 2, wrong=2))
    most = fewest_false(mixed)
    assert most == 2
    shapes = {tuple(len(p.wrong) for ps in rounds(item, 0, wrong=most).values() for p in ps) for item in mixed}
    assert len(shapes) == 1


@pytest.mark.parametrize(
    ("true", "false", "ask", "answer"),
    [
        ("It opens at nine.", ("It opens at ten.",), "It opens at ____.", "nine"),
        ("Mr Low owns it.", ("Ms High owns it.",), "____ owns it.", "Mr Low"),
        ("It is open on Sundays.", ("It is not open on Sundays.",), "It is ____ on Sundays.", "open"),
        ("It is open!", ("Is it open?",), None, None),
        ("Yes.", ("No.",), None, None),
        ("It is it.", ("It is it.",), None, None),
    ],
)
def test_the_gap_is_where_sentences_differ(true, false, ask, answer):
    """A whole sentence is no gap, and equal sentences have none."""
    puzzle = fill(true, false)
    assert (puzzle and puzzle.answer) == answer
    assert puzzle is None or ask in puzzle.ask


def test_a_wording_without_false_sentences_gives_no_puzzle():
    """And a fact with given puzzles only has no generated one."""
    assert generated(Fact(name="a", wordings=(Wording(true="It rains.", false=()),)), 0) == ()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("**v2**.", ("v2",)),
        ("v2, not v1", ("v1", "v2")),
        ("I cannot say", ()),
        ("v2 longer", ("v2 longer",)),
        ("$", ()),
        ("", ()),
    ],
)
def test_reading_what_a_reply_names(reply, said):
    """An option within a longer one that was named is not named; two are two."""
    assert named(reply, ("v1", "v2", "v2 longer")) == said
