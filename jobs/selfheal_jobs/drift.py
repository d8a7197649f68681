"""How far the current data has moved from the reference: Evidently's DataDriftPreset, and our own share.

Every column's test, score and threshold are Evidently's: by default p-values for references of up to
1,000 rows, and distances above. The share is ours, over the columns that were compared, and drift is
declared when it is GREATER than the threshold; Evidently's own verdict also says drift when they are equal.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations import stattests
from evidently.presets import DataDriftPreset

from selfheal_jobs.columns import Column, Kind, for_comparison

_METHODS: Final = {
    each.display_name: each.name for each in vars(stattests).values() if isinstance(each, stattests.StatTest)
}
"""Evidently reports a test that it chose itself by its display name; we say `ks`, as one asks for it."""


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """One column's test."""

    name: str
    kind: Kind
    method: str
    """Evidently's id of the test: ks, chisquare, z, wasserstein or jensenshannon."""
    score: float
    """A p-value, or a distance."""
    threshold: float
    drifted: bool

    @property
    def excess(self) -> float:
        """Return how many times the score lies beyond its threshold: comparable between tests of one sort."""
        low, high = sorted((self.score, self.threshold))
        return high / max(low, 1e-300)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All columns' tests, and Evidently's report of them."""

    columns: tuple[ColumnDrift, ...]
    snapshot: Any
    """Evidently's Snapshot; only `html` looks into it."""

    @property
    def drifted(self) -> list[ColumnDrift]:
        """Return the drifted columns, furthest beyond its threshold first."""
        return sorted((each for each in self.columns if each.drifted), key=lambda each: -each.excess)

    @property
    def share(self) -> float:
        """Return the share of drifted columns, from 0 to 1."""
        return len(self.drifted) / len(self.columns)

    def html(self) -> str:
        """Return Evidently's report as one self-contained page of 4 MB and more."""
        with _quiet():
            page: str = self.snapshot.get_html_str(as_iframe=False)
        return page


def compare(reference: pd.DataFrame, current: pd.DataFrame, columns: tuple[Column, ...]) -> Comparison:
    """Test every column for drift.

    Args:
        reference: Rows that say what is normal; every column holds at least one value.
        current: Rows of now, likewise.
        columns: The columns to compare, at least one.
    """
    names = [column.name for column in columns]
    definition = _definition(columns)
    with _quiet():
        # Tests are Evidently's verdict on each column: the scores alone do not say which side is drift.
        report = Report([DataDriftPreset(columns=names)], include_tests=True)
        snapshot = report.run(
            current_data=Dataset.from_pandas(for_comparison(current, columns), data_definition=definition),
            reference_data=Dataset.from_pandas(
                for_comparison(reference, columns), data_definition=definition
            ),
        )
    kinds = {column.name: column.kind for column in columns}
    return Comparison(columns=tuple(_column_drifts(snapshot.dict(), kinds)), snapshot=snapshot)


def _definition(columns: tuple[Column, ...]) -> DataDefinition:
    """Leave Evidently nothing to guess: every list that is absent would make it type the columns anew."""
    return DataDefinition(
        numerical_columns=[each.name for each in columns if each.kind is Kind.NUMERICAL],
        categorical_columns=[each.name for each in columns if each.kind is Kind.CATEGORICAL],
        text_columns=[],
        datetime_columns=[],
        list_columns=[],
        unknown_columns=[],
    )


def _column_drifts(document: dict[str, Any], kinds: dict[str, Kind]) -> list[ColumnDrift]:
    verdicts = {test["metric_config"]["metric_id"]: test["status"] for test in document["tests"]}
    return [
        ColumnDrift(
            name=metric["config"]["column"],
            kind=kinds[metric["config"]["column"]],
            method=_METHODS.get(metric["config"]["method"], metric["config"]["method"]),
            score=float(metric["value"]),
            threshold=float(metric["config"]["threshold"]),
            drifted=verdicts[metric["id"]] == "FAIL",
        )
        for metric in document["metrics"]
        if "column" in metric["config"]
    ]


def _quiet() -> Any:
    """Silence the warnings of Evidently's plots (constant columns, empty bins): nobody can act upon them."""
    return warnings.catch_warnings(action="ignore")
