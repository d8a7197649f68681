"""A cluster of its own for the integration tests, and a namespace for each of them."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import LocalCluster
from support.eventually import eventually
from testbed.credentials import write_operator_kubeconfig
from testbed.install import rendered, wait_for_api, without_deployments
from testbed.kubectl import Kubectl
from testbed.mlflow_server import running_mlflow


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """One cluster for all tests, beside any that runs already; gone afterwards, even if we are killed."""
    cluster = LocalCluster(tmp_path_factory.mktemp("cluster") / "state", guarded=True, say=print)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def kubectl(cluster: LocalCluster) -> Iterator[Kubectl]:
    """An administrator's `kubectl` in a namespace that only this test uses."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, f"test-{uuid.uuid4().hex[:8]}")
    kubectl("create", "namespace", kubectl.namespace)
    eventually(lambda: bool(kubectl.get("serviceaccounts")["items"]), "the namespace has a ServiceAccount")
    yield kubectl
    kubectl("delete", "namespace", kubectl.namespace, "--wait=false")


@pytest.fixture(scope="session")
def installation(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CRD and the rights of manifests/; the kubeconfig of the operator's own ServiceAccount."""
    installer = Kubectl(cluster.kubectl, cluster.kubeconfig, "default")
    installer.apply_server_side(*without_deployments(rendered(installer)))
    wait_for_api(installer)
    path = tmp_path_factory.mktemp("operator") / "kubeconfig"
    write_operator_kubeconfig(cluster, path)
    return path


@pytest.fixture(scope="session")
def mlflow_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MLflow server with a database and a registry."""
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as server:
        yield server.uri
