"""`spec.promotion`: what a new version has to show before it is registered, and who promotes it."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.reasons import Task
from selfheal_operator.api.v1alpha1.schema import ATOMIC, cel_rule, cel_rules, map_list

Metric = Literal[
    "f1_macro",
    "accuracy",
    "precision_macro",
    "recall_macro",
    "root_mean_squared_error",
    "mean_absolute_error",
    "mean_squared_error",
    "r2",
]
"""Metrics of answers, by scikit-learn's names."""

METRICS: Final[Mapping[Task, tuple[str, ...]]] = {
    Task.CLASSIFICATION: ("f1_macro", "accuracy", "precision_macro", "recall_macro"),
    Task.REGRESSION: ("root_mean_squared_error", "mean_absolute_error", "mean_squared_error", "r2"),
}


class MetricGate(ApiModel, frozen=True, kw_only=True):
    """Limits of one metric, with the meaning that MLflow's MetricThreshold gives them."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "has(self.threshold) || has(self.minAbsoluteChange) || has(self.minRelativeChange)",
            "set at least one of threshold, minAbsoluteChange and minRelativeChange",
        )
    )

    metric: Metric
    """metric by scikit-learn's name; it has to fit the task. Errors are positive, and lower is better."""

    threshold: float | None = None
    """threshold that the candidate has to reach: a score at least this, an error at most this."""

    min_absolute_change: Annotated[float, Meta(gt=0)] | None = None
    """minAbsoluteChange by which the candidate has to be better than the present version, in the metric's
    unit. Without a present version it has no effect."""

    min_relative_change: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """minRelativeChange by which the candidate has to be better, as a share of the present version's value.
    Without a present version it has no effect."""


class Rollback(ApiModel, frozen=True, kw_only=True):
    """When a promotion is taken back."""

    mode: Literal["Manual", "Auto"] = "Manual"
    """mode of the rollback. Defaults to Manual.

    Manual: by the annotation selfheal.dev/decision. Auto: also after checks whose first Performance signal is
    worse than before the promotion by more than promotion.margin.
    """

    after_checks: Annotated[int, Meta(ge=1, le=10)] = 3
    """afterChecks is how many checks in a row have to be worse for an automatic rollback. Defaults to 3."""


class Promotion(ApiModel, frozen=True, kw_only=True):
    """What the best candidate has to show before it is registered, and who promotes it."""

    mode: Literal["Auto", "Manual", "None"] = "Auto"
    """mode: who moves the alias mlflow.championAlias to a version that was registered. Defaults to Auto.

    Auto: a Job of the monitor, at once; a version of which only the gates health or leak complain waits as
    with Manual. Manual: that Job, once a person has approved the version by the annotation
    selfheal.dev/decision. None: nobody; versions are registered only.
    """

    approval_timeout_seconds: Annotated[int, Meta(ge=60, le=31_536_000)] = 259_200
    """approvalTimeoutSeconds is how long a version waits for a decision before it is rejected.

    Defaults to 259200, three days."""

    rollback: Rollback = Rollback()
    """rollback says when a promotion is taken back."""

    primary_metric: Metric | None = None
    """primaryMetric by which candidates are chosen and compared with the present version.

    Absent: f1_macro for classes, root_mean_squared_error for quantities.
    """

    rule: Literal["NotWorse", "Better"] = "NotWorse"
    """rule of the comparison with the present version on the same held-out rows. Defaults to NotWorse.

    NotWorse: the candidate is better in the share confidence of bootstrap resamples, and the interval of the
    difference excludes a loss greater than margin. Better: the interval excludes zero.
    """

    margin: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """margin of NotWorse: in the metric's unit for scores, and as a share of the present version's value for
    errors. Defaults to 0.01."""

    confidence: Annotated[float, Meta(ge=0.5, lt=1)] = 0.9
    """confidence of the two-sided interval of the difference, from 0.5 to less than 1. Defaults to 0.9."""

    baseline: Literal["Required", "Ignore"] = "Required"
    """baseline: whether a candidate has to be better than a model that ignores the columns, and than
    dataset.columns.prediction where it is set. Required or Ignore. Defaults to Required."""

    slices: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=256)]],
        Meta(max_length=10, extra_json_schema=ATOMIC),
    ] = []
    """slices are columns; among the held-out rows of each of their values with at least 50 rows, the
    candidate must not be worse than the present version by more than margin, beyond chance."""

    gates: Annotated[list[MetricGate], Meta(max_length=8, extra_json_schema=map_list("metric"))] = []
    """gates are limits of single metrics, all of which have to be kept."""

    @property
    def moves_the_alias(self) -> bool:
        """Whether a version becomes the champion by a promotion, and not by being registered."""
        return self.mode != "None"
