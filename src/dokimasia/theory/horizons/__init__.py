"""Time horizons: success against the time that a task takes a person, under eight curves, and which of them to believe.

Curves (`curve`, `linear`, `hazards`, `steps`), one fit for many weightings (`fitting`), all curves for all agents with
cross-validation by family (`comparing`), horizons with their intervals (`spans`) and differences between tasks
(`dispersion`). No files: `sources.runs` reads them, `study.horizon` joins the two.
"""

from dokimasia.theory.horizons.attempts import Attempts
from dokimasia.theory.horizons.comparing import CURVES, AgentFits, CurveFit, Standing, fit_agent, standings
from dokimasia.theory.horizons.curve import Curve
from dokimasia.theory.horizons.dispersion import Dispersion, dispersion
from dokimasia.theory.horizons.fitting import Fits, fit, losses
from dokimasia.theory.horizons.hazards import CeilingExponential, Constant, Exponential, Lomax
from dokimasia.theory.horizons.linear import Logistic, Probit, Weibull
from dokimasia.theory.horizons.spans import Span, beyond_bound, span
from dokimasia.theory.horizons.steps import Steps

__all__ = [
    "CURVES",
    "AgentFits",
    "Attempts",
    "CeilingExponential",
    "Constant",
    "Curve",
    "CurveFit",
    "Dispersion",
    "Exponential",
    "Fits",
    "Logistic",
    "Lomax",
    "Probit",
    "Span",
    "Standing",
    "Steps",
    "Weibull",
    "beyond_bound",
    "dispersion",
    "fit",
    "fit_agent",
    "losses",
    "span",
    "standings",
]
