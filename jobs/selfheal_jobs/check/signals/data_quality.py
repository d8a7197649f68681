"""Data quality of the current data: gaps, new categories, outliers, duplicates, constant columns, rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from selfheal_jobs.check.column_facts import ColumnFacts
from selfheal_jobs.check.signal_result import SignalFinding, held_against_limits
from selfheal_jobs.check.signal_tables import SignalTables
from selfheal_jobs.columns.scan import EMPTY
from selfheal_jobs.sources.sides import compared_columns
from selfheal_operator.api.v1alpha1.signals import Signal
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec


class DataQuality:
    """Needs neither predictions nor labels."""

    def columns_needed(self, spec: ModelMonitorSpec) -> frozenset[str]:
        """Return none: the columns that are compared are read in any case."""
        del spec
        return frozenset()

    def evaluate(self, signal: Signal, tables: SignalTables) -> SignalFinding:
        """Return the metric of the signal; raise DataError if it is unknown."""
        return held_against_limits(signal, *_METRICS[signal.limits.metric](tables))


SIGNAL: Final = DataQuality()

_Value = tuple[float, str]
"""A metric's value, and which column or rows it is about."""


def _row_count(tables: SignalTables) -> _Value:
    return float(tables.current.rows.counted), "rows"


def _duplicated_rows(tables: SignalTables) -> _Value:
    # Imported here: the other metrics need none of Arrow's functions, 0.03 s.
    from selfheal_jobs.check.duplicated_rows import duplicated_rows  # noqa: PLC0415

    chosen = compared_columns(tables.spec)
    names = [name for name in tables.current.schema.names if chosen.keeps(name)]
    return duplicated_rows(tables.current, names) / tables.current.num_rows, "of the rows"


def _constant_columns(tables: SignalTables) -> _Value:
    constant = [each.name for each in tables.observed_columns() if each.has_become_constant]
    return float(len(constant)), f"columns{_first(constant)}"


def _null_share(tables: SignalTables) -> _Value:
    shares = _shares(tables, lambda each: each.null_share)
    aside = (*tables.plan.skipped, *tables.plan.counted) if tables.plan else ()
    return _worst([*shares, *((1.0, each.name) for each in aside if each.reason == EMPTY)])


def _new_categories(tables: SignalTables) -> _Value:
    return _worst(_shares(tables, lambda each: each.share_of_new_categories))


def _out_of_range(tables: SignalTables) -> _Value:
    return _worst(_shares(tables, lambda each: each.out_of_range))


_METRICS: Final[Mapping[str, Callable[[SignalTables], _Value]]] = {
    "null_share": _null_share,
    "new_categories": _new_categories,
    "out_of_range": _out_of_range,
    "duplicated_rows": _duplicated_rows,
    "constant_columns": _constant_columns,
    "row_count": _row_count,
}


def _shares(tables: SignalTables, share: Callable[[ColumnFacts], float]) -> list[_Value]:
    return [(share(each), each.name) for each in tables.observed_columns()]


def _worst(shares: Sequence[_Value]) -> _Value:
    share, name = max(shares, key=lambda pair: pair[0], default=(0.0, ""))
    return share, f"of the rows in {name[:100]!r}" if share else "of the rows in every column"


def _first(names: Sequence[str]) -> str:
    return f", {names[0][:100]!r} among them" if names else ""
