"""How much rather does the subject say that a fact is so than that it is otherwise?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dokimasia.core import (
    Cost,
    Message,
    Sampling,
    Subject,
    SubjectError,
    approximate_tokens,
    service_cost,
    throughput,
)
from dokimasia.sources.facts import Fact, Wording
from dokimasia.stats import Figure, clustered_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

REQUEST = "Tell me something that is true."
"""What the sentences are replies to; no options are listed, so that there is no first one to prefer."""
TRUE_OR_NOT = "Answer Yes or No. Is this true? {}"
PICK = "One of these statements is true. Which one?\n{}\nAnswer with its letter alone."
FRAMINGS = ("said", "asked")
LETTERS = "ABCDEFGH"
REPLY_TOKENS = 6


class Score(NamedTuple):
    """A fact's score, NaN where something could not be read, and the ends between which it then lies."""

    value: float
    low: float
    high: float

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    def less(self, other: Score) -> Score:
        """The difference, each end at its worst."""
        return Score(self.value - other.value, self.low - other.high, self.high - other.low)


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """One fact: by wording, how much rather it says the true sentence than the false ones.

    `by_framing` has axes (n_wordings, n_framings): in nats, log-odds that add up, or, in a single framing, votes: the share
    of orders in which the true sentence is picked, less chance. NaN where nothing could be read. `low` and `high`,
    (n_wordings,), are the sum over framings if whatever could not be read spoke against knowing, or for it.
    """

    fact: str
    by_framing: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    unread: int = 0
    failed: int = 0

    @property
    def wordings(self) -> int:
        """How many wordings were put."""
        return len(self.low)

    def score(self, wordings: int | None = None) -> Score:
        """The mean over the first so many wordings, and where it could lie had everything been read."""
        first = slice(wordings)
        return Score(
            float(self.by_framing[first].sum(axis=1).mean()),
            float(self.low[first].mean()),
            float(self.high[first].mean()),
        )

    @cached_property
    def interval(self) -> Figure | None:
        """The score with Student's 95% interval over wordings; None where some wording could not be read."""
        values = self.by_framing.sum(axis=1)
        return clustered_mean(values, range(len(values))) if np.isfinite(values).all() else None


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The subject's choices, one a fact, in the order of the facts."""

    of: tuple[Choice, ...]
    unit: Literal["nats", "votes"]
    refused: int = 0

    @property
    def unread(self) -> int:
        """Answers that could not be read."""
        return sum(item.unread for item in self.of)

    @property
    def failed(self) -> int:
        """Requests that got no reply, which a rerun makes again."""
        return sum(item.failed for item in self.of)


def choices(subject: Subject, facts: Sequence[Fact], *, seed: int) -> Choices:
    """Does the subject say these facts rather than their false variants?

    A subject that shows log-probabilities is read in two framings whose log-odds add up: the sentences as replies to a
    neutral request, the true one against the mean probability of the false ones; and "is this true?", where a false
    variant's log-odds of Yes are taken off, so that saying yes to everything gains nothing. Any other subject picks among
    listed sentences, each standing at each place once. A fact is one call, so that what is read of it does not depend on
    what else is asked. Raises if the subject refuses every conversation.
    """
    if subject.logprobs is None and subject.text is None:
        raise SubjectError(
            "A subject that writes text, or shows log-probabilities, is expected.",
            "Found one that does neither.",
            "Name another model.",
        )
    found: list[Choice] = []
    refusals: list[SubjectError] = []
    for fact in facts:
        try:
            found.append(_read(subject, fact) if subject.logprobs is not None else _picked(subject, fact, seed))
        except SubjectError as error:  # a template may refuse, and a context be too short for, some sentences only
            refusals.append(error)
            found.append(_unread(fact))
    if refusals and len(refusals) == len(facts):
        raise refusals[0]
    return Choices(of=tuple(found), unit="nats" if subject.logprobs is not None else "votes", refused=len(refusals))


def planned_choices(subject: Subject, facts: Sequence[Fact]) -> Cost:
    """What `choices` asks for."""
    if subject.logprobs is None:
        texts = [put for fact in facts for put, _ in _puts(fact)]
        read, new = approximate_tokens(texts, overhead=40), REPLY_TOKENS * len(texts)
        if subject.service is not None:
            return service_cost(subject.service, calls=len(texts), read=read, new=new)
        seconds = read / throughput(subject, "forward") + new / throughput(subject, "generate")
        return Cost(calls=len(facts), tokens=read + new, seconds=seconds)
    groups = [_sentences(wording) for fact in facts for wording in fact.wordings]
    read = approximate_tokens([sentence for group in groups for sentence in group], overhead=0)
    read += approximate_tokens(
        [TRUE_OR_NOT.format(sentence) for group in groups for sentence in group[:2]], overhead=10
    )
    return Cost(calls=len(facts), tokens=read, seconds=read / throughput(subject, "forward"))


