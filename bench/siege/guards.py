"""Guards that are taken away one at a time, to show that attacks succeed without them."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from selfheal_operator.api.names import GROUP, PLURAL, RUNNER_ACCOUNT
from siege import probes
from siege.ground import HOME, Ground
from siege.monitors import monitor
from testbed.accounts import role_binding
from testbed.caller import DRY, Reply, collection

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


def _without_binding(policy: str, probe: Callable[[Ground], Reply]) -> Callable[[Ground], None]:
    def take_away(ground: Ground) -> None:
        ground.admin.ask("DELETE", collection("validatingadmissionpolicybindings", "", policy))
        ground.wait(lambda: probe(ground).taken, f"{policy} no longer guards")

    return take_away


def _as_tenant(ground: Ground) -> Reply:
    return probes.spec(ground.tenant, HOME)


def _as_runner(ground: Ground) -> Reply:
    return probes.status(ground.account(RUNNER_ACCOUNT), HOME)


def _as_operator(ground: Ground) -> Reply:
    return probes.job(ground.operator, HOME)


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
    path = collection(PLURAL, HOME) + DRY
    ground.wait(lambda: ground.tenant.ask("POST", path, long).taken, f"{PLURAL}.{GROUP} has no bounds")


def _with_rights(account: str, namespace: str, role: str) -> Callable[[Ground], None]:
    """Return what gives an account a role that it must not have."""

    def take_away(ground: Ground) -> None:
        ground.apply(role_binding("siege-more", "", role, account, home=namespace))
        who = ground.account(account, namespace)
        ground.wait(
            lambda: who.ask("GET", collection("secrets", HOME, "foreign")).taken, "it may read Secrets"
        )

    return take_away


def restore(ground: Ground) -> None:
    """Put every guard back."""
    ground.remove("clusterrolebindings", "siege-more", "")
    ground.reinstall()


GUARDS: Final = (
    Guard(
        "selfheal-spec",
        ("rights",),
        _without_binding("selfheal-spec", _as_tenant),
    ),
    Guard(
        "selfheal-status",
        ("forged-reports",),
        _without_binding("selfheal-status", _as_runner),
    ),
    Guard(
        "selfheal-jobs",
        ("operator-token",),
        _without_binding("selfheal-jobs", _as_operator),
    ),
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
