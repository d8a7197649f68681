"""Reads a pod's spec and finds what a process cannot provide."""

from collections.abc import Iterator

from localcluster.processnode.apiserver import Document

TERMINAL = ("Succeeded", "Failed")
# The projected sources of the pod's own identity, which KUBECONFIG replaces.
IDENTITY_SOURCES = {"serviceAccountToken", "configMap", "downwardAPI"}
TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path, not a password


def main_container(pod: Document) -> Document:
    """Return the container to run; `refusals` rejects pods with more than one."""
    container: Document = pod["spec"]["containers"][0]
    return container


def is_terminal(pod: Document) -> bool:
    """Return whether the pod's phase is terminal."""
    return pod.get("status", {}).get("phase") in TERMINAL


def refusals(pod: Document) -> list[str]:
    """Return the reasons why this pod cannot run as a process; empty if it can."""
    spec = pod["spec"]
    found = []
    if len(spec["containers"]) != 1 or spec.get("initContainers"):
        found.append("it runs pods with one container and no init containers")
    if spec.get("restartPolicy") != "Never":
        found.append(f"it runs pods with restartPolicy Never, not {spec.get('restartPolicy')}")
    if not main_container(pod).get("command"):
        found.append("it has no images and so no entrypoint: the container must set its command")
    return [*found, *_unmountable(pod)]


def _unmountable(pod: Document) -> Iterator[str]:
    """Yield the container's mounts that would need files at paths that a process lacks."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    for mount in main_container(pod).get("volumeMounts", []):
        volume = volumes[mount["name"]]
        if "emptyDir" in volume or _is_identity(volume) or _is_in_place(volume, mount):
            continue
        kind = next((key for key in volume if key != "name"), "unknown")
        remedy = "; a hostPath is fine where mountPath and path are the same" if kind == "hostPath" else ""
        yield f"it cannot mount volume {volume['name']} ({kind}) at {mount['mountPath']}{remedy}"


def _is_identity(volume: Document) -> bool:
    sources = volume.get("projected", {}).get("sources", [])
    kinds = {kind for source in sources for kind in source}
    return "serviceAccountToken" in kinds and kinds <= IDENTITY_SOURCES


def _is_in_place(volume: Document, mount: Document) -> bool:
    path = volume.get("hostPath", {}).get("path", "").rstrip("/")
    inside = "/".join(filter(None, (path, mount.get("subPath", ""))))
    return bool(path) and inside == mount["mountPath"].rstrip("/")


def token_request(pod: Document) -> Document | None:
    """Return the `spec` of the TokenRequest for the token this pod mounts; None if it mounts none."""
    mounts = main_container(pod).get("volumeMounts", [])
    names = [mount["name"] for mount in mounts if mount["mountPath"] == TOKEN_MOUNT]
    for volume in pod["spec"].get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            if volume["name"] in names and (token := source.get("serviceAccountToken")):
                return {
                    "audiences": [token["audience"]] if token.get("audience") else [],
                    "expirationSeconds": token.get("expirationSeconds", 3600),
                    "boundObjectRef": {
                        "apiVersion": "v1",
                        "kind": "Pod",
                        "name": pod["metadata"]["name"],
                        "uid": pod["metadata"]["uid"],
                    },
                }
    return None