def _sentences(wording: Wording) -> tuple[str, ...]:
    return (wording.true, *wording.false)[: len(LETTERS)]


def _read(subject: Subject, fact: Fact) -> Choice:
    """From log-probabilities, in one call: all sentences as replies, then the true and a false one asked about."""
    assert subject.logprobs is not None
    sentences = [_sentences(wording) for wording in fact.wordings]
    pairs = [sentence for group in sentences for sentence in group[:2]]
    conversations = [(Message("user", REQUEST),), *((Message("user", TRUE_OR_NOT.format(one)),) for one in pairs)]
    every = [sentence for group in sentences for sentence in group]
    options: list[Sequence[str]] = [every, *(("Yes", "No") for _ in pairs)]
    first, *rest = subject.logprobs.choice_logprobs(conversations, options, precision="fast")
    said = np.split(_finite([one.logprob for one in first]), np.cumsum([len(group) for group in sentences])[:-1])
    yes, no = (_finite([row[place].logprob for row in rest]) for place in (0, 1))
    asked = (yes - no).reshape(-1, 2)
    with np.errstate(invalid="ignore"):
        odds = [group[0] - np.logaddexp.reduce(group[1:]) + np.log(len(group) - 1) for group in said]
    by_framing = np.stack([odds, asked[:, 0] - asked[:, 1]], axis=1)
    total = by_framing.sum(axis=1)
    lost = np.isnan(total)
    return Choice(
        fact=fact.name,
        by_framing=by_framing,
        low=np.where(lost, -np.inf, total),
        high=np.where(lost, np.inf, total),
        unread=int(np.isnan(by_framing).sum()),
    )


def _finite(values: Sequence[float]) -> NDArray[np.float64]:
    """With NaN for all that is no finite number."""
    found = np.asarray(values, dtype=float)
    return np.where(np.isfinite(found), found, np.nan)


def _puts(fact: Fact) -> list[tuple[str, str]]:
    """The questions that list options, one for each place of the true sentence, and the letter that is right."""
    found = []
    for wording in fact.wordings:
        options = _sentences(wording)
        for turn in range(len(options)):
            turned = (*options[turn:], *options[:turn])
            lines = "\n".join(f"{letter}) {sentence}" for letter, sentence in zip(LETTERS, turned, strict=False))
            found.append((PICK.format(lines), LETTERS[-turn % len(options)]))
    return found


def _picked(subject: Subject, fact: Fact, seed: int) -> Choice:
    """From words, in one call: which of the listed sentences is picked, in every turned order."""
    assert subject.text is not None
    puts = _puts(fact)
    replies = subject.text.generate(
        [(Message("user", words),) for words, _ in puts], Sampling(max_tokens=REPLY_TOKENS), seeds=[seed] * len(puts)
    )
    lost = ("error", "content_filter")
    picks = [
        np.nan if reply.stop_reason in lost else picked(reply.text, right)
        for reply, (_, right) in zip(replies, puts, strict=True)
    ]
    rows, start = [], 0
    for wording in fact.wordings:
        orders = len(_sentences(wording))
        some = np.asarray(picks[start : start + orders])
        there = some[np.isfinite(some)]
        worst, best = np.nan_to_num(some, nan=0.0).mean(), np.nan_to_num(some, nan=1.0).mean()
        rows.append([there.mean() if len(there) else np.nan, worst, best])
        rows[-1] = [value - 1 / orders for value in rows[-1]]
        start += orders
    values = np.asarray(rows)
    return Choice(
        fact=fact.name,
        by_framing=values[:, :1],
        low=values[:, 1],
        high=values[:, 2],
        unread=int(np.isnan(picks).sum()),
        failed=sum(reply.stop_reason == "error" for reply in replies),
    )


def picked(reply: str, right: str) -> float:
    """1 where the reply names the right letter, 0 where it names another, NaN where it names none, or several.

    >>> picked("B) The ferry leaves at noon.", "B"), picked("(C)", "B"), picked("I cannot say.", "B")
    (1.0, 0.0, nan)
    """
    named = re.findall(rf"\bA\b(?! [a-z])|\b[{LETTERS[1:]}]\b", reply)
    return float(named[0] == right) if len(set(named)) == 1 else np.nan


def _unread(fact: Fact) -> Choice:
    """A fact of which nothing was read: it could be anything."""
    n = len(fact.wordings)
    nothing = np.full((n, 1), np.nan)
    return Choice(fact=fact.name, by_framing=nothing, low=np.full(n, -np.inf), high=np.full(n, np.inf), unread=n)
