"""Monitors, Jobs and reports with sane defaults: a test names only what it is about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from selfheal_operator.api.reasons import CheckResult, PromotionResult, Purpose, Reason, RetrainResult
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import (
    LastCheck,
    LastPromotion,
    LastRetraining,
    ModelMonitorStatus,
    ModelVersion,
    RetrainingStatus,
)
from selfheal_operator.core.jobs import check_job_name, promote_job_name, retrain_job_name
from selfheal_operator.core.monitor import plan_monitor
from selfheal_operator.core.observed import Job, JobDefaults, Monitor, Observed, monitor_from
from selfheal_operator.core.plan import WriteStatus

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""A Monday."""

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))

UID = "0b5ee1e5-7c1e-4a4e-9d8a-5f6f7c3d2e1b"

DEFAULTS = JobDefaults(tracking_uri="http://mlflow.mlops:5000")


def at(clock: str, day: int = 23) -> datetime:
    """Return a time of the week of NOON: `at("11:30")`."""
    return datetime.fromisoformat(f"2026-11-{day:02}T{clock}+00:00")


def spec_document(**fields: Any) -> dict[str, Any]:
    """Return a spec as a user writes it, hourly unless it says otherwise; a field of None is left out."""
    document = {
        "dataset": {
            "reference": {"uri": "/data/reference.csv"},
            "current": {"uri": "/data/current.csv"},
        },
        "target": "churned",
        "threshold": 0.3,
    }
    if "intervalSeconds" not in fields:
        document["schedule"] = "0 * * * *"
    return {name: value for name, value in (document | fields).items() if value is not None}


def spec(**fields: Any) -> ModelMonitorSpec:
    """Return a spec, as it is read."""
    return ModelMonitorSpec.from_wire(spec_document(**fields))


def last_check(slot: datetime = NOON, result: CheckResult = CheckResult.DRIFT, **fields: Any) -> LastCheck:
    """Return what a check of an hourly monitor has reported."""
    told = {
        CheckResult.DRIFT: (Reason.THRESHOLD_EXCEEDED, "4 of 10 columns drifted (0.4000 > 0.3000)", "0.4000"),
        CheckResult.NO_DRIFT: (Reason.WITHIN_THRESHOLD, "1 of 10 columns drifted (0.1000)", "0.1000"),
        CheckResult.INCONCLUSIVE: (Reason.EMPTY_DATA, "The current data has no rows", None),
    }
    reason, message, share = told.get(result, (Reason.DATA_NOT_FOUND, "/data/current.csv is not there", None))
    defaults: dict[str, Any] = {
        "scheduled_time": slot,
        "job_name": check_job_name("churn", slot),
        "completion_time": slot + MINUTE,
        "result": result,
        "reason": reason,
        "message": message,
        "drift_share": share,
        "observed_generation": 1,
    }
    return LastCheck(**(defaults | fields))


def last_retraining(
    slot: datetime = NOON, result: RetrainResult = RetrainResult.REGISTERED, **fields: Any
) -> LastRetraining:
    """Return what the first retraining has reported."""
    defaults: dict[str, Any] = {
        "scheduled_time": slot,
        "job_name": retrain_job_name("churn", 1),
        "completion_time": slot + 5 * MINUTE,
        "result": result,
        "reason": {
            RetrainResult.REGISTERED: Reason.MODEL_REGISTERED,
            RetrainResult.NOT_IMPROVED: Reason.NO_IMPROVEMENT,
        }.get(result, Reason.TRAINING_FAILED),
        "message": f"It ended: {result}",
        "observed_generation": 1,
    }
    return LastRetraining(**(defaults | fields))


def last_promotion(
    slot: datetime = NOON, result: PromotionResult = PromotionResult.PROMOTED, **fields: Any
) -> LastPromotion:
    """Return what the first promotion has reported."""
    defaults: dict[str, Any] = {
        "scheduled_time": slot,
        "job_name": promote_job_name("churn", 1),
        "completion_time": slot + SECOND,
        "result": result,
        "reason": {
            PromotionResult.PROMOTED: Reason.MODEL_PROMOTED,
            PromotionResult.STOPPED: Reason.ALIAS_MOVED_ELSEWHERE,
        }.get(result, Reason.MLFLOW_UNAVAILABLE),
        "message": f"It ended: {result}.",
        "version": "8",
        "observed_generation": 1,
    }
    return LastPromotion(**(defaults | fields))


