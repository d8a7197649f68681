"""The matrix of verbs, resources and identities: what the API server answers, beside what is expected."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from localcluster import LocalCluster
from selfheal_jobs.delivery.cluster_access import of_kubeconfig
from testbed.kubectl import Kubectl
from testbed.permissions.identities import IDENTITIES
from testbed.permissions.requests import REQUESTS, Requests

EXPECTED: Final = Path(__file__).with_name("expected.yaml")
_REVIEW: Final = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Row:
    """One question, and two answers.

    Args:
        identity: Who would do it.
        verb: The verb of RBAC, or the request in words where a policy decides.
        resource: The resource and its API group, as `kubectl auth can-i` writes them.
        expected: Whether it is allowed, by the table.
        got: Whether the API server allows it.
    """

    identity: str
    verb: str
    resource: str
    expected: bool
    got: bool

    @property
    def holds(self) -> bool:
        """Whether the answer is the expected one."""
        return self.expected == self.got


def permission_matrix(cluster: LocalCluster, namespace: str, other: str) -> list[Row]:
    """Ask for every verb of every resource and identity, and send the requests that policies decide.

    The manifests are installed. Both namespaces exist, and are removed by the caller.

    Args:
        cluster: The cluster to ask.
        namespace: That of the tenant, with two monitors afterwards.
        other: That of another tenant.
    """
    table = yaml.safe_load(EXPECTED.read_text())
    admin = Kubectl(cluster.kubectl, cluster.kubeconfig, namespace)
    with closing(Requests(cluster, admin, other)) as requests:
        return [*_reviewed(table, admin, other), *_requested(table, requests)]


def _reviewed(table: Mapping[str, Any], admin: Kubectl, other: str) -> Iterator[Row]:
    server = of_kubeconfig(admin.kubeconfig).server()
    for identity in IDENTITIES:
        allowed = table["rights"][identity.name]
        user, groups = identity.user(admin.namespace, other)
        for resource, where in table["resources"].items():
            for verb in (*table["verbs"], *where.get("verbs", ())):
                asked = _attributes(resource, verb, {"namespace": admin.namespace} | _named(where))
                spec = {"user": user, "groups": groups, **asked}
                got = server.call("POST", _REVIEWS, {**_REVIEW, "spec": spec})["status"]["allowed"]
                yield Row(identity.name, verb, resource, verb in allowed.get(resource, ()), got)


def _named(where: Mapping[str, Any]) -> dict[str, str]:
    return {part: where[part] for part in ("namespace", "name") if part in where}


def _attributes(resource: str, verb: str, where: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what a SubjectAccessReview asks: about a path, or a resource at its namespace and of its name.

    >>> _attributes("/metrics", "get", {})
    {'nonResourceAttributes': {'path': '/metrics', 'verb': 'get'}}
    """
    if resource.startswith("/"):
        return {"nonResourceAttributes": {"path": resource, "verb": verb}}
    return {"resourceAttributes": {**_parts(resource), **where, "verb": verb}}


def _parts(resource: str) -> dict[str, str]:
    """Return plural, subresource and group of a resource.

    >>> _parts("modelmonitors/status.selfheal.dev")
    {'resource': 'modelmonitors', 'subresource': 'status', 'group': 'selfheal.dev'}
    >>> _parts("secrets (of the operator)")
    {'resource': 'secrets', 'subresource': '', 'group': ''}
    """
    plural, _, group = resource.split(" ", maxsplit=1)[0].partition(".")
    plural, _, subresource = plural.partition("/")
    return {"resource": plural, "subresource": subresource, "group": group}


def _requested(table: Mapping[str, Any], requests: Requests) -> Iterator[Row]:
    for identity in IDENTITIES:
        for request in REQUESTS:
            expected = identity.name in table["requests"][request.name]
            got = requests.is_taken(request, identity)
            yield Row(identity.name, request.name, request.resource, expected, got)
