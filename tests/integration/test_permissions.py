"""The rights of every identity, exactly: docs/security.md says what they are for."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import LocalCluster
from support.eventually import eventually
from testbed.kubectl import Kubectl
from testbed.permissions.matrix import Row, permission_matrix


@pytest.fixture(scope="module")
def matrix(cluster: LocalCluster, installation: Path) -> Iterator[list[Row]]:
    """All answers, in two namespaces of two tenants."""
    del installation
    names = [f"rights-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    admin = Kubectl(cluster.kubectl, cluster.kubeconfig, names[0])
    for name in names:
        admin("create", "namespace", name)
    eventually(lambda: bool(admin.get("serviceaccounts")["items"]), "the namespace has a ServiceAccount")
    yield permission_matrix(cluster, *names)
    for name in names:
        admin("delete", "namespace", name, "--wait=false")


def test_every_right_is_as_expected(matrix: list[Row]) -> None:
    """Neither more nor less than the table says."""
    assert [row for row in matrix if not row.holds] == []


def test_every_identity_is_asked_about_everything(matrix: list[Row]) -> None:
    """The table leaves no question out, and somebody is allowed and somebody refused each request."""
    asked = {(row.verb, row.resource) for row in matrix}
    identities = {row.identity for row in matrix}
    assert len(identities) == 8
    assert len(matrix) == len(asked) * len(identities)
