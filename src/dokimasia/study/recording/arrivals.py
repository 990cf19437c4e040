"""Text of an endpoint, recorded as it arrives."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass

from dokimasia.core import CapReached, Generation, Sampling, Service, approximate_tokens
from dokimasia.study.recording.answers import not_asked
from dokimasia.study.recording.recorder import Conversations, Recorder, plain

WAVES = 4
"""Requests for each connection of an endpoint that leave is asked for at once."""


@dataclass(frozen=True)
class RecordedArrivals:
    """Each reply is recorded as it arrives: who is killed loses what was under way, and no more.

    A reply that failed is handed on but not recorded, so that a rerun asks it again.
    """

    recorder: Recorder
    inner: Service

    def generate(self, conversations: Conversations, sampling: Sampling, *, seeds: Sequence[int]) -> list[Generation]:
        with closing(self.arrive(conversations, sampling, seeds=seeds)) as arriving:
            found = dict(arriving)
        return [found[place] for place in range(len(conversations))]

    def arrive(
        self, conversations: Conversations, sampling: Sampling, *, seeds: Sequence[int]
    ) -> Generator[tuple[int, Generation]]:
        recorder, seconds = self.recorder, self.inner.seconds_per_call / self.inner.connections
        settings = asdict(sampling)
        keys = [
            recorder.key("reply", [plain([messages])[0], settings, seed])
            for messages, seed in zip(conversations, seeds, strict=True)
        ]
        missing = []
        for place, key in enumerate(keys):
            reply = recorder.found(key)
            if reply is None:
                missing.append(place)
                continue
            recorder.report(seconds, True)
            yield place, reply
        # Leave to spend is asked for a few requests at a time, since each is reserved at its worst until it arrives.
        size = WAVES * self.inner.connections
        for start in range(0, len(missing), size):
            yield from self._ask(missing[start : start + size], keys, conversations, sampling, seeds)

    def _ask(
        self,
        places: Sequence[int],
        keys: Sequence[str],
        conversations: Conversations,
        sampling: Sampling,
        seeds: Sequence[int],
    ) -> Generator[tuple[int, Generation]]:
        recorder, prices = self.recorder, self.inner.prices
        chosen = [conversations[place] for place in places]
        worst = 0.0
        if prices is not None:
            read = approximate_tokens(["".join(m.text for m in messages) for messages in chosen], overhead=40)
            new = (sampling.max_tokens + self.inner.thinking_tokens) * len(places)
            worst = prices.usd(prompt=read, new=new)
        seconds = self.inner.seconds_per_call / self.inner.connections
        try:
            recorder.meter.reserve(seconds * len(places), worst)
        except CapReached as cap:
            yield from ((place, not_asked(cap)) for place in places)
            return
        spent, begun = 0.0, recorder.meter.now
        try:
            with closing(
                self.inner.arrivals.arrive(chosen, sampling, seeds=[seeds[place] for place in places])
            ) as arriving:
                for index, reply in arriving:
                    if reply.stop_reason != "error":
                        recorder.keep(keys[places[index]], reply)
                    if prices is not None:
                        spent += prices.usd(prompt=reply.prompt_tokens, new=reply.new_tokens)
                    recorder.report(seconds, False)
                    yield places[index], reply
        finally:
            recorder.meter.settle(worst, spent)
            recorder.meter.took(seconds * len(places), recorder.meter.now - begun)
