"""Guards that are taken away one at a time, to show that attacks succeed without them."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from selfheal_operator.api.names import GROUP, PLURAL, RUNNER_ACCOUNT
from siege.caller import Caller, collection
from siege.ground import HOME, Ground
from siege.monitors import monitor

if TYPE_CHECKING:
    from testbed.kubectl import Document

_BOUNDS: Final = ("maxItems", "maxLength", "maxProperties", "pattern", "x-kubernetes-validations")


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard.

    Args:
        name: What it is.
        kinds: The kinds of attacks that are tried without it.
        take_away: Takes it away, and returns when it no longer guards.
    """

    name: str
    kinds: tuple[str, ...]
    take_away: Callable[[Ground], None]


def _without_binding(policy: str, asks: Callable[[Ground], bool]) -> Callable[[Ground], None]:
    def take_away(ground: Ground) -> None:
        ground.admin.ask("DELETE", collection("validatingadmissionpolicybindings", "", policy))
        ground.wait(lambda: asks(ground), f"{policy} no longer guards")

    return take_away


def _takes_python_path(ground: Ground) -> bool:
    denied = monitor("probe2", {"podTemplate": {"env": [{"name": "PYTHONPATH", "value": "/x"}]}})
    return ground.tenant.ask("POST", collection(PLURAL, HOME) + "?dryRun=All", denied).taken


def _takes_any_status(ground: Ground) -> bool:
    path = collection(PLURAL, HOME, "probe", "status") + "?dryRun=All"
    return ground.account(RUNNER_ACCOUNT).merge(path, {"status": {"missedChecks": 1}}).taken


def _takes_any_job(ground: Ground) -> bool:
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "evil"}]}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "probe"}}
    job["spec"] = {"template": {"spec": pod}}
    return ground.operator.ask("POST", collection("jobs", HOME) + "?dryRun=All", job).taken


def _loosened(schema: Any) -> Any:
    """Return a part of the CRD without its bounds, and with fields that it does not have."""
    if isinstance(schema, list):
        return [_loosened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _loosened(value) for name, value in schema.items() if name not in _BOUNDS}
    if kept.get("type") == "object" and "properties" in kept:
        kept["x-kubernetes-preserve-unknown-fields"] = True
    return kept


def _without_bounds(ground: Ground) -> None:
    """Loosen the schema of the spec. What nests 9,990 deep is not tried then: it would end all lists."""
    (document,) = (
        copy.deepcopy(each) for each in ground.manifests if each["kind"] == "CustomResourceDefinition"
    )
    schema: Document = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"] = _loosened(schema["properties"]["spec"])
    ground.kubectl.apply_server_side(document)
    long = monitor("long", {"target": "a" * 100_000})
    path = collection(PLURAL, HOME) + "?dryRun=All"
    ground.wait(lambda: ground.tenant.ask("POST", path, long).taken, f"{PLURAL}.{GROUP} has no bounds")


def _with_rights(account: str, namespace: str, role: str) -> Callable[[Ground], None]:
    """Return what gives an account a role that it must not have."""

    def take_away(ground: Ground) -> None:
        subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
        ground.apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "siege-more"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [subject],
            }
        )
        who: Caller = ground.account(account, namespace)
        ground.wait(
            lambda: who.ask("GET", collection("secrets", HOME, "foreign")).taken, "it may read Secrets"
        )

    return take_away


def restore(ground: Ground) -> None:
    """Put every guard back."""
    ground.remove("clusterrolebindings", "siege-more", "")
    ground.reinstall()


GUARDS: Final = (
    Guard("selfheal-spec", ("rights",), _without_binding("selfheal-spec", _takes_python_path)),
    Guard("selfheal-status", ("forged-reports",), _without_binding("selfheal-status", _takes_any_status)),
    Guard("selfheal-jobs", ("operator-token",), _without_binding("selfheal-jobs", _takes_any_job)),
    Guard(
        "the operator's role",
        ("operator-token",),
        _with_rights("selfheal-operator", "selfheal-system", "admin"),
    ),
    Guard("the runner's role", ("forged-reports",), _with_rights(RUNNER_ACCOUNT, HOME, "admin")),
    Guard("the tenant's role", ("rights",), _with_rights("tenant", HOME, "admin")),
    Guard("the bounds of the CRD", ("poison",), _without_bounds),
)
"""The last one is taken away at the end: what it lets in may make lists fail."""
