"""Numbers about numbers: intervals, ROC curves, effective sample size, reassurance.

NumPy and scipy.special only, no model and no file. May import `core` and nothing else of dokimasia.
"""

from dokimasia.stats.betting import (
    alarm_counts,
    anytime_interval,
    anytime_lower,
    anytime_upper,
    confidence_sequence,
    log_e_process,
    log_e_value,
)
from dokimasia.stats.calibration import CalibrationBin, CalibrationError, calibration_error
from dokimasia.stats.clustered import clustered_auroc, clustered_mean, clustered_rate, clustered_tpr_at_fpr
from dokimasia.stats.differences import Count, anytime_change, difference_in_differences
from dokimasia.stats.drift import (
    Attraction,
    DriftField,
    FixedPoint,
    LinearMap,
    attraction,
    drift_field,
    half_life,
    linear_map,
)
from dokimasia.stats.intervals import (
    Interval,
    clopper_pearson,
    clopper_pearson_lower,
    clopper_pearson_upper,
    cluster_bootstrap,
    wilson,
)
from dokimasia.stats.multiplicity import false_discovery_adjusted
from dokimasia.stats.paired import PairedDifference, detectable_difference, paired_difference
from dokimasia.stats.planning import (
    Telling,
    covered,
    even_telling,
    items_needed,
    simulated_ceilings,
    telling_from,
    transcripts_needed,
)
from dokimasia.stats.reassurance import (
    Exposure,
    Reassurance,
    ReassuranceCurve,
    clean_equivalent,
    reassurance,
)
from dokimasia.stats.roc import Figure, auroc, roc_counts, tpr_at_fpr
from dokimasia.stats.selective import Promise, Stress, aurc, e_aurc, risk_coverage, selective_threshold, stress_test
from dokimasia.stats.sequential import Passage, SequentialTest, first_passage
from dokimasia.stats.weights import effective_sample_size

__all__ = [
    "Attraction",
    "CalibrationBin",
    "CalibrationError",
    "Count",
    "DriftField",
    "Exposure",
    "Figure",
    "FixedPoint",
    "Interval",
    "LinearMap",
    "PairedDifference",
    "Passage",
    "Promise",
    "Reassurance",
    "ReassuranceCurve",
    "SequentialTest",
    "Stress",
    "Telling",
    "alarm_counts",
    "anytime_change",
    "anytime_interval",
    "anytime_lower",
    "anytime_upper",
    "attraction",
    "aurc",
    "auroc",
    "calibration_error",
    "clean_equivalent",
    "clopper_pearson",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "cluster_bootstrap",
    "clustered_auroc",
    "clustered_mean",
    "clustered_rate",
    "clustered_tpr_at_fpr",
    "confidence_sequence",
    "covered",
    "detectable_difference",
    "difference_in_differences",
    "drift_field",
    "e_aurc",
    "effective_sample_size",
    "even_telling",
    "false_discovery_adjusted",
    "first_passage",
    "half_life",
    "items_needed",
    "linear_map",
    "log_e_process",
    "log_e_value",
    "paired_difference",
    "reassurance",
    "risk_coverage",
    "roc_counts",
    "selective_threshold",
    "simulated_ceilings",
    "stress_test",
    "telling_from",
    "tpr_at_fpr",
    "transcripts_needed",
    "wilson",
]
