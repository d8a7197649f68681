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
    only: str = ""
    """A part of the names of the attacks that are tried; all of the kinds if it is empty."""
    of_runs: bool = False
    """Whether it is a guard of the processes of runs; else it is one of the cluster."""

    def tries(self, name: str) -> bool:
        """Return whether an attack of this name is tried without it."""
        return self.only in name


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


def _of_runs(name: str, kind: str, only: str = "") -> Guard:
    """Return a guard of the processes of runs, by its name in `weakenings`."""

    def take_away(ground: Ground) -> None:
        ground.weakened = (name,)

    return Guard(f"of a run: {name}", (kind,), take_away, only, of_runs=True)


def restore(ground: Ground, guard: Guard) -> None:
    """Put a guard back."""
    ground.weakened = ()
    if guard.of_runs:
        ground.forget()
        return
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
    _of_runs("landlock", "models", "reaches for"),
    _of_runs("seccomp", "models", "reaches for"),
    _of_runs("environment", "models", "reaches for"),
    _of_runs("forged-errors", "models", "forged error"),
    _of_runs("digests", "tracking", "other files"),
    _of_runs("artifact-addresses", "tracking", "on another server"),
    _of_runs("library-redirects", "tracking", "redirect of a model's files"),
    _of_runs("versions", "one-job"),
    _of_runs("credentials", "data", "redirect"),
    _of_runs("link-local", "data", "link-local"),
    _of_runs("volumes", "data", "out of the volume"),
    _of_runs("patterns", "data", "not permitted"),
    _of_runs("downloads", "data", "times its limit"),
    _of_runs("statements", "databases", ": deleting"),
    _of_runs("read-only", "databases", "a sequence"),
    _of_runs("masking", "masking"),
    _of_runs("profiles", "profiles", "counts"),
    Guard("the bounds of the CRD", ("poison",), _without_bounds),
)
"""The last one is taken away at the end: what it lets in may make lists fail."""
