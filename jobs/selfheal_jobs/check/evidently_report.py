"""Evidently's full report, with the scores and verdicts that the check has already computed.

Evidently draws the distributions of a sample if there are many rows, but shows our scores and verdicts, which
use all rows: for each column a test is registered with Evidently that returns the known score and verdict.
"""

import html
import math
import warnings
from collections.abc import Iterator
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import plotly.io as pio
import pyarrow as pa
from evidently.core.datasets import DataDefinition, PandasDataset
from evidently.core.report import Report, _default_input_data_generator
from evidently.legacy.calculations import stattests
from evidently.legacy.calculations.data_drift import get_dataset_drift
from evidently.legacy.core import ColumnType
from evidently.legacy.metrics.data_drift.data_drift_table import DataDriftTable, DataDriftTableResults
from evidently.legacy.metrics.data_drift.dataset_drift_metric import (
    DataDriftMetricsRenderer,
    DatasetDriftMetric,
    DatasetDriftMetricResults,
)
from evidently.presets.drift import DataDriftPreset
from msgspec import Struct
from msgspec.structs import replace

import selfheal_jobs.check.plotly_patches  # noqa: F401  a page has two figures for each column
from selfheal_jobs.check.evidently_table import TableRenderer
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.drift.compare import ColumnDrift, Comparison
from selfheal_jobs.tables.table import Table

_COLORS: Final = (
    "#ed0400", "#0a5f38", "#6c3461", "#71aa34", "#6b8ba4", "#60460f", "#a00498", "#017b92", "#ffad01",
    "#464196",
)  # fmt: skip
"""Evidently's `legacy.ui.dashboards.utils` sets these on import for all plots. It is not imported here."""
pio.templates[pio.templates.default].layout.colorway = _COLORS

MOST_ROWS: Final = 5_000
"""Sample size per side: enough for a histogram, and takes a second for a hundred columns."""

_LOOKALIKE: Final = "\u2039"
"""A single angle quotation mark. It stands for a less-than sign."""

_TYPES: Final = {Kind.NUMERICAL: ColumnType.Numerical, Kind.CATEGORICAL: ColumnType.Categorical}
_DISPLAYED: Final = {
    each.name: each.display_name for each in vars(stattests).values() if isinstance(each, stattests.StatTest)
}


class _Told(Struct, frozen=True):
    """A test for Evidently that returns a known score and verdict."""

    column: ColumnDrift

    def __call__(self, reference: Any, current: Any, kind: Any, threshold: float) -> tuple[float, bool]:
        """Return the score and the verdict computed from all rows."""
        del reference, current, kind, threshold
        return self.column.score, self.column.drifted


class _DriftTable(DataDriftPreset):  # type: ignore[misc]  # Evidently's types are not read
    """The preset without the metrics that it computes only for its JSON.

    The page shows only the table of all columns, which tests and draws each of them. The metrics would test
    and draw each column a second time.
    """

    _renderer: TableRenderer

    def drawn_by(self, renderer: TableRenderer) -> Self:
        """Set the renderer of the table; the preset's fields are Evidently's."""
        self._renderer = renderer
        return self

    def generate_metrics(self, context: Any) -> list[Any]:
        """Return none."""
        del context
        return []

    def render(self, context: Any, child_widgets: Any = None) -> list[Any]:
        """Return the widgets of the preset: the verdict, whose numbers come from the table, and the table.

        The preset computes the distributions of all columns for each of them.
        """
        del child_widgets
        columns = DataDriftTable(
            columns=self.columns,
            per_column_stattest=self.per_column_method,
            per_column_stattest_threshold=self.per_column_threshold,
        )
        found = columns.calculate(_default_input_data_generator(context, None))
        _set_result(columns, found)
        return [*_verdict(found, self.drift_share), *self._renderer.render_html(columns)]


def _verdict(found: DataDriftTableResults, threshold: float) -> list[Any]:
    drift = get_dataset_drift(found.drift_by_columns, threshold)
    metric = DatasetDriftMetric(drift_share=threshold)
    result = DatasetDriftMetricResults(
        drift_share=threshold,
        number_of_columns=found.number_of_columns,
        number_of_drifted_columns=drift.number_of_drifted_columns,
        share_of_drifted_columns=drift.dataset_drift_score,
        dataset_drift=drift.dataset_drift,
    )
    _set_result(metric, result)
    widgets: list[Any] = DataDriftMetricsRenderer().render_html(metric)
    return widgets


def _set_result(metric: Any, result: Any) -> None:
    object.__setattr__(metric, "get_result", lambda: result)  # as Evidently does; pydantic refuses others


class _Rows(PandasDataset):  # type: ignore[misc]  # Evidently's types are not read
    """Rows without statistics of their columns, which a page does not show."""

    def _collect_stats(self, column_type: Any, data: Any) -> None:
        """Return none."""


