"""Behavioural selection: training multiplies the odds of each possible motive by what its behaviour earns.

Motives that earn the same keep the odds of their priors: no test on the training distribution discriminates between
them, and deployment behaviour is bounded rather than identified. Ask `predict`; or use the parts one by one.
"""

from dokimasia.theory.selection.bounds import Bounds, bounds_over_motives, bounds_over_priors
from dokimasia.theory.selection.hypotheses import Hypotheses, Hypothesis, Outcome, Situation
from dokimasia.theory.selection.learning import Learner, Learnt, learn, plain_gradient_shares
from dokimasia.theory.selection.picture import causal_graph
from dokimasia.theory.selection.predicting import predict
from dokimasia.theory.selection.probes import Probe, expected_information, posterior, rank_probes
from dokimasia.theory.selection.shares import (
    in_the_limit,
    prior_sensitivity,
    shares,
    steps_by_plain_gradient,
    steps_to_overtake,
)

__all__ = [
    "Bounds",
    "Hypotheses",
    "Hypothesis",
    "Learner",
    "Learnt",
    "Outcome",
    "Probe",
    "Situation",
    "bounds_over_motives",
    "bounds_over_priors",
    "causal_graph",
    "expected_information",
    "in_the_limit",
    "learn",
    "plain_gradient_shares",
    "posterior",
    "predict",
    "prior_sensitivity",
    "rank_probes",
    "shares",
    "steps_by_plain_gradient",
    "steps_to_overtake",
]
