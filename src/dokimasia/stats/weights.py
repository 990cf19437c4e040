"""How many deployment transcripts are weighted evaluation items worth? A diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from dokimasia.stats.roc import two_sided

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def effective_sample_size(log_weights: ArrayLike) -> float:
    """How many independent deployment transcripts carry as much information as these weighted evaluation items?

    `log_weights` (n_items,) is the log of deployment density over evaluation density at each evaluation item, up to a
    constant. Returns `(sum w)**2 / sum w**2`, in [1, n_items].

    Misleads upwards, and has no interval: the large weights that matter are the rare ones that a sample misses (at a
    shift of two standard deviations it says 55 where 18 is right). Never use it as a bound.

    >>> effective_sample_size([0.0, 0.0, 0.0, 0.0])
    4.0

    Kish (1965), Survey Sampling, section 11.7.
    """
    logs = two_sided("log_weights", log_weights)
    return round(float(np.exp(2 * logsumexp(logs) - logsumexp(2 * logs))), 9)
