"""`spec.drift`: what counts as drift of a column."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from selfheal_operator.api.drift_methods import (
    AnyMethod,
    BothKindsMethod,
    CategoricalMethod,
    NumericalMethod,
)
from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.v1alpha1.schema import cel_rule, cel_rules, map_list


class DriftColumn(ApiModel, frozen=True, kw_only=True):
    """How one column is judged."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "has(self.method) || has(self.threshold)",
            "set method or threshold, or both: a column that is only named is judged as all others are",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    """name of the column in the reference."""

    method: AnyMethod | None = None
    """method is Evidently's id of a test or distance for the column's kind. Absent: as for all columns."""

    threshold: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    """threshold: a p-value below it is drift, or a distance from it on. Absent: Evidently's."""


class Drift(ApiModel, frozen=True, kw_only=True):
    """What counts as drift of a column."""

    method: BothKindsMethod | None = None
    """method for all columns, by Evidently's id. Absent: Evidently's choice, by kind, rows and distinct
    values.

    Up to 1,000 values in the reference it is a test (ks, chisquare or z), above them a distance
    (wasserstein or jensenshannon).
    """

    numerical_method: NumericalMethod | None = None
    """numericalMethod is the method for numerical columns. Absent: method."""

    categorical_method: CategoricalMethod | None = None
    """categoricalMethod is the method for categorical columns. Absent: method."""

    columns: Annotated[list[DriftColumn], Meta(max_length=256, extra_json_schema=map_list("name"))] = []
    """columns that are judged otherwise than the rest, one by one."""

    rule: Literal["Calibrated", "Evidently"] = "Calibrated"
    """rule says when a column counts as drifted. Defaults to Calibrated.

    Calibrated: when Evidently says so and chance does not explain it at these numbers of rows, so that at
    most one check in a hundred raises an alarm without drift; too few rows for silence to mean anything are
    Inconclusive.
    Evidently: when Evidently says so.
    """

    report: Literal["OnDrift", "Always", "Never"] = "OnDrift"
    """report says when Evidently's full HTML report is made, after the verdict. Defaults to OnDrift."""
