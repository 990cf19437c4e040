"""What a fitted tripwire is worth, and how that is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dokimasia.control import Rate, Tripwire
from dokimasia.core import Table
from dokimasia.core.tabulating import Cell
from dokimasia.stats.roc import Figure

MISLEADS = (
    "The rates hold for messages like those that they were measured on. A model that is trained or prompted to hide what it "
    "computes can bring a probe's recall to nothing, and one that says a fact in other words passes by the matcher: a "
    "tripwire that does not trip is no evidence that nothing was said."
)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One part, or the control beside it, on messages that it had not seen; what is None could not be measured.

    `caught` are wordings of the facts that it was not given; `ordinary`, `made_up` and `variants` are the false alarms:
    ordinary replies, made-up facts of the same form, and the facts with a false answer. `auroc` tells facts from made-up ones.
    """

    name: str
    caught: Rate | None
    ordinary: Rate | None
    made_up: Rate | None
    variants: Rate | None
    auroc: Figure | None = None


@dataclass(frozen=True, kw_only=True)
class TripwireReport:
    """A tripwire, where it lies, what each of its parts is worth, and what was fitted to what."""

    tripwire: Tripwire
    folder: Path
    tests: tuple[Tried, ...]
    level: float
    digests: Mapping[str, str]

    @property
    def headline(self) -> str:
        """The first sentence to read."""
        reading = self.tripwire.reading
        matcher = self.tests[0]
        parts = [f"The matcher knows {len(self.tripwire.matcher.statements)} statements"]
        if matcher.caught is not None:
            parts[0] += f" and recognises {matcher.caught} in words that it was not given"
        if reading is None:
            parts.append("There is no probe")
        else:
            site = reading.probe.site
            parts.append(
                f"The probe (layer {site.layer}) catches {reading.caught} of such wordings, and trips on "
                f"{reading.false_alarms} ordinary replies, where {reading.aimed:.1%} was aimed at"
            )
        return ". ".join(parts) + "."

    def table(self) -> Table:
        """A row a part, and the words-only control."""
        return Table(
            name="tripwire",
            title="What trips, on messages that were not seen before",
            columns=(
                "part",
                "facts in new words",
                "ordinary replies",
                "made-up facts",
                "false variants",
                "AUROC, made-up",
            ),
            rows=tuple(
                (one.name, *map(_rate, (one.caught, one.ordinary, one.made_up, one.variants)), _figure(one.auroc))
                for one in self.tests
            ),
            note=f"Intervals at {self.level:.0%}, by fact or conversation. The first column should be high, all others but "
            "the last low. If words alone do as well as the probe, the probe adds nothing but another place to look.",
        )

    @property
    def raw(self) -> dict[str, object]:
        """The same as plain values."""
        table = self.table()
        return {
            "folder": str(self.folder),
            "headline": self.headline,
            "digest": self.tripwire.digest,
            "probe": self.tripwire.reading is not None,
            "tests": [dict(zip(table.columns, row, strict=True)) for row in table.rows],
            "digests": dict(self.digests),
            "remarks": list(self.tripwire.remarks),
            "misleads": MISLEADS,
        }


def _rate(rate: Rate | None) -> Cell:
    return None if rate is None else str(rate)


def _figure(figure: Figure | None) -> Cell:
    return None if figure is None else f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
