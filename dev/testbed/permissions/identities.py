"""Who is asked about: accounts of the cluster, each by what RBAC knows of it."""

from dataclasses import dataclass
from typing import Any, Final

from selfheal_operator.api.names import RUNNER_ACCOUNT
from testbed.accounts import role_binding
from testbed.install import OPERATOR_ACCOUNT, OPERATOR_NAMESPACE


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody.

    Args:
        name: As the table calls them.
        account: Their ServiceAccount; none is anonymous.
        home: Its namespace: "" for the tenant's, "other" for the other tenant's, or a name.
        role: The ClusterRole that is bound to it in its namespace, where the manifests bind none.
        pod: The pod whose token it has, if any.
    """

    name: str
    account: str = ""
    home: str = ""
    role: str = ""
    pod: str = ""

    def namespace(self, tenant: str, other: str) -> str:
        """Return the namespace of its account."""
        return {"": tenant, "other": other}.get(self.home, self.home)

    def user(self, tenant: str, other: str) -> tuple[str, list[str]]:
        """Return its name and its groups, as the API server knows them."""
        if not self.account:
            return "system:anonymous", ["system:unauthenticated"]
        home = self.namespace(tenant, other)
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated"]
        return f"system:serviceaccount:{home}:{self.account}", groups

    def binding(self, tenant: str, other: str) -> dict[str, Any]:
        """Return what binds its role to its account."""
        home = self.namespace(tenant, other)
        return role_binding(f"{self.account}-{self.role}", home, self.role, self.account)


CHECK: Final = "churn-check-29923920"
"""The Job of a check of the monitor `churn`: the minute of its slot."""
SLOT: Final = "2026-11-23T12:00:00Z"

IDENTITIES: Final = (
    Identity("operator", OPERATOR_ACCOUNT, OPERATOR_NAMESPACE),
    Identity("runner", RUNNER_ACCOUNT, role=RUNNER_ACCOUNT, pod=f"{CHECK}-x7k2p"),
    Identity("runner of another monitor", RUNNER_ACCOUNT, role=RUNNER_ACCOUNT, pod="other-check-1-x7k2p"),
    Identity("runner of another namespace", RUNNER_ACCOUNT, "other", RUNNER_ACCOUNT, f"{CHECK}-x7k2p"),
    Identity("tenant", "tenant", role="edit"),
    Identity("other tenant", "tenant", "other", "edit"),
    Identity("view", "viewer", role="view"),
    Identity("anonymous"),
)
"""RBAC gives all runners of a namespace the same; the policy selfheal-status tells them apart."""
