"""`spec.signals`: what else a check evaluates."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.v1alpha1.schema import cel_rule, cel_rules

PerformanceMetric = Literal[
    "accuracy",
    "f1_macro",
    "precision_macro",
    "recall_macro",
    "roc_auc",
    "log_loss",
    "root_mean_squared_error",
    "mean_absolute_error",
    "r2",
    "mean_absolute_percentage_error",
]


QualityMetric = Literal[
    "null_share", "new_categories", "out_of_range", "duplicated_rows", "constant_columns", "row_count"
]


class Signal(ApiModel, frozen=True, kw_only=True):
    """Something else that is looked at in each check, beside the drift of the columns."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "self.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
            "name must consist of lower case letters, digits and hyphens, with no hyphen at either end",
            field="name",
        ),
        cel_rule(
            "self.type in ['Performance', 'DataQuality'] == has(self.metric)",
            "metric is needed for Performance and DataQuality, and has no meaning for the other types",
            field="metric",
        ),
        cel_rule(
            "!has(self.metric) || self.type != 'Performance'"
            f" || self.metric in {list(get_args(PerformanceMetric))}",
            f"metric of Performance must be one of {' '.join(get_args(PerformanceMetric))}",
            field="metric",
        ),
        cel_rule(
            "!has(self.metric) || self.type != 'DataQuality'"
            f" || self.metric in {list(get_args(QualityMetric))}",
            f"metric of DataQuality must be one of {' '.join(get_args(QualityMetric))}",
            field="metric",
        ),
        cel_rule(
            "self.type in ['Performance', 'DataQuality'] == (has(self.minValue) || has(self.maxValue))",
            "set minValue or maxValue, or both, for Performance and DataQuality; "
            "the other types are judged as columns are",
        ),
        cel_rule(
            "!has(self.minValue) || !has(self.maxValue) || self.minValue <= self.maxValue",
            "minValue must be at most maxValue",
            field="minValue",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    """name is how the signal is called in the status and, as signal/name, in MLflow; unique in the list."""

    type: Literal["Performance", "PredictionDrift", "TargetDrift", "DataQuality"]
    """type says what is looked at.

    Performance: how well the predictions fit the labels. PredictionDrift: whether dataset.columns.prediction
    has drifted. TargetDrift: whether the target has. DataQuality: what the current data is like.
    """

    metric: Literal[PerformanceMetric, QualityMetric] | None = None
    """metric of Performance or DataQuality.

    Performance: by the names of scikit-learn's scorers, an error's without its neg_. DataQuality: null_share,
    new_categories and out_of_range are shares of rows, in the worst column; duplicated_rows is a share of
    rows; constant_columns and row_count are numbers.
    """

    min_value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    """minValue: the signal is breached below it."""

    max_value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    """maxValue: the signal is breached above it."""
