"""The admission policies hold after selfheal was removed and installed again; no API server is restarted.

The API server up to 1.36 finds no ConfigMap that a policy has as its parameter, once all bindings with one
were deleted (kubernetes/kubernetes#130887). No policy of ours has such a parameter.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest

from localcluster import ControlPlaneOptions, LocalCluster
from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.observed import JobDefaults, monitor_from
from support.builders.monitors import monitor_manifest
from support.eventually import eventually
from testbed.install import MANIFESTS, wait_for_api
from testbed.kubectl import Document, Kubectl, KubectlError

TENANT: Final = "--as=jane"
OPERATOR: Final = "--as=system:serviceaccount:selfheal-system:selfheal-operator"
NAMESPACE: Final = "team"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster that other tests do not need, without a node."""
    state = tmp_path_factory.mktemp("reinstallation") / "state"
    options = ControlPlaneOptions(scheduler=False)
    cluster = LocalCluster(state, process_node=False, options=options, guarded=True, say=print)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def admin(cluster: LocalCluster) -> Kubectl:
    """An administrator, in a namespace whose ModelMonitors jane may edit."""
    admin = Kubectl(cluster.kubectl, cluster.kubeconfig, NAMESPACE)
    admin("create", "namespace", NAMESPACE)
    admin("create", "rolebinding", "jane", "--clusterrole=edit", "--user=jane")
    return admin


@pytest.fixture(scope="module", params=["installed", "installed again"])
def installed(admin: Kubectl, request: pytest.FixtureRequest) -> None:
    """As docs/install.md has it: by `kubectl apply -k`, and removed by `kubectl delete -k`."""
    if request.param == "installed again":
        admin.anywhere("delete", "-k", str(MANIFESTS))
    admin.anywhere("apply", "--server-side", "-k", str(MANIFESTS))
    wait_for_api(admin)


def refusal(admin: Kubectl, identity: str, document: Document) -> str:
    """Create an object as somebody, as a dry run; return what is said against it."""
    try:
        admin("create", identity, "--dry-run=server", "-f", "-", stdin=json.dumps(document))
    except KubectlError as refused:
        return refused.stderr
    return ""


def monitor() -> Document:
    """Return a monitor that jane may create."""
    return monitor_manifest("churn", reference="/r.csv", current="/c.csv", suspend=True)


def job() -> Document:
    """Return the Job of its check, with the image that manifests/ configure."""
    document = monitor()
    document["metadata"] |= {"namespace": NAMESPACE, "uid": "u", "resourceVersion": "1", "generation": 1}
    document["metadata"]["creationTimestamp"] = "2026-11-23T11:00:00Z"
    found = monitor_from(document)
    slot = datetime(2026, 11, 23, 12, tzinfo=UTC)
    return check_job(found, found.read_spec(), slot, JobDefaults(tracking_uri="http://mlflow"))


@pytest.mark.usefixtures("installed")
def test_a_forbidden_spec_is_refused(admin: Kubectl) -> None:
    """And one that is allowed passes: the policy finds its parameters."""
    forbidden = monitor()
    forbidden["spec"]["podTemplate"] = {"env": [{"name": "PYTHONPATH", "value": "/data"}]}
    eventually(lambda: "PYTHONPATH" in refusal(admin, TENANT, forbidden), "the spec is refused")
    assert refusal(admin, TENANT, monitor()) == ""


@pytest.mark.usefixtures("installed")
def test_a_forbidden_job_is_refused(admin: Kubectl) -> None:
    """The operator's own Job passes."""
    forbidden = job()
    forbidden["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1"
    eventually(lambda: "evil:1" in refusal(admin, OPERATOR, forbidden), "the Job is refused")
    assert refusal(admin, OPERATOR, job()) == ""
