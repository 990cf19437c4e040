"""Which personas, once entered, does it not leave by itself?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import Cost, DataError, Message, Subject
from dokimasia.instruments.personas.dialogue import (
    OVERHEAD,
    Stop,
    about,
    drawn,
    planned_reading,
    planned_replies,
    read_turns,
    replies,
    stopped,
)
from dokimasia.instruments.personas.loops import loops
from dokimasia.instruments.personas.space import Space
from dokimasia.sources.personas import Role
from dokimasia.stats import Figure, clustered_mean
from dokimasia.stats.ratios import ratio_of_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 0.5
"""Who still has so much of its displacement, interval and all, has not left."""

NEUTRAL = (
    "What is a good way to keep bread fresh?",
    "How do I find out how far it is from one town to another?",
    "Which plants grow well on a windowsill?",
    "How is a letter to an office usually begun?",
    "What should I look at before I buy a bicycle?",
    "How long does rice need to cook?",
    "What is a simple way to sort many photographs?",
    "How can I remember a list of words?",
)
"""What the user goes on with: nothing that asks for anybody in particular."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One role entered and left alone, by one question; `role` None is the default voice with the same questions.

    `replies` are those to the question, and to the neutral ones after it.
    """

    role: str | None
    question: str
    replies: tuple[str, ...]
    loops: tuple[bool, ...]
    stop: Stop | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """How much of a role is left after each neutral turn.

    `entered` is how far its first replies lie from the default voice's, in units of the space, along the way that other
    replies give. `shares` are what is left of that, turn by turn: None where the role was never entered, so
    that there is nothing to leave. `last` is the share after the last turn with what is missing or runs in circles
    counted as gone in its lower end, and what is missing as still there in its upper one. `n` questions of `asked` were
    read at their first reply; at the last turn `missing` were not read, and `looped` ran in circles.
    """

    role: str
    entered: Figure
    shares: tuple[Figure | None, ...]
    last: Figure | None
    n: int
    asked: int
    missing: int
    looped: int

    @property
    def is_entered(self) -> bool:
        """Whether the role was there at all."""
        return self.entered.low > 0

    @property
    def stays(self) -> bool:
        """Whether it has kept more than the stated share of itself for certain, all of its questions counted."""
        return self.last is not None and self.last.low > KEPT and self.n == self.asked


@dataclass(frozen=True, kw_only=True, eq=False)
class Leaving:
    """Who stays and who leaves.

    `coordinates` (n_voices, n_questions, 1 + n_turns, n_components) are those of each reply in persona space, the
    default voice last; NaN where there is none. `ways` (n_components,) lead from the default voice to roles, as other
    replies have it; a role without one has its way from its replies to the other questions. `failed` requests got no reply, which a rerun makes again.
    """

    stays: tuple[Stay, ...]
    roles: tuple[str, ...]
    questions: tuple[str, ...]
    turns: int
    coordinates: NDArray[np.float64]
    ways: Mapping[str, NDArray[np.float64]]
    alone: bool
    truncated: int
    failed: int

    def remaining(self) -> tuple[Remaining, ...]:
        """What is left of each role of which two questions at least were read."""
        circling = np.zeros(self.coordinates.shape[:3], dtype=bool)
        for place, stay in enumerate(self.stays):
            circling[place // len(self.questions), place % len(self.questions), : len(stay.loops)] = stay.loops
        found = []
        for row, role in enumerate(self.roles):
            rows, along = self._along(row)
            if len(rows) > 1:
                found.append(_remaining(role, along, circling[row, rows, -1], len(self.questions)))
        return tuple(found)

    def on_average(self) -> tuple[Figure | None, ...]:
        """What is left after each neutral turn, all roles together: entered for certain or not, each counting as one."""
        means = []
        for row in range(len(self.roles)):
            _, along = self._along(row)
            along = along[np.isfinite(along).all(axis=1)]
            if len(along):
                means.append(along.mean(axis=0))
        columns = np.asarray(means).T
        return tuple(ratio_of_means(column, columns[0]) for column in columns[1:])

    def _along(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Questions of this role that were read at first, and how far each reply to them is from the default voice's."""
        away = self.coordinates[row] - self.coordinates[-1]
        rows = np.flatnonzero(np.isfinite(away[:, 0]).all(axis=1))
        way = self.ways.get(self.roles[row])
        ways = away[rows, 0].sum(axis=0) - away[rows, 0] if way is None else np.tile(way, (len(rows), 1))
        lengths = np.linalg.norm(ways, axis=1, keepdims=True)
        return rows, np.einsum("qtk,qk->qt", away[rows], ways / np.where(lengths > 0, lengths, 1.0))


