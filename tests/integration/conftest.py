"""A cluster of its own for the integration tests, and a namespace for each of them."""

import uuid
from collections.abc import Iterator

import pytest

from eventually import eventually
from kubectl import Kubectl
from localcluster import LocalCluster


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
