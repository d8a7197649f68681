"""What is attacked: a local cluster with the shipped manifests, a real operator, and who attacks them."""

import base64
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

from localcluster import LocalCluster
from localcluster.childprocess import wait_until
from selfheal_operator.api.names import PLURAL, RUNNER_ACCOUNT
from siege import probes
from siege.attack import UntriedError
from siege.monitors import monitor
from testbed.accounts import role_binding, unstarted_pod
from testbed.caller import APPLY, DRY, GROUPS, Caller, Reply, collection
from testbed.credentials import write_operator_kubeconfig
from testbed.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, rendered, wait_for_api, without_deployments
from testbed.kubectl import Document, Kubectl
from testbed.operator_process import OperatorProcess
from testbed.workspace import Workspace

HOME: Final = "siege-a"
"""The tenant's namespace."""
ABROAD: Final = "siege-b"
"""Another tenant's."""
MARK: Final = "siege"
"""A file in the folder of a run, which the next one may remove."""
SECRET: Final = "the-s3cret-of-siege"  # noqa: S105 - what attacks look for
_T = TypeVar("_T")


class Ground:
    """Everything that an attack needs. Use `start` and `stop`.

    Args:
        folder: For all files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.cluster = LocalCluster(folder / "cluster", guarded=True)
        self._workspace = Workspace(folder / "programs")
        self._made: dict[str, Any] = {}
        self._servers: dict[str, Any] = {}
        self._open = ExitStack()
        self.weakened: tuple[str, ...] = ()
        """The guards that the processes of runs lack."""
        self._tokens: dict[tuple[str, ...], str] = {}
        self._callers: dict[tuple[str, ...], Caller] = {}

    def start(self) -> None:
        """Start it all, and return when a monitor of the tenant is served."""
        self.data.mkdir(parents=True)
        (self.folder / MARK).touch()
        self._workspace.root.mkdir()
        self._workspace.create()
        self.cluster.start()
        self.kubectl = Kubectl(self.cluster.kubectl, self.cluster.kubeconfig, OPERATOR_NAMESPACE)
        self.manifests = without_deployments(rendered(self.kubectl))
        namespaces = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in (HOME, ABROAD)
        ]
        self.kubectl.apply_server_side(*namespaces, *self.manifests)
        wait_for_api(self.kubectl)
        self.admin = Caller(self.cluster.server, self._trust(certificate=True))
        for document in _tenants():
            self.apply(document)
        self.operator_process = self._operator()
        self.operator_process.start()
        self.wait(self._is_in_force, "the policies are in force")

    def stop(self) -> None:
        """Stop it all."""
        self._open.close()
        if hasattr(self, "operator_process"):
            self.operator_process.stop()
        if hasattr(self, "admin"):
            self.admin.close()
        for caller in self._callers.values():
            caller.close()
        self.cluster.stop()

    def forget(self) -> None:
        """Prepare what attacks share anew: a guard has changed."""
        self._made.clear()

    def once(self, name: str, make: "Callable[[Ground], _T]") -> _T:
        """Return what several attacks share; it is made when the first of them is tried."""
        if name not in self._made:
            self._made[name] = make(self)
        made: _T = self._made[name]
        return made

    def server(self, name: str, make: "Callable[[Ground], AbstractContextManager[_T]]") -> _T:
        """Return what runs until the end of the siege; it starts when the first attack needs it."""
        if name not in self._servers:
            self._servers[name] = self._open.enter_context(make(self))
        found: _T = self._servers[name]
        return found

    def apply(self, document: Document) -> None:
        """Create or replace an object as an administrator."""
        kind, metadata = document["kind"].lower() + "s", document["metadata"]
        path = collection(kind, metadata.get("namespace", ""), metadata["name"])
        query = "?fieldManager=siege&force=true"
        passes(self.admin.ask("PATCH", path + query, document, kind=APPLY), kind)

    def remove(self, plural: str, name: str, namespace: str = HOME) -> None:
        """Delete an object as an administrator, if it is there."""
        self.admin.ask("DELETE", collection(plural, namespace, name) + "?propagationPolicy=Background")

    def read(self, plural: str, name: str, namespace: str = HOME) -> Document:
        """Return an object."""
        return passes(self.admin.ask("GET", collection(plural, namespace, name)), name).document

    def account(self, name: str, namespace: str = HOME, *, pod: str = "") -> Caller:
        """Return a ServiceAccount by a real token; of a pod, whose token names it, if one is named."""
        key = (namespace, name, pod)
        if key not in self._callers:
            token = self._token(name, namespace, pod)
            self._callers[key] = Caller(self.cluster.server, self._trust(), token)
        return self._callers[key]

    def _token(self, name: str, namespace: str, pod: str) -> str:
        key = (namespace, name, pod)
        if key not in self._tokens:
            bound = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": pod}} if pod else {}
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": bound}
            path = collection("serviceaccounts", namespace, name, "token")
            reply = passes(self.admin.ask("POST", path, body), f"a token of {name}")
            self._tokens[key] = reply.document["status"]["token"]
        return self._tokens[key]

    def pod(self, name: str, namespace: str = HOME) -> Caller:
        """Return a pod of the runner's account, which never starts, by the token that is bound to it."""
        self.admin.ask("POST", collection("pods", namespace), unstarted_pod(name, namespace, RUNNER_ACCOUNT))
        return self.account(RUNNER_ACCOUNT, namespace, pod=name)

    def pod_token(self, name: str) -> str:
        """Return the token of such a pod in the tenant's namespace."""
        self.pod(name)
        return self._token(RUNNER_ACCOUNT, HOME, name)

    @property
    def tenant(self) -> Caller:
        """Whoever may edit ModelMonitors of one namespace, get two Secrets, and impersonate one account."""
        return self.account("tenant")

    @property
    def operator(self) -> Caller:
        """Whoever has taken the operator over."""
        return self.account(OPERATOR_ACCOUNT, OPERATOR_NAMESPACE)

    def wait(self, holds: Callable[[], object], what: str, seconds: float = 90) -> None:
        """Wait until it holds; raise UntriedError if it never does."""
        if not wait_until(lambda: bool(holds()), timeout_seconds=seconds, poll_seconds=0.2):
            raise UntriedError(f"after {seconds:.0f} s still not: {what}")

    def reinstall(self) -> None:
        """Install the manifests again after a guard was taken away."""
        self.kubectl.apply_server_side(*self.manifests)
        self.wait(self._is_in_force, "the policies are in force again")
        self.forget()

    def _is_in_force(self) -> bool:
        """Return whether each policy refuses something, and a usual monitor passes."""
        path = collection(PLURAL, HOME)
        self.admin.ask("POST", path, monitor(probes.MONITOR, {"suspend": True}))
        return (
            "only the operator" in probes.status(self.account(RUNNER_ACCOUNT), HOME).text
            and "PYTHONPATH" in probes.spec(self.tenant, HOME).text
            and self.tenant.ask("POST", path + DRY, monitor("free")).taken
            and "ownerReferences" in probes.job(self.operator, HOME).text
        )

    def _operator(self) -> OperatorProcess:
        kubeconfig = self.folder / "operator.kubeconfig"
        write_operator_kubeconfig(self.cluster, kubeconfig)
        settings = {
            "SELFHEAL_MLFLOW_TRACKING_URI": "http://127.0.0.1:9",  # nobody listens there
            "SELFHEAL_DATA_PATHS": str(self.data),
            "SELFHEAL_RESYNC_SECONDS": "30",
        }
        return OperatorProcess(self._workspace, kubeconfig, "operator", settings)

    def _trust(self, *, certificate: bool = False) -> ssl.SSLContext:
        pki = self.cluster.state.pki
        trust = ssl.create_default_context(cafile=pki / "ca.crt")
        if certificate:
            trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        return trust


