"""`ModelMonitorSpec`: all of `spec`, and the rules across its parts."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from selfheal_operator.api.model import ApiModel
from selfheal_operator.api.names import MAX_MONITOR_NAME
from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.v1alpha1.dataset import Dataset
from selfheal_operator.api.v1alpha1.drift import Drift
from selfheal_operator.api.v1alpha1.pods import JobTemplate, PodTemplate
from selfheal_operator.api.v1alpha1.promotion import Promotion
from selfheal_operator.api.v1alpha1.retraining import MLflow, Retraining
from selfheal_operator.api.v1alpha1.schema import cel_rule, cel_rules, map_list
from selfheal_operator.api.v1alpha1.signals import OF_PREDICTIONS, Signal
from selfheal_operator.api.v1alpha1.trigger import DATA_DRIFT, Trigger


class ModelMonitorSpec(ApiModel, frozen=True, kw_only=True):
    """What is watched, when, and what is done about it."""

    schema: ClassVar[Mapping[str, Any]] = cel_rules(
        cel_rule(
            "has(self.schedule) != has(self.intervalSeconds)",
            "set exactly one of schedule and intervalSeconds",
        ),
        cel_rule(
            "!has(self.warningThreshold) || self.warningThreshold <= self.threshold",
            "warningThreshold must be at most threshold",
            field="warningThreshold",
        ),
        cel_rule(
            "!has(self.signals)"
            f" || !self.signals.exists(each, each.type in {list(OF_PREDICTIONS)})"
            " || (has(self.dataset.columns) && has(self.dataset.columns.prediction))",
            f"dataset.columns.prediction must name a column for {' and '.join(OF_PREDICTIONS)}",
            field="signals",
        ),
        cel_rule(
            "!has(self.trigger) || !has(self.trigger.on)"
            f" || self.trigger.on.all(name, name == '{DATA_DRIFT}'"
            " || (has(self.signals) && self.signals.exists(each, each.name == name)))",
            f"trigger.on must hold {DATA_DRIFT} or names of spec.signals",
            field="trigger.on",
        ),
        cel_rule(
            "!has(self.dataset.columns) || !has(self.dataset.columns.prediction)"
            " || self.dataset.columns.prediction != self.target",
            "dataset.columns.prediction must be another column than target",
            field="dataset.columns.prediction",
        ),
        cel_rule(
            "!has(self.schedule) || !self.schedule.contains('TZ=')",
            "schedule must not contain a time zone: set timeZone instead",
            field="schedule",
        ),
        cel_rule(
            "!has(self.timeZone) || has(self.schedule)",
            "timeZone has a meaning only together with schedule",
            field="timeZone",
        ),
        cel_rule(
            # No function says whether a zone is known; but the hour of an unknown one is an error, and
            # an error is a refusal. Offsets and Local are known here, and are not names.
            "!has(self.timeZone) || (!self.timeZone.contains(':') && self.timeZone != 'Local'"
            " && timestamp(0).getHours(self.timeZone) >= 0)",
            "timeZone must be an IANA name, such as Europe/Berlin",
            field="timeZone",
        ),
        cel_rule(
            "self.target != oldSelf.target || !has(oldSelf.task)"
            " || (has(self.task) && self.task == oldSelf.task)",
            "task cannot be changed once set, except with the target: make another ModelMonitor",
            field="task",
        ),
        cel_rule(
            "!has(oldSelf.mlflow) || !has(oldSelf.mlflow.registeredModelName)"
            " || (has(self.mlflow) && has(self.mlflow.registeredModelName)"
            " && self.mlflow.registeredModelName == oldSelf.mlflow.registeredModelName)",
            "registeredModelName cannot be changed once set: make another ModelMonitor for another model",
            field="mlflow.registeredModelName",
        ),
    )

    dataset: Dataset
    """dataset names the two tables that are compared."""

    target: Annotated[str, Meta(min_length=1, max_length=256)]
    """target is the column that the model predicts. It is trained on, and left out of the drift share."""

    threshold: Annotated[float, Meta(ge=0, le=1)]
    """threshold: drift is declared when the share of drifted columns is greater than this. From 0 to 1."""

    warning_threshold: Annotated[float, Meta(ge=0, le=1)] | None = None
    """warningThreshold: a share of drifted columns greater than this, but not than threshold, is a Warning.

    It is reported, and never acted upon. At most threshold. Absent: there are no warnings.
    """

    drift: Drift = Drift()
    """drift says what counts as drift of a column, and when a full report is made."""

    signals: Annotated[list[Signal], Meta(max_length=10, extra_json_schema=map_list("name"))] = []
    """signals are looked at beside the drift of the columns, each with a result of its own.

    A breached one is reported. It leads to a retraining where trigger.on names it.
    """

    trigger: Trigger = Trigger()
    """trigger says what a check has to find, and how often, for a retraining."""

    schedule: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    """schedule is when checks are due, in cron's five fields: minute hour day-of-month month day-of-week,
    or one of @hourly @daily @weekly @monthly @yearly. Exactly one of schedule and intervalSeconds is set."""

    interval_seconds: Annotated[int, Meta(ge=60, le=31_536_000)] | None = None
    """intervalSeconds is the time between two checks, at least 60.

    The phase is derived from the monitor's UID, so that monitors do not run in step.
    """

    time_zone: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """timeZone in which schedule is read, by its IANA name, for example Europe/Berlin. Absent: UTC."""

    spread_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """spreadSeconds delays each start by a share of this that is the monitor's own, derived from its UID.

    Monitors of one schedule then do not start in the same second. The scheduled time stays the same.
    Defaults to 0.
    """

    starting_deadline_seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None
    """startingDeadlineSeconds is how late a check may start. One that is later is passed over and counted
    in status.missedChecks. Absent: the newest one that was missed is always started."""

    concurrency_policy: Literal["Forbid", "Replace"] = "Forbid"
    """concurrencyPolicy says what happens when a check is due while one runs. Defaults to Forbid.

    Forbid: it waits; when the running one has ended, the newest one that is due is started.
    Replace: the running check is stopped, unless somebody asked for it.
    """

    successful_jobs_history_limit: Annotated[int, Meta(ge=0, le=100)] = 1
    """successfulJobsHistoryLimit is how many completed Jobs are kept, of checks and of retrainings each.

    Defaults to 1. Each stays for five minutes, and with 0 until there is a newer one: its name keeps it
    from being run twice."""

    failed_jobs_history_limit: Annotated[int, Meta(ge=0, le=100)] = 1
    """failedJobsHistoryLimit is how many failed Jobs are kept, of checks and of retrainings each.

    Defaults to 1. Those that were stopped by concurrencyPolicy Replace are among them."""

    mode: Literal["Enforce", "Observe"] = "Enforce"
    """mode Observe only looks: checks run and report, and the condition Retraining says what would have been
    done, but no retraining starts, not even a requested one. Defaults to Enforce."""

    suspend: bool = False
    """suspend stops new checks and retrainings; what runs, finishes. Defaults to false.

    Afterwards, the newest check that came due meanwhile is started, and the others are counted as missed.
    """

    task: Task | None = None
    """task is Classification or Regression. Cannot be changed once set.

    Absent: inferred from the target by the first check, and shown in the status.
    """

    retraining: Retraining = Retraining()
    """retraining says what is done when drift is found."""

    promotion: Promotion = Promotion()
    """promotion says what a new version has to show before it is registered, and who promotes it."""

    mlflow: MLflow = MLflow()
    """mlflow says where runs are logged and models are registered."""

    job_template: JobTemplate = JobTemplate()
    """jobTemplate is what the monitor's Jobs carry, for example the label of a queue."""

    pod_template: PodTemplate = PodTemplate()
    """podTemplate is what the monitor's pods need beyond the operator's defaults."""

    def pod_template_of(self, purpose: Purpose) -> PodTemplate:
        """Return the template of the pods of one purpose."""
        if purpose is Purpose.RETRAIN:
            return self.pod_template.overridden_by(self.retraining.pod_template)
        if purpose is Purpose.PROMOTE:  # sized for data, of which it reads none
            return self.pod_template.replaced(resources=None)
        return self.pod_template


ROOT_RULES: Mapping[str, Any] = cel_rules(
    cel_rule(
        f"self.metadata.name.size() <= {MAX_MONITOR_NAME}",
        f"metadata.name must be at most {MAX_MONITOR_NAME} characters: the names of Jobs are made from it",
    ),
    cel_rule(
        "!has(oldSelf.status) || !has(oldSelf.status.model)"
        " || (has(oldSelf.spec.mlflow) && has(oldSelf.spec.mlflow.registeredModelName))"
        " || !has(self.spec.mlflow) || !has(self.spec.mlflow.registeredModelName)"
        " || self.spec.mlflow.registeredModelName == oldSelf.status.model.name",
        "registeredModelName is namespace.name by default, and that has versions: make another ModelMonitor",
        field="spec.mlflow.registeredModelName",
    ),
)
"""Rules on the whole object: only there are metadata.name and the status in reach."""
