"""Does a tripwire trip on these transcripts, and on what?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dokimasia.control import Breaker, Trip, Tripwire, load
from dokimasia.core import Subject, SubjectError, Table, Transcript
from dokimasia.models import Loading, load_subject
from dokimasia.sources import WHOLE, Reading, locate, read_source
from dokimasia.study.tripwires.states import read_pieces

LOADING = Loading()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A transcript that trips, what trips it, and the text where it does."""

    transcript: str
    trip: Trip
    text: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How many transcripts a tripwire was tried on, and those that trip it, each with a breaker of its own."""

    n: int
    alarms: tuple[Alarm, ...]
    remarks: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The first sentence to read."""
        return f"{len(self.alarms)} of {self.n} transcripts trip."

    def table(self) -> Table:
        """A row an alarm."""
        return Table(
            name="alarms",
            title="What trips",
            columns=("transcript", "message", "part", "fact", "why", "text"),
            rows=tuple(
                (one.transcript, one.trip.message, one.trip.part, one.trip.fact, one.trip.why, one.text)
                for one in self.alarms
            ),
            quotes=True,
        )

    @property
    def raw(self) -> dict[str, object]:
        """The same as plain values."""
        alarms = [{"transcript": one.transcript, "text": one.text, **asdict(one.trip)} for one in self.alarms]
        return {"n": self.n, "tripped": len(alarms), "alarms": alarms, "remarks": list(self.remarks)}


def check_tripwire(
    folder: str | Path,
    transcripts: str | Path | Sequence[Transcript],
    *,
    model: str | Path | None = None,
    also: Sequence[str] = (),
    reading: Reading = WHOLE,
    loading: Loading = LOADING,
) -> Checked:
    """Which of these transcripts trip the tripwire in a folder?

    It listens to the assistant, and to the roles in `also`. Its probe reads the messages as `model` does; without a model
    the matcher is tried alone, and that is said.
    """
    subject = None if model is None else load_subject(model, loading)
    tripwire = load(Path(folder), model=None if subject is None else subject.identity.digest)
    items, lost = _items(transcripts, reading)
    alarms = [alarm for item in items if (alarm := _alarm(tripwire, item, subject, also)) is not None]
    return Checked(n=len(items), alarms=tuple(alarms), remarks=(*tripwire.remarks, *lost))


def _items(transcripts: str | Path | Sequence[Transcript], reading: Reading) -> tuple[Sequence[Transcript], list[str]]:
    """The transcripts, and what is to be said of those that could not be read."""
    if not isinstance(transcripts, str | Path):
        return transcripts, []
    source = read_source(locate(str(transcripts)), reading=reading)
    return source.transcripts, [f"{source.lost} of the records could not be read: not tried."] if source.lost else []


def _alarm(tripwire: Tripwire, item: Transcript, subject: Subject | None, also: Sequence[str]) -> Alarm | None:
    breaker = Breaker(tripwire, also=also)
    for place, message in enumerate(item.messages):
        states = None
        if tripwire.reading is not None and breaker.listens(message.role):
            if subject is None or subject.spans is None:
                raise SubjectError(
                    "A model that shows its activations is expected.",
                    "Found none.",
                    "Name the one that the probe is of.",
                )
            layer = tripwire.reading.probe.site.layer
            states = read_pieces(subject.spans, [item.messages[: place + 1]], [place], [layer])[0][:, 0]
        trip = breaker.hear(message, states)
        if trip is not None:
            return Alarm(transcript=item.id, trip=trip, text=message.text[trip.start : trip.end])
    return None