def passes(reply: Reply, what: str) -> Reply:
    """Return the reply to what is legitimate; raise UntriedError if it is refused."""
    if not reply.taken:
        raise UntriedError(f"the legitimate counterpart is refused ({what}): {reply}")
    return reply


def decoded(secret: Document) -> dict[str, str]:
    """Return the values of a Secret."""
    return {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}


def clear(folder: Path) -> None:
    """Empty a folder that an earlier run has left."""
    if (folder / MARK).exists():
        # A model leaves folders below folders, deeper than Python can recurse.
        subprocess.run(["rm", "-rf", "--", str(folder)], check=True)
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} holds other things than a siege: choose another --folder")
    folder.mkdir(parents=True, exist_ok=True)


def say(line: str) -> None:
    """Print progress to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def _tenants() -> list[Document]:
    return [
        *(_account(name, HOME) for name in ("tenant", "lent", "foreign", RUNNER_ACCOUNT)),
        *(_account(name, ABROAD) for name in ("tenant", RUNNER_ACCOUNT)),
        *(secret(name, HOME, {"k": SECRET, "url": "sqlite:////nowhere"}) for name in ("own", "foreign")),
        secret("theirs", ABROAD, {"k": SECRET}),
        _role("own", "get", "secrets", "own", "warehouse", "lake"),
        _role("lent", "impersonate", "serviceaccounts", "lent"),
        *(role_binding(f"tenant-{name}", HOME, name, "tenant", kind="Role") for name in ("own", "lent")),
        *(_bound(role, "tenant", HOME) for role in ("selfheal-edit", "selfheal-view")),
        *(_bound(role, "tenant", ABROAD) for role in ("selfheal-edit", "selfheal-view")),
        *(_bound(RUNNER_ACCOUNT, RUNNER_ACCOUNT, where) for where in (HOME, ABROAD)),
    ]


def _object(kind: str, name: str, namespace: str, **parts: Any) -> Document:
    group = GROUPS.get(kind.lower() + "s", "v1")
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **parts}


def _account(name: str, namespace: str) -> Document:
    return _object("ServiceAccount", name, namespace)


def secret(name: str, namespace: str, values: dict[str, str]) -> Document:
    """Return a Secret."""
    return _object("Secret", name, namespace, stringData=values)


def _role(name: str, verb: str, resource: str, *names: str) -> Document:
    rule = {"apiGroups": [""], "verbs": [verb], "resources": [resource], "resourceNames": list(names)}
    return _object("Role", name, HOME, rules=[rule])


def _bound(role: str, account: str, namespace: str) -> Document:
    return role_binding(f"{account}-{role}", namespace, role, account)
