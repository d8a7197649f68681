"""Hands a report over: into the monitor's status, and into the container's termination message.

Server-side apply replaces all that a field manager owned before. So a report always goes out complete, and
what this run has nothing new to say about (`task`, `model`) is sent again as it stands, or it would vanish.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from msgspec import ValidationError

from selfheal_jobs.delivery.cluster_access import Access, AccessError, of_kubeconfig, of_pod
from selfheal_jobs.errors import UndeliveredError
from selfheal_jobs.redaction import one_line
from selfheal_jobs.transport.json_http import UNREACHABLE, AnswerError
from selfheal_operator.api.names import (
    API_VERSION,
    CHECK_MANAGER,
    ENV_TERMINATION_MESSAGE_PATH,
    GROUP,
    KIND,
    PLURAL,
    RETRAIN_MANAGER,
    RUNNER_ACCOUNT,
    TERMINATION_MESSAGE_PATH,
    VERSION,
)
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.request import MonitorRef
from selfheal_operator.api.v1alpha1.status import MethodUse, ModelVersion

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
AnyReport = CheckReport | RetrainReport


@dataclass(frozen=True, kw_only=True)
class _Share:
    """The part of the status that one sort of report owns."""

    manager: str
    outcome: str
    carried_over: str


_SHARES: Final[Mapping[type, _Share]] = {
    CheckReport: _Share(manager=CHECK_MANAGER, outcome="lastCheck", carried_over="task"),
    RetrainReport: _Share(manager=RETRAIN_MANAGER, outcome="lastRetraining", carried_over="model"),
}


class Delivery(Enum):
    """What became of a report."""

    STORED = auto()
    SUPERSEDED = auto()
    """A newer slot has reported: ours is history."""
    UNWANTED = auto()
    """The monitor is gone, or another one has its name now."""
    PRINTED = auto()
    """There is no API server: the run was repeated by hand."""


class ReportSink(Protocol):
    """Where reports go, and where the present model is known."""

    def present_model(self) -> ModelVersion | None:
        """Return the version that the status names, if any."""

    def methods_before(self) -> Sequence[MethodUse]:
        """Return the methods of the check that reported last; none if nobody knows. Raises nothing."""

    def deliver(self, report: AnyReport) -> Delivery:
        """Hand a report over, or raise UndeliveredError."""


def open_report_sink(monitor: MonitorRef) -> ReportSink:
    """Return the way to the API server that the environment names, or else standard output.

    KUBECONFIG comes before the pod's own account. ~/.kube/config is not looked at: a check that
    somebody repeats by hand on a laptop should not write into a cluster by accident.

    Raises:
        UndeliveredError: The environment names an API server, but not how to be let in.
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
    return ApiServer(access, monitor)


class StandardOutput:
    """Prints reports, for runs by hand."""

    def present_model(self) -> ModelVersion | None:
        """Return None: nobody knows."""
        return None

    def methods_before(self) -> Sequence[MethodUse]:
        """Return none: nobody knows."""
        return ()

    def deliver(self, report: AnyReport) -> Delivery:
        """Print the report as JSON."""
        leave_termination_message(report)
        sys.stdout.write(report.to_json(indent=2) + "\n")
        return Delivery.PRINTED


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a failing API server is waited for."""

    total_seconds: float = 300
    """Longer than an API server's restart, shorter than a Job that hangs for nothing."""
    forbidden_seconds: float = 30
    """A RoleBinding that was made together with the Job may take a moment to be known everywhere."""
    longest_pause_seconds: float = 30

    def pause(self, error: Exception, attempt: int, elapsed: float) -> float | None:
        """Return how many seconds to wait after the attempt, counted from 0; None to give up."""
        status = getattr(error, "status", None) or 0
        if status == 409:  # somebody else wrote meanwhile: read again at once
            pause = 0.05 * (attempt + 1)
        elif status == 429 and (asked := _retry_after(error)):
            pause = asked
        else:
            pause = min(2.0**attempt, self.longest_pause_seconds)
        return pause if elapsed + pause <= self._limit(status) else None

    def _limit(self, status: int) -> float:
        if status in (401, 403):
            return self.forbidden_seconds
        refused = 400 <= status < 500 and status not in (408, 409, 429)
        return 0 if refused else self.total_seconds


def _retry_after(error: Exception) -> float | None:
    value = (getattr(error, "headers", None) or {}).get("Retry-After", "")
    return float(value) if str(value).isdigit() else None


