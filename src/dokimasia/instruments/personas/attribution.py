"""As whom would the base model most likely have said what the default voice says?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dokimasia.core import ChoiceScore, Cost, DataError, Subject, SubjectError, approximate_tokens, throughput
from dokimasia.instruments.personas.balanced import jackknife
from dokimasia.instruments.personas.mapping import DRAWS
from dokimasia.instruments.personas.speaking import BATCH, DEFAULTS, Spoken, Voice
from dokimasia.stats import Figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIKELY = 0.5
"""Of the draws: in more than these a voice must come first."""
_WORDLESS = {"failed", "empty", "looped", "refused"}

Says = Literal["a role", "no role", "not told apart", "uncertain"]


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """How likely the base model finds the subject's replies by default, told to be each voice; axes (n_voices,).

    `gains` are nats a token over being told nothing, which is the first voice; `ranks` each voice's place, the likeliest
    first, with 95% of draws, questions resampled; `first` the share of draws in which it is first. `more` is what a role gains
    on the subject's replies and not on the base model's own to the same questions: 0 on average if nothing was trained,
    whatever the role. Intervals are over questions, those of `gains` each for itself at 95%, those of `more` for all roles
    together at 95%, so that one may be chosen.

    `n_tokens` in replies to `n_questions` of those `asked`; `left_out` counts the others by what was wrong with either model's reply.
    """

    voices: tuple[str, ...]
    gains: tuple[Figure, ...]
    more: tuple[Figure, ...]
    ranks: tuple[Figure, ...]
    first: tuple[float, ...]
    n_questions: int
    n_tokens: int
    asked: int
    left_out: tuple[tuple[str, int], ...]

    @property
    def roles(self) -> tuple[int, ...]:
        """The places of voices that are no default."""
        defaults = {voice.name for voice in DEFAULTS}
        return tuple(place for place, name in enumerate(self.voices) if name not in defaults)

    @property
    def likeliest(self) -> int:
        """The place of the voice that comes first."""
        return int(np.argmax([gain.value for gain in self.gains]))

    @property
    def role(self) -> int:
        """The place of the role that comes first among roles."""
        return max(self.roles, key=lambda place: self.gains[place].value)

    @property
    def says(self) -> Says:
        """What may be told.

        *A role* if one comes first in most draws and gains more than on the base model's own words for certain. *No role* if
        a default comes first in most draws and no role gains so. *Not told apart* if being told to be any of the roles
        changes nothing for certain.
        """
        if all(self.gains[place].low <= 0 <= self.gains[place].high for place in self.roles):
            return "not told apart"
        if self.likeliest in self.roles:
            sure = self.first[self.likeliest] > LIKELY and self.more[self.likeliest].low > 0
            return "a role" if sure else "uncertain"
        default = sum(self.first) - sum(self.first[place] for place in self.roles)
        gained = any(self.more[place].low > 0 for place in self.roles)
        return "no role" if default > LIKELY and not gained else "uncertain"


def attributed(
    base: Subject, voices: Sequence[Voice], said: Spoken, own: Spoken, speaker: str, *, seed: int
) -> Attribution:
    """Whose words does `speaker` say? The base model is told to be each of these voices in turn, the first nobody.

    `said` and `own` are the subject's and the base model's replies to the same questions. Needs no map: a role that moves
    activations little is told apart by what it would say. The reply's end is not scored. Replies are sampled at less than
    the temperature at which they are scored, which favours voices that are sure of themselves; `more` is free of that.

    It misleads where training changed words in other ways too, and where the copy is somebody who is not put: whoever
    talks most like that comes first.
    """
    if base.logprobs is None:
        raise SubjectError(
            "A base model that shows log-probabilities is expected.", "This one shows none.", "Name a local model."
        )
    pairs, faults = [], []
    for place in range(len(said.questions)):
        rows = [one.voices.index(speaker) * len(one.questions) + place for one in (said, own)]
        wrong = [fault for one, row in zip((said, own), rows, strict=True) if (fault := one.faults[row]) in _WORDLESS]
        faults += wrong[:1]
        if not wrong:
            pairs.append((place, [one.replies[row] for one, row in zip((said, own), rows, strict=True)]))
    if len(pairs) < 2:
        raise DataError(
            "Replies of both default voices to 2 questions are expected at least.",
            f"Found {len(pairs)} of {len(said.questions)}.",
            "Ask more.",
        )
    values = np.stack(
        [
            _scored(base, voices, [(place, said.questions[place], both[side]) for place, both in pairs])
            for side in (0, 1)
        ]
    )
    read = np.isfinite(values).all(axis=(0, 1, 3))
    faults += ["without a probability"] * int((~read).sum())
    if read.sum() < 2:
        raise DataError(
            "Probabilities of replies to 2 questions are expected at least.",
            f"Found {read.sum()}.",
            "Name another base model.",
        )
    return _placed([voice.name for voice in voices], values[:, :, read], faults, len(said.questions), seed)


def planned_attribution(base: Subject, voices: Sequence[Voice], questions: Sequence[str], *, max_tokens: int) -> Cost:
    """What `attributed` asks for."""
    asked = [voice.asked(row, question) for voice in voices for row, question in enumerate(questions)]
    tokens = approximate_tokens(["".join(message.content for message in put) for put in asked], overhead=40)
    tokens = 2 * (tokens + len(asked) * max_tokens)
    calls = 2 * len(voices) * -(-len(questions) // BATCH)
    return Cost(calls=calls, tokens=tokens, seconds=tokens / throughput(base, "forward"))


def _scored(base: Subject, voices: Sequence[Voice], replies: Sequence[tuple[int, str, str]]) -> NDArray[np.float64]:
    """Log-probabilities and numbers of tokens, axes (n_voices, n_replies, 2)."""
    assert base.logprobs is not None
    found = np.empty((len(voices), len(replies), 2))
    for place, voice in enumerate(voices):
        scores: list[list[ChoiceScore]] = []
        for start in range(0, len(replies), BATCH):
            batch = replies[start : start + BATCH]
            asked = [voice.asked(row, question) for row, question, _ in batch]
            scores += base.logprobs.choice_logprobs(asked, [[reply] for *_, reply in batch], precision="fast")
        found[place] = [(score.logprob, score.n_tokens) for (score,) in scores]
    return found


def _placed(
    names: Sequence[str], values: NDArray[np.float64], faults: Sequence[str], asked: int, seed: int
) -> Attribution:
    """From log-probabilities and numbers of tokens, axes (subject and base, n_voices, n_questions, 2)."""
    over, tokens = values[..., 0] - values[:, :1, :, 0], values[:, 0, :, 1]
    n, rng = over.shape[2], np.random.default_rng([seed, 31])
    totals = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) @ over[0].T
    ranks = np.argsort(np.argsort(-totals, axis=1, kind="stable"), axis=1) + 1
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0)
    mine = np.argsort(np.argsort(-over[0].sum(axis=1), kind="stable")) + 1

    def ratio(side: int, voice: int, rows: NDArray[np.int64]) -> float:
        return float(over[side, voice, rows].sum() / tokens[side, rows].sum())

    def gain(voice: int) -> Figure:
        return jackknife(lambda rows: ratio(0, voice, rows), n)

    def more(voice: int) -> Figure:
        together = 1 - 0.05 / max(1, len(names) - 1)
        return jackknife(lambda rows: ratio(0, voice, rows) - ratio(1, voice, rows), n, confidence=together)

    return Attribution(
        voices=tuple(names),
        gains=tuple(map(gain, range(len(names)))),
        more=tuple(map(more, range(len(names)))),
        ranks=tuple(
            Figure(float(rank), float(min(rank, one)), float(max(rank, other)))
            for rank, one, other in zip(mine, low, high, strict=True)
        ),
        first=tuple((np.bincount(totals.argmax(axis=1), minlength=len(names)) / DRAWS).tolist()),
        n_questions=n,
        n_tokens=int(tokens[0].sum()),
        asked=asked,
        left_out=tuple(sorted(Counter(faults).items())),
    )
