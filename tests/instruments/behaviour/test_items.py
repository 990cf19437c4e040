"""The items that ship: enough, balanced, different from one another, and readable as an evaluation."""

import re
from collections import Counter

import pytest

from dokimasia.core import UserError
from dokimasia.instruments.behaviour import evaluation
from dokimasia.instruments.behaviour.items import LETTERS, SUITES, items
from dokimasia.sources import families

FORCED = [suite for suite in SUITES if any(item.options for item in items((suite,)))]
EVERYDAY = [suite for suite in SUITES if suite not in FORCED]


def forced():
    return [item for item in items() if item.options is not None]


def test_there_are_enough_items_and_suites():
    """There are at least 240 items in at least eight suites, and every suite has some."""
    counts = Counter(item.suite for item in items())
    assert len(items()) >= 240
    assert len(SUITES) >= 8
    assert set(counts) == set(SUITES)
    assert min(counts.values()) >= 10


def test_everyday_suites_offer_no_options():
    """At least three suites are everyday requests: free answers to be judged by rules, and no options."""
    assert len(EVERYDAY) >= 3
    for item in items(tuple(EVERYDAY)):
        assert item.options is None
        assert {rule.verdict for rule in item.rules} == {"misbehaved", "behaved"}


def test_forced_choices_have_two_options_and_no_rules():
    """A forced choice has two different options, and nothing to judge by but the choice."""
    for item in items(tuple(FORCED)):
        assert item.options is not None
        assert item.options[0].strip() != item.options[1].strip()
        assert item.rules == ()


def test_ids_say_the_suite_and_are_unique():
    """An item's id is its suite and a number, and no two items share one."""
    assert len({item.id for item in items()}) == len(items())
    for item in items():
        assert re.fullmatch(rf"{item.suite}-\d+", item.id)
        assert item.template.startswith(f"{item.suite}/")


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_says_what_it_looks_for(suite):
    """Each suite has a plain name and the misbehaviour that it looks for in words."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", suite)
    assert len(SUITES[suite].split()) >= 4


def test_every_item_ends_in_a_users_message():
    """Each item gives the subject something to answer."""
    for item in items():
        assert item.messages[-1].role == "user"
        assert all(message.content.strip() for message in item.messages)


def test_each_option_stands_first_once():
    """The two orders show the same situation, with the misbehaving option at A in one and at B in the other."""
    for item in forced():
        for order, (first, second) in enumerate((item.options, item.options[::-1])):
            shown = item.presented(order)
            assert shown[:-1] == item.messages[:-1]
            assert shown[-1].content.startswith(item.messages[-1].content + "\n\n")
            assert f"\nA. {first}\nB. {second}\n" in shown[-1].content
        shown = [item.presented(order)[-1].content for order in (0, 1)]
        assert sorted(shown[0]) == sorted(shown[1])


def test_everyday_requests_are_shown_as_they_are():
    """An everyday request is presented without any addition, in either order."""
    for item in items(tuple(EVERYDAY)):
        assert item.presented(0) == item.presented(1) == item.messages


def test_the_options_alone_show_nothing_of_the_situation():
    """The control shows both options, in the order asked for, and not the situation."""
    for item in forced():
        for order in (0, 1):
            (message,) = item.options_alone(order)
            assert message.role == "user"
            assert item.presented(order)[-1].content.endswith(message.content)
            assert item.messages[-1].content not in message.content


@pytest.mark.parametrize("suite", SUITES)
def test_the_usual_order_is_balanced(suite):
    """In each suite as many items have the misbehaving option first in their usual order as have it second."""
    counts = Counter(item.usual_order for item in items((suite,)))
    assert abs(counts[0] - counts[1]) <= 1


@pytest.mark.parametrize("suite", FORCED)
def test_options_are_of_like_length(suite):
    """Over a suite the misbehaving options are as long as the behaving ones, to a tenth, in characters and words."""
    sides = list(zip(*(item.options for item in items((suite,))), strict=True))
    for measured in (len, lambda text: len(text.split())):
        misbehaving, behaving = (sum(map(measured, side)) for side in sides)
        assert misbehaving == pytest.approx(behaving, rel=0.1)


@pytest.mark.parametrize("suite", FORCED)
def test_the_longer_option_does_not_give_it_away(suite):
    """Neither side is the longer in nearly every item of a suite."""
    longer = [len(item.options[0]) > len(item.options[1]) for item in items((suite,))]
    assert 0.2 <= sum(longer) / len(longer) <= 0.8


def test_no_option_is_offered_twice():
    """No option's words occur in two items, nor on both sides."""
    counts = Counter(option for item in forced() for option in item.options)
    assert counts.most_common(1)[0][1] == 1


def test_no_two_items_are_near_duplicates():
    """No item is a copy of another, by the same measure that is used on other people's evaluations."""
    found = families(evaluation().transcripts)
    assert len(set(found.duplicates)) == len(items())


def test_the_items_are_an_evaluation():
    """The items come as one source: unlabelled, each in its suite, under unique ids, in their usual order."""
    source = evaluation()
    assert [item.id for item in source.transcripts] == [item.id for item in items()]
    assert len({item.id for item in source.transcripts}) == len(items())
    assert not source.scored
    for transcript, item in zip(source.transcripts, items(), strict=True):
        assert transcript.messages == transcript.input == item.presented(item.usual_order)
        assert (transcript.source, transcript.template) == (item.suite, item.template)


def test_suites_come_in_the_order_asked_for():
    """Naming suites gives their items and no others."""
    found = items(("sycophancy", "power"))
    assert list(dict.fromkeys(item.suite for item in found)) == ["sycophancy", "power"]
    assert set(found) == {item for item in items() if item.suite in ("sycophancy", "power")}


def test_an_unknown_suite_is_refused():
    """A name that is no suite's is refused, and the error lists those that are."""
    with pytest.raises(UserError, match="no-such-suite") as caught:
        items(("power", "no-such-suite"))
    assert all(suite in caught.value.expected for suite in SUITES)


def test_the_letters_are_a_and_b():
    """Options are lettered as they are shown."""
    assert LETTERS == ("A", "B")
