"""Reports of the containers on the real API server: what server-side apply keeps, replaces and refuses."""

import http.client
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localcluster import LocalCluster
from localcluster.kubeconfig import kubeconfig, write_kubeconfig
from selfheal_jobs.check.report import CheckFindings, report_of
from selfheal_jobs.columns.infer_kind import Skipped
from selfheal_jobs.columns.kind import Kind
from selfheal_jobs.columns.scan import ColumnPlan
from selfheal_jobs.delivery.cluster_access import of_kubeconfig
from selfheal_jobs.delivery.status_patch import ApiServer, Delivery, ReportSink, open_report_sink
from selfheal_jobs.drift.compare import ColumnDrift, Comparison
from selfheal_jobs.errors import DataError, UndeliveredError
from selfheal_jobs.transport.json_http import Server
from selfheal_jobs.transport.retry_policy import DeadlinePolicy
from selfheal_operator.api.names import RUNNER_ACCOUNT
from selfheal_operator.api.reasons import Reason, RetrainResult, Task
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.request import MonitorRef
from selfheal_operator.api.v1alpha1.status import LastRetraining, ModelVersion, RowCounts
from support.builders.monitors import monitor_manifest
from support.builders.run_requests import run_request
from testbed.kubectl import Kubectl

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SLOT = "2026-11-23T12:00:00Z"


@pytest.fixture
def monitor(kubectl: Kubectl, installation: Path) -> MonitorRef:
    """A monitor in a namespace where the runner account has its rights.

    And one more: the tokens here are of no pod, which the policy selfheal-status would ask for.
    """
    del installation
    kubectl("create", "serviceaccount", RUNNER_ACCOUNT)
    account = f"--serviceaccount={kubectl.namespace}:{RUNNER_ACCOUNT}"
    kubectl("create", "role", "overwrite", "--verb=overwrite", "--resource=modelmonitors.selfheal.dev/status")
    kubectl("create", "rolebinding", "overwrite", "--role=overwrite", account)
    kubectl("create", "rolebinding", RUNNER_ACCOUNT, f"--clusterrole={RUNNER_ACCOUNT}", account)
    return create(kubectl)


def create(kubectl: Kubectl) -> MonitorRef:
    """Create the monitor and return a reference to it."""
    kubectl.apply(monitor_manifest("churn", reference="/r.csv", current="/c.csv", suspend=True))
    metadata = kubectl.get("modelmonitor", "churn")["metadata"]
    return MonitorRef(namespace=kubectl.namespace, name="churn", uid=metadata["uid"], generation=1)


