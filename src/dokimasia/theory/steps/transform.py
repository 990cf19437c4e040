"""The Laplace transform of one subtask's time beyond its least, `W = T - 1`, on and off the positive axis.

Everything follows from one integral, `I(b, s) = int_0^inf exp(-s w) (1 + w)**-b dw`, which is `exp(s) E_b(s)` with the
exponential integral of real order: the transform is `M(s) = E exp(-s W) = a I(a + 1, s) = 1 - s I(a, s)`. The trapezoidal
rule gives it to 12 digits for all `s` and `b > 0`, with no series to choose between, after a substitution under which
both ends vanish doubly exponentially or nearly; off the positive axis the ray of `w` turns half as far the other way. `M` has
no zero off the negative axis (the Pareto law is a generalised gamma convolution; Bondesson, 1992), so that its principal
logarithm is continuous, and a power `M**n` means something for any positive `n`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import log1p

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Complex = NDArray[np.complex128]

STEP = 0.1
FIRST, MOST = -np.log(40.0), np.log(80.0)


def scaled_integral(b: float, s: Complex) -> Complex:
    """`int_0^inf exp(-s w) (1 + w)**-b dw` for each of `s` (n,), up to 5/8 of pi off the positive axis; `b > 0`."""
    return np.asarray(_terms(b, s)[0].sum(axis=1))


def log_transform(a: float, s: Complex) -> Complex:
    """`ln E exp(-s W)` for each of `s` (n,); accurate relative to itself where it is near 0 and where it is not."""
    terms, w = _terms(a, s)
    away = s * terms.sum(axis=1)
    found = log1p(-away)
    small = np.abs(1 - away) < 0.1
    found[small] = np.log(a * (terms[small] / (1 + w[small])).sum(axis=1))
    return np.asarray(found)


def tilted_moments(a: float, s: float) -> tuple[float, float]:
    """Mean and variance of `s W` under the law reweighted by `exp(-s W)`, `s > 0`; they give the derivatives of `ln M`."""
    terms, w = _terms(a + 1, np.array([s]))
    weight, u = terms[0] / terms.sum(), s * w[0]
    mean = float(weight @ u)
    return mean, float(weight @ (u - mean) ** 2)


def _terms(b: float, s: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """What the trapezoidal rule for `I(b, s)` adds up, and its places `w`, (n, n_nodes) both."""
    size, angle = np.abs(s)[:, None], np.angle(s)[:, None]
    v = np.arange(FIRST, MOST + np.log1p((b + 1) / size.min()), STEP)
    log_w = v - np.exp(-v) - np.log(size + b + 1)
    if angle.any():
        log_w = log_w - 0.5j * angle
    w = np.exp(log_w)
    return STEP * (1 + np.exp(-v)) * np.exp(log_w - s[:, None] * w - b * log1p(w)), w
