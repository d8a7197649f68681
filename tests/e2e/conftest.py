"""A cluster of the user's own, with the operator installed as a user would, and MLflow and data inside."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.scenarios import write_tables
from demo.stage import stage, stage_namespace
from e2e.guard import PERMISSION, Target, objection
from e2e.overlay import Images, write_overlay
from kubectl import Document, Kubectl
from localcluster.binaries import ensure_binaries

CRD = "modelmonitors.selfheal.dev"
SYSTEM = "selfheal-system"


@pytest.fixture(scope="session")
def admin() -> Kubectl:
    """An administrator's `kubectl` for the cluster that KUBECONFIG names."""
    kubeconfig = os.environ.get("KUBECONFIG")
    if not kubeconfig:
        pytest.skip("needs a cluster with the images: make e2e KUBECONFIG=/path/to/kubeconfig")
    program = shutil.which("kubectl")
    kubectl = Kubectl(
        Path(program) if program else ensure_binaries(print) / "kubectl", Path(kubeconfig), SYSTEM
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
    return Images.from_environment()


@pytest.fixture(scope="session")
def operator(admin: Kubectl, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """The operator, installed by `kubectl apply -k`; gone afterwards, unless it was there before."""
    overlay = write_overlay(tmp_path_factory.mktemp("overlay"), images)
    was_there = bool(admin("get", "namespace", SYSTEM, "--ignore-not-found"))
    admin("apply", "-k", str(overlay))
    admin("rollout", "status", "deployment/selfheal-operator", "--timeout=180s")
    yield admin
    if not was_there:
        admin("delete", "-k", str(overlay), "--timeout=120s")


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
            team("rollout", "status", f"deployment/{name}", "--timeout=300s")
        yield team
    finally:
        team("delete", "namespace", team.namespace, "--wait=true", "--timeout=120s")
