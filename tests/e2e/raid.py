"""Requests to the API server from inside a pod, with the token that Kubernetes has mounted there."""

import json
from dataclasses import dataclass
from typing import Any, Final

from testbed.caller import JSON, MERGE
from testbed.kubectl import Document, Kubectl

_PROGRAM: Final = """
import json, ssl, sys, urllib.error, urllib.request
mounted = "/var/run/secrets/kubernetes.io/serviceaccount/"
trust = ssl.create_default_context(cafile=mounted + "ca.crt")
method, path, kind, body = json.load(sys.stdin)
headers = {"Authorization": "Bearer " + open(mounted + "token").read(), "Content-Type": kind}
data = None if body is None else json.dumps(body).encode()
request = urllib.request.Request("https://kubernetes.default.svc" + path, data, headers, method=method)
try:
    with urllib.request.urlopen(request, context=trust, timeout=30) as answer:
        print(json.dumps([answer.status, ""]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, json.load(error)["message"]]))
"""
_RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class Request:
    """A request: a PATCH is a merge patch."""

    method: str
    path: str
    body: Document | None = None


@dataclass(frozen=True)
class Answer:
    """What the API server said."""

    code: int
    message: str


def sent(kubectl: Kubectl, pod: str, request: Request) -> Answer:
    """Send a request from inside a pod."""
    kind = MERGE if request.method == "PATCH" else JSON
    asked = json.dumps([request.method, request.path, kind, request.body])
    said = kubectl("exec", "--stdin", pod, "--", "python", "-c", _PROGRAM, stdin=asked)
    return Answer(*json.loads(said))


def idle_pod(name: str, account: str, image: str) -> dict[str, Any]:
    """Return a pod of an account that does nothing, under the restricted Pod Security profile."""
    container = {
        "name": "idle",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", "import time; time.sleep(3600)"],
        "securityContext": _RESTRICTED,
    }
    spec = {
        "serviceAccountName": account,
        "containers": [container],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 0,
        "restartPolicy": "Never",
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
