"""What somebody tries who has taken the operator over, with the token of its ServiceAccount."""

import copy
from collections.abc import Callable
from typing import Any, Final

from selfheal_operator.api.names import JOBS_IMAGE, PLURAL
from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.observed import JobDefaults, monitor_from
from siege.attack import Attack, Seen
from siege.ground import HOME, Ground, passes
from siege.monitors import monitor
from testbed.accounts import role_binding
from testbed.caller import DRY, MERGE, collection
from testbed.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE
from testbed.kubectl import Document
from testbed.unwatched_monitor import SLOT

Change = Callable[[Document], object]


def _job(ground: Ground) -> Document:
    """Return the Job of a check, as the operator makes it, of a monitor that exists."""
    document = monitor("victim", {"suspend": True})
    document["metadata"]["namespace"] = HOME
    ground.apply(document)
    found = monitor_from(ground.read(PLURAL, "victim"))
    return check_job(found, found.read_spec(), SLOT, JobDefaults(tracking_uri="http://mlflow"))


def _pod(job: Document) -> Document:
    spec: Document = job["spec"]["template"]["spec"]
    return spec


def _container(job: Document) -> Document:
    container: Document = _pod(job)["containers"][0]
    return container


def _owner(job: Document) -> Document:
    owner: Document = job["metadata"]["ownerReferences"][0]
    return owner


def _volume(volume: Document) -> Change:
    return lambda job: _pod(job).setdefault("volumes", []).append({"name": "siege", **volume})


def _starts(name: str, change: Change, expected: str) -> Attack:
    """Return the attack of a Job that differs in one thing from one that passes."""

    def do(ground: Ground) -> Seen:
        usual = ground.once("job of a check", _job)
        path = collection("jobs", HOME) + DRY
        passes(ground.operator.ask("POST", path, usual), "a Job of a monitor")
        made = copy.deepcopy(usual)
        change(made)
        where = collection("jobs", made["metadata"]["namespace"]) + DRY
        passes(ground.admin.ask("POST", where, made), f"an administrator's Job: {name}")
        reply = ground.operator.ask("POST", where, made)
        return Seen(str(reply), succeeded=reply.taken)

    return Attack(f"a Job with {name}", 3, "operator", do, expected)


def _foreign_job(ground: Ground) -> str:
    made = copy.deepcopy(ground.once("job of a check", _job))
    made["metadata"]["name"] = "foreign"
    made["metadata"].pop("ownerReferences")
    made["spec"]["suspend"] = True
    ground.apply(made)
    return collection("jobs", HOME, "foreign")


def _changes(name: str, method: str, body: Document | None) -> Attack:
    def do(ground: Ground) -> Seen:
        path = ground.once("foreign Job", _foreign_job) + DRY
        passes(ground.admin.ask(method, path, body, kind=MERGE), name)
        reply = ground.operator.ask(method, path, body, kind=MERGE)
        return Seen(str(reply), succeeded=reply.taken)

    return Attack(name, 3, "operator", do, "of ModelMonitors only")


def _forbidden(name: str, method: str, path: str, body: Any = None, expected: str = "forbidden") -> Attack:
    def do(ground: Ground) -> Seen:
        passes(ground.admin.ask(method, path, body), name)
        reply = ground.operator.ask(method, path, body)
        return Seen(str(reply), succeeded=reply.taken)

    return Attack(name, 3, "operator", do, expected)


def _own(role: str, namespace: str) -> Document:
    """Return what gives the operator a role: in a namespace, or in the whole cluster if it is empty."""
    return role_binding("siege", namespace, role, OPERATOR_ACCOUNT, home=OPERATOR_NAMESPACE)


def _spec_of_victim(ground: Ground) -> Seen:
    ground.once("job of a check", _job)
    path = collection(PLURAL, HOME, "victim") + DRY
    changes = {"spec": {"dataset": {"current": {"uri": "https://e.test/c.csv"}}}}
    passes(ground.admin.merge(path, changes), "an administrator's edit")
    reply = ground.operator.merge(path, changes)
    return Seen(str(reply), succeeded=reply.taken)


