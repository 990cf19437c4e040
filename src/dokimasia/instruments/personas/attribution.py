"""As whom would the base model most likely have said what the default voice says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import ChoiceScore, Cost, DataError, Subject, SubjectError, approximate_tokens, throughput
from dokimasia.instruments.personas.balanced import jackknife
from dokimasia.instruments.personas.mapping import DRAWS
from dokimasia.instruments.personas.speaking import BATCH, Spoken, Voice
from dokimasia.stats import Figure

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """How likely the base model finds the replies, told to be each voice; axes (n_voices,), the first told nothing.

    `gains` are nats a token over being told nothing, with intervals over questions; `ranks` each voice's place, the
    likeliest first, with 95% of draws, questions resampled; `first` the share of draws in which it is first. So many
    `n_tokens` of replies to `n_questions` questions; `unread` are replies whose probability is no number.
    """

    voices: tuple[str, ...]
    gains: tuple[Figure, ...]
    ranks: tuple[Figure, ...]
    first: tuple[float, ...]
    n_questions: int
    n_tokens: int
    unread: int

    @property
    def likeliest(self) -> int:
        """The place of the voice that comes first."""
        return int(np.argmax([gain.value for gain in self.gains]))


def attributed(base: Subject, voices: Sequence[Voice], said: Spoken, speaker: str, *, seed: int) -> Attribution:
    """Whose words are the replies of `speaker`, the base model being told to be each of these voices, the first nobody?

    The likelihood of words is all that they tell of who wrote them (Neyman and Pearson), and needs no map: a role that
    moves few activations is told apart by what it would say. It misleads where training changed the words in other ways too:
    if half of what is said is a role's and half is gibberish, voices with broad tastes win.
    """
    if base.logprobs is None:
        raise SubjectError(
            "A base model that shows log-probabilities is expected.", "This one shows none.", "Name a local model."
        )
    first = said.voices.index(speaker) * len(said.questions)
    replies = [
        (row, question, said.replies[first + row])
        for row, question in enumerate(said.questions)
        if not said.faults[first + row]
    ]
    found = np.empty((len(voices), len(replies), 2))
    for place, voice in enumerate(voices):
        scores: list[list[ChoiceScore]] = []
        for start in range(0, len(replies), BATCH):
            batch = replies[start : start + BATCH]
            asked = [voice.asked(row, question) for row, question, _ in batch]
            scores += base.logprobs.choice_logprobs(asked, [[reply] for *_, reply in batch], precision="fast")
        found[place] = np.asarray([(score.logprob, score.n_tokens) for (score,) in scores]).reshape(-1, 2)
    read = np.isfinite(found).all(axis=(0, 2))
    if read.sum() < 2:
        raise DataError(
            "Replies of the default voice to 2 questions are expected at least.", f"Found {read.sum()}.", "Ask more."
        )
    return _placed([voice.name for voice in voices], found[:, read], int((~read).sum()), seed)


def planned_attribution(base: Subject, voices: Sequence[Voice], questions: Sequence[str], *, max_tokens: int) -> Cost:
    """What `attributed` asks for."""
    asked = [voice.asked(row, question) for voice in voices for row, question in enumerate(questions)]
    tokens = approximate_tokens(["".join(message.content for message in put) for put in asked], overhead=40)
    tokens += len(asked) * max_tokens
    calls = len(voices) * -(-len(questions) // BATCH)
    return Cost(calls=calls, tokens=tokens, seconds=tokens / throughput(base, "forward"))


def _placed(names: Sequence[str], values: NDArray[np.float64], unread: int, seed: int) -> Attribution:
    """From log-probabilities and numbers of tokens, axes (n_voices, n_questions, 2)."""
    over, tokens = values[:, :, 0] - values[0, :, 0], values[0, :, 1]
    n, rng = len(tokens), np.random.default_rng([seed, 31])
    totals = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) @ over.T
    ranks = np.argsort(np.argsort(-totals, axis=1, kind="stable"), axis=1) + 1
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    mine = np.argsort(np.argsort(-over.sum(axis=1), kind="stable")) + 1

    def gain(voice: int) -> Figure:
        return jackknife(lambda rows: float(over[voice, rows].sum() / tokens[rows].sum()), n)

    return Attribution(
        voices=tuple(names),
        gains=tuple(map(gain, range(len(names)))),
        ranks=tuple(
            Figure(float(rank), float(min(rank, one)), float(max(rank, other)))
            for rank, one, other in zip(mine, low, high, strict=True)
        ),
        first=tuple((np.bincount(totals.argmax(axis=1), minlength=len(names)) / DRAWS).tolist()),
        n_questions=n,
        n_tokens=int(tokens.sum()),
        unread=unread,
    )
