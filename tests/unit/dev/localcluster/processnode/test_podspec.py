"""What a pod asks for, and what of it a process cannot have."""

from typing import Any

import pytest

from localcluster.processnode.podspec import refusals, token_request

Document = dict[str, Any]
TOKEN_MOUNT = {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
TOKEN_VOLUME = {
    "name": "token",
    "projected": {
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
            {"configMap": {"name": "kube-root-ca.crt"}},
            {"downwardAPI": {"items": []}},
        ]
    },
}


def pod(*volumes: Document, mounts: list[Document] | None = None, **spec: Any) -> Document:
    """Make a pod that can be run, but for what is given."""
    container = {"name": "main", "command": ["python"], "volumeMounts": mounts or []}
    defaults = {"restartPolicy": "Never", "containers": [container], "volumes": list(volumes)}
    return {"metadata": {"name": "p", "uid": "u"}, "spec": {**defaults, **spec}}


def mounted(volume: Document, path: str, **mount: Any) -> Document:
    """Make a pod that mounts one volume."""
    return pod({"name": "v", **volume}, mounts=[{"name": "v", "mountPath": path, **mount}])


@pytest.mark.parametrize(
    "runnable",
    [
        pod(),
        pod(TOKEN_VOLUME, mounts=[TOKEN_MOUNT]),
        mounted({"emptyDir": {}}, "/scratch"),
        mounted({"hostPath": {"path": "/data"}}, "/data"),
        mounted({"hostPath": {"path": "/data/"}}, "/data"),
        mounted({"hostPath": {"path": "/data"}}, "/data/flights", subPath="flights"),
        pod({"name": "unused", "configMap": {"name": "c"}}),
    ],
)
def test_what_can_be_run(runnable: Document) -> None:
    """A pod whose files are where they would be mounted, or that needs none, is run."""
    assert refusals(runnable) == []


@pytest.mark.parametrize(
    ("asking", "sentence"),
    [
        (mounted({"hostPath": {"path": "/data"}}, "/mnt"), "mountPath and path are the same"),
        (mounted({"configMap": {"name": "c"}}, "/etc/c"), "cannot mount volume v (configMap) at /etc/c"),
        (mounted({"persistentVolumeClaim": {"claimName": "c"}}, "/d"), "(persistentVolumeClaim) at /d"),
        (mounted({"projected": {"sources": [{"secret": {"name": "s"}}]}}, "/s"), "(projected) at /s"),
        (pod(restartPolicy="OnFailure"), "restartPolicy Never, not OnFailure"),
        (pod(initContainers=[{"name": "i"}]), "no init containers"),
        (pod(containers=[{"name": "main"}]), "must set its command"),
    ],
)
def test_what_is_refused(asking: Document, sentence: str) -> None:
    """What a process cannot have is named."""
    assert sentence in "; ".join(refusals(asking))


def test_token_request_is_bound_to_the_pod() -> None:
    """The token is asked for as the volume says, and dies with the pod."""
    assert token_request(pod(TOKEN_VOLUME, mounts=[TOKEN_MOUNT])) == {
        "audiences": [],
        "expirationSeconds": 3607,
        "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"},
    }


def test_no_token_without_a_mount() -> None:
    """A pod that mounts no token gets none."""
    assert token_request(pod()) is None
