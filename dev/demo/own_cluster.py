"""The demo on a cluster of the user's: real pods from images, MLflow and the data in the demo's namespace."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from demo.images import Images
from demo.monitors import NAMESPACE
from demo.place import Place
from demo.stage import (
    DATA_SERVICE,
    DATA_URL,
    MLFLOW_PORT,
    MLFLOW_SERVICE,
    MLFLOW_URI,
    OWNER_LABEL,
    stage,
    stage_namespace,
)
from localcluster.binaries import ensure_binaries
from selfheal_operator.api.names import GROUP, PLURAL
from testbed.errors import SetupError
from testbed.install import MANIFESTS, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE, wait_for_api
from testbed.kubectl import Kubectl, KubectlError
from testbed.program import Program, answers, free_port
from testbed.workspace import Workspace

ROLLOUT_SECONDS: Final = 300
"""Images may have to be pulled first, and the one of the Jobs is large."""
FORWARD_SECONDS: Final = 30
DELETION_SECONDS: Final = 120


@contextmanager
def own_cluster_place(folder: Workspace, kubeconfig: Path, say: Callable[[str], None]) -> Iterator[Place]:
    """Yield the place when all pods are ready; remove at the end what was not there before.

    Raises:
        SetupError: if something does not become ready, or the namespace is somebody else's.
    """
    program = shutil.which("kubectl") or ensure_binaries(say) / "kubectl"
    kubectl = Kubectl(Path(program), kubeconfig.resolve(), NAMESPACE)
    images = Images.from_environment(os.environ)
    with ExitStack() as ends:
        _install(kubectl, images, folder, ends, say)
        _set_stage(kubectl, images, folder, ends, say)
        forward = _Forward(kubectl, folder)
        ends.callback(forward.program.stop)
        forward.check()
        yield Place(
            kubectl=kubectl,
            tracking_uri=forward.uri,
            tracking_uri_in_pods=MLFLOW_URI,
            data_in_pods=DATA_URL,
            check=forward.check,
        )


def _install(
    kubectl: Kubectl, images: Images, folder: Workspace, ends: ExitStack, say: Callable[[str], None]
) -> None:
    """Install manifests/, unless an operator is there; remove them at the end, unless the CRD was there.

    With the CRD, all ModelMonitors of the cluster would go.
    """
    if _exists(kubectl, "deployment", OPERATOR_ACCOUNT, OPERATOR_NAMESPACE):
        say(f"an operator runs already in {OPERATOR_NAMESPACE}: it is used as it is")
        return
    say(f"installing manifests/ with {images.operator} and {images.jobs}")
    overlay = folder.root / "overlay"
    images.write_overlay(overlay, MANIFESTS)
    if not _exists(kubectl, "crd", f"{PLURAL}.{GROUP}", OPERATOR_NAMESPACE):
        removal = ("delete", "--ignore-not-found", "-k", str(overlay))
        ends.callback(kubectl.anywhere, *removal, seconds=DELETION_SECONDS)
    kubectl.anywhere("apply", "--server-side", "-k", str(overlay))
    wait_for_api(kubectl)
    _wait_for_rollout(kubectl, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE)


def _set_stage(
    kubectl: Kubectl, images: Images, folder: Workspace, ends: ExitStack, say: Callable[[str], None]
) -> None:
    _remove_leftover(kubectl, say)
    say(f"starting MLflow and a server for the data in the namespace {NAMESPACE}")
    ends.callback(kubectl.anywhere, "delete", "namespace", NAMESPACE, seconds=DELETION_SECONDS)
    kubectl.apply_server_side(stage_namespace(NAMESPACE))
    kubectl.apply_server_side(*stage(NAMESPACE, image=images.jobs, data=folder.data))
    for name in (MLFLOW_SERVICE, DATA_SERVICE):
        _wait_for_rollout(kubectl, name, NAMESPACE)


def _remove_leftover(kubectl: Kubectl, say: Callable[[str], None]) -> None:
    """Delete the namespace that an interrupted demo has left; refuse to touch anybody else's."""
    if not _exists(kubectl, "namespace", NAMESPACE, NAMESPACE):
        return
    found = json.loads(kubectl("get", "namespace", NAMESPACE, "--output=json"))
    if not OWNER_LABEL.items() <= found["metadata"].get("labels", {}).items():
        raise SetupError(f"the namespace {NAMESPACE} exists and is not the demo's; delete or rename it")
    say(f"removing the namespace {NAMESPACE} that an earlier demo has left")
    kubectl.anywhere("delete", "namespace", NAMESPACE, seconds=DELETION_SECONDS)


def _exists(kubectl: Kubectl, kind: str, name: str, namespace: str) -> bool:
    scope = f"--namespace={namespace}"
    return bool(kubectl.anywhere("get", kind, name, scope, "--ignore-not-found", "--output=name").strip())


def _wait_for_rollout(kubectl: Kubectl, deployment: str, namespace: str) -> None:
    scope = f"--namespace={namespace}"
    wait = ("rollout", "status", f"deployment/{deployment}", scope, f"--timeout={ROLLOUT_SECONDS}s")
    try:
        kubectl.anywhere(*wait, seconds=ROLLOUT_SECONDS + 10)
    except KubectlError as error:
        pods = kubectl.anywhere("describe", "pods", scope)
        raise SetupError(
            f"{deployment} did not become ready ({error}); its namespace's pods:\n{pods}"
        ) from error


class _Forward:
    """A port-forward to MLflow through the API server, restarted when it breaks."""

    def __init__(self, kubectl: Kubectl, folder: Workspace) -> None:
        self.program = Program("port-forward", folder)
        port = free_port()
        self.uri = f"http://127.0.0.1:{port}"
        self._command = kubectl.command(
            *(
                f"--namespace={kubectl.namespace}",
                "port-forward",
                f"service/{MLFLOW_SERVICE}",
                f"{port}:{MLFLOW_PORT}",
            )
        )

    def check(self) -> None:
        """Make sure that MLflow answers here; raise `ProgramFailedError` if it does not."""
        if not self.program.running:
            self.program.start(self._command, {})
        if not answers(f"{self.uri}/health"):
            self.program.wait(f"{self.uri}/health", timeout_seconds=FORWARD_SECONDS)
