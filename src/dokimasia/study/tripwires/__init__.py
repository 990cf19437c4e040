"""Tripwires: fitted to facts that must not be said, and tried on transcripts."""

from dokimasia.study.tripwires.checking import Alarm, Checked, check_tripwire
from dokimasia.study.tripwires.fitting import fit_tripwire
from dokimasia.study.tripwires.report import Tried, TripwireReport

__all__ = ["Alarm", "Checked", "Tried", "TripwireReport", "check_tripwire", "fit_tripwire"]
