"""Requests that a policy decides and not RBAC: each is really sent, with a real token, as a dry run."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from localcluster import LocalCluster
from selfheal_operator.api.names import API_VERSION, JOBS_IMAGE, KIND, PLURAL
from testbed.accounts import unstarted_pod
from testbed.caller import DRY, JSON, MERGE, Caller
from testbed.kubectl import Document, Kubectl
from testbed.permissions.identities import CHECK, IDENTITIES, SLOT, Identity

_MONITORS: Final = f"/apis/{API_VERSION}/namespaces/{{}}/{PLURAL}"
_JOBS: Final = "/apis/batch/v1/namespaces/{}/jobs"


@dataclass(frozen=True, slots=True)
class Request:
    """A request by its name in the table.

    Args:
        name: What it does.
        resource: What it does it to.
        method: Of HTTP; a PATCH is a merge patch.
        path: With a place for the namespace.
        body: Makes the document, for the namespace and the UID of the monitor `churn`.
    """

    name: str
    resource: str
    method: str
    path: str
    body: Callable[[str, str], Document]


def monitor(namespace: str, name: str, **spec: Any) -> Document:
    """Return a monitor that is never due."""
    dataset = {"reference": {"uri": "/r.csv"}, "current": {"uri": "/c.csv"}}
    least = {"dataset": dataset, "target": "y", "threshold": 0.3, "schedule": "0 0 1 1 *", "suspend": True}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": least | spec}


def job(namespace: str, uid: str, image: str = JOBS_IMAGE, *, owned: bool = True) -> Document:
    """Return a Job like that of a check, never started."""
    owner = {"apiVersion": API_VERSION, "kind": KIND, "name": "churn", "uid": uid, "controller": True}
    container = {
        "name": "run",
        "image": image,
        "securityContext": {"allowPrivilegeEscalation": False},
    }
    pod = {"restartPolicy": "Never", "containers": [container]}
    metadata = {"name": "made", "namespace": namespace, "ownerReferences": [owner] if owned else []}
    spec = {"suspend": True, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _report(**changes: Any) -> Document:
    report = {"jobName": CHECK, "scheduledTime": SLOT, "result": "NoDrift", "reason": "WithinThreshold"}
    return {"status": {"lastCheck": {**report, "message": "m", "observedGeneration": 1, **changes}}}


def _env(variable: str) -> Document:
    return {"podTemplate": {"env": [{"name": variable, "value": "x"}]}}


_STATUS: Final = f"{PLURAL}/status"
_CHURN: Final = f"{_MONITORS}/churn/status"
REQUESTS: Final = (
    Request("report a check of this monitor", _STATUS, "PATCH", _CHURN, lambda _, __: _report()),
    Request(
        "report for another Job of this monitor",
        _STATUS,
        "PATCH",
        _CHURN,
        lambda _, __: _report(jobName="churn-check-29923921", scheduledTime="2026-11-23T12:01:00Z"),
    ),
    Request(
        "set another field of the status",
        _STATUS,
        "PATCH",
        _CHURN,
        lambda _, __: {"status": {"nextCheckTime": "2030-01-01T00:00:00Z"}},
    ),
    Request("create a monitor", PLURAL, "POST", _MONITORS, lambda where, _: monitor(where, "made")),
    Request(
        "create a monitor with PYTHONPATH",
        PLURAL,
        "POST",
        _MONITORS,
        lambda where, _: monitor(where, "made", **_env("PYTHONPATH")),
    ),
    Request(
        "create a monitor with a name of another namespace in MLflow",
        PLURAL,
        "POST",
        _MONITORS,
        lambda where, _: monitor(where, "made", mlflow={"registeredModelName": "team-x.churn"}),
    ),
    Request("create a Job of a monitor", "jobs.batch", "POST", _JOBS, job),
    Request(
        "create a Job of a monitor with another image",
        "jobs.batch",
        "POST",
        _JOBS,
        lambda where, uid: job(where, uid, "evil:1"),
    ),
    Request(
        "create a Job of nobody",
        "jobs.batch",
        "POST",
        _JOBS,
        lambda where, uid: job(where, uid, owned=False),
    ),
)


class Requests:
    """Sends requests, after it has made the accounts and monitors that they are about.

    Args:
        cluster: Where to.
        admin: An administrator's `kubectl` in the tenant's namespace.
        other: The other tenant's namespace.
    """

    def __init__(self, cluster: LocalCluster, admin: Kubectl, other: str) -> None:
        self._admin, self._other = admin, other
        self._prepare()
        trust = ssl.create_default_context(cafile=str(cluster.state.pki / "ca.crt"))
        self._callers = {each.name: Caller(cluster.server, trust, self._token(each)) for each in IDENTITIES}
        self._uid = admin.get(PLURAL, "churn")["metadata"]["uid"]

    def is_taken(self, request: Request, identity: Identity) -> bool:
        """Send a request as somebody; return whether the API server takes it."""
        namespace = self._admin.namespace
        path, body = request.path.format(namespace) + DRY, request.body(namespace, self._uid)
        kind = MERGE if request.method == "PATCH" else JSON
        return self._callers[identity.name].ask(request.method, path, body, kind=kind).taken

    def close(self) -> None:
        """Close all connections."""
        for caller in self._callers.values():
            caller.close()

    def _prepare(self) -> None:
        namespace = self._admin.namespace
        for each in IDENTITIES:
            if each.role:
                home = each.namespace(namespace, self._other)
                metadata = {"name": each.account, "namespace": home}
                account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
                self._admin.apply_server_side(account, each.binding(namespace, self._other))
            if each.pod:
                home = each.namespace(namespace, self._other)
                self._admin.apply_server_side(unstarted_pod(each.pod, home, each.account))
        self._admin.apply_server_side(*(monitor(namespace, name) for name in ("churn", "other")))

    def _token(self, identity: Identity) -> str:
        if not identity.account:
            return ""
        home = identity.namespace(self._admin.namespace, self._other)
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={identity.pod}") if identity.pod else ()
        command = ("create", "token", identity.account, f"--namespace={home}", *bound)
        return self._admin.anywhere(*command).strip()
