"""Names and manifests of Jobs. The builders are pure functions."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import (
    ANNOTATION_GENERATION,
    ANNOTATION_REQUEST,
    ANNOTATION_SLOT,
    ANNOTATION_TRIGGERS,
    API_VERSION,
    ENV_PREFIX_CURRENT,
    ENV_PREFIX_LABELS,
    ENV_PREFIX_MLFLOW,
    ENV_PREFIX_REFERENCE,
    KIND,
    LABEL_MANAGED_BY,
    LABEL_MONITOR,
    LABEL_MONITOR_UID,
    LABEL_PURPOSE,
    MANAGED_BY,
    RUNNER_ACCOUNT,
    TERMINATION_MESSAGE_PATH,
)
from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.request import MonitorRef, PromotionOrder, RunRequest, TrackingTarget
from selfheal_operator.api.v1alpha1.pods import PodTemplate
from selfheal_operator.api.v1alpha1.spec import ModelMonitorSpec
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus, ModelVersion, PromotionIntent
from selfheal_operator.core.errors import InvalidSpecError
from selfheal_operator.core.observed import JobDefaults, Monitor
from selfheal_operator.core.requests import options_of
from selfheal_operator.core.run_environment import environment_of

CONTAINER: Final = "run"
_TMP: Final = "selfheal-tmp"

_RETRIES: Final = {Purpose.CHECK: 2, Purpose.RETRAIN: 1, Purpose.PROMOTE: 2}
"""How many pods a Job may start again after one was lost or could not deliver its report."""

_DEFAULT_RESOURCES: Final[Mapping[str, Mapping[str, Any]]] = {
    "requests": {"cpu": "250m", "memory": "512Mi"},
    "limits": {"memory": "4Gi"},
}
"""A check of 100,000 rows peaks near 400 MiB with Evidently's report, one of a million near 1.7 GiB."""

_OF_A_PROMOTION: Final[Mapping[str, Mapping[str, Any]]] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "256Mi"},
}
"""It sends a few requests and reads no data: 24 MiB and 0.1 s of CPU are measured, without TLS."""

_PROMOTION_SECONDS: Final = 900
"""Longer than it waits for MLflow and for the API server."""

_STORAGE: Final = "ephemeral-storage"
_STORAGE_REQUEST: Final = "100Mi"
"""Without a request, Kubernetes would reserve the limit on the node. Most runs write a few MiB to /tmp."""


def check_job_name(monitor: str, slot: datetime) -> str:
    """Name a check after the minute it is due, so that a retry cannot create a second Job."""
    return f"{monitor}-check-{int(slot.timestamp()) // 60}"


def requested_check_job_name(monitor: str, token: str) -> str:
    """Name a requested check after its token, so that each request gets one Job."""
    return f"{monitor}-check-r{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def retrain_job_name(monitor: str, count: int) -> str:
    """Name a retraining after its number, so that two operators' decisions for it use the same name."""
    return f"{monitor}-retrain-{count}"


def promote_job_name(monitor: str, count: int) -> str:
    """Name a promotion after its number, not after its version, which may be promoted more than once."""
    return f"{monitor}-promote-{count}"


def check_job(
    monitor: Monitor, spec: ModelMonitorSpec, slot: datetime, defaults: JobDefaults, *, token: str = ""
) -> dict[str, Any]:
    """Return the manifest of the check for `slot`, or for the request with the token."""
    name = requested_check_job_name(monitor.name, token) if token else check_job_name(monitor.name, slot)
    annotations = {ANNOTATION_REQUEST: token} if token else {}
    return _job(_request(Purpose.CHECK, name, monitor, spec, slot, defaults), defaults, annotations)


