"""Tells of values that are so large that a model cannot learn from them as they are. Pure."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.names_shown import some
from selfheal_jobs.retrain.features import LARGEST, for_model
from selfheal_jobs.tables.content import Values

_NAMES_SHOWN: Final = 3


def beyond_range(table: pd.DataFrame, columns: tuple[Column, ...]) -> Iterator[str]:
    """Yield a remark if columns hold numbers that single precision cannot hold, infinity included."""
    counted = {each.name: _count(table, each) for each in columns if each.holds is Values.NUMBERS}
    if found := [f"{count} in {name[:100]!r}" for name, count in counted.items() if count]:
        yield f"numbers beyond {LARGEST:.2g} count as missing: {some(found, _NAMES_SHOWN)}"


def _count(table: pd.DataFrame, column: Column) -> int:
    values = for_model(table, (column,))[column.name]
    return int((values.abs() > LARGEST).sum()) if values.dtype.kind == "f" else 0
