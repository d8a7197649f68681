"""`spec.signals`: what else a check evaluates."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from msgspec import Meta

from selfheal_operator.api.model import ApiModel, wire_name
from selfheal_operator.api.v1alpha1.schema import cel_rule, cel_rules

SignalType = Literal["Performance", "PredictionDrift", "TargetDrift", "DataQuality"]
"""`selfheal_jobs.check.signals.<type_in_snake_case>` evaluates it."""

SIGNAL_TYPES: Final = get_args(SignalType)

OF_PREDICTIONS: Final = ("Performance", "PredictionDrift")
"""The types that need dataset.columns.prediction."""

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


ERROR_METRICS: Final = frozenset(
    {"log_loss", "root_mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error"}
)
"""Performance metrics of which lower is better."""


class Limits(ApiModel, frozen=True, kw_only=True):
    """A metric, and the values that it may have."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule("has(self.minValue) || has(self.maxValue)", "set minValue or maxValue, or both"),
        cel_rule(
            "!has(self.minValue) || !has(self.maxValue) || self.minValue <= self.maxValue",
            "minValue must be at most maxValue",
            field="minValue",
        ),
    )

    metric: str
    """metric that is computed."""

    min_value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    """minValue: the signal is breached below it."""

    max_value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    """maxValue: the signal is breached above it."""


class Performance(Limits, frozen=True, kw_only=True):
    """How well the predictions fit the labels, and how well they have to."""

    metric: PerformanceMetric
    """metric by the name of scikit-learn's scorer, an error's without its neg_.

    Of classes: accuracy; f1_macro, precision_macro and recall_macro, the mean over the classes; roc_auc and
    log_loss. Of numbers: root_mean_squared_error, mean_absolute_error, r2, mean_absolute_percentage_error.
    """


class DataQuality(Limits, frozen=True, kw_only=True):
    """What the current data is like, and what it has to be like."""

    metric: QualityMetric
    """metric of the current data.

    null_share, new_categories and out_of_range are shares of rows, in the worst column; duplicated_rows is a
    share of rows; constant_columns and row_count are numbers.
    """


def snake_case(signal_type: str) -> str:
    """Return a type's name as that of a field or a module in Python.

    >>> snake_case("DataQuality")
    'data_quality'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", signal_type).lower()


LIMITED_TYPES: Final[tuple[type[Limits], ...]] = (Performance, DataQuality)
"""Those of which the value is held against limits; the others are judged as columns are."""

MEMBERS: Final = {each.__name__: wire_name(snake_case(each.__name__)) for each in LIMITED_TYPES}
"""The fields that hold the limits, by type."""


class Signal(ApiModel, frozen=True, kw_only=True):
    """Something else that is looked at in each check, beside the drift of the columns."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "self.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
            "name must consist of lower case letters, digits and hyphens, with no hyphen at either end",
            field="name",
        ),
        cel_rule(
            " && ".join(f"(self.type == '{name}') == has(self.{member})" for name, member in MEMBERS.items()),
            f"set the field of the type's name and no other: {', '.join(MEMBERS.values())}; "
            "the other types have none, and are judged as columns are",
        ),
    )

    name: Annotated[str, Meta(min_length=1, max_length=63)]
    """name is how the signal is called in the status and, as signal/name, in MLflow; unique in the list."""

    type: SignalType
    """type says what is looked at.

    Performance: how well the predictions fit the labels. PredictionDrift: whether dataset.columns.prediction
    has drifted. TargetDrift: whether the target has. DataQuality: what the current data is like.
    """

    performance: Performance | None = None
    """performance goes with the type Performance."""

    data_quality: DataQuality | None = None
    """dataQuality goes with the type DataQuality."""

    @property
    def limits(self) -> Limits:
        """Return the field of the type's name; raise AttributeError if there is none, or it is absent."""
        limits: Limits | None = getattr(self, snake_case(self.type))
        if limits is None:
            raise AttributeError(f"signal {self.name!r} has no limits")
        return limits
