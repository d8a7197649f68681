"""Installs what the operator needs in a cluster: the CRD and RBAC, from manifests/."""

from collections.abc import Iterable
from typing import Any, Final

import yaml

from localcluster.childprocess import wait_until
from selfheal_operator.api.names import GROUP, PLURAL
from testbed.errors import SetupError
from testbed.kubectl import Kubectl, KubectlError
from testbed.workspace import REPOSITORY

MANIFESTS: Final = REPOSITORY / "manifests"
OPERATOR_NAMESPACE: Final = "selfheal-system"
OPERATOR_ACCOUNT: Final = "selfheal-operator"


def rendered(kubectl: Kubectl) -> list[dict[str, Any]]:
    """Return the documents that `kubectl apply -k manifests` applies."""
    return list(yaml.safe_load_all(kubectl("kustomize", str(MANIFESTS))))


def without_deployments(documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the operator's Deployment, for tests that run it as a local process."""
    return [each for each in documents if each["kind"] != "Deployment"]


def wait_for_api(kubectl: Kubectl) -> None:
    """Wait until the API server takes ModelMonitors.

    For a moment after the installation, the CRD is not served yet, and a policy may not know it.

    Raises:
        SetupError: It does not take one within half a minute.
    """
    kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}", "--timeout=30s")
    if not wait_until(lambda: _takes_one(kubectl), timeout_seconds=30, poll_seconds=0.1):
        raise SetupError("the API server refuses ModelMonitors; are the admission policies complete?")


def _takes_one(kubectl: Kubectl) -> bool:
    example = MANIFESTS / "examples" / "smallest.yaml"
    try:
        kubectl.anywhere("create", "--namespace=default", "--dry-run=server", "-f", str(example))
    except KubectlError:
        return False
    return True
