"""Detection and control: gates, audits, puzzles, triggers, asking, exploring, and what breaks when a part is perfect.

One question a pair of files: the model (`gate`, `spotchecks`, `cue`; `audits`, `resampling`; `puzzles`; `triggers`,
`unlearning`; `asking`;
`exploring`; `protocol`) and the prediction that its command prints (`predict_...`). These are the figures that
instruments and protocols will be compared with.
"""

from dokimasia.theory.detection.predict_asking import predict_asking
from dokimasia.theory.detection.predict_audits import predict_audits
from dokimasia.theory.detection.predict_exploring import predict_exploring
from dokimasia.theory.detection.predict_gate import predict_gate
from dokimasia.theory.detection.predict_perfect import predict_perfect
from dokimasia.theory.detection.predict_puzzles import predict_puzzles
from dokimasia.theory.detection.predict_triggers import predict_triggers

__all__ = [
    "predict_asking",
    "predict_audits",
    "predict_exploring",
    "predict_gate",
    "predict_perfect",
    "predict_puzzles",
    "predict_triggers",
]
