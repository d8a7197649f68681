"""Reads the timestamps of rows, as those that order the rows of a retraining. Pure."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from msgspec import Struct
from numpy.typing import NDArray

from selfheal_jobs.sources.time_sorting import EPOCH_LIMITS


class RowTimes(Struct, frozen=True, kw_only=True):
    """The times of rows. A row of unknown age counts as the oldest."""

    times: NDArray[np.datetime64] | None = None
    """None if no row has a time that is believed."""
    unreadable: int = 0
    future: int = 0
    """Number of rows whose time is later than it can be."""


def row_times(values: pd.Series, time_format: str, latest: datetime | None) -> RowTimes:
    """Return the times of rows.

    Args:
        values: The timestamps.
        time_format: As of as_times.
        latest: Later times are errors; None if every time is believed.
    """
    times = as_times(values, time_format)
    unreadable = np.isnat(times)
    future = np.zeros(len(times), dtype=bool)
    if latest is not None:
        future = times > np.datetime64(latest.replace(tzinfo=None), "ns")
    unknown = unreadable | future
    return RowTimes(
        times=None if unknown.all() else np.where(unknown, times[~unknown].min(), times),
        unreadable=int(unreadable.sum()),
        future=int(future.sum()),
    )


def as_times(values: pd.Series, time_format: str = "") -> NDArray[np.datetime64]:
    """Return timestamps, ISO texts or numbers of s, ms, us or ns since the epoch as UTC; else NaT.

    Args:
        values: The timestamps.
        time_format: A strptime pattern, a unit of epoch numbers, or empty: the unit is that of the median,
            and numbers of the size of another unit are no times.
    """
    if (
        time_format
        and time_format not in EPOCH_LIMITS
        and not pd.api.types.is_datetime64_any_dtype(values.dtype)
    ):
        parsed = pd.to_datetime(_written(values), utc=True, errors="coerce", format=time_format)
    elif pd.api.types.is_numeric_dtype(values.dtype):
        number = values.astype("float64").replace([np.inf, -np.inf], np.nan)  # pandas refuses infinity
        unit: Any = time_format or _unit_of(float(number.abs().median()))
        if not time_format:
            number = number.where(number.abs().map(_unit_of) == unit)
        parsed = pd.to_datetime(number, unit=unit, utc=True, errors="coerce")
    else:
        parsed = pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601")
    times: NDArray[np.datetime64] = parsed.dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    return times


def _unit_of(size: float) -> str:
    """Return the unit of an epoch number, by its size."""
    return next((name for name, limit in EPOCH_LIMITS.items() if size < limit), "ns")


def _written(values: pd.Series) -> pd.Series:
    """Return numbers such as 20261122 as they are written, also those that gaps have turned into floats."""
    if pd.api.types.is_float_dtype(values.dtype):
        values = values.astype("Int64")
    return values.astype("string")


def newest(times: NDArray[np.datetime64]) -> datetime:
    """Return the newest time in UTC, rounded up to whole microseconds: no row learnt is later."""
    found: datetime = pd.Timestamp(times.max()).ceil("us").tz_localize("UTC").to_pydatetime()
    return found
