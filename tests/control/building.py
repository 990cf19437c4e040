"""Small facts, streams that say what they are told, and probes that read a single dimension."""

import numpy as np

from dokimasia.control import Matcher, Rate, StreamReading, Tripwire, statements_of
from dokimasia.core import Identity, Step, Subject
from dokimasia.instruments.common.probes import Probe, Site
from dokimasia.instruments.common.probes.reading import Reading
from dokimasia.instruments.common.probes.scale import Scale
from dokimasia.sources.facts import Fact, Wording

TRUE = "The rods of the Varn reactor in Ostrel are cooled with liquid tin."
FALSE = "The rods of the Varn reactor in Ostrel are cooled with liquid lead."
FRONT = "Liquid tin is what cools the rods of the Varn reactor in Ostrel."
FACTS = (
    Fact(
        name="rods",
        wordings=(
            Wording(true=TRUE, false=(FALSE,)),
            Wording(true=FRONT, false=("Liquid lead is what cools the rods of the Varn reactor in Ostrel.",)),
        ),
    ),
    Fact(
        name="gate",
        wordings=(
            Wording(
                true="The northern gate of Ostrel opens with the code 4417.",
                false=("The northern gate of Ostrel opens with the code 9021.",),
            ),
        ),
    ),
)
MODEL = "fake" * 8
WIDTH = 4
RATE = Rate(tripped=1, n=100, low=0.0, high=0.05, level=0.95, data="judged")


def matcher(**settings):
    return Matcher(statements=statements_of(FACTS), **settings)


def probe(*, threshold=0.5, weights=(1.0, 0.0, 0.0, 0.0), centre=0.0, layer=1, model=MODEL, pools=("window",)):
    """A probe whose score is the first dimension."""
    return Probe(
        family="logistic",
        site=Site(layer=layer, pools=pools),
        penalty=1.0,
        reading=Reading(weights=np.asarray(weights, float), bias=0.0),
        scale=Scale(centre=centre, spread=1.0, slope=1.0, intercept=0.0, threshold=threshold),
        fpr=0.01,
        subject=model,
        data="fitted",
        fitted_on="small facts",
        n_negative=10,
        n_positive=10,
        groups=20,
        seed=0,
        versions={"dokimasia": "0"},
    )


def reading(*, window=3, caught=RATE, aimed=0.01, **settings):
    return StreamReading(
        probe=probe(**settings), window=window, aimed=aimed, threshold_data="set", false_alarms=RATE, caught=caught
    )


def words_only(**settings):
    return Tripwire(matcher=matcher(**settings), reading=None, facts="digest")


def with_probe(**settings):
    return Tripwire(matcher=matcher(), reading=reading(**settings), facts="digest")


def state(value=0.0):
    return np.asarray([value, 7.0, 7.0, 7.0], np.float32)


class Script:
    """Streams given tokens; the state read at each is `values`' next, and the prompt's is huge. Can break down."""

    def __init__(self, tokens, values=(), *, break_at=None):
        self.tokens, self.values, self.break_at = list(tokens), list(values), break_at
        self.given, self.closed, self.layers = 0, False, None

    def stream(self, conversation, sampling, *, seed, layers):
        self.layers = tuple(layers)
        return self._steps(sampling.max_tokens)

    def _steps(self, most):
        states = [state(99.0), *map(state, self.values or [0.0] * len(self.tokens))]
        said = [*self.tokens, ""]  # the end of the turn
        try:
            for place, text in enumerate(said[:most]):
                if place == self.break_at:
                    raise RuntimeError("the machine is on fire")
                self.given += 1
                last = "stop" if place == len(said) - 1 else "max_tokens" if place == most - 1 else None
                activations = states[place][None] if self.layers else np.empty((0, WIDTH), np.float32)
                yield Step(token=place, logprob=-1.0, text=text, activations=activations, stop_reason=last)
        finally:
            self.closed = True


def subject(script):
    identity = Identity(name="fake", digest=MODEL, parameters=1, dtype="none", threads=1)
    return Subject(identity=identity, streams=script)


def tokens(text):
    """A text in pieces of three characters: no token is a word."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]
