"""Results of awareness made by hand, and the findings that they are told as."""

import json
from dataclasses import asdict

import numpy as np
from tests.fakes import evidence

from dokimasia.core import (
    Finding,
)
from dokimasia.instruments.awareness.result import AskedSample, Result
from dokimasia.instruments.awareness.telling import tell
from dokimasia.instruments.awareness.verbalised import in_transcripts
from dokimasia.instruments.common.asking import QUESTIONS, Asked
from dokimasia.instruments.common.gathering import gather
from dokimasia.instruments.common.sampling import Limits

GATHERED = gather(evidence(20, 20), limits=Limits(), fewest=20, seed=0)


def result(values=None, *, unit="nats", **parts) -> Result:
    """A result in which the subject said this of all 20 tests and 20 deployment inputs: (n_rows, n_questions, 2)."""
    sample = None
    if values is not None:
        found = Asked(questions=QUESTIONS, values=values, unit=unit, access="logprobs", unread=0, cut=0)
        sample = AskedSample(rows=np.arange(40), asked=found)
    given = in_transcripts(GATHERED.transcripts)
    return Result(gathered=GATHERED, given=given, each=len(QUESTIONS), asked=sample, **parts)


def told(found: Result) -> Finding:
    """The finding, which must be JSON."""
    finding = tell(
        found,
        instrument="awareness",
        version="1",
        question="?",
        misleads="",
        configuration={},
        not_measured=(),
        incomplete="",
        seed=0,
    )
    for item in (finding.raw, *map(asdict, (*finding.estimates, *finding.figures))):
        json.dumps(item, allow_nan=False)
    return finding
