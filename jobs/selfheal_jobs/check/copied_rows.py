"""Compares the current data without its copies, where nearly all of its rows are copies of a few.

Sixty rows that were delivered thirty times are sixty draws. A test that takes them for 1,800 finds drift.
If one row alone is repeated, the distinct rows do not tell what the model meets: mostly that row.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from selfheal_jobs.check.duplicated_rows import hashes_of_values, row_hashes
from selfheal_jobs.columns.infer_kind import Column
from selfheal_jobs.columns.scan import Compared, TablePair
from selfheal_jobs.drift.compare import Comparison, compare
from selfheal_jobs.tables.content import content
from selfheal_jobs.tables.distinct_count import distinct_count
from selfheal_jobs.tables.equal_pairs import Hashes, chance_of_equal_rows, equal_pairs, pairs_of
from selfheal_jobs.tables.table import ArrowTable, Table
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec

_LEAST_DELIVERIES: Final = 2
"""How often a row occurs on average. With fewer, a test takes at most twice as many draws as there are."""
_MOST_BY_CHANCE: Final = 0.1
"""Share of the pairs of equal rows that chance may explain."""
_ROWS_LOOKED_AT: Final = 20_000
"""More distinct rows than half of these hardly make a false drift, however often they are delivered."""


class DistinctRows(Struct, frozen=True):
    """The comparison with the distinct rows of the current data."""

    comparison: Comparison
    remark: str
    """How many rows are copies of how many."""
    unevenly: str = ""
    """Which few rows most copies are of; empty if all rows are repeated about equally often."""


def compared_without_copies(
    spec: ModelMonitorSpec, columns: Sequence[Column], reference: Table, current: Table
) -> DistinctRows | None:
    """Return the comparison with the distinct rows; None if not nearly all rows are copies.

    To see whether they are, some rows are read again: call it only where a check would find drift.

    Args:
        spec: The spec of the check.
        columns: The columns that are compared.
        reference: The reference.
        current: The current data, with its copies.
    """
    names = [column.name for column in columns]
    if not _are_copies(_first_rows(current, names)):
        return None
    first, copies = np.unique(row_hashes(current, names), return_index=True, return_counts=True)[1:]
    if len(copies) * _LEAST_DELIVERIES > current.num_rows:  # those behind the first rows are none
        return None
    distinct = _rows_at(np.sort(first), current, names)
    tables = TablePair(reference, distinct)
    sides = ((each, content(reference, each.name), content(distinct, each.name)) for each in columns)
    found = compare((Compared.of(*each, tables) for each in sides), spec.drift, spec.threshold, tables)
    remark = f"{current.num_rows} rows of current are copies of {distinct.num_rows}, and compared as these"
    return DistinctRows(found, remark, _unevenly(copies))


def _unevenly(copies: NDArray[np.int64]) -> str:
    """Return which rows most copies are of, if their numbers vary by more than their mean.

    Where each row is delivered about equally often, in whole or in overlapping parts, the standard deviation
    is below the mean: 0.58 of it for one to many deliveries with equal frequency, less for a random sample.
    """
    if copies.std() <= copies.mean():
        return ""
    often, rows = copies[copies > copies.mean()], copies.sum()
    of = "1 row" if len(often) == 1 else f"{len(often)} rows"
    return f"{often.sum()} of {rows} rows of current ({often.sum() / rows:.1%}) are copies of {of}"


def _first_rows(table: Table, names: Sequence[str]) -> pa.Table:
    parts: list[pa.RecordBatch] = []
    rows = 0
    for batch in table.batches(names):
        parts.append(batch)
        rows += batch.num_rows
        if rows >= _ROWS_LOOKED_AT:
            break
    return pa.Table.from_batches(parts).slice(0, _ROWS_LOOKED_AT)


def _are_copies(rows: pa.Table) -> bool:
    hashes: list[Hashes] = []
    for number, column in enumerate(rows.columns):
        hashes.append(hashes_of_values(column, number))
        if _differ(hashes[-1]):  # one column is enough, and most tables have one
            return False
    whole: Hashes = np.sum(np.stack(hashes), axis=0, dtype=np.uint64)
    by_chance = chance_of_equal_rows(whole, hashes) * pairs_of(len(whole))
    return not _differ(whole) and by_chance <= _MOST_BY_CHANCE * equal_pairs(whole)


def _differ(hashes: Hashes) -> bool:
    return distinct_count(hashes) * _LEAST_DELIVERIES > len(hashes)


def _rows_at(positions: NDArray[np.int64], table: Table, names: Sequence[str]) -> ArrowTable:
    """Return the rows at these positions; columns are read one after the other."""
    rows = pa.array(positions)
    return ArrowTable(pa.table({name: table.column(name).take(rows) for name in names}))
