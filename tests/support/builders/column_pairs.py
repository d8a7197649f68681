"""The columns of two tables, as a check compares them."""

from selfheal_jobs.columns.scan import Compared, read_column
from selfheal_jobs.tables.table import Table
from selfheal_operator.api.v1alpha1.dataset import ColumnPolicy


def column_pairs(reference: Table, current: Table, target: str = "label") -> list[Compared]:
    """Return the columns that can be compared, with what both sides hold."""
    read = [
        read_column(name, reference, current, ColumnPolicy())
        for name in reference.schema.names
        if name != target
    ]
    return [each for each in read if isinstance(each, Compared)]