_PLAIN_POD: Final[Document] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "siege"},
    "spec": {"containers": [{"name": "a", "image": "evil"}]},
}
_TOKEN: Final[Document] = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
_OWNERS: Final = "metadata.ownerReferences"
_HOST: Final = "no namespace of the host"
_VOLUMES: Final = "spec.template.spec.volumes"

ATTACKS: Final = (
    _starts("no owner", lambda job: job["metadata"].pop("ownerReferences"), _OWNERS),
    _starts("an owner that does not control it", lambda job: _owner(job).update(controller=False), _OWNERS),
    _starts(
        "an owner of another kind",
        lambda job: _owner(job).update(kind="CronJob", apiVersion="batch/v1", blockOwnerDeletion=False),
        _OWNERS,
    ),
    _starts("another image", lambda job: _container(job).update(image="evil:1"), "evil:1 is not allowed"),
    _starts(
        "an image that begins like ours",
        lambda job: _container(job).update(image=f"{JOBS_IMAGE}-evil"),
        "is not allowed",
    ),
    _starts(
        "another image in an init container",
        lambda job: _pod(job).update(initContainers=[{**_container(job), "name": "i", "image": "evil:1"}]),
        "evil:1 is not allowed",
    ),
    *(
        _starts(field, lambda job, field=field: _pod(job).update({field: True}), _HOST)  # type: ignore[misc]
        for field in ("hostNetwork", "hostPID", "hostIPC")
    ),
    _starts("a right to escalate", lambda job: _container(job).pop("securityContext"), "not privileged"),
    _starts(
        "a capability",
        lambda job: _container(job)["securityContext"].update(capabilities={"add": ["SYS_ADMIN"]}),
        "not privileged",
    ),
    _starts("a folder of the node", _volume({"hostPath": {"path": "/"}}), _VOLUMES),
    _starts("a network file system", _volume({"nfs": {"server": "s", "path": "/"}}), _VOLUMES),
    _starts(
        "a token of another audience",
        _volume({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]}}),
        _VOLUMES,
    ),
    _starts(
        "the namespace kube-system",
        lambda job: job["metadata"].update(namespace="kube-system"),
        "metadata.namespace",
    ),
    _changes("deleting a foreign Job", "DELETE", None),
    _changes("ending a foreign Job", "PATCH", {"spec": {"activeDeadlineSeconds": 1}}),
    _changes(
        "adopting a foreign Job",
        "PATCH",
        {
            "metadata": {
                "ownerReferences": [
                    {
                        "apiVersion": "selfheal.dev/v1alpha1",
                        "kind": "ModelMonitor",
                        "name": "victim",
                        "uid": "u",
                        "controller": True,
                    }
                ]
            }
        },
    ),
    Attack("editing a monitor's spec", 3, "operator", _spec_of_victim, "forbidden"),
    _forbidden("reading a Secret", "GET", collection("secrets", HOME, "foreign")),
    _forbidden("listing all Secrets", "GET", collection("secrets")),
    _forbidden("a pod without a Job", "POST", collection("pods", HOME) + DRY, _PLAIN_POD),
    _forbidden(
        "a token of another account", "POST", collection("serviceaccounts", HOME, "lent", "token"), _TOKEN
    ),
    _forbidden(
        "cluster-admin for itself in a namespace",
        "POST",
        collection("rolebindings", HOME) + DRY,
        _own("cluster-admin", HOME),
    ),
    _forbidden(
        "cluster-admin for itself",
        "POST",
        collection("clusterrolebindings") + DRY,
        _own("cluster-admin", ""),
    ),
    _forbidden(
        "the runner's rights everywhere",
        "POST",
        collection("clusterrolebindings") + DRY,
        _own("selfheal-runner", ""),
    ),
    *(
        _forbidden(
            f"deleting the binding of {policy}",
            "DELETE",
            collection("validatingadmissionpolicybindings", "", policy) + DRY,
        )
        for policy in ("selfheal-spec", "selfheal-status", "selfheal-jobs")
    ),
)
