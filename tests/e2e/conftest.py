"""A cluster of the user's own, with the operator installed as a user would, and MLflow and data inside."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.images import Images
from demo.scenarios import write_tables
from demo.stage import stage, stage_namespace
from e2e.guard import PERMISSION, Target, objection
from localcluster.binaries import ensure_binaries
from testbed.install import MANIFESTS
from testbed.install import OPERATOR_NAMESPACE as SYSTEM
from testbed.kubectl import Document, Kubectl, KubectlError

CRD = "modelmonitors.selfheal.dev"
ROLLOUT_SECONDS = 300


@pytest.fixture(scope="session")
def admin() -> Kubectl:
    """An administrator's `kubectl` for the cluster that KUBECONFIG names."""
    kubeconfig = os.environ.get("KUBECONFIG")
    if not kubeconfig:
        pytest.skip("needs a cluster with the images: make e2e KUBECONFIG=/path/to/kubeconfig")
    program = shutil.which("kubectl")
    kubectl = Kubectl(
        Path(program) if program else ensure_binaries(print) / "kubectl",
        Path(kubeconfig),
        SYSTEM,
    )
    if refusal := objection(_target(kubectl), os.environ.get(PERMISSION)):
        pytest.exit(refusal, returncode=2)
    return kubectl


def _target(kubectl: Kubectl) -> Target:
    view = json.loads(kubectl("config", "view", "--minify", "--output=json"))
    monitors = kubectl.get(CRD, "--all-namespaces")["items"] if _has_crd(kubectl) else []
    return Target(
        context=view["current-context"],
        server=view["clusters"][0]["cluster"]["server"],
        foreign_monitors=tuple(f"{m['metadata']['namespace']}/{m['metadata']['name']}" for m in monitors),
    )


def _has_crd(kubectl: Kubectl) -> bool:
    return bool(kubectl("get", "crd", CRD, "--ignore-not-found"))


@pytest.fixture(scope="session")
def images() -> Images:
    """The images under test; the cluster has them, or can pull them."""
    return Images.from_environment(os.environ)


@pytest.fixture(scope="session")
def operator(admin: Kubectl, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """The operator, installed by `kubectl apply -k`; gone afterwards, unless the CRD was there before."""
    images.write_overlay(overlay := tmp_path_factory.mktemp("overlay"), MANIFESTS)
    was_there = _has_crd(admin)
    try:
        admin("apply", "-k", str(overlay))
        wait_for_rollout(admin, "selfheal-operator")
        yield admin
    finally:
        if not was_there:  # with the CRD, all monitors of the cluster would go
            admin("delete", "-k", str(overlay), "--ignore-not-found", "--timeout=120s")


def wait_for_rollout(kubectl: Kubectl, deployment: str) -> None:
    """Return when the pods are ready; images may have to be pulled first."""
    try:
        kubectl("rollout", "status", f"deployment/{deployment}", f"--timeout={ROLLOUT_SECONDS}s")
    except KubectlError as error:
        pytest.fail(f"{deployment}: {error.stderr}\n{kubectl('describe', 'pods')}")


def furnish(kubectl: Kubectl, *documents: Document) -> None:
    """Apply on the server's side: the tables' ConfigMaps are larger than what an annotation may hold."""
    items = {"apiVersion": "v1", "kind": "List", "items": documents}
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(items))


@pytest.fixture(scope="session")
def team(operator: Kubectl, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """A team's namespace under the restricted profile, with MLflow and the demo's data inside."""
    tables = tmp_path_factory.mktemp("tables")
    write_tables(tables, print)
    team = Kubectl(operator.program, operator.kubeconfig, f"selfheal-e2e-{uuid.uuid4().hex[:6]}")
    try:
        furnish(team, stage_namespace(team.namespace))
        furnish(team, *stage(team.namespace, image=images.jobs, data=tables))
        for name in ("mlflow", "data"):
            wait_for_rollout(team, name)
        yield team
    finally:
        team("delete", "namespace", team.namespace, "--wait=true", "--timeout=120s")
