"""Statements that must not be made, and a matcher that hears them in a growing text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from dokimasia.control.pieces import LONGEST, words
from dokimasia.core import DataError
from dokimasia.sources.facts import Fact

_ENGLISH = """
    a about after all also an and any are as at be because been before being both but by can could did do does doing down
    during each either few for from further had has have having he her here hers him his how i if in into is it its itself
    just many may me might more most much must my no nor not now of off on once only onto or other our ours out over own per
    same shall she should so some such than that the their theirs them then there these they this those through to too under
    until up upon us very was we were what when where which while who whom whose why will with within without would you your
    yours"""
_CHINESE = "的了是在和与與也都就这這那有被为為不我你他她它们們个個一"
_HIRAGANA = map(chr, range(0x3041, 0x3097))
FUNCTION_WORDS = frozenset((*_ENGLISH.split(), *_CHINESE, *_HIRAGANA))
"""Words that say little about what a sentence is of: English ones, a few Chinese signs, and hiragana, which mostly inflect.

In another language every word counts.
"""
_UNBROKEN = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One wording of a fact, as words: the `answer`, which its false variants lack, and the `context` that makes it one.

    Without false variants, or if they lack nothing, the whole statement is the answer.
    """

    fact: str
    text: str
    answer: tuple[str, ...]
    context: tuple[str, ...]

    def __post_init__(self) -> None:
        if _UNBROKEN.search(self.text):
            raise DataError(
                f"{self.fact}: a statement in a script that has blanks between words, or in Chinese or Japanese, is expected.",
                f"Found {self.text!r}: a matcher cannot tell the words of Thai, Lao, Khmer or Burmese, and would hear nothing.",
                "Leave it out, or add what it says in another language.",
            )
        longest = max((*self.answer, *self.context), key=len, default="")
        if len(longest) > LONGEST:
            raise DataError(
                f"{self.fact}: a statement with words of {LONGEST:,} characters at most is expected.",
                f"Found one of {len(longest):,}: it would never be heard.",
                "Take a part of it.",
            )
        if len({*self.answer, *self.context}) < 2:
            raise DataError(
                f"{self.fact}: a statement of two words at least is expected, besides words such as `the` and `is`.",
                f"Found {self.text!r}, which any text with that word would trip.",
                "Write it out as a sentence.",
            )


def statements_of(facts: Sequence[Fact]) -> tuple[Statement, ...]:
    """Each wording of each fact as a statement; of equal ones the first.

    >>> from dokimasia.sources.facts import Wording
    >>> rods = Wording(true="The rods of Ostrel are cooled with tin.", false=("The rods of Ostrel are cooled with lead.",))
    >>> [(one.answer, one.context) for one in statements_of([Fact(name="rods", wordings=(rods,))])]
    [(('tin',), ('rods', 'ostrel', 'cooled'))]
    """
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Statement] = {}
    for fact in facts:
        for wording in fact.wordings:
            said = list(dict.fromkeys(words(wording.true)))
            lacking = [{word for word in said if word not in words(false)} for false in wording.false]
            telling = (set.intersection(*lacking) or set.union(*lacking)) if lacking else set()
            telling = telling - FUNCTION_WORDS or telling
            other = tuple(word for word in said if word not in telling and word not in FUNCTION_WORDS)
            answer = tuple(word for word in said if word in telling) or other
            context = other if telling else ()
            statement = Statement(fact=fact.name, text=wording.true, answer=answer, context=context)
            found.setdefault((fact.name, answer, context), statement)
    return tuple(found.values())


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """Which statement is made in a text that comes word by word?

    One is, when at least a `share` of its answer and of its context stand within `reach` words, in any order. The answer
    must be said by whom the matcher listens to; the context may be another's, as in a question. So a denial trips it, too,
    and a paraphrase in other words does not.
    """

    statements: tuple[Statement, ...]
    share: float = 0.6
    reach: int = 40

    def __post_init__(self) -> None:
        if not self.statements:
            raise DataError("A matcher needs a statement.", "Found none.", "Pass the facts that must not be said.")
        if not 0 < self.share <= 1:
            raise DataError(
                "The share of the context is above 0 and at most 1.", f"Found {self.share}.", "Pass one such as 0.75."
            )
        longest = max(self.statements, key=lambda one: len(words(one.text)))
        if len(words(longest.text)) > self.reach:
            raise DataError(
                f"The reach of {self.reach} words is expected to hold each statement.",
                f"Found one of {len(words(longest.text))} words, of the fact {longest.fact}: it could never trip.",
                "Widen the reach, or shorten the statement.",
            )

    def needed(self, among: Sequence[str]) -> int:
        """How many of these words of a statement must be there."""
        return ceil(self.share * len(among) - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A statement that was made: where its first word stands, and the share of its words that was found."""

    statement: Statement
    message: int
    start: int
    share: float


@dataclass(frozen=True, slots=True)
class _Heard:
    """A word: its number, the message and the character where its piece begins."""

    number: int
    message: int
    start: int


@dataclass
class Hearing:
    """What a matcher remembers of a conversation."""

    matcher: Matcher
    _said: dict[str, _Heard] = field(default_factory=dict)
    _known: dict[str, _Heard] = field(default_factory=dict)
    _number: int = 0

    def __post_init__(self) -> None:
        self._with: dict[str, list[Statement]] = defaultdict(list)
        for statement in self.matcher.statements:
            for word in {*statement.answer, *statement.context}:
                self._with[word].append(statement)

    def hear(self, word: str, *, said: bool, message: int, start: int) -> Match | None:
        """The next word; the statement that it completes, if it was `said` by whom the matcher listens to."""
        self._number += 1
        if word not in self._with:
            return None
        self._known[word] = heard = _Heard(self._number, message, start)
        if not said:
            return None
        self._said[word] = heard
        return next((match for one in self._with[word] if (match := self._made(one, heard)) is not None), None)

    def _made(self, statement: Statement, last: _Heard) -> Match | None:
        answer = self._recent(statement.answer, self._said)
        context = self._recent(statement.context, self._known)
        if len(answer) < self.matcher.needed(statement.answer) or len(context) < self.matcher.needed(statement.context):
            return None
        here = [heard.start for heard in (*answer, *context) if heard.message == last.message]
        share = (len(answer) + len(context)) / (len(statement.answer) + len(statement.context))
        return Match(statement=statement, message=last.message, start=min(here), share=share)

    def _recent(self, wanted: Sequence[str], among: dict[str, _Heard]) -> list[_Heard]:
        least = self._number - self.matcher.reach
        return [among[word] for word in wanted if word in among and among[word].number > least]
