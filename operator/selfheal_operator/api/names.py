"""Names that are part of the API: renaming one breaks users or running Jobs."""

from typing import Final

GROUP: Final = "selfheal.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "ModelMonitor"
PLURAL: Final = "modelmonitors"
SINGULAR: Final = "modelmonitor"
SHORT_NAME: Final = "mmon"

RELEASE: Final = "0.1.0"
"""This version of selfheal, and the tag of its images."""
JOBS_IMAGE: Final = f"selfheal-jobs:{RELEASE}"

MAX_MONITOR_NAME: Final = 45
"""A Job's name is a label value on its pods, so at most 63: this leaves 18 for `-retrain-<count>` and
`-promote-<count>`."""

LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "selfheal-operator"
LABEL_MONITOR: Final = f"{GROUP}/monitor"
LABEL_MONITOR_UID: Final = f"{GROUP}/monitor-uid"
LABEL_PURPOSE: Final = f"{GROUP}/purpose"

ANNOTATION_SLOT: Final = f"{GROUP}/slot"
"""On a Job: the slot that a check belongs to, or whose check made the retraining necessary."""
ANNOTATION_GENERATION: Final = f"{GROUP}/generation"
ANNOTATION_REQUEST: Final = f"{GROUP}/request"
"""On a Job that somebody asked for: the token of the request."""

ANNOTATION_TRIGGERS: Final = f"{GROUP}/triggers"
"""On a retraining's Job that a check led to: what that check breached, separated by commas."""

ANNOTATION_REPLACED: Final = f"{GROUP}/replaced"
"""On a Job that was stopped because the next check was due: nobody waits for its report."""

ANNOTATION_CHECK_REQUEST: Final = f"{GROUP}/check-requested-at"
ANNOTATION_RETRAIN_REQUEST: Final = f"{GROUP}/retrain-requested-at"
"""On a ModelMonitor: a token, any text; each new one asks for one run at once.

That of a retraining may be followed by options: `2026-11-23T12:00:00Z;force;ignoreChampion`.
"""
ANNOTATION_DECISION: Final = f"{GROUP}/decision"
"""On a ModelMonitor: `approve:<version>`, `reject:<version>` or `rollback:<version>`, each carried out once.

What follows a semicolon makes the same decision a new one: `rollback:7;2026-11-29`.
"""
MAX_REQUEST_TOKEN: Final = 256
"""Characters of a token that count."""

OPERATOR_MANAGER: Final = "selfheal-operator"
CHECK_MANAGER: Final = "selfheal-check"
RETRAIN_MANAGER: Final = "selfheal-retrain"
PROMOTE_MANAGER: Final = "selfheal-promote"
"""Field managers of server-side apply: each owns its own part of the status."""

RUNNER_ACCOUNT: Final = "selfheal-runner"
"""The ServiceAccount, RoleBinding and ClusterRole under which the containers patch the status."""

ENV_REQUEST: Final = "SELFHEAL_REQUEST"
"""The container's environment variable that holds the `RunRequest` as JSON."""
ENV_ALLOWED_URIS: Final = "SELFHEAL_ALLOWED_URIS"
"""The URI patterns that addresses of data have to match, separated by commas; empty for any address."""
ENV_DATA_PATHS: Final = "SELFHEAL_DATA_PATHS"
"""The folders that files may be read from, separated by colons, which no mountPath contains."""
ENV_MAX_DOWNLOAD_BYTES: Final = "SELFHEAL_MAX_DOWNLOAD_BYTES"
"""The largest file that is downloaded over http(s)."""
ENV_JOB_UID: Final = "SELFHEAL_JOB_UID"
"""The UID of the container's Job: the key with which its pods prove what they have left in MLflow."""
LABEL_JOB_UID: Final = "batch.kubernetes.io/controller-uid"
"""Kubernetes sets this label of a pod to the UID of its Job, and rejects a template with another value."""
ENV_PREFIX_REFERENCE: Final = "SELFHEAL_REFERENCE_"
ENV_PREFIX_CURRENT: Final = "SELFHEAL_CURRENT_"
ENV_PREFIX_LABELS: Final = "SELFHEAL_LABELS_"
"""What the keys of a data source's Secret are prefixed with: sources never see each other's."""
ENV_PREFIX_MLFLOW: Final = "SELFHEAL_MLFLOW_"
"""The keys of spec.mlflow.secretRef are variables without a prefix, as MLflow's library reads them, and again
with this one: so a run knows which of its variables hold secrets."""
SERVICE_ACCOUNT_FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where Kubernetes mounts the token of a pod's ServiceAccount, and its namespace."""
ENV_TERMINATION_MESSAGE_PATH: Final = "TERMINATION_MESSAGE_PATH"
TERMINATION_MESSAGE_PATH: Final = "/dev/termination-log"
TERMINATION_MESSAGE_LIMIT: Final = 4096
"""Bytes that the kubelet keeps of a container's termination message."""
