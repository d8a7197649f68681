"""What Prometheus reads of a running operator while a monitor comes, is checked, and goes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from localcluster import LocalCluster
from support.builders.monitors import monitor_manifest, write_table
from support.eventually import eventually
from support.processes.operators import Operator
from support.scrapes import Scrape
from testbed.install import OPERATOR_NAMESPACE
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(420)  # the first test also pays for the cluster
ROOT = Path(__file__).resolve().parents[2]
EVERY_MINUTE = "* * * * *"
NO_MLFLOW = {"trackingURI": "http://127.0.0.1:9"}


@pytest.fixture
def operator(cluster: LocalCluster, installation: Path, tmp_path: Path) -> Iterator[Operator]:
    """An operator that runs."""
    operator = Operator(installation, tmp_path / "operator")
    operator.start()
    yield operator
    assert operator.stop() == 0


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """A reference, and current data that has moved."""
    reference = write_table(tmp_path / "reference.parquet", rows=1500, shift=0, seed=1)
    return reference, write_table(tmp_path / "current.parquet", rows=1500, shift=1.5, seed=2)


def test_a_monitors_series_live_as_long_as_it_does(
    operator: Operator, kubectl: Kubectl, tables: tuple[Path, Path]
) -> None:
    """They appear with it, move with its check and its edits, and are gone when it is deleted."""
    monitor = {"namespace": kubectl.namespace, "monitor": "churn"}

    def read(name: str, **labels: str) -> float | None:
        return operator.scrape().value(name, **labels)

    def patch(document: dict[str, object], *options: str) -> None:
        kubectl("patch", "modelmonitor", "churn", "--type=merge", "--patch", json.dumps(document), *options)

    before = operator.scrape()
    assert before.samples("selfheal_monitor_suspended", namespace=kubectl.namespace) == []
    assert before.value("selfheal_jobs_started_total", purpose="Check") == 0
    reference, current = tables
    kubectl.apply(
        monitor_manifest(
            "churn",
            reference=reference,
            current=current,
            schedule=EVERY_MINUTE,
            mlflow=NO_MLFLOW,
            retraining={"mode": "Disabled"},
        )
    )

    eventually(lambda: read("selfheal_monitor_suspended", **monitor) == 0, "it appears")
    assert read("selfheal_monitor_drift_share", **monitor) is None
    eventually(
        lambda: read("selfheal_jobs_active", namespace=kubectl.namespace, purpose="Check") == 1,
        "its first check runs",
        timeout_seconds=90,
    )
    patch({"spec": {"suspend": True}})
    started = operator.scrape()
    assert started.value("selfheal_jobs_started_total", purpose="Check") == 1
    assert started.value("selfheal_check_start_delay_seconds_count") == 1
    assert (started.value("selfheal_check_start_delay_seconds_sum") or 0) < 30
    assert started.value("selfheal_api_requests_total", verb="create", resource="jobs", code="201") == 1

    eventually(
        lambda: read("selfheal_monitor_last_check_result", result="Drift", **monitor) == 1,
        "its check has reported",
        timeout_seconds=120,
    )
    eventually(
        lambda: read("selfheal_monitor_last_successful_check_timestamp_seconds", **monitor), "it is dated"
    )
    checked = operator.scrape()
    assert checked.value("selfheal_monitor_drift_share", **monitor) == 0.8
    age = time.time() - (checked.value("selfheal_monitor_last_successful_check_timestamp_seconds") or 0)
    assert 0 <= age < 120
    assert checked.value("selfheal_monitor_suspended", **monitor) == 1
    assert checked.value("selfheal_monitor_model_info", **monitor) is None

    version = {"name": 'the "best"', "version": "7", "runID": "1", "registeredTime": "2026-11-23T12:00:00Z"}
    patch({"status": {"model": version}}, "--subresource=status")
    eventually(
        lambda: read("selfheal_monitor_model_info", model='the "best"', version="7", **monitor) == 1,
        "its version shows",
    )

    kubectl("delete", "modelmonitor", "churn")
    eventually(lambda: not _series_of(operator.scrape(), kubectl.namespace), "its series are gone")
    assert read("selfheal_jobs_started_total", purpose="Check") == 1


def _series_of(scrape: Scrape, namespace: str) -> list[str]:
    samples = [sample for family in scrape.families.values() for sample in family.samples]
    return [sample.name for sample in samples if sample.labels.get("namespace") == namespace]


def test_an_operator_at_rest_shows_that_it_is_well(operator: Operator) -> None:
    """It leads, hears its watches, has nothing to do, and its event loop runs."""
    eventually(lambda: operator.scrape().value("selfheal_queue_depth") == 0, "nothing waits")
    eventually(lambda: operator.scrape().value("selfheal_event_loop_lag_seconds_count"), "it beats")
    rest = operator.scrape()
    assert rest.value("selfheal_leader") == 1
    assert rest.value("selfheal_queue_oldest_wait_seconds") == 0
    assert rest.value("selfheal_reconcile_errors_total", kind="Defect") == 0
    assert rest.value("selfheal_api_requests_total", verb="list", resource="modelmonitors", code="200")
    for resource in ("modelmonitors", "jobs"):
        assert (rest.value("selfheal_watch_age_seconds", resource=resource) or 0) < 60
        assert rest.value("selfheal_api_requests_total", verb="watch", resource=resource, code="200")


def test_of_two_replicas_one_leads_and_both_know_the_monitors(
    installation: Path, kubectl: Kubectl, tmp_path: Path
) -> None:
    """A standby hears its watches and shows the monitors; when the leader goes, it leads."""
    manifest = monitor_manifest("idle", reference="/r.csv", current="/c.csv", suspend=True)
    kubectl.apply(manifest)
    replicas = [
        Operator(installation, tmp_path / f"replica-{n}", pod_namespace=OPERATOR_NAMESPACE) for n in (1, 2)
    ]
    for replica in replicas:
        replica.start()

    def leads(replica: Operator) -> bool:
        return replica.scrape().value("selfheal_leader") == 1

    try:
        eventually(lambda: [leads(replica) for replica in replicas].count(True) == 1, "one leads")
        leader, standby = sorted(replicas, key=leads, reverse=True)
        monitor = {"namespace": kubectl.namespace, "monitor": "idle"}
        for replica in replicas:
            shown = replica.scrape()
            assert shown.value("selfheal_monitor_suspended", **monitor) == 1
            assert (shown.value("selfheal_watch_age_seconds", resource="modelmonitors") or 0) < 60
        assert standby.scrape().value("selfheal_leader_transitions_total") == 0
        renewals = {"verb": "update", "resource": "leases", "code": "200"}  # the first is due seconds later
        eventually(lambda: leader.scrape().value("selfheal_api_requests_total", **renewals), "it renews")

        assert leader.stop() == 0
        eventually(lambda: leads(standby), "the other one leads")
        assert standby.scrape().value("selfheal_leader_transitions_total") == 1
    finally:
        for replica in replicas:
            if replica.running:
                replica.stop()


def test_a_quiet_watch_is_heard_by_its_bookmarks(operator: Operator) -> None:
    """Nothing happens to any monitor, and still its watch does not grow older than a minute or so."""

    def age() -> float:
        return operator.scrape().value("selfheal_watch_age_seconds", resource="modelmonitors") or 0

    began_at = time.monotonic()
    before = eventually(age, "it ages")
    eventually(lambda: age() < before, "it is heard", timeout_seconds=100)
    assert time.monotonic() - began_at < 100


def test_the_monitoring_manifests_can_be_rendered(kubectl: Kubectl) -> None:
    """By themselves, as `kubectl apply -k manifests/monitoring` does."""
    documents = list(yaml.safe_load_all(kubectl("kustomize", str(ROOT / "manifests" / "monitoring"))))
    assert {each["kind"] for each in documents} == {"Service", "ServiceMonitor", "PrometheusRule"}
    assert {each["metadata"]["namespace"] for each in documents} == {"selfheal-system"}
    assert {each["metadata"]["labels"]["app.kubernetes.io/name"] for each in documents} == {"selfheal"}


def test_the_api_server_takes_the_service(kubectl: Kubectl) -> None:
    """The other two kinds are the Prometheus Operator's, which has its own schema."""
    documents = list(yaml.safe_load_all(kubectl("kustomize", str(ROOT / "manifests" / "monitoring"))))
    (service,) = (each for each in documents if each["kind"] == "Service")
    service["metadata"]["namespace"] = kubectl.namespace
    kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(service))
