"""What becomes of the gain as the student grows?

In an orthonormal basis the target has coefficients `t`, the teacher `t + e`. A student with the first `p` basis
functions that fits the teacher keeps the teacher's mistakes there, and misses the target beyond:

    error(p) = e_1^2 + ... + e_p^2 + t_{p+1}^2 + t_{p+2}^2 + ...

So weak-to-strong gain comes from what the student *cannot* express. A student that can express every mistake copies
all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dokimasia.core import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def student_errors(target: ArrayLike, mistake: ArrayLike) -> NDArray[np.float64]:
    """Squared error of students with 0, 1, ..., m basis functions, shape (m + 1,); the last one is the teacher's."""
    true, off = np.asarray(target, float), np.asarray(mistake, float)
    if true.ndim != 1 or true.shape != off.shape:
        raise DataError(
            "As many coefficients of the mistake as of the target are expected.",
            f"Found shapes {true.shape} and {off.shape}.",
            "Pass nought where there is none.",
        )
    copied = np.concatenate([[0.0], np.cumsum(off**2)])
    missed = np.concatenate([np.cumsum((true**2)[::-1])[::-1], [0.0]])
    return np.asarray(copied + missed)


def recovered_by_capacity(target: ArrayLike, mistake: ArrayLike) -> NDArray[np.float64]:
    """Share of the gap in squared error that each student recovers, with a ceiling of no error; at the last one it is 0."""
    errors = student_errors(target, mistake)
    if errors[-1] <= 0:
        raise DataError("A teacher that errs is expected.", "Found no mistake.", "Without a gap nothing is recovered.")
    return np.asarray(1 - errors / errors[-1])


def example(size: int = 60, held: int = 12) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A target within the first `held` of `size` directions, and a teacher equally wrong in all of them."""
    target = np.where(np.arange(size) < held, 1.0, 0.0) * 0.85 ** np.arange(size)
    return target, np.full(size, 0.12)
