"""Counts duplicated rows by hashes, with sixteen bytes of memory per row. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from selfheal_jobs.tables.distinct_count import distinct_count
from selfheal_jobs.tables.equal_pairs import Hashes
from selfheal_jobs.tables.table import Table

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
"""Increment of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014),
as are the factors below. Of 40 million tables of a million distinct rows one has a hash collision."""


def duplicated_rows(table: Table, names: Sequence[str]) -> int:
    """Return how many rows equal an earlier row in all of these columns; nulls equal nulls."""
    return table.num_rows - distinct_count(row_hashes(table, names))


def row_hashes(table: Table, names: Sequence[str]) -> Hashes:
    """Return a hash of each row's values in these columns, which are read one after the other."""
    whole = np.zeros(table.num_rows, dtype=np.uint64)
    for number, name in enumerate(names):
        whole += hashes_of_values(table.column(name), number)
    return whole


def hashes_of_values(column: pa.ChunkedArray, number: int) -> Hashes:
    """Return a hash of each value of a column, another one for the same value in another column.

    Args:
        column: The values.
        number: The position of the column among those of the row.
    """
    return _mixed(_codes(column) ^ _mixed(np.array([number], dtype=np.uint64)))


def _codes(column: pa.ChunkedArray) -> Hashes:
    """Return one code per row; equal values have equal codes."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        encoded = pc.dictionary_encode(column, null_encoding="encode")
    except pa.ArrowNotImplementedError:  # lists and the like
        encoded = pc.dictionary_encode(pa.chunked_array([pa.array(_written(column), pa.string())]))
    parts: list[Any] = [np.asarray(chunk.indices) for chunk in encoded.chunks]
    return np.concatenate(parts or [np.empty(0)]).astype(np.uint64)


def _written(column: pa.ChunkedArray) -> list[str]:
    return [repr(value) for value in column.to_pylist()]


def _mixed(values: Hashes) -> Hashes:
    values = values + _STEP
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed
