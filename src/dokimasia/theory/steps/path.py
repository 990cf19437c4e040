"""A contour integral of Laplace's inversion, on a path through its saddle point.

A distribution function is `(1 / 2 pi i) int exp(f(s)) ds / s` up the right of zero. On the positive axis the whole
integrand has one least point, the saddle; from there it falls fastest up and down. The path is a hyperbola that leaves the
saddle vertically and bends to the left at 5/8 of pi, where sums of Pareto times, stable laws and Gaussian ones all vanish. The
trapezoidal rule on it converges exponentially, and what it adds up is largest at the saddle: no digits are lost to
cancellation, however small the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Complex = NDArray[np.complex128]

NODES = 64
BEND = np.tan(np.pi / 8)
FARTHEST = 6.0  # where the path ends if the saddle is flat: some 200 times as far out
DEVIATIONS = 9.0  # and if it is sharp
SHARP = 1e8  # from here on the integral is Gaussian, to eight decimals of its logarithm


def log_integral(exponent: Callable[[Complex], Complex], sharpness: Array) -> Array:
    """The logarithm of the integral (n_saddles,) over the integrand's value at the saddle, without `ds / s`.

    `exponent` takes the path's offsets `s / saddle - 1`, (n_saddles, n_nodes), and gives `f(s) - f(saddle)`. `sharpness` is
    the second derivative of `f - log s` at the saddle, times its square.
    """
    reach = np.minimum(FARTHEST, DEVIATIONS / np.sqrt(sharpness))[:, None]
    u = reach * ((np.arange(NODES) + 0.5) / NODES)
    offset = 1j * np.sinh(u) - 2 * BEND * np.sinh(u / 2) ** 2
    slope = 1j * np.cosh(u) - BEND * np.sinh(u)
    gaussian = -0.5 * np.log(2 * np.pi * sharpness)
    with np.errstate(all="ignore"):  # where the peak is too sharp for the exponent's differences to have digits
        total = (np.exp(exponent(offset)) * slope / (1 + offset)).imag.sum(axis=1)
        return np.where(sharpness < SHARP, np.log(total * reach[:, 0] / (NODES * np.pi)), gaussian)
