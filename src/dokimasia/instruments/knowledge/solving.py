"""Putting puzzles to a subject: each in all rotations of its options, or freely, and reading what it answers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dokimasia.core import (
    Access,
    Cost,
    Generation,
    Message,
    Sampling,
    Subject,
    SubjectError,
    approximate_tokens,
    service_cost,
    throughput,
)
from dokimasia.instruments.knowledge.generated import orders
from dokimasia.sources.facts import Puzzle

BATCH = 32
REPLY_TOKENS = 40
ASK = "{}\n{}\nReply with one of these, word for word, and nothing else."
ASK_FREELY = "{}\nReply with the answer alone."


class Tried(NamedTuple):
    """A puzzle that was put so many times, solved so many; `missing` replies failed, or could not be read."""

    put: int
    solved: int
    missing: int


class Line(NamedTuple):
    """One time that a puzzle is put, with its options as they are listed; none where the reply is free."""

    puzzle: int
    conversation: tuple[Message, ...]
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of the puzzles, one each; `failed` requests got no reply, which a rerun makes again."""

    tried: tuple[Tried, ...]
    failed: int = 0


def access(subject: Subject) -> Access:
    """The most that is asked of this subject."""
    return "logprobs" if subject.logprobs is not None else "none" if subject.text is None else "text"


def solve(subject: Subject, puzzles: Sequence[Puzzle], *, seed: int) -> Attempt:
    """How often does the subject solve these puzzles? One batch, or as many as they need, of nothing else.

    A choice is what has the highest probability as the beginning of the reply, the only one that does; of a subject that
    shows none, the only option that its reply names. Puzzles that it cannot be put, since it writes no text, are missing.
    """
    lines = list(_lines(puzzles, seed))
    read: dict[int, bool | None] = {}
    failed = 0
    for batch in _batches(subject, lines):
        try:
            found, lost = _put(subject, [lines[row] for row in batch], puzzles, seed)
        except SubjectError:  # too long for its context, or refused by its template
            continue
        read.update(zip(batch, found, strict=True))
        failed += lost
    tried = []
    for place in range(len(puzzles)):
        answers = [read.get(row) for row, line in enumerate(lines) if line.puzzle == place]
        tried.append(Tried(len(answers), answers.count(True), answers.count(None)))
    return Attempt(tried=tuple(tried), failed=failed)


def planned_solving(subject: Subject, puzzles: Sequence[Puzzle], *, seed: int) -> Cost:
    """What `solve` asks for."""
    lines = list(_lines(puzzles, seed))
    cost = Cost()
    for batch in _batches(subject, lines):
        put = [lines[row] for row in batch]
        tokens = approximate_tokens([line.conversation[0].content for line in put], overhead=30)
        written = not all(line.options for line in put) or subject.logprobs is None
        if subject.service is not None:
            cost += service_cost(subject.service, calls=len(put), read=tokens, new=REPLY_TOKENS * len(put))
            continue
        if written:
            new = REPLY_TOKENS * len(put)
            seconds = tokens / throughput(subject, "forward") + new / throughput(subject, "generate")
        else:
            new = approximate_tokens([option for line in put for option in line.options], overhead=0)
            seconds = (tokens + new) / throughput(subject, "forward")
        cost += Cost(calls=1, tokens=tokens + new, seconds=seconds)
    return cost


def _lines(puzzles: Sequence[Puzzle], seed: int) -> Iterator[Line]:
    for place, puzzle in enumerate(puzzles):
        if not puzzle.wrong:
            yield Line(place, (Message("user", ASK_FREELY.format(puzzle.ask)),), ())
            continue
        for options in orders(puzzle, seed):
            listed = "\n".join(f"- {option}" for option in options)
            yield Line(place, (Message("user", ASK.format(puzzle.ask, listed)),), options)


def _batches(subject: Subject, lines: Sequence[Line]) -> Iterator[list[int]]:
    """Rows that are asked together: choices apart from free replies; nothing that the subject cannot be asked."""
    for choices in (True, False):
        if subject.text is None and (subject.logprobs is None or not choices):
            continue
        rows = [row for row, line in enumerate(lines) if bool(line.options) == choices]
        yield from (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))


def _put(
    subject: Subject, lines: Sequence[Line], puzzles: Sequence[Puzzle], seed: int
) -> tuple[list[bool | None], int]:
    """For each line whether it was solved, None where that cannot be said; and how many requests failed."""
    conversations = [line.conversation for line in lines]
    if lines[0].options and subject.logprobs is not None:
        choices = [_closed(line.options) for line in lines]
        scores = subject.logprobs.choice_logprobs(conversations, choices, precision="fast")
        liked = [[score.logprob for score in row] for row in scores]
        answers = [line.options.index(puzzles[line.puzzle].answer) for line in lines]
        return [_chosen(row, answer) for row, answer in zip(liked, answers, strict=True)], 0
    assert subject.text is not None
    replies = subject.text.generate(conversations, Sampling(max_tokens=REPLY_TOKENS), seeds=[seed] * len(lines))
    found = [_answered(reply, puzzles[line.puzzle]) for reply, line in zip(replies, lines, strict=True)]
    return found, sum(reply.stop_reason == "error" for reply in replies)


def _closed(options: Sequence[str]) -> tuple[str, ...]:
    """With a full stop after each, where one is the beginning of another: its probability would be in both."""
    if any(one != other and other.startswith(one) for one in options for other in options):
        return tuple(f"{option}." for option in options)
    return tuple(options)


def _chosen(liked: Sequence[float], answer: int) -> bool | None:
    if not all(map(math.isfinite, liked)):
        return None
    return all(liked[answer] > value for place, value in enumerate(liked) if place != answer)


def _answered(reply: Generation, puzzle: Puzzle) -> bool | None:
    if reply.stop_reason in ("error", "content_filter"):
        return None
    if not puzzle.wrong:
        return bool(named(reply.text, (puzzle.answer,))) if reply.text.strip() else None
    said = named(reply.text, (puzzle.answer, *puzzle.wrong))
    return said[0] == puzzle.answer if len(said) == 1 else None


def named(reply: str, options: Sequence[str]) -> tuple[str, ...]:
    """The options whose words stand in a reply, those left out that stand there within a longer one only.

    >>> named("It is **not built**.", ("built", "not built"))
    ('not built',)
    """
    text, found = f" {_words(reply)} ", []
    for option in sorted(options, key=lambda item: len(_words(item)), reverse=True):
        wanted = f" {_words(option)} "
        if not wanted.strip():  # signs alone
            found += [option] * (option.strip() in reply)
        elif wanted in text:
            found.append(option)
            text = text.replace(wanted, " | ")
    return tuple(option for option in options if option in found)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[\w'%.,-]*[\w%]", text.replace("’", "'").casefold()))