@pytest.fixture
def sink(
    monitor: MonitorRef,
    cluster: LocalCluster,
    kubectl: Kubectl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> ReportSink:
    """The way to the API server with the rights of the runner account, as a container finds it."""
    use_account(RUNNER_ACCOUNT, cluster, kubectl, tmp_path, monkeypatch)
    return open_report_sink(monitor)


def use_account(
    account: str, cluster: LocalCluster, kubectl: Kubectl, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name a kubeconfig with the account's token in the environment."""
    token = kubectl("create", "token", account).strip()
    authority = (cluster.state.pki / "ca.crt").read_bytes()
    write_kubeconfig(folder / "kubeconfig", kubeconfig(cluster.server, authority, {"token": token}))
    monkeypatch.setenv("KUBECONFIG", str(folder / "kubeconfig"))
    monkeypatch.setenv("TERMINATION_MESSAGE_PATH", str(folder / "message"))


def drift(monitor: MonitorRef, *, task: Task | None = Task.CLASSIFICATION, slot: str = SLOT) -> CheckReport:
    """Return as large a report as there can be: many columns drifted and skipped, with long names."""
    columns = tuple(
        ColumnDrift(
            name=f"{number}" + "c" * 300,
            kind=Kind.NUMERICAL,
            method="wasserstein",
            score=0.5,
            threshold=0.1,
            drifted=True,
            evidently=True,
        )
        for number in range(500)
    )
    seen = CheckFindings(
        task=task,
        rows=RowCounts(reference=5, current=7),
        plan=ColumnPlan(compared=(), skipped=tuple(Skipped("s" * 300, "dates") for _ in range(500))),
        comparison=Comparison(columns=columns),
    )
    return report_of(run_request(monitor=monitor.to_wire(), slot=slot), seen, started=NOON, completed=NOON)


def error(monitor: MonitorRef) -> CheckReport:
    """Return the report of a check that could not even tell the task."""
    seen = CheckFindings(problem=DataError(Reason.DATA_NOT_FOUND, "there is nothing"))
    request = run_request(monitor=monitor.to_wire(), slot=SLOT)
    return report_of(request, seen, started=NOON, completed=NOON)


def retraining(result: RetrainResult, version: str | None = None) -> RetrainReport:
    """Return the report of a retraining."""
    model = version and ModelVersion(name="churn", version=version, run_id="r", registered_time=NOON)
    return RetrainReport(
        last_retraining=LastRetraining(
            scheduled_time=NOON,
            job_name="churn-retrain-1",
            result=result,
            reason="r",
            message="m",
            observed_generation=1,
        ),
        model=model or None,
    )


def status(kubectl: Kubectl) -> dict[str, Any]:
    """Return the monitor's status."""
    found: dict[str, Any] = kubectl.get("modelmonitor", "churn")["status"]
    return found


def test_the_largest_report_is_stored_as_it_is(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """The schema takes it, it stays small, and the field manager owns its part only."""
    report = drift(monitor)

    assert sink.deliver(report) is Delivery.STORED

    assert status(kubectl)["lastCheck"] == report.to_wire()["lastCheck"]
    assert len(str(status(kubectl))) < 16 * 1024
    managed = kubectl("get", "modelmonitor", "churn", "--show-managed-fields", "-o", "json")
    assert '"manager": "selfheal-check"' in managed


def test_an_error_after_a_verdict_takes_the_old_numbers_away(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """A drift share beside the news that nothing could be read would be a false verdict; the task stays."""
    sink.deliver(drift(monitor))

    assert sink.deliver(error(monitor)) is Delivery.STORED

    assert status(kubectl)["task"] == "Classification"
    assert "driftShare" not in status(kubectl)["lastCheck"]
    assert status(kubectl)["lastCheck"]["result"] == "Error"


def test_what_the_operator_wrote_stays(sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl) -> None:
    """Two writers, disjoint fields."""
    kubectl("patch", "modelmonitor", "churn", "--subresource=status", "--type=merge",
            "--patch", '{"status": {"missedChecks": 3}}')  # fmt: skip

    sink.deliver(drift(monitor))
    sink.deliver(retraining(RetrainResult.REGISTERED, "7"))

    assert status(kubectl)["missedChecks"] == 3
    assert {"lastCheck", "lastRetraining", "model", "task"} <= set(status(kubectl))


def test_the_model_stays_when_a_later_retraining_registers_nothing(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """Each retraining has a sink of its own."""
    sink.deliver(retraining(RetrainResult.REGISTERED, "7"))

    open_report_sink(monitor).deliver(retraining(RetrainResult.NOT_IMPROVED))

    assert status(kubectl)["model"]["version"] == "7"
    assert status(kubectl)["lastRetraining"]["result"] == "NotImproved"


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes to a server from here on: each connection that is opened, and each call."""
    seen: list[str] = []
    connect, call = http.client.HTTPSConnection.connect, Server.call

    def counted_connect(connection: http.client.HTTPSConnection) -> None:
        seen.append("connect")
        connect(connection)

    def counted_call(server: Server, method: str, path: str, *arguments: Any, **more: Any) -> Any:
        seen.append(method)
        return call(server, method, path, *arguments, **more)

    monkeypatch.setattr(http.client.HTTPSConnection, "connect", counted_connect)
    monkeypatch.setattr(Server, "call", counted_call)
    return seen


def test_a_check_makes_three_calls_on_one_connection_whatever_the_operator_writes_meanwhile(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl, traffic: list[str]
) -> None:
    """Its verdict moves the status on before the MLflow run can follow."""
    verdict = drift(monitor)
    sink.deliver(verdict)
    kubectl("patch", "modelmonitor", "churn", "--subresource=status", "--type=merge",
            "--patch", '{"status": {"missedChecks": 3}}')  # fmt: skip

    evidence = verdict.replaced(last_check=verdict.last_check.replaced(run_id="run-1"))
    assert sink.deliver(evidence) is Delivery.STORED

    assert traffic == ["GET", "connect", "PATCH", "PATCH"]
    assert status(kubectl)["lastCheck"]["runID"] == "run-1"
    assert status(kubectl)["missedChecks"] == 3


def found(version: str, name: str = "churn") -> ModelVersion:
    """Return a version as a check finds it in MLflow."""
    return ModelVersion(name=name, version=version, registered_time=NOON)


def test_a_check_shows_the_champion_in_its_second_write(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl, traffic: list[str]
) -> None:
    """The first one that there is, then the same, then another one, then none."""
    verdict = drift(monitor)
    shown = []
    for version, forgets in (("7", False), ("7", False), ("8", False), (None, True)):
        sink.deliver(verdict)
        model = found(version) if version else None
        assert sink.deliver(verdict.replaced(model=model), forgets_model=forgets) is Delivery.STORED
        shown.append(status(kubectl).get("model", {}).get("version"))

    assert shown == ["7", "7", "8", None]
    assert traffic.count("PATCH") == 8
    assert traffic.count("GET") == 4


def test_a_version_that_was_registered_meanwhile_is_not_overwritten_by_what_a_check_has_found(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """The check asked MLflow before the retraining registered."""
    verdict = drift(monitor)
    for before in (None, found("6")):
        sink.deliver(verdict.replaced(model=before))
        open_report_sink(monitor).deliver(retraining(RetrainResult.REGISTERED, "8"))

        assert sink.deliver(verdict.replaced(model=found("7"))) is Delivery.STORED

        assert status(kubectl)["model"] == found("8").replaced(run_id="r").to_wire()


def test_a_model_is_replaced_whole_whoever_wrote_it(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """A run's ID beside the version of another run would be false."""
    sink.deliver(retraining(RetrainResult.REGISTERED, "7"))
    verdict = drift(monitor)
    sink.deliver(verdict)
    sink.deliver(verdict.replaced(model=found("5")))
    assert status(kubectl)["model"] == found("5").to_wire()

    open_report_sink(monitor).deliver(retraining(RetrainResult.NOT_IMPROVED))
    assert status(kubectl)["model"] == found("5").to_wire()
    open_report_sink(monitor).deliver(retraining(RetrainResult.REGISTERED, "9"))
    assert status(kubectl)["model"] == found("9").replaced(run_id="r").to_wire()


def test_evidence_that_comes_after_a_newer_verdict_changes_nothing(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """The second write is sent without another look; the API server itself tests whose verdict is there."""
    verdict = drift(monitor)
    sink.deliver(verdict)
    newer = drift(monitor, slot="2026-11-23T13:00:00Z")
    open_report_sink(monitor).deliver(newer)

    evidence = verdict.replaced(last_check=verdict.last_check.replaced(run_id="run-1"))
    assert sink.deliver(evidence) is Delivery.SUPERSEDED

    assert status(kubectl)["lastCheck"] == newer.to_wire()["lastCheck"]


@pytest.mark.parametrize("made_anew", [False, True])
def test_evidence_for_a_monitor_that_is_gone_is_unwanted(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl, *, made_anew: bool
) -> None:
    """Also where another monitor has taken its name since the verdict."""
    sink.deliver(drift(monitor))
    kubectl("delete", "modelmonitor", "churn")
    if made_anew:
        create(kubectl)

    assert sink.deliver(drift(monitor)) is Delivery.UNWANTED

    if made_anew:
        assert "status" not in kubectl.get("modelmonitor", "churn")


def test_a_verdict_replaces_all_of_the_last_one_and_of_its_evidence(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """The evidence was written by a JSON patch, which owns what it wrote; the verdict is applied."""
    verdict = drift(monitor)
    sink.deliver(verdict)
    sink.deliver(verdict.replaced(last_check=verdict.last_check.replaced(run_id="run-1", report_uri="r")))

    newer = drift(monitor, slot="2026-11-23T13:00:00Z")
    assert open_report_sink(monitor).deliver(newer) is Delivery.STORED

    assert status(kubectl)["lastCheck"] == newer.to_wire()["lastCheck"]


def test_an_older_slot_changes_nothing(sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl) -> None:
    """A pod that hung for an hour comes too late."""
    sink.deliver(drift(monitor))

    late = drift(monitor, slot="2026-11-23T11:00:00Z")

    assert sink.deliver(late) is Delivery.SUPERSEDED
    assert status(kubectl)["lastCheck"]["scheduledTime"] == SLOT


def test_a_monitor_made_anew_gets_nothing_from_the_runs_of_the_old_one(
    sink: ReportSink, monitor: MonitorRef, kubectl: Kubectl
) -> None:
    """It has the name, but not the uid."""
    kubectl("delete", "modelmonitor", "churn")
    assert sink.deliver(drift(monitor)) is Delivery.UNWANTED

    create(kubectl)

    assert sink.deliver(drift(monitor)) is Delivery.UNWANTED
    assert "status" not in kubectl.get("modelmonitor", "churn")


def test_an_account_without_the_role_is_told_what_it_lacks(
    monitor: MonitorRef,
    cluster: LocalCluster,
    kubectl: Kubectl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The report is in the termination message all the same."""
    use_account("default", cluster, kubectl, tmp_path, monkeypatch)
    hasty = ApiServer(of_kubeconfig(tmp_path / "kubeconfig"), monitor, DeadlinePolicy(forbidden_seconds=0))

    with pytest.raises(UndeliveredError, match="needs the ClusterRole selfheal-runner"):
        hasty.deliver(error(monitor))

    assert CheckReport.from_termination_message((tmp_path / "message").read_text()) == error(monitor)
