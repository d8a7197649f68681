"""Installs what the operator needs in a cluster: the CRD and RBAC, from manifests/."""

from collections.abc import Iterable
from typing import Any, Final

import yaml

from selfheal_operator.api.names import GROUP, PLURAL
from testbed.kubectl import Kubectl
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
    """Wait until the API server serves ModelMonitors."""
    kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}", "--timeout=30s")
