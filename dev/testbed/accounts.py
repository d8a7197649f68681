"""ServiceAccounts in tests: what binds a role to one, and pods whose tokens name them."""

from testbed.kubectl import Document

_GROUP = "rbac.authorization.k8s.io"


def role_binding(  # noqa: PLR0913 - the parts of a RoleBinding
    name: str, namespace: str, role: str, account: str, *, home: str = "", kind: str = "ClusterRole"
) -> Document:
    """Return what binds a role to a ServiceAccount; in the whole cluster if the namespace is empty.

    Args:
        name: Of the binding.
        namespace: Where the account gets the rights.
        role: The role's name.
        account: The account's name.
        home: The account's own namespace; by default, where it gets the rights.
        kind: The role's kind.
    """
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
        "roleRef": {"apiGroup": _GROUP, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": home or namespace}],
    }


def unstarted_pod(name: str, namespace: str, account: str) -> Document:
    """Return a pod that no node takes: it is there for a token that is bound to it."""
    container = {"name": "run", "image": "none"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"serviceAccountName": account, "containers": [container], "nodeSelector": {"no": "node"}},
    }
