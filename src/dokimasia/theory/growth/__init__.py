"""Is the field's work done in time? A field that grows, a share of its work that is done, and the date by which it must be.

`effort` has the closed forms and their inverse, `inputs` what one may be unsure of and how, `policies` the chance that all
is done before the arrival and what a pause, a larger field, faster growth or better research shortly before it adds.
`simulating` answers the same question without closed forms; `predict` puts everything together.
"""

from dokimasia.theory.growth.effort import Field, fraction_done, people_now, work, years_to_done
from dokimasia.theory.growth.inputs import Between, Known, Lognormal, Uncertain, parse_uncertain
from dokimasia.theory.growth.policies import (
    NOTHING,
    Draws,
    Inputs,
    Policy,
    Worlds,
    chances,
    in_time,
    parse_worlds,
    usual_policies,
)
from dokimasia.theory.growth.predicting import PLAUSIBLE, POLICIES, predict
from dokimasia.theory.growth.simulating import simulate

__all__ = [
    "NOTHING",
    "PLAUSIBLE",
    "POLICIES",
    "Between",
    "Draws",
    "Field",
    "Inputs",
    "Known",
    "Lognormal",
    "Policy",
    "Uncertain",
    "Worlds",
    "chances",
    "fraction_done",
    "in_time",
    "parse_uncertain",
    "parse_worlds",
    "people_now",
    "predict",
    "simulate",
    "usual_policies",
    "work",
    "years_to_done",
]