def model_version(version: str = "8", **fields: Any) -> ModelVersion:
    """Return a registered version."""
    defaults: dict[str, Any] = {
        "name": "team-a.churn",
        "version": version,
        "run_id": "9b1c",
        "registered_time": NOON,
    }
    return ModelVersion(**(defaults | fields))


def status(**fields: Any) -> ModelMonitorStatus:
    """Return a status that the operator has written at least once."""
    if isinstance(memory := fields.get("retraining"), dict):
        fields["retraining"] = RetrainingStatus(**memory)
    return ModelMonitorStatus(**({"observed_generation": 1} | fields))


def monitor(
    spec: Mapping[str, Any] | None = None, status: ModelMonitorStatus | None = None, **fields: Any
) -> Monitor:
    """Return the monitor team-a/churn, made half an hour before noon."""
    monitor = Monitor(
        namespace="team-a",
        name="churn",
        uid=UID,
        resource_version="1000",
        generation=1,
        created=NOON - 30 * MINUTE,
        spec=spec_document() if spec is None else spec,
        status=status or ModelMonitorStatus(),
    )
    return replace(monitor, **fields)


def monitor_body(**fields: Any) -> dict[str, Any]:
    """Return a ModelMonitor as the API server shows it."""
    return {
        "metadata": {
            "namespace": "team-a",
            "name": "churn",
            "uid": UID,
            "resourceVersion": "1000",
            "generation": 1,
            "creationTimestamp": "2026-11-23T11:30:00Z",
        },
        "spec": spec_document(),
    } | fields


def job(purpose: Purpose = Purpose.CHECK, slot: datetime = NOON, number: int = 1, **fields: Any) -> Job:
    """Return a Job of `monitor()` that runs; `number` is that of a retraining or promotion."""
    name = {
        Purpose.CHECK: check_job_name("churn", slot),
        Purpose.RETRAIN: retrain_job_name("churn", number),
        Purpose.PROMOTE: promote_job_name("churn", number),
    }[purpose]
    job = Job(
        namespace="team-a",
        name=name,
        uid=f"uid-of-{name}",
        owner_uid=UID,
        purpose=purpose,
        slot=slot,
        generation=1,
        created=slot,
        has_ready_pod=True,
    )
    return replace(job, **fields)


def finished_job(
    purpose: Purpose = Purpose.CHECK, slot: datetime = NOON, number: int = 1, **fields: Any
) -> Job:
    """Return a Job of `monitor()` that has ended."""
    return job(purpose, slot, number, finished=True, has_ready_pod=False, **fields)


def observed(monitor_: Monitor | None = None, *jobs: Job, **fields: Any) -> Observed:
    """Return all that is known of a monitor."""
    seen = Observed(monitor=monitor_ or monitor(), jobs=jobs, defaults=DEFAULTS)
    return replace(seen, **fields)


def stored(before: Monitor, status: Mapping[str, Any]) -> Monitor:
    """Return the monitor as it is once this status of the operator's has been stored."""
    containers = {
        name: value
        for name, value in before.status.to_wire().items()
        if name in ("task", "lastCheck", "lastRetraining", "lastPromotion", "model", "challenger")
    }
    body = monitor_body(status={**status, **containers})
    version = str(int(before.resource_version) + 1)
    return replace(before, status=monitor_from(body).status, resource_version=version)


def settled(seen: Observed, now: datetime = NOON) -> Observed:
    """Return what is known once the status that is planned at `now` has been stored."""
    match plan_monitor(seen, now).step:
        case WriteStatus(status):
            return replace(seen, monitor=stored(seen.monitor, status))
        case _:
            return seen


def pod(
    *,
    message: str = "",
    exit_code: int = 0,
    reason: str = "Completed",
    created: str = "2026-11-23T12:00:00Z",
) -> dict[str, Any]:
    """Return a pod that has ended."""
    terminated = {"exitCode": exit_code, "reason": reason} | ({"message": message} if message else {})
    return {
        "metadata": {"creationTimestamp": created},
        "status": {"containerStatuses": [{"state": {"terminated": terminated}}]},
    }