def page(comparison: Comparison, reference: Table, current: Table, *, threshold: float, seed: int) -> str:
    """Return the report as one self-contained page of 4 MB and more.

    Args:
        comparison: The columns, with scores and verdicts.
        reference: Has the compared columns, the numerical ones as numbers.
        current: Likewise.
        threshold: Threshold of the share of drifted columns.
        seed: Seed of the sample, if there are too many rows.
    """
    renderer = TableRenderer()
    names = _harmless_names(comparison)
    frames = [_frame(each, comparison, seed).rename(columns=names) for each in (reference, current)]
    renamed = [replace(each, name=names[each.name]) for each in comparison.columns]
    shown = [each for each in renamed if all(frame[each.name].notna().any() for frame in frames)]
    definition = _definition(shown)
    with warnings.catch_warnings(action="ignore"):  # from its plots: constant columns, empty bins
        table = _DriftTable(
            columns=[each.name for each in shown],
            drift_share=_least_share(comparison, threshold),
            per_column_method={each.name: _registered(number, each) for number, each in enumerate(shown)},
            per_column_threshold={each.name: each.threshold for each in shown},
        )
        snapshot = Report([table.drawn_by(renderer)]).run(
            current_data=_Rows(frames[1], definition), reference_data=_Rows(frames[0], definition)
        )
        made = renderer.with_figures(snapshot.get_html_str(as_iframe=False))
    return _labelled(made, _label(reference.num_rows, current.num_rows, len(comparison.columns) - len(shown)))


def _harmless_names(comparison: Comparison) -> dict[str, str]:
    """Return what the columns are called on the page, all differently."""
    found: dict[str, str] = {}
    for each in comparison.columns:
        name = _harmless(each.name)
        while name in found.values():
            name += _LOOKALIKE
        found[each.name] = name
    return found


def _harmless(text: str) -> str:
    """Return a text of the data that ends no script of the page: Evidently writes texts there unescaped."""
    return text.replace("<", _LOOKALIKE)


def _least_share(comparison: Comparison, threshold: float) -> float:
    """Return the threshold for Evidently, which declares drift if the share equals its threshold."""
    return math.nextafter(threshold, 1) if comparison.share == threshold else threshold


def _registered(number: int, column: ColumnDrift) -> str:
    """Register a column's test with Evidently, and return the id of the test."""
    test = stattests.StatTest(
        name=f"selfheal_{number}",
        display_name=_DISPLAYED.get(column.method, column.method),  # not all methods are Evidently's
        allowed_feature_types=[_TYPES[column.kind]],
        default_threshold=column.threshold,
    )
    stattests.register_stattest(test, _Told(column))
    return f"selfheal_{number}"


def _definition(columns: list[ColumnDrift]) -> DataDefinition:
    """Return a complete definition: if any list were absent, Evidently would infer the column types again."""
    return DataDefinition(
        numerical_columns=[each.name for each in columns if each.kind is Kind.NUMERICAL],
        categorical_columns=[each.name for each in columns if each.kind is Kind.CATEGORICAL],
        text_columns=[],
        datetime_columns=[],
        list_columns=[],
        unknown_columns=[],
    )


def _frame(table: Table, comparison: Comparison, seed: int) -> pd.DataFrame:
    """Return a sample in types that Evidently can draw: float64 or text; all else becomes missing."""
    rows = pa.Table.from_batches(list(_drawn(table, [each.name for each in comparison.columns], seed)))
    return pd.DataFrame(
        {each.name: _drawable(rows.column(each.name), each.kind) for each in comparison.columns}
    )


def _drawn(table: Table, names: list[str], seed: int) -> Iterator[pa.RecordBatch]:
    chosen = np.arange(table.num_rows)
    if table.num_rows > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(table.num_rows, MOST_ROWS, replace=False))
    start = 0
    for batch in table.batches(names):
        here = chosen[(chosen >= start) & (chosen < start + batch.num_rows)] - start
        yield batch.take(pa.array(here))
        start += batch.num_rows


def _drawable(column: pa.ChunkedArray, kind: Kind) -> pd.Series:
    values: pd.Series = column.to_pandas()
    if kind is Kind.NUMERICAL:
        return values.astype("float64").replace([np.inf, -np.inf], np.nan)
    values = values.astype("object")
    return values.map(_spelt, na_action="ignore").where(values.notna(), None)


def _spelt(value: object) -> str:
    """Return a category as text: one side may hold 1 and the other, because of a gap, 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else _harmless(str(value))


def _label(reference_rows: int, current_rows: int, empty: int) -> str:
    sides = {"reference": reference_rows, "current": current_rows}
    sampled = [f"{MOST_ROWS:,} of {rows:,} {name} rows" for name, rows in sides.items() if rows > MOST_ROWS]
    parts = [f"Distributions are drawn from {' and '.join(sampled)}, taken at random."] if sampled else []
    parts.append("Scores and verdicts are selfheal's, computed from all rows.")
    if empty:
        parts.append(f"{empty} column{'s have' if empty > 1 else ' has'} no value among the rows drawn.")
    return " ".join(parts)


def _labelled(page: str, label: str) -> str:
    """Put a sentence at the top of the page."""
    start = page.index(">", page.index("<body")) + 1
    banner = f'<p style="margin: 1em; font-family: sans-serif">{html.escape(label)}</p>'
    return page[:start] + banner + page[start:]