@dataclass(frozen=True)
class ApiServer:
    """The status of one monitor."""

    access: Access
    monitor: MonitorRef
    patience: Patience = Patience()

    def present_model(self) -> ModelVersion | None:
        """Return the version that the status names; None if there is none, or the monitor is gone."""
        seen = self._persist(self._read)
        model = (seen or {}).get("status", {}).get("model")
        try:
            return ModelVersion.from_wire(model) if model else None
        except ValidationError as error:  # somebody else wrote it; the registry still knows what is newest
            logger.info("The status names no model that we understand: %s", one_line(error))
            return None

    def methods_before(self) -> Sequence[MethodUse]:
        """Return the methods of the check that reported last. A courtesy: tried once, and then let be."""
        try:
            seen = self._read() or {}
            return [
                MethodUse.from_wire(each)
                for each in seen.get("status", {}).get("lastCheck", {}).get("methods", [])
            ]
        except (AnswerError, AccessError, ValidationError, *UNREACHABLE) as error:
            logger.info("The methods of the last check are not known: %s", _short(error))
            return ()

    def deliver(self, report: AnyReport) -> Delivery:
        """Write the report into the status.

        Raises:
            UndeliveredError: The API server refuses it, or could not be reached for minutes.
        """
        # First, since it cannot fail: the operator recovers from here what never reached the API server.
        leave_termination_message(report)
        delivery = self._persist(lambda: self._apply(report))
        logger.info("%s", _SENTENCES[delivery])
        return delivery

    def _apply(self, report: AnyReport) -> Delivery:
        seen = self._read()
        if seen is None:
            return Delivery.UNWANTED
        if is_superseded(seen, report):
            return Delivery.SUPERSEDED
        manager = f"fieldManager={_SHARES[type(report)].manager}&force=true"
        self.access.server().call(
            "PATCH",
            f"{self._path}/status?{manager}",
            document_to_apply(seen, report),
            content_type="application/apply-patch+yaml",
        )
        return Delivery.STORED

    @property
    def _path(self) -> str:
        namespace, name = self.monitor.namespace, self.monitor.name
        return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"

    def _read(self) -> Mapping[str, Any] | None:
        try:
            seen: Mapping[str, Any] = self.access.server().call("GET", self._path)
        except AnswerError as error:
            if error.status == 404:
                return None
            raise
        return seen if seen["metadata"]["uid"] == self.monitor.uid else None

    def _persist(self, attempt: Callable[[], _T]) -> _T:
        started = time.monotonic()
        number = 0
        while True:
            try:
                return attempt()
            except (AnswerError, AccessError, *UNREACHABLE) as error:
                pause = self.patience.pause(error, number, time.monotonic() - started)
                if pause is None:
                    raise UndeliveredError(_sentence(error, self.monitor)) from error
                logger.info("The API server did not take it (%s): next try in %.1f s", _short(error), pause)
                time.sleep(pause)
                number += 1


_SENTENCES: Final = {
    Delivery.STORED: "Reported to the monitor's status",
    Delivery.SUPERSEDED: "Nothing reported: a newer slot has already reported to this monitor",
    Delivery.UNWANTED: "Nothing reported: the monitor is gone, or was made anew since this run began",
}


def is_superseded(seen: Mapping[str, Any], report: AnyReport) -> bool:
    """Return whether the status already holds the outcome of a newer slot."""
    outcome = seen.get("status", {}).get(_SHARES[type(report)].outcome)
    ours = report.last_check.slot if isinstance(report, CheckReport) else report.last_retraining.slot
    return outcome is not None and datetime.fromisoformat(outcome["slot"]) > ours


def document_to_apply(seen: Mapping[str, Any], report: AnyReport) -> dict[str, Any]:
    """Return what server-side apply is sent: the whole share of the status that the report's manager owns.

    With the uid and resourceVersion that were read, the API server refuses the document if another
    monitor has taken the name, or somebody wrote after we looked.
    """
    share = _SHARES[type(report)]
    status = seen.get("status", {})
    carried = {share.carried_over: status[share.carried_over]} if share.carried_over in status else {}
    kept = ("name", "namespace", "uid", "resourceVersion")
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {name: seen["metadata"][name] for name in kept},
        "status": carried | report.to_wire(),
    }


def _short(error: Exception) -> str:
    return str(error) if isinstance(error, AnswerError) else one_line(error)


def _sentence(error: Exception, monitor: MonitorRef) -> str:
    where = f"modelmonitor {monitor.namespace}/{monitor.name}"
    if isinstance(error, AnswerError) and error.status in (401, 403):
        return (
            f"The API server forbids this pod to report to {where}. Its ServiceAccount needs the ClusterRole "
            f"{RUNNER_ACCOUNT} bound in the namespace: get modelmonitors, patch modelmonitors/status."
        )
    detail = one_line(Exception(error.body)) if isinstance(error, AnswerError) else ""
    return f"The report could not be written to {where} ({_short(error)}) {detail}".rstrip()


def leave_termination_message(report: AnyReport) -> None:
    """Write the report where the kubelet looks for a container's last words, if we are in a container."""
    named = os.environ.get(ENV_TERMINATION_MESSAGE_PATH)
    path = Path(named or TERMINATION_MESSAGE_PATH)
    if not named and not path.exists():
        return
    try:
        path.write_text(report.to_termination_message(), encoding="utf-8")
    except OSError as error:  # the status is the first way; this is the second
        logger.warning("No termination message could be left: %s", one_line(error))
