"""Goodhart's law: what does optimising a proxy do to the value that it stands for, given the tail of its error?

The proxy is `U = V + X`, value plus error. Whether selecting hard on U raises V without end, to a plateau or not at all is decided by
the tail of X against an exponential one (Kwa, Thomas and Garriga-Alonso 2024, arXiv 2407.14503). Where to begin: `laws` (values and
errors), `sums` (E[V | U >= t], and its limits), `selection` (best of n), `tilting` (KL-regularised optima and what a divergence buys),
`divergence`, `gao`, `construction` (theorem 1), `generators` (error that depends), `observed` (the same from somebody's pairs).
"""

from dokimasia.theory.goodhart.construction import Reweighted, cheap_reward, reweighted
from dokimasia.theory.goodhart.divergence import best_of_n_kl, discrete_best_of_n_kl, nats_for, win_rate_bound
from dokimasia.theory.goodhart.gao import BestOfNCurve, LearningCurve, Peak
from dokimasia.theory.goodhart.laws import Exponential, Law, LogNormal, Normal, StudentT, Uniform
from dokimasia.theory.goodhart.observed import (
    InTail,
    Selection,
    Tilted,
    best_of_n_observed,
    errors_of,
    tilted_observed,
    value_in_tail,
)
from dokimasia.theory.goodhart.predicting import predict
from dokimasia.theory.goodhart.selection import Simulated, best_of_n, simulate_best_of_n
from dokimasia.theory.goodhart.sums import Limit, Proxy, limit
from dokimasia.theory.goodhart.tilting import Optimum, bound, regularised, regularised_at, smallest_beta

__all__ = [
    "BestOfNCurve",
    "Exponential",
    "InTail",
    "Law",
    "LearningCurve",
    "Limit",
    "LogNormal",
    "Normal",
    "Optimum",
    "Peak",
    "Proxy",
    "Reweighted",
    "Selection",
    "Simulated",
    "StudentT",
    "Tilted",
    "Uniform",
    "best_of_n",
    "best_of_n_kl",
    "best_of_n_observed",
    "bound",
    "cheap_reward",
    "discrete_best_of_n_kl",
    "errors_of",
    "limit",
    "nats_for",
    "predict",
    "regularised",
    "regularised_at",
    "reweighted",
    "simulate_best_of_n",
    "smallest_beta",
    "tilted_observed",
    "value_in_tail",
    "win_rate_bound",
]
