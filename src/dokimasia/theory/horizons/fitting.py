"""Weighted maximum likelihood: one curve, fitted to many weightings of the same tasks at once.

A leave-one-family-out fold and a cluster-bootstrap replicate differ from the whole data in the weights of families alone.
So all are fitted together: losses on a grid of starts are one product of matrices, and from the best start of each fit
damped Fisher scoring (Levenberg and Marquardt's rule) goes on within the bounds until the loss no longer falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dokimasia.theory.horizons.curve import Curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dokimasia.theory.horizons.curve import Floats

CLIP = 1e-4
"""No curve is believed surer than this of success or failure; what an impossible success costs is settled by it."""
STEPS = 200
FLAT = 1e-8
STIFF = 1e6
LARGEST = 1 << 18
"""Weights that are worked on at once."""
PLACES = 33
BEYOND = 4.0
"""Half-lives to start from lie between the shortest and the longest task, and so many logs of minutes beyond."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fits:
    """The best parameters of one curve for each weighting, `theta` (n_fits, n_parameters), and `loss` (n_fits,) in nats."""

    curve: Curve
    theta: Floats
    loss: Floats


def fit(curve: Curve, x: Floats, rates: Floats, weights: Floats) -> Fits:
    """Which parameters make these success rates most likely?

    `x` (n_tasks,) are logs of human minutes, `rates` (n_tasks,) shares of runs that succeeded, and `weights`
    (n_fits, n_tasks) what each task counts in each fit. A rate that is a fraction counts as so much of a success and the
    rest of a failure.
    """
    block = max(1, LARGEST // len(x))
    parts = [_fit(curve, x, rates, weights[start : start + block]) for start in range(0, len(weights), block)]
    theta, loss = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Fits(curve=curve, theta=theta, loss=loss)


def _fit(curve: Curve, x: Floats, rates: Floats, weights: Floats) -> tuple[Floats, Floats]:
    hits, misses = weights * rates, weights * (1 - rates)
    low, high = np.asarray(curve.low), np.asarray(curve.high)
    theta = np.clip(_best_start(curve, x, hits, misses), low, high)
    success, slopes = clipped(curve, x, theta)
    loss = _loss(success, hits, misses)
    damping = np.full(len(theta), 1e-3)
    going = np.arange(len(theta))
    for _ in range(STEPS):
        gradient, information = _scores(success, slopes, hits[going], misses[going])
        step = _step(theta[going], gradient, information, damping[going], low, high)
        promised = -(gradient * step).sum(axis=1)
        tried = np.clip(theta[going] + step, low, high)
        new_success, new_slopes = clipped(curve, x, tried)
        gain = loss[going] - _loss(new_success, hits[going], misses[going])
        better = gain > 0
        chosen = going[better]
        theta[chosen], loss[chosen] = tried[better], loss[chosen] - gain[better]
        success[better], slopes[better] = new_success[better], new_slopes[better]
        over = (promised < FLAT) & (damping[going] < 1)
        damping[going] = np.where(better, np.maximum(damping[going] / 10, 1e-9), damping[going] * 10)
        over |= damping[going] > STIFF
        going, success, slopes = going[~over], success[~over], slopes[~over]
        if not len(going):
            break
    return theta, loss


def clipped(curve: Curve, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Success within `CLIP` of 0 and 1, and its slopes, which are 0 where it was clipped."""
    success, slopes = curve.slopes(x, theta)
    inside = (success > CLIP) & (success < 1 - CLIP)
    return np.clip(success, CLIP, 1 - CLIP), np.where(inside[..., None], slopes, 0.0)


def losses(curve: Curve, x: Floats, rates: Floats, theta: Floats) -> Floats:
    """Minus the log-likelihood of a run of each task at average, (..., n_tasks), in nats."""
    success, _ = clipped(curve, x, theta)
    return np.asarray(-rates * np.log(success) - (1 - rates) * np.log1p(-success))


def _best_start(curve: Curve, x: Floats, hits: Floats, misses: Floats) -> Floats:
    starts = curve.starts(np.linspace(x.min() - BEYOND, x.max() + BEYOND, PLACES))
    success, _ = clipped(curve, x, starts)
    at = hits @ np.log(success).T + misses @ np.log1p(-success).T
    return np.asarray(starts[np.argmax(at, axis=1)])


def _loss(success: Floats, hits: Floats, misses: Floats) -> Floats:
    return np.asarray(-(hits * np.log(success) + misses * np.log1p(-success)).sum(axis=1))


def _scores(success: Floats, slopes: Floats, hits: Floats, misses: Floats) -> tuple[Floats, Floats]:
    """Gradient of the loss, (n_fits, n_parameters), and Fisher's information, with a square of parameters at the end."""
    gradient = ((misses / (1 - success) - hits / success)[:, None, :] @ slopes)[:, 0]
    scale = (hits + misses) / (success * (1 - success))
    return gradient, np.swapaxes(slopes, 1, 2) @ (scale[..., None] * slopes)


def _step(
    theta: Floats, gradient: Floats, information: Floats, damping: NDArray[np.float64], low: Floats, high: Floats
) -> Floats:
    """Where to go from `theta`; a parameter that stands at its bound and would leave it stays."""
    held = ((theta <= low) & (gradient > 0)) | ((theta >= high) & (gradient < 0))
    free = np.where(held, 0.0, 1.0)
    k = theta.shape[1]
    diagonal = np.einsum("fii->fi", information)
    added = np.where(held, 1.0, damping[:, None] * np.maximum(diagonal, 1e-9))
    square = information * free[:, :, None] * free[:, None, :] + np.eye(k) * added[:, None, :]
    return np.asarray(-np.linalg.solve(square, (gradient * free)[..., None])[..., 0])
