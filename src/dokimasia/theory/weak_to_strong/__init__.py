"""Weak to strong: what a capable student learns from a teacher that is weaker, or aligned in most samples only.

The share of the gap that a student recovers, with an interval that may be "undefined"; the inequality between gain
and misfit; a Bayesian student; and the losses that let a student disagree. Ask `predict`; or use the parts one by
one.
"""

from dokimasia.theory.weak_to_strong.bayes import Learned, Student, crossover, drift, kl_bernoulli, learned, simulate
from dokimasia.theory.weak_to_strong.capacity import recovered_by_capacity, student_errors
from dokimasia.theory.weak_to_strong.gap import Recovered, recovered, recovered_on_items
from dokimasia.theory.weak_to_strong.losses import (
    confidence_loss,
    cross_entropy,
    hardened,
    product_loss,
    product_target,
    weight_as_coded,
    weight_as_published,
)
from dokimasia.theory.weak_to_strong.misfit import (
    Gain,
    bregman_gain,
    cone_student,
    kl_gain,
    linear_student,
    mixture_students,
    squared_gain,
)
from dokimasia.theory.weak_to_strong.predicting import predict

__all__ = [
    "Gain",
    "Learned",
    "Recovered",
    "Student",
    "bregman_gain",
    "cone_student",
    "confidence_loss",
    "cross_entropy",
    "crossover",
    "drift",
    "hardened",
    "kl_bernoulli",
    "kl_gain",
    "learned",
    "linear_student",
    "mixture_students",
    "predict",
    "product_loss",
    "product_target",
    "recovered",
    "recovered_by_capacity",
    "recovered_on_items",
    "simulate",
    "squared_gain",
    "student_errors",
    "weight_as_coded",
    "weight_as_published",
]
