"""p ln(p / q), elementwise, accurate where p and q are close."""

import numpy as np

from selfheal_jobs.drift.methods.pair import Array


def relative_entropy(p: Array, q: Array) -> Array:
    """Return p ln(p / q); zero where p is zero. Source: `scipy.special.rel_entr`.

    Near p = q the logarithm is computed from the difference with log1p, as SciPy does: for samples that
    hardly differ, these terms nearly cancel in the sum.

    Args:
        p: Shares, not negative.
        q: Shares, positive wherever p is.
    """
    result = np.zeros_like(p)
    some = p > 0
    p, q = p[some], q[some]
    ratio = p / q
    close = (ratio > 0.5) & (ratio < 2)
    result[some] = p * np.where(close, np.log1p((p - q) / q), np.log(ratio))
    return result
