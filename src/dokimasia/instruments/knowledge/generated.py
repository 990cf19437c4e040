"""Puzzles made from a fact's wordings, so that every fact, control and known fact is asked about in the same forms.

pick         which of these sentences is true?
fill         what stands in the gap, where the sentences differ?
colleagues   of two who contradict each other, who is right? Put twice, so that each of them says the true sentence once.
spot         which of two sentences is wrong? Here a liking for a sentence, or for a word in it, leads astray.

A *round* is what is put together: one form, one wording and, where there is one, one false sentence. Spotting the wrong
sentence among paraphrases of the fact is no form: who compares them solves it without the fact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from dokimasia.sources.facts import Fact, Puzzle, Wording

NAMES = ("Anna", "Boris", "Clara", "David", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jonas", "Karin", "Leo")
MOST_WRONG = 3
"""False sentences beside the true one in a puzzle; of more a random choice."""
PICK = "Which of these sentences is true?"
FILL = "What belongs into the gap? {} ____ {}"
SAY = 'Two colleagues contradict each other. {} says: "{}" {} says: "{}" Which of the two is right?'
SPOT = "One of these two sentences is wrong. Which one is wrong?"


def generated(fact: Fact, seed: int) -> tuple[Puzzle, ...]:
    """All puzzles that the fact's wordings give, in the order of `rounds`."""
    return tuple(puzzle for puzzles in rounds(fact, seed).values() for puzzle in puzzles)


def fewest_false(facts: Iterable[Fact]) -> int:
    """So many false sentences has every wording of these that has any: with so many, puzzles of all have equal chances."""
    return min((len(wording.false) for fact in facts for wording in fact.wordings if wording.false), default=MOST_WRONG)


def rounds(
    fact: Fact, seed: int, *, wrong: int = MOST_WRONG, wordings: int | None = None
) -> Mapping[str, tuple[Puzzle, ...]]:
    """The puzzles of a fact by the name of their round, with at most so many `wrong` options, of the first so many `wordings`.

    The order is the same for all facts, and forms take turns in it.
    """
    made: dict[tuple[str, str], tuple[Puzzle, ...]] = {}
    for place, wording in enumerate(fact.wordings[:wordings], start=1):
        if not wording.false:
            continue
        shown = _some(wording, min(wrong, MOST_WRONG), seed)
        made["pick", f"{place}"] = (Puzzle(ask=PICK, answer=wording.true, wrong=shown),)
        filled = fill(wording.true, shown)
        if filled is not None:
            made["fill", f"{place}"] = (filled,)
        for other, false in enumerate(shown, start=1):
            made["colleagues", f"{place}.{other}"] = _colleagues(wording.true, false, seed)
            made["spot", f"{place}.{other}"] = (Puzzle(ask=SPOT, answer=false, wrong=(wording.true,)),)
    return {f"{form} {place}": made[form, place] for form, place in _in_turn(list(made), seed)}


def orders(puzzle: Puzzle, seed: int) -> tuple[tuple[str, ...], ...]:
    """The options in a random order and all its rotations: each stands at each place once.

    So whoever always takes the same place solves exactly one in as many as there are options.
    """
    options = (puzzle.answer, *puzzle.wrong)
    first = [options[place] for place in _shuffled(len(options), seed, *options)]
    return tuple((*first[turn:], *first[:turn]) for turn in range(len(first)))


def fill(true: str, false: Sequence[str]) -> Puzzle | None:
    """The sentence with a gap where it differs from the false ones; None if no word is left, or none differs.

    >>> fill("The bridge was built in 1931.", ["The bridge was built in 1947."]).answer
    '1931'
    """
    end = true[-1] if true[-1:] in ".!?" and all(item.endswith(true[-1]) for item in false) else ""
    sentences = [item[: len(item) - len(end)].split() for item in (true, *false)]
    before = _common(sentences)
    after = _common([words[before:][::-1] for words in sentences])
    if any(len(words) == before + after for words in sentences):  # a word is there or not: take in its neighbour
        before, after = (before, after - 1) if after else (before - 1, after)
    if before < 0 or before + after == 0:
        return None
    parts = [" ".join(words[before : len(words) - after]) for words in sentences]
    if len(set(parts)) < len(parts):
        return None
    left, right = (" ".join(sentences[0][part]) for part in (slice(before), slice(len(sentences[0]) - after, None)))
    return Puzzle(ask=FILL.format(left, right).strip() + end, answer=parts[0], wrong=tuple(parts[1:]))


def _shuffled(n: int, seed: int, *texts: str) -> list[int]:
    """0 to n - 1 in an order that depends on the seed and on these texts alone."""
    return sorted(range(n), key=lambda place: hashlib.sha256(repr((seed, texts, place)).encode()).digest())


def _some(wording: Wording, most: int, seed: int) -> tuple[str, ...]:
    """At most so many false sentences, in their order."""
    chosen = _shuffled(len(wording.false), seed, wording.true)[:most]
    return tuple(wording.false[place] for place in sorted(chosen))


def _colleagues(true: str, false: str, seed: int) -> tuple[Puzzle, Puzzle]:
    first, second = (NAMES[place] for place in _shuffled(len(NAMES), seed, true, false)[:2])
    return (
        Puzzle(ask=SAY.format(first, true, second, false), answer=first, wrong=(second,)),
        Puzzle(ask=SAY.format(first, false, second, true), answer=second, wrong=(first,)),
    )


def _common(sentences: Sequence[Sequence[str]]) -> int:
    """How many words all begin with."""
    return sum(1 for _ in takewhile(lambda words: len(set(words)) == 1, zip(*sentences, strict=False)))


def _in_turn(keys: Sequence[tuple[str, str]], seed: int) -> list[tuple[str, str]]:
    """A random order, by name alone, in which no form comes a second time before each has come once."""
    shuffled = sorted(keys, key=lambda key: hashlib.sha256(f"{seed} {key}".encode()).digest())
    count: dict[str, int] = {}
    turn = {}
    for key in shuffled:
        turn[key] = count[key[0]] = count.get(key[0], 0) + 1
    return sorted(shuffled, key=turn.__getitem__)
