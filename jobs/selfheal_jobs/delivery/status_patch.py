"""Delivers a report to the monitor's status and to the container's termination message.

Server-side apply removes the fields that a field manager owned before and does not send again. Therefore a
report is always sent complete: fields that this run does not change (`task` and its `target`, `model`) are
sent unchanged.

Both kinds of run write `model`: a retraining the version that it registered, a check the one that it finds in
MLflow. A check finds it some time before it writes. Therefore it tests that `model` is still what its first
write saw, and an apply prefers what it reads to what the check has found: a version that was registered
meanwhile stays.

A check sends three requests on one connection: it reads the status, applies its verdict, and later adds its
MLflow run to the verdict. This has two races.

Between the read and the first write, milliseconds apart, another client may write. The write contains the
`resourceVersion` that was read, and the API server rejects it after any other write (409): read again.

Between the two writes the check calls MLflow, while the operator reacts to the verdict and writes its own
part of the status: the `resourceVersion` of the first response is nearly always outdated by then. Therefore
the second write is a JSON patch that tests only the monitor's `uid` and that `lastCheck` is still this run's.
If a test fails (422), the delivery starts again with the read. Server-side apply cannot do this: for the
status subresource the API server ignores a `uid` without a `resourceVersion`.

A JSON patch becomes the owner of the fields it writes. `lastCheck` is atomic in the CRD, so the next applied
verdict still replaces all of it.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from selfheal_jobs.delivery.cluster_access import Access, AccessError, of_kubeconfig, of_pod
from selfheal_jobs.delivery.masked_report import masked_report
from selfheal_jobs.errors import UndeliveredError
from selfheal_jobs.redaction import learn_secrets, one_line
from selfheal_jobs.transport.json_http import UNREACHABLE, AnswerError
from selfheal_jobs.transport.retry_policy import REPORTING, DeadlinePolicy
from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import (
    API_VERSION,
    ENV_TERMINATION_MESSAGE_PATH,
    GROUP,
    KIND,
    PLURAL,
    RUNNER_ACCOUNT,
    TERMINATION_MESSAGE_PATH,
    VERSION,
)
from selfheal_operator.api.report import MOST_AHEAD, AnyReport, CheckReport, PromoteReport, RetrainReport
from selfheal_operator.api.request import MonitorRef, RunRequest
from selfheal_operator.api.v1alpha1.status import ModelVersion

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


_CARRIED_OVER: Final[Mapping[type, tuple[str, ...]]] = {
    CheckReport: ("task", "target", "model"),
    RetrainReport: ("model", "challenger"),
    PromoteReport: ("model",),
}
"""Fields that a report without them leaves as they are."""


class Delivery(Enum):
    """The outcome of delivering a report."""

    STORED = auto()
    SUPERSEDED = auto()
    """A newer slot has already reported."""
    UNWANTED = auto()
    """The monitor was deleted, or another one now has its name."""
    PRINTED = auto()
    """There is no API server: a manual run."""


class ReportSink(Protocol):
    """The destination of reports."""

    def deliver(self, report: AnyReport, *, forgets_model: bool = False) -> Delivery:
        """Deliver a report, or raise UndeliveredError.

        Args:
            report: The report.
            forgets_model: Whether the status no longer has a model to show.
        """


class PromotionSink(ReportSink, Protocol):
    """The destination of a promotion's report, which also knows the promotion's intent."""

    def is_intended(self, request: RunRequest) -> bool:
        """Return whether the status has the promotion's intent and no later report.

        Raises:
            UndeliveredError: Nobody could tell.
        """


def open_report_sink(monitor: MonitorRef) -> PromotionSink:
    """Return the API server that the environment configures, otherwise standard output.

    KUBECONFIG takes precedence over the pod's ServiceAccount. ~/.kube/config is ignored: a manual check on a
    laptop should not write to a cluster by accident.

    Raises:
        UndeliveredError: The environment names an API server, but no valid credentials.
    """
    kubeconfig = os.environ.get("KUBECONFIG")
    if not kubeconfig and "KUBERNETES_SERVICE_HOST" not in os.environ:
        logger.info("Neither KUBECONFIG nor a pod's environment: the report goes to standard output")
        return StandardOutput()
    try:
        access = of_kubeconfig(Path(kubeconfig)) if kubeconfig else of_pod(os.environ)
    except AccessError as error:
        way = f"KUBECONFIG ({kubeconfig})" if kubeconfig else "the pod's ServiceAccount token"
        raise UndeliveredError(f"{way} does not lead to the API server: {one_line(error)}") from error
    learn_secrets(access.tokens())
    return ApiServer(access, monitor)


class StandardOutput:
    """Prints reports, for manual runs."""

    def deliver(self, report: AnyReport, *, forgets_model: bool = False) -> Delivery:
        """Print the report as JSON."""
        del forgets_model
        report = masked_report(report)
        leave_termination_message(report)
        sys.stdout.write(report.to_json(indent=2) + "\n")
        return Delivery.PRINTED

    def is_intended(self, request: RunRequest) -> bool:
        """Return True: whoever runs it by hand intends it."""
        del request
        return True


class ApiServer:
    """The status of one monitor.

    Args:
        access: The API server and its credentials.
        monitor: The monitor whose status is written.
        retries: How long requests to a failing API server are retried.
    """

    def __init__(self, access: Access, monitor: MonitorRef, retries: DeadlinePolicy = REPORTING) -> None:
        self._server = access.server()
        self._monitor = monitor
        self._retries = retries
        self._applied: Mapping[str, Any] | None = None

    def deliver(self, report: AnyReport, *, forgets_model: bool = False) -> Delivery:
        """Write the report to the status.

        Raises:
            UndeliveredError: The API server rejects it, or could not be reached for minutes.
        """
        report = masked_report(report)
        # First, since it cannot fail: the operator recovers undelivered reports from the termination message.
        leave_termination_message(report)
        delivery = self._retried(lambda: self._write(report, forgets_model=forgets_model))
        logger.info("%s", _SENTENCES[delivery])
        return delivery

    def is_intended(self, request: RunRequest) -> bool:
        """Return whether the status has the promotion's intent and no later report.

        Raises:
            UndeliveredError: The API server could not be reached for minutes.
        """
        seen = self._retried(self._read)
        return seen is not None and is_intended(seen, request)

    def _retried(self, attempt: Callable[[], _T]) -> _T:
        try:
            return self._retries.call(
                attempt,
                is_transient=lambda error: isinstance(error, _MAY_PASS),
                before_pause=_log_pause,
            )
        except _MAY_PASS as error:
            raise UndeliveredError(_sentence(error, self._monitor)) from error

    def _write(self, report: AnyReport, *, forgets_model: bool) -> Delivery:
        applied, self._applied = self._applied, None  # after any failure, start with a read
        if applied is not None and isinstance(report, CheckReport) and is_of_same_run(applied, report):
            operations = amendment(applied, report, forgets_model=forgets_model)
            try:
                self._patch(operations, report.manager, "application/json-patch+json")
            except AnswerError as error:
                if error.status not in (404, 422):
                    raise
            else:
                return Delivery.STORED
        return self._apply(report)

    def _apply(self, report: AnyReport) -> Delivery:
        seen = self._read()
        if seen is None:
            return Delivery.UNWANTED
        if is_superseded(seen, report, datetime.now(UTC)):
            return Delivery.SUPERSEDED
        manager = f"{report.manager}&force=true"
        document = document_to_apply(seen, report)
        try:
            self._applied = self._patch(document, manager, "application/apply-patch+yaml")
        except AnswerError as error:
            if error.status == 404 and self._read() is None:  # deleted since it was read
                return Delivery.UNWANTED
            raise
        return Delivery.STORED

    @property
    def _path(self) -> str:
        namespace, name = self._monitor.namespace, self._monitor.name
        return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"

    def _read(self) -> Mapping[str, Any] | None:
        """Return the monitor; None if it was deleted, or another one has its name."""
        try:
            seen: Mapping[str, Any] = self._server.call("GET", self._path)
        except AnswerError as error:
            if error.status == 404:
                return None
            raise
        return seen if seen["metadata"]["uid"] == self._monitor.uid else None

    def _patch(self, document: Any, manager: str, content_type: str) -> Mapping[str, Any]:
        path = f"{self._path}/status?fieldManager={manager}"
        answer: Mapping[str, Any] = self._server.call("PATCH", path, document, content_type=content_type)
        return answer


_MAY_PASS: Final = (AnswerError, AccessError, *UNREACHABLE)


_SENTENCES: Final = {
    Delivery.STORED: "Reported to the monitor's status",
    Delivery.SUPERSEDED: "Nothing reported: a newer slot has already reported to this monitor",
    Delivery.UNWANTED: "Nothing reported: the monitor is gone, or was made anew since this run began",
}


def is_intended(seen: Mapping[str, Any], request: RunRequest) -> bool:
    """Return whether a monitor's status says that this promotion is to be carried out, and has not reported.

    A pod may start late: when something else was decided, or after an earlier pod of its Job has reported.
    """
    status = seen.get("status", {})
    intent = status.get("promotion", {}).get("intent") or {}
    reported = status.get("lastPromotion", {}).get("scheduledTime")
    return intent.get("decidedTime") == format_time(request.slot) and reported != intent["decidedTime"]


def is_superseded(seen: Mapping[str, Any], report: AnyReport, now: datetime) -> bool:
    """Return whether the status already holds the outcome of a newer slot.

    A slot that is far ahead of `now` is none: a forged one would keep all reports out for good.
    """
    outcome = seen.get("status", {}).get(report.outcome_name)
    slot = _slot_of(outcome) if outcome else None
    return slot is not None and report.outcome.scheduled_time < slot <= now + MOST_AHEAD


def _slot_of(outcome: Mapping[str, Any]) -> datetime | None:
    try:
        slot = datetime.fromisoformat(outcome["scheduledTime"])
    except ValueError:
        return None
    return slot if slot.tzinfo is not None else None


def document_to_apply(seen: Mapping[str, Any], report: AnyReport) -> dict[str, Any]:
    """Return the document for server-side apply: all status fields that the report's field manager owns.

    It contains the resourceVersion that was read, so the API server rejects it if another monitor now has the
    name, or if another client has written since.
    """
    status = seen.get("status", {})
    carried = {name: status[name] for name in _CARRIED_OVER[type(report)] if name in status}
    found = {"model": carried["model"]} if isinstance(report, CheckReport) and "model" in carried else {}
    kept = ("name", "namespace", "uid", "resourceVersion")
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {name: seen["metadata"][name] for name in kept},
        "status": carried | report.to_wire() | found,
    }


def is_of_same_run(applied: Mapping[str, Any], report: CheckReport) -> bool:
    """Return whether the applied verdict is an earlier one of the same run."""
    verdict = applied.get("status", {}).get("lastCheck", {})
    return (verdict.get("scheduledTime"), verdict.get("jobName")) == (
        format_time(report.last_check.scheduled_time),
        report.last_check.job_name,
    )


def amendment(
    applied: Mapping[str, Any], report: CheckReport, *, forgets_model: bool = False
) -> list[dict[str, Any]]:
    """Return a JSON patch that replaces the verdict of this run, and fails for any other verdict."""
    verdict = applied["status"]["lastCheck"]
    return [
        {"op": "test", "path": "/metadata/uid", "value": applied["metadata"]["uid"]},
        {"op": "test", "path": "/status/lastCheck/scheduledTime", "value": verdict["scheduledTime"]},
        {"op": "test", "path": "/status/lastCheck/jobName", "value": verdict["jobName"]},
        {"op": "replace", "path": "/status/lastCheck", "value": report.last_check.to_wire()},
        *_change_of_model(applied["status"].get("model"), report.model, forgets=forgets_model),
    ]


def _change_of_model(
    stored: Mapping[str, Any] | None, found: ModelVersion | None, *, forgets: bool
) -> list[dict[str, Any]]:
    """Return the operations that show another version; none for the same one, of which the status knows more.

    The test of a member that is absent against null succeeds.
    """
    path, known = "/status/model", stored or {}
    unchanged = {"op": "test", "path": path, "value": stored}
    if found is not None and (known.get("name"), known.get("version")) != (found.name, found.version):
        return [unchanged, {"op": "add", "path": path, "value": found.to_wire()}]
    if found is not None and known.get("alias") != found.alias:
        value = {name: each for name, each in {**known, "alias": found.alias}.items() if each is not None}
        return [unchanged, {"op": "add", "path": path, "value": value}]
    if forgets and stored is not None:
        return [unchanged, {"op": "remove", "path": path}]
    return []


def _log_pause(error: BaseException, seconds: float) -> None:
    logger.info("The API server did not take it (%s): next try in %.1f s", _short(error), seconds)


def _short(error: BaseException) -> str:
    return str(error) if isinstance(error, AnswerError) else one_line(error)


def _sentence(error: Exception, monitor: MonitorRef) -> str:
    where = f"modelmonitor {monitor.namespace}/{monitor.name}"
    if isinstance(error, AnswerError) and error.status in (401, 403):
        return (
            f"The API server forbids this pod to report to {where}. Its ServiceAccount needs the ClusterRole "
            f"{RUNNER_ACCOUNT} bound in the namespace: get modelmonitors, patch modelmonitors/status."
        )
    detail = _status_message(error.body) if isinstance(error, AnswerError) else ""
    return f"The report could not be written to {where} ({_short(error)}) {detail}".rstrip()


def _status_message(body: str) -> str:
    """Return the message of a Status of Kubernetes; empty for anything else, which another server wrote."""
    try:
        document = json.loads(body)
        message = document["message"] if document["kind"] == "Status" else ""
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return one_line(Exception(message)).removeprefix("Exception: ")


def leave_termination_message(report: AnyReport) -> None:
    """Write the report to the container's termination message file, if this process runs in a container."""
    named = os.environ.get(ENV_TERMINATION_MESSAGE_PATH)
    path = Path(named or TERMINATION_MESSAGE_PATH)
    if not named and not path.exists():
        return
    try:
        path.write_text(report.to_termination_message(), encoding="utf-8")
    except OSError as error:  # it is only the fallback for the status
        logger.warning("No termination message could be left: %s", one_line(error))
