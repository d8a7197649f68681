"""A Deployment of one small pod, and the Service in front of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

USER: Final = 65532
SCRATCH: Final = "/scratch"
"""The one folder, besides /tmp, that the container may write to. Its content ends with the pod."""


@dataclass(frozen=True)
class Workload:
    """The properties in which the stage's pods differ."""

    name: str
    namespace: str
    image: str
    port: int
    script: str
    """Shell commands; the last one serves."""
    health_path: str
    """Answers 200 once the server is ready."""
    env: Mapping[str, str] = field(default_factory=dict)
    config_maps: Mapping[str, str] = field(default_factory=dict)
    """Names of ConfigMaps by the folder at which each is mounted."""
    memory: str = "1Gi"

    def documents(self) -> list[dict[str, Any]]:
        """Return the Deployment and the Service."""
        return [self._deployment(), self._service()]

    @property
    def _labels(self) -> dict[str, str]:
        return {"app.kubernetes.io/name": self.name}

    def _metadata(self) -> dict[str, Any]:
        return {"name": self.name, "namespace": self.namespace, "labels": self._labels}

    def _service(self) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self._metadata(),
            "spec": {"selector": self._labels, "ports": [{"name": "http", "port": self.port}]},
        }

    def _deployment(self) -> dict[str, Any]:
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": self._metadata(),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": self._labels},
                "template": {"metadata": {"labels": self._labels}, "spec": self._pod()},
            },
        }

    def _pod(self) -> dict[str, Any]:
        named = [
            {"name": f"config-{i}", "configMap": {"name": n}} for i, n in enumerate(self.config_maps.values())
        ]
        return {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [self._container()],
            "volumes": [{"name": "scratch", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}, *named],
        }

    def _container(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["/bin/sh", "-euc", self.script],
            "env": [{"name": name, "value": value} for name, value in {"HOME": "/tmp", **self.env}.items()],  # noqa: S108 - a volume of the pod's own
            "ports": [{"name": "http", "containerPort": self.port}],
            "readinessProbe": {"httpGet": {"path": self.health_path, "port": "http"}, "periodSeconds": 2},
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": self.memory}},
            "volumeMounts": self._mounts(),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }

    def _mounts(self) -> Sequence[dict[str, Any]]:
        named = [{"name": f"config-{i}", "mountPath": path} for i, path in enumerate(self.config_maps)]
        return [
            {"name": "scratch", "mountPath": SCRATCH},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - as above
            *named,
        ]
