"""Counts distinct numbers. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct_count(numbers: NDArray[Any]) -> int:
    """Return how many different values an array of any shape holds; NaN is one value."""
    # np.unique without further results imports numpy.ma: five of the milliseconds in which a check starts.
    return len(np.unique(numbers, return_counts=True)[0])