def retrain_job(  # noqa: PLR0913 - each argument is a part of the document
    monitor: Monitor,
    spec: ModelMonitorSpec,
    number: int,
    slot: datetime,
    defaults: JobDefaults,
    *,
    token: str = "",
    triggers: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the manifest of a retraining; `slot` is that of the check that triggered it by `triggers`.

    For a requested retraining, `slot` is the time of the request.
    """
    request = _request(Purpose.RETRAIN, retrain_job_name(monitor.name, number), monitor, spec, slot, defaults)
    options = options_of(token)
    request = request.replaced(
        triggers=() if token else tuple(triggers),
        force="force" in options,
        ignore_champion="ignoreChampion" in options,
        accept_champion="acceptChampion" in options,
    )
    why = {ANNOTATION_REQUEST: token} if token else {ANNOTATION_TRIGGERS: ",".join(triggers)}
    return _job(request, defaults, why)


def promote_job(
    monitor: Monitor, spec: ModelMonitorSpec, number: int, intent: PromotionIntent, defaults: JobDefaults
) -> dict[str, Any]:
    """Return the manifest of the promotion, or of the rollback, that the stored intent describes."""
    name = promote_job_name(monitor.name, number)
    request = _request(Purpose.PROMOTE, name, monitor, spec, intent.decided_time, defaults)
    order = PromotionOrder(
        version=intent.version,
        expected_version=intent.expected_version,
        direction=intent.direction,
        approved_by=intent.approved_by,
        known=_known_version(intent.version, monitor.status),
    )
    return _job(request.replaced(promotion=order), defaults, {})


def _known_version(version: str, status: ModelMonitorStatus) -> ModelVersion | None:
    """Return what the status has recorded of a version that is to be promoted."""
    return next((each for each in status.recorded_versions if each.version == version), None)


def tracking_target(monitor: Monitor, spec: ModelMonitorSpec, defaults: JobDefaults) -> TrackingTarget:
    """Fill in what spec.mlflow leaves out.

    Raises:
        InvalidSpecError: Neither the spec nor the operator's settings name an MLflow server.
    """
    tracking_uri = spec.mlflow.tracking_uri or defaults.tracking_uri
    if tracking_uri is None:
        raise InvalidSpecError(
            "spec.mlflow.trackingURI",
            "no MLflow server is known; name one here, or have the platform team set the operator's default "
            "(SELFHEAL_MLFLOW_TRACKING_URI)",
        )
    return TrackingTarget(
        tracking_uri=tracking_uri,
        experiment=spec.mlflow.experiment or f"{monitor.namespace}/{monitor.name}",
        registered_model_name=spec.mlflow.registered_model_name or f"{monitor.namespace}.{monitor.name}",
    )


def _request(  # noqa: PLR0913, PLR0917 - one builder; each argument is a part of the document
    purpose: Purpose,
    name: str,
    monitor: Monitor,
    spec: ModelMonitorSpec,
    slot: datetime,
    defaults: JobDefaults,
) -> RunRequest:
    task, mlflow = known_task(spec, monitor.status), tracking_target(monitor, spec, defaults)
    return RunRequest(
        purpose=purpose,
        monitor=MonitorRef(
            namespace=monitor.namespace, name=monitor.name, uid=monitor.uid, generation=monitor.generation
        ),
        job_name=name,
        slot=slot,
        spec=spec,
        task=task,
        task_target=spec.target if task else None,
        mlflow=mlflow,
        **_left_by_last_run(purpose, monitor.status, mlflow.registered_model_name, spec.target),
    )


def known_task(spec: ModelMonitorSpec, status: ModelMonitorStatus) -> Task | None:
    """Return the task of the spec, or else the one inferred from the same target, or else None."""
    return spec.task or (status.task if status.target == spec.target else None)


def _left_by_last_run(purpose: Purpose, status: ModelMonitorStatus, name: str, target: str) -> dict[str, Any]:
    """Return the previous run's data for the request: a run reads the status only to write its report."""
    model = status.model
    left: dict[str, Any] = {"champion": model if model and model.is_of(name, target) else None}
    if purpose is Purpose.CHECK:
        left["previous_methods"] = tuple(status.last_check.methods) if status.last_check else ()
    return left


def _job(request: RunRequest, defaults: JobDefaults, why: Mapping[str, str]) -> dict[str, Any]:
    monitor = request.monitor
    template = request.spec.pod_template_of(request.purpose)
    labels = {
        LABEL_MANAGED_BY: MANAGED_BY,
        LABEL_MONITOR: monitor.name,
        LABEL_MONITOR_UID: monitor.uid,
        LABEL_PURPOSE: request.purpose.value,
    }
    # Without this annotation, Argo CD refreshes an Application at every change of a resource below it.
    quiet = {"argocd.argoproj.io/ignore-resource-updates": "true"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": request.job_name,
            "namespace": monitor.namespace,
            "labels": (request.spec.job_template.labels or {}) | labels,
            "annotations": {
                **(request.spec.job_template.annotations or {}),
                ANNOTATION_SLOT: format_time(request.slot),
                ANNOTATION_GENERATION: str(monitor.generation),
                **why,
                **quiet,
            },
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "name": monitor.name,
                    "uid": monitor.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "backoffLimit": _RETRIES[request.purpose],
            "activeDeadlineSeconds": _deadline_seconds(request.purpose, defaults),
            "ttlSecondsAfterFinished": defaults.ttl_seconds,
            "podReplacementPolicy": "Failed",  # never two pods of one run at a time
            "template": {
                "metadata": {
                    "labels": (template.labels or {}) | labels,
                    "annotations": (template.annotations or {}) | quiet,
                },
                "spec": _pod_spec(request, template, defaults),
            },
        },
    }


