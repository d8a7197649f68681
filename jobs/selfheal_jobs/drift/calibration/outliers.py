"""A pair without outliers, for distances that a few of them make blind.

A distance in standard deviations, or between histograms of equal bins, shrinks with the range of the values:
one value of a million makes a standard deviation of 30,000, and every other shift is small beside it. The
values are therefore limited to fences around the central 95 % of both sides, half as far out again on either
side: of normal numbers one in ten thousand lies beyond.
"""

from typing import Any, Final

import numpy as np

from selfheal_jobs.drift.methods.pair import Array, Numbers

_TAIL: Final = 0.025
"""Share of a side's values beyond its central ones: as many outliers do no harm."""
_FENCES: Final = 0.5
"""Distance of the fences from the central values, in widths of these."""
_FAR: Final = 2.0
"""Distance from the fences, in the same widths, from which on a value is an outlier: twelve standard
deviations from the median, if the numbers are normal."""


def without_outliers(pair: Numbers) -> Numbers | None:
    """Return the pair limited to the fences; None if no value is an outlier."""
    sides = pair.sorted_reference, pair.sorted_current
    low = min(_at(side, _TAIL) for side in sides)
    high = max(_at(side, 1 - _TAIL) for side in sides)
    width = high - low
    least, greatest = (float(min(side[0] for side in sides)), float(max(side[-1] for side in sides)))
    if max(low - least, greatest - high) <= (_FENCES + _FAR) * width:
        return None
    fences = low - _FENCES * width, high + _FENCES * width
    reference, current = (_limited(side, *fences) for side in sides)
    return Numbers(reference, current, ascending=True)


def _at(ascending: Array, share: float) -> float:
    return float(ascending[round(share * (len(ascending) - 1))])


def _limited(side: Array, low: float, high: float) -> Array:
    limited: Any = np.clip(side.astype(np.float64, copy=False), low, high)
    return limited  # type: ignore[no-any-return]  # NumPy's clip has no narrower type
