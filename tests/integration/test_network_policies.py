"""The NetworkPolicies of manifests/network are valid and select our pods. The local cluster enforces none."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import yaml

from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.observed import JobDefaults, monitor_from
from support.builders.monitors import monitor_manifest
from testbed.install import MANIFESTS
from testbed.kubectl import Document, Kubectl

NETWORK: Final = MANIFESTS / "network"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.usefixtures("installation")
def test_the_operators_policy_is_valid(kubectl: Kubectl) -> None:
    """The API server takes it, with no field that it does not know."""
    folder = str(NETWORK / "operator")
    kubectl.anywhere("apply", "--server-side", "--dry-run=server", "--validate=strict", "-k", folder)


def test_a_namespace_adds_the_policy_of_runs(kubectl: Kubectl, tmp_path: Path) -> None:
    """As a component of its own kustomization, which puts it into the namespace."""
    shutil.copytree(NETWORK, tmp_path / "network")
    own = tmp_path / "own"
    own.mkdir()
    kustomization = {"namespace": kubectl.namespace, "components": ["../network/runs"]}
    (own / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    dry_run = ("--server-side", "--dry-run=server", "--validate=strict", "--output=name")
    said = kubectl.anywhere("apply", *dry_run, "-k", str(own))
    assert said.strip() == "networkpolicy.networking.k8s.io/selfheal-runs"
    assert f"namespace: {kubectl.namespace}" in kubectl("kustomize", str(own))


def selects(folder: str, labels: Document) -> bool:
    """Return whether a folder's policy selects a pod with these labels."""
    document: Document = yaml.safe_load((NETWORK / folder / "network_policy.yaml").read_text())
    wanted: Document = document["spec"]["podSelector"]["matchLabels"]
    return wanted.items() <= labels.items()


@pytest.mark.usefixtures("installation")
def test_each_policy_selects_its_own_pods(kubectl: Kubectl) -> None:
    """The operator's those of the Deployment, and the other one those of Jobs."""
    deployment = yaml.safe_load((MANIFESTS / "base" / "deployment.yaml").read_text())
    kubectl.apply(monitor_manifest("idle", reference="/r.csv", current="/c.csv", suspend=True))
    monitor = monitor_from(kubectl.get("modelmonitor", "idle"))
    job = check_job(monitor, monitor.read_spec(), NOW, JobDefaults(tracking_uri="http://mlflow"))
    operator, run = (each["spec"]["template"]["metadata"]["labels"] for each in (deployment, job))
    assert (selects("operator", operator), selects("operator", run)) == (True, False)
    assert (selects("runs", operator), selects("runs", run)) == (False, True)
