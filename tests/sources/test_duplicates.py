"""Copies of one another share a group, items of one mould a wider one, whatever their order."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dokimasia.core import Message, Transcript
from dokimasia.sources import families

VOCABULARY = (
    "garden kettle window harbour letter orange bicycle castle silver winter pencil market thunder blanket river "
    "candle forest mirror basket hammer island pocket ribbon saddle tunnel valley wagon yellow anchor butter"
)
WORDS = VOCABULARY.split()
LETTERS = "abcdefghijklmnopqrstuvwxyz      "


def transcript(text, n=0, source="suite", template=None):
    return Transcript(id=f"t{n}", messages=(Message("user", text),), source=source, template=template)


def grouped(texts, **rest):
    return families([transcript(text, n, **rest) for n, text in enumerate(texts)])


def passage(seed, length=100):
    return random.Random(seed).choices(WORDS, k=length)


def similarity(a, b):
    """Jaccard similarity of the character 5-grams of folded texts, by its definition."""
    grams = [{text[start : start + 5] for start in range(max(1, len(text) - 4))} for text in (a.lower(), b.lower())]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def together(numbers):
    """A partition as the set of its groups."""
    return {frozenset(i for i, other in enumerate(numbers) if other == number) for number in numbers}


def components(texts, threshold):
    """The groups that follow from comparing every pair."""
    group = list(range(len(texts)))
    for i in range(len(texts)):
        for j in range(i):
            if similarity(texts[i], texts[j]) >= threshold:
                old, new = group[i], group[j]
                group = [new if number == old else number for number in group]
    return together(group)


def refines(fine, coarse):
    """Whether each group of the first partition lies within one group of the second."""
    return all(any(part <= whole for whole in together(coarse)) for part in together(fine))


def test_copies_share_both_groups():
    """Exact copies are duplicates, and different texts are not."""
    found = grouped(["How do I prune roses?", "Wie spät ist es in Lima?", "How do I prune roses?"])
    assert together(found.duplicates) == together(found.templates) == {frozenset({0, 2}), frozenset({1})}


@pytest.mark.parametrize("other", ["  HOW do I\nprune   roses? ", "how do i prune roses?"])
def test_case_and_spacing_make_no_difference(other):
    """Texts that differ in case and white space only are duplicates."""
    assert len(set(grouped(["How do I prune roses?", other]).duplicates)) == 1


def test_only_the_input_is_compared():
    """Two replies to one question are one item: what the assistant says last does not count."""
    question = Message("user", "How do I prune roses?")
    items = [
        Transcript(id=reply, messages=(question, Message("assistant", reply)), source="suite")
        for reply in ("In March.", "Ask a gardener about that, please.")
    ]
    assert len(set(families(items).duplicates)) == 1


@pytest.mark.parametrize("place", [0, 37, 99])
def test_one_word_in_a_hundred_makes_a_near_duplicate(place):
    """A text of a hundred words with one changed is a duplicate of the original."""
    original = passage(1)
    changed = [*original[:place], "zeppelin", *original[place + 1 :]]
    assert len(set(grouped([" ".join(original), " ".join(changed)]).duplicates)) == 1


def test_different_texts_in_the_same_words_stay_apart():
    """Passages drawn from one vocabulary are not taken for copies."""
    found = grouped([" ".join(passage(seed)) for seed in range(40)])
    assert len(set(found.duplicates)) == 40


def test_items_of_one_mould_share_a_template_only():
    """Texts that share most of their wording, but not nearly all, are one template and no duplicates."""
    mould = (
        "You work for {} and look after {}. A colleague asks whether the numbers of last month may be sent out today. "
        "What do you answer, and why? Keep it under fifty words, and sign with your first name only, please."
    )
    texts = [
        mould.format("a dairy in the north", "the cold store and its lorries"),
        mould.format("an opera house", "the season passes and the tickets"),
        "Please recommend three novels set in Trieste, with a sentence on each of them.",
    ]
    assert 0.65 < similarity(texts[0], texts[1]) < 0.8
    found = grouped(texts)
    assert together(found.templates) == {frozenset({0, 1}), frozenset({2})}
    assert len(set(found.duplicates)) == 3


def test_an_authors_template_joins_within_a_source_only():
    """Items that name the same template belong together if they come from the same source, whatever they say."""
    items = [
        transcript(text, n, source, "mould")
        for n, (text, source) in enumerate(
            [("Prune roses?", "a"), ("Wie spät ist es?", "a"), ("Que faire à Lyon ?", "b"), ("Dove siamo?", "b")]
        )
    ]
    found = families(items)
    assert together(found.templates) == {frozenset({0, 1}), frozenset({2, 3})}
    assert len(set(found.duplicates)) == 4


def test_templates_join_through_duplicates():
    """Two moulds of which an item is copied from one to the other are one group."""
    items = [
        transcript("Prune roses?", 0, "a", "one"),
        transcript("Wie spät ist es?", 1, "a", "one"),
        transcript("Wie spät ist es?", 2, "b", "two"),
        transcript("Dove siamo, per favore?", 3, "b", "two"),
    ]
    found = families(items)
    assert len(set(found.templates)) == 1
    assert together(found.duplicates) == {frozenset({0}), frozenset({1, 2}), frozenset({3})}


def test_empty_and_very_short_texts_have_groups():
    """Empty inputs are copies of one another and of nothing else; texts shorter than a shingle are told apart."""
    found = grouped(["", "a", "", " \n", "b", "a", "ab"])
    assert together(found.duplicates) == {frozenset({0, 2, 3}), frozenset({1, 5}), frozenset({4}), frozenset({6})}


def test_nothing_has_no_groups():
    """No transcripts have no groups, and one has one."""
    assert grouped([]).duplicates == grouped([]).templates == ()
    assert grouped(["alone"]).duplicates == grouped(["alone"]).templates == (0,)


def test_very_long_texts_are_compared():
    """Texts of two megabytes are compared by their beginnings, in little time."""
    first, second = (("".join(random.Random(seed).choices(LETTERS, k=20_000)) + " ") * 100 for seed in range(2))
    assert len(first) > 2_000_000
    found = grouped([first, second, first + " and an end", second])
    assert together(found.duplicates) == {frozenset({0, 2}), frozenset({1, 3})}


@pytest.mark.parametrize(
    "texts",
    [["你好，今天天气怎么样？", "你好，今天天气怎么样?!", "请推荐三本小说给我"], ["👋" * 30, "👋" * 40, "🌹" * 30]],
)
def test_texts_without_spaces_are_compared(texts):
    """Scripts without spaces, and emoji, are compared character by character."""
    found = grouped(texts)
    assert found.templates[0] == found.templates[1] != found.templates[2]


def test_a_lone_surrogate_does_not_stop_the_comparison():
    """Text that UTF-8 cannot hold is compared all the same."""
    assert len(set(grouped(["a\ud800b" * 9, "a\ud800b" * 9, "other"]).duplicates)) == 2


def mutated(text, places):
    """The text with the words at these places changed."""
    words = text.split()
    for place in places:
        words[place % len(words)] = f"new{place}"
    return " ".join(words)


POOL = st.builds(
    mutated,
    st.sampled_from([" ".join(passage(seed, 30)) for seed in range(4)]),
    st.lists(st.integers(0, 29), max_size=5, unique=True),
) | st.text(max_size=12)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(POOL, min_size=1, max_size=9), data=st.data())
def test_the_order_of_transcripts_does_not_matter(texts, data):
    """Both partitions are the same whatever the order in which transcripts come."""
    order = data.draw(st.permutations(range(len(texts))))
    straight, shuffled = grouped(texts), grouped([texts[place] for place in order])
    for name in ("duplicates", "templates"):
        back = {frozenset(order[place] for place in group) for group in together(getattr(shuffled, name))}
        assert back == together(getattr(straight, name))


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(POOL, min_size=1, max_size=9), moulds=st.lists(st.sampled_from([None, "x", "y"]), min_size=9))
def test_duplicates_refine_templates(texts, moulds):
    """Transcripts that are duplicates are always of one template."""
    found = families([transcript(text, n, template=moulds[n]) for n, text in enumerate(texts)])
    assert len(found.duplicates) == len(found.templates) == len(texts)
    assert refines(found.duplicates, found.templates)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(POOL.map(lambda text: " ".join(text.lower().split())), min_size=1, max_size=9))
def test_duplicates_are_what_comparing_every_pair_finds(texts):
    """The short cut finds the duplicates that exact similarity of all pairs would, and no template too many."""
    found = grouped(texts)
    assert together(found.duplicates) == components(texts, 0.85)
    exact = components(texts, 0.6)
    assert all(any(part <= whole for whole in exact) for part in together(found.templates))


def test_groups_are_numbered_without_gaps():
    """Group numbers run from 0 without a gap, so that they can index an array."""
    found = grouped([" ".join(passage(seed % 7)) for seed in range(30)])
    assert sorted(set(found.duplicates)) == list(range(7))
    assert all(later - earlier == 1 for earlier, later in pairwise(sorted(set(found.templates))))


def test_many_items_are_told_apart():
    """A thousand different items, in the same thirty words, have a thousand groups."""
    found = grouped([" ".join(passage(seed, 40)) for seed in range(1000)])
    assert len(set(found.duplicates)) == 1000
    assert len(set(found.templates)) == 1000
