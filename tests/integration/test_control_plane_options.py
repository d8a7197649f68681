"""What may be chosen about a local cluster's control plane takes effect."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from localcluster import ControlPlaneOptions, LocalCluster
from support.eventually import eventually
from testbed.kubectl import Kubectl

JOBS_CREATED = {
    "level": "Metadata",
    "verbs": ["create"],
    "resources": [{"group": "batch", "resources": ["jobs"]}],
}
OPTIONS = ControlPlaneOptions(
    scheduler=False,
    controller_manager=("--controllers=*,-job-controller",),
    audit_policy={
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [JOBS_CREATED, {"level": "None"}],
    },
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A control plane without scheduler and Job controller, with an audit log of the Jobs' creation."""
    state = tmp_path_factory.mktemp("options") / "state"
    cluster = LocalCluster(state, process_node=False, options=OPTIONS, guarded=True, say=print)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def records(cluster: LocalCluster) -> list[dict[str, Any]]:
    """What the API server has recorded."""
    return [json.loads(line) for line in cluster.state.audit_log.read_text().splitlines()]


def test_no_more_runs_than_was_asked_for(cluster: LocalCluster) -> None:
    """Without a scheduler and a node there are three programs, and all of them run."""
    assert cluster.running == {"etcd": True, "kube-apiserver": True, "kube-controller-manager": True}


def test_audit_log_holds_what_its_policy_says(cluster: LocalCluster, kubectl: Kubectl) -> None:
    """One line for each Job created, none for the namespace; a restarted API server goes on with the file."""
    container = {"name": "main", "image": "none"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template}}
    kubectl.apply({**job, "metadata": {"name": "first"}})
    cluster.restart_apiserver()
    kubectl.apply({**job, "metadata": {"name": "second"}})

    eventually(lambda: len(records(cluster)) >= 2, "both are recorded")

    assert [record["objectRef"]["name"] for record in records(cluster)] == ["first", "second"]
    assert {record["objectRef"]["resource"] for record in records(cluster)} == {"jobs"}
    assert kubectl.get("job", "first")["status"] == {}
