"""How heavy is the upper tail of a sample? Estimators of the tail index, tests, and what they are worth at this size.

NumPy and scipy.special only. The tail index is called xi everywhere: positive like a power law, nought like an exponential,
negative like something bounded. No finite sample shows a limit: all of this is about the range that the sample reaches.
"""

from dokimasia.stats.tails.controls import CONTROLS, Control, control_samples
from dokimasia.stats.tails.excess import MeanExcess, mean_excess
from dokimasia.stats.tails.indices import TailIndex, hill, moment, pickands
from dokimasia.stats.tails.judging import FEWEST, TailTest, Verdict, judge_tail, thresholds
from dokimasia.stats.tails.order import largest_share, top
from dokimasia.stats.tails.pareto import ParetoFit, exponential_null, fit_pareto, fit_rows

__all__ = [
    "CONTROLS",
    "FEWEST",
    "Control",
    "MeanExcess",
    "ParetoFit",
    "TailIndex",
    "TailTest",
    "Verdict",
    "control_samples",
    "exponential_null",
    "fit_pareto",
    "fit_rows",
    "hill",
    "judge_tail",
    "largest_share",
    "mean_excess",
    "moment",
    "pickands",
    "thresholds",
    "top",
]
