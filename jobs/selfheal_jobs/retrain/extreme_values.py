"""Tells of values that are so large that a model cannot learn from them as they are. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.names_shown import some
from selfheal_jobs.retrain.features import LARGEST, for_model
from selfheal_jobs.tables.content import Values

_NAMES_SHOWN: Final = 3
_FAR: Final = 1e6
"""Times the spread of the reference. A normal distribution has no such value, and a lognormal one whose
logarithm has a standard deviation of 3 has one in 15 million rows."""


def beyond_range(table: pd.DataFrame, columns: tuple[Column, ...]) -> Iterator[str]:
    """Yield a remark if columns hold numbers that single precision cannot hold, infinity included."""
    counted = {each.name: _count(table, each) for each in columns if each.holds is Values.NUMBERS}
    if found := [f"{count} in {name[:100]!r}" for name, count in counted.items() if count]:
        yield f"numbers beyond {LARGEST:.2g} count as missing: {some(found, _NAMES_SHOWN)}"


def _count(table: pd.DataFrame, column: Column) -> int:
    values = for_model(table, (column,))[column.name]
    return int((values.abs() > LARGEST).sum()) if values.dtype.kind == "f" else 0


def extreme_targets(reference: pd.DataFrame, current: pd.DataFrame, target: str) -> Iterator[str]:
    """Yield a remark if values of the target are so far from the reference's that they decide every score."""
    before, now = (_numbers(side, target) for side in (reference, current))
    if not len(now):
        return
    usual = before if len(before) else now
    low, middle, high = np.quantile(usual, (0.25, 0.5, 0.75))
    with np.errstate(over="ignore"):  # a distance or a square may be infinite
        spread = high - low if high > low else usual.std()
        far = now[np.abs(now - middle) > _FAR * spread] if spread > 0 else now[:0]
    if len(far):
        largest = far[np.argmax(np.abs(far))]
        yield (
            f"{len(far)} of {len(now)} values of the target are extreme, such as {largest:.4g} (the middle "
            f"half of the reference's are from {low:.4g} to {high:.4g}): they decide every score"
        )


def _numbers(table: pd.DataFrame, target: str) -> Any:
    """Return the finite values of the target; none if it holds no numbers."""
    if target not in table.columns:
        return np.empty(0)
    values = pd.to_numeric(table[target].dropna(), errors="coerce").to_numpy(dtype="float64")
    return values[np.isfinite(values)]