def _deadline_seconds(purpose: Purpose, defaults: JobDefaults) -> int:
    return {
        Purpose.CHECK: defaults.check_deadline_seconds,
        Purpose.RETRAIN: defaults.retrain_deadline_seconds,
        Purpose.PROMOTE: _PROMOTION_SECONDS,
    }[purpose]


def _pod_spec(request: RunRequest, template: PodTemplate, defaults: JobDefaults) -> dict[str, Any]:
    volumes = [volume.to_wire() for volume in template.volumes or ()]
    if not _mounts_own_tmp(template):
        volumes.append({"name": _TMP, "emptyDir": {"sizeLimit": defaults.storage}})
    return {
        "restartPolicy": "Never",
        "serviceAccountName": template.service_account_name or RUNNER_ACCOUNT,
        "enableServiceLinks": False,
        # The restricted Pod Security profile. The group makes mounted volumes readable.
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(request, template, defaults)],
        "volumes": volumes,
        **_placement(template),
    }


def _placement(template: PodTemplate) -> dict[str, Any]:
    """Return the scheduling fields that the user has set."""
    document = template.to_wire()
    names = ("nodeSelector", "tolerations", "imagePullSecrets", "priorityClassName", "runtimeClassName")
    return {name: document[name] for name in names if name in document}


def _mounts_own_tmp(template: PodTemplate) -> bool:
    """Return whether the user mounts a /tmp; otherwise we do, as the root file system is read-only."""
    return any(mount.mount_path.rstrip("/") == "/tmp" for mount in template.volume_mounts or ())  # noqa: S108 - as above


def _container(request: RunRequest, template: PodTemplate, defaults: JobDefaults) -> dict[str, Any]:
    mounts = [mount.to_wire() for mount in template.volume_mounts or ()]
    if not _mounts_own_tmp(template):
        mounts.append({"name": _TMP, "mountPath": "/tmp"})  # noqa: S108 - a volume of the pod's own
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": defaults.image,
        "imagePullPolicy": defaults.image_pull_policy,
        # Not from the working directory or the user's packages: both are in /tmp, where a volume may be.
        "command": ["python", "-s", "-P", "-m", "selfheal_jobs", request.purpose.value.lower()],
        "env": environment_of(request, template, defaults),
        "resources": _resources(request.purpose, template, defaults),
        "volumeMounts": mounts,
        "terminationMessagePath": TERMINATION_MESSAGE_PATH,
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if secrets := _secrets(request.purpose, request.spec):
        container["envFrom"] = secrets
    return container


def _resources(purpose: Purpose, template: PodTemplate, defaults: JobDefaults) -> dict[str, Any]:
    """Return the resources; local storage is limited where the user does not say how much a run may take."""
    usual = _OF_A_PROMOTION if purpose is Purpose.PROMOTE else _DEFAULT_RESOURCES
    resources = template.resources.to_wire() if template.resources else usual
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    if _STORAGE in requests or _STORAGE in limits:
        return dict(resources)
    return {
        "requests": {**requests, _STORAGE: _STORAGE_REQUEST},
        "limits": {**limits, _STORAGE: defaults.storage},
    }


def _secrets(purpose: Purpose, spec: ModelMonitorSpec) -> list[dict[str, Any]]:
    """Return the Secrets as envFrom entries; each data source's keys get its prefix, to avoid collisions.

    A promotion reads no data, and gets no Secret of a data source.
    """
    sources = (
        (ENV_PREFIX_REFERENCE, spec.dataset.reference),
        (ENV_PREFIX_CURRENT, spec.dataset.current),
        (ENV_PREFIX_LABELS, spec.dataset.labels),
    )
    prefixed = [
        {"prefix": prefix, "secretRef": {"name": source.secret_ref.name}}
        for prefix, source in sources
        if source and source.secret_ref and purpose is not Purpose.PROMOTE
    ]
    if (mlflow := spec.mlflow.secret_ref) is None:
        return prefixed
    reference = {"secretRef": {"name": mlflow.name}}
    return [reference, {"prefix": ENV_PREFIX_MLFLOW, **reference}, *prefixed]