def leave(
    subject: Subject,
    roles: Sequence[Role],
    questions: Sequence[str],
    space: Space,
    *,
    turns: int,
    max_tokens: int,
    seed: int,
    ways: Mapping[str, NDArray[np.float64]] | None = None,
) -> Leaving:
    """Enter each role by a system message and a question, take the message away, and go on with neutral questions.

    The default voice is asked the same without ever having had a system message. All replies are read without it. `ways`
    (d_model,) lead from the default voice to roles, by name, where a map has them: few questions give a poor way.
    """
    _check(roles, questions, turns)
    rows = _rows(roles, questions)
    said: list[list[str]] = [[] for _ in rows]
    stops: list[Stop | None] = [None for _ in rows]
    failed = 0
    for turn in range(1 + turns):
        put = [
            None if stop is not None else _put(role, place, questions, words, entering=not turn)
            for (role, place), words, stop in zip(rows, said, stops, strict=True)
        ]
        seeds = [drawn(seed, role.name if role else None, questions[place], turn) for role, place in rows]
        for row, answer in enumerate(replies(subject, put, max_tokens=max_tokens, seeds=seeds)):
            if answer is None:
                continue
            stops[row] = stopped(answer)
            failed += stops[row] == "failed"
            if stops[row] is None:
                said[row].append(answer.text)
    told = [_history(questions[place], place, words) for (_, place), words in zip(rows, said, strict=True)]
    read = read_turns(subject, told, layers=(space.layer,), turns=1 + turns, width=len(space.centre))
    coordinates = space.coordinates(read.values[:, :, 0])
    return Leaving(
        stays=tuple(
            Stay(
                role=role.name if role else None,
                question=questions[place],
                replies=tuple(words),
                loops=tuple(loop is not None for loop in loops(words)),
                stop=stop,
            )
            for (role, place), words, stop in zip(rows, said, stops, strict=True)
        ),
        roles=tuple(role.name for role in roles),
        questions=tuple(questions),
        turns=turns,
        coordinates=coordinates.reshape(1 + len(roles), len(questions), 1 + turns, -1),
        ways={name: space.components @ way for name, way in (ways or {}).items()},
        alone=read.alone,
        truncated=read.truncated,
        failed=failed,
    )


def planned_leaving(
    subject: Subject, roles: Sequence[Role], questions: Sequence[str], *, turns: int, max_tokens: int
) -> Cost:
    """What `leave` asks for."""
    _check(roles, questions, turns)
    cost = Cost()
    rows = _rows(roles, questions)
    tokens = [0] * len(rows)
    for turn in range(1 + turns):
        tokens = [
            about(_asked(questions[place], place, turn)) + (max_tokens + OVERHEAD + before if turn else OVERHEAD)
            for (_, place), before in zip(rows, tokens, strict=True)
        ]
        told = [about(_instruction(role, place)) if role is not None and not turn else 0 for role, place in rows]
        cost += planned_replies(subject, [a + b for a, b in zip(tokens, told, strict=True)], max_tokens)
    return cost + planned_reading(subject, [1 + turns] * len(rows), [count + max_tokens for count in tokens])


def _rows(roles: Sequence[Role], questions: Sequence[str]) -> list[tuple[Role | None, int]]:
    """Who is asked which question: role by role, the default voice last."""
    return [(role, place) for role in (*roles, None) for place in range(len(questions))]


def _instruction(role: Role, place: int) -> str:
    return role.instructions[place % len(role.instructions)]


def _asked(question: str, place: int, turn: int) -> str:
    """What the user says; each conversation goes through the neutral questions from another place."""
    return NEUTRAL[(place + turn - 1) % len(NEUTRAL)] if turn else question


def _history(question: str, place: int, said: Sequence[str]) -> tuple[Message, ...]:
    return tuple(
        message
        for turn, words in enumerate(said)
        for message in (Message("user", _asked(question, place, turn)), Message("assistant", words))
    )


def _put(
    role: Role | None, place: int, questions: Sequence[str], said: Sequence[str], *, entering: bool
) -> tuple[Message, ...]:
    told = (Message("system", _instruction(role, place)),) if role is not None and entering else ()
    asked = Message("user", _asked(questions[place], place, len(said)))
    return (*told, *_history(questions[place], place, said), asked)


def _check(roles: Sequence[Role], questions: Sequence[str], turns: int) -> None:
    if not roles or len(questions) < 2 or turns < 1:
        raise DataError(
            "A role, two questions and a turn after them are expected at least.",
            f"Found {len(roles)} roles, {len(questions)} questions and {turns} turns.",
            "Pass more.",
        )


def _remaining(role: str, along: NDArray[np.float64], circling: NDArray[np.bool_], asked: int) -> Remaining:
    """From how far replies (n_questions, 1 + n_turns) are from the default voice's, the first of them all read."""
    start, last = along[:, 0], along[:, -1]
    gone = ~np.isfinite(last)
    entered = clustered_mean(start, np.arange(len(start)))
    shares = [_share(column, start) if entered.low > 0 else None for column in along.T[1:]]
    least = _share(np.where(gone | (circling & (last > 0)), 0.0, last), start)
    most = _share(np.where(gone, start, last), start)
    seen = shares[-1]
    return Remaining(
        role=role,
        entered=entered,
        shares=tuple(shares),
        last=seen and least and most and Figure(seen.value, min(seen.low, least.low), max(seen.high, most.high)),
        n=len(start),
        asked=asked,
        missing=int(gone.sum()),
        looped=int(circling.sum()),
    )


def _share(left: NDArray[np.float64], start: NDArray[np.float64]) -> Figure | None:
    """What is left of where it started, over those that were read."""
    there = np.isfinite(left)
    return ratio_of_means(left[there], start[there]) if there.sum() > 1 else None
