"""Operators that share a cluster: each has rights in its own namespaces only, and needs no others."""

import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from localcluster import LocalCluster
from selfheal_operator.api.names import JOBS_IMAGE
from support.builders.monitors import monitor_manifest, promise_slot
from support.eventually import eventually
from support.fakes.fault_proxy import FaultProxy
from support.processes.operators import Operator
from testbed.credentials import write_operator_kubeconfig
from testbed.install import without_deployments
from testbed.kubectl import Document, Kubectl, KubectlError

ROOT: Final = Path(__file__).resolve().parents[2]
DISCOVERY: Final = r"/api(/v1)?|/apis(/[a-z.0-9]+/v[0-9a-z]+)?"
pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Tenant:
    """An operator, and the namespace that it serves."""

    name: str
    home: str
    """Where it is installed."""
    kubectl: Kubectl
    operator: Operator
    proxy: FaultProxy

    def is_checked(self) -> bool:
        """Say whether the monitor's due check was started."""
        return bool(self.kubectl.get("modelmonitor", "due").get("status", {}).get("lastScheduleTime"))


def overlay(folder: Path, home: str, served: str) -> Path:
    """Copy manifests/namespaced and make it one's own, as its comments say."""
    shutil.copytree(ROOT / "crds", folder / "crds", dirs_exist_ok=True)
    shutil.copytree(ROOT / "manifests", folder / "manifests", dirs_exist_ok=True)
    own = shutil.copytree(ROOT / "manifests" / "namespaced", folder / "manifests" / home)
    shutil.rmtree(own / "team-b")
    (own / "team-a").rename(own / served)
    replace(
        own / "kustomization.yaml",
        {
            "- team-a\n- team-b\n": f"- {served}\n",
            "value: selfheal-system": f"value: {home}",
        },
    )
    replace(
        own / "operator" / "kustomization.yaml",
        {"\nnamespace: selfheal-system": f"\nnamespace: {home}", "team-a,team-b": served},
    )
    replace(own / served / "kustomization.yaml", {"namespace: team-a": f"namespace: {served}"})
    return own


def replace(path: Path, replacements: dict[str, str]) -> None:
    """Edit a file; what is to be replaced has to be there."""
    text = path.read_text()
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture(scope="module")
def tenants(
    cluster: LocalCluster, installation: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Tenant]]:
    """Two operators, installed by manifests/namespaced, each with one namespace and a monitor in it."""
    del installation  # only its CRD: these operators have accounts of their own
    folder = tmp_path_factory.mktemp("tenants")
    with ExitStack() as ends:
        yield [_tenant(name, cluster, folder, ends) for name in ("red", "blue")]


def _tenant(name: str, cluster: LocalCluster, folder: Path, ends: ExitStack) -> Tenant:
    mark = uuid.uuid4().hex[:6]
    home, served = f"selfheal-{name}-{mark}", f"{name}-{mark}"
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, served)
    for namespace in (served, home):
        kubectl("create", "namespace", namespace)
        ends.callback(kubectl, "delete", "namespace", namespace, "--wait=false")
    documents = list(yaml.safe_load_all(kubectl("kustomize", str(overlay(folder, home, served)))))
    Kubectl(cluster.kubectl, cluster.kubeconfig, "default").apply_server_side(*without_deployments(documents))
    kubectl.apply(monitor_manifest("due", reference="/r", current="/c"))
    promise_slot(kubectl, "due")
    proxy = FaultProxy(cluster.server, cluster.state.pki / "ca.crt")
    proxy.start()
    ends.callback(proxy.stop)
    kubeconfig = folder / f"{name}.kubeconfig"
    write_operator_kubeconfig(cluster, kubeconfig, server=proxy.url, namespace=home)
    operator = Operator(
        kubeconfig,
        folder / "operators" / name,
        pod_namespace=home,
        mlflow_tracking_uri="http://mlflow.invalid",
        # No rights in the second one: it may be yet to come, or was deleted with the rights in it.
        namespaces=f"{settings_of(documents)['SELFHEAL_NAMESPACES']},without-rights",
    )
    operator.start()
    ends.callback(operator.stop)
    return Tenant(served, home, kubectl, operator, proxy)


def settings_of(documents: list[Document]) -> dict[str, str]:
    """Return the operator's settings."""
    (settings,) = (each for each in documents if "SELFHEAL_NAMESPACES" in each.get("data", {}))
    data: dict[str, str] = settings["data"]
    return data


def test_each_operator_acts_in_its_own_namespace(tenants: list[Tenant]) -> None:
    """It creates the Job of the due slot, and the account for it: its rights suffice."""
    for tenant in tenants:
        eventually(tenant.is_checked, f"{tenant.name} is served")
        (job,) = tenant.kubectl.get("jobs")["items"]
        assert job["metadata"]["ownerReferences"][0]["name"] == "due"
        tenant.kubectl("get", "rolebinding,serviceaccount", "selfheal-runner")


def test_no_operator_asks_for_anything_of_another(tenants: list[Tenant]) -> None:
    """Neither of the other's namespace, nor of the whole cluster, but what the API consists of."""
    for tenant in tenants:
        eventually(tenant.is_checked, f"{tenant.name} is served")
        own = f"/namespaces/({tenant.name}|{tenant.home}|without-rights)/"
        elsewhere = {each.path for each in tenant.proxy.seen if not re.search(own, each.path)}
        assert [path for path in elsewhere if not re.fullmatch(DISCOVERY, path)] == []


def test_each_operator_is_held_to_its_own_image(tenants: list[Tenant]) -> None:
    """By the policy selfheal-jobs, with nothing installed for it; its own Jobs pass, as shown above."""
    for tenant in tenants:
        account = f"--as=system:serviceaccount:{tenant.home}:selfheal-operator"
        job = ("create", "job", "theirs", "--image=evil:1", "--dry-run=server", account)
        with pytest.raises(KubectlError, match=r"evil:1 is not allowed|of ModelMonitors only"):
            tenant.kubectl(*job)
        (rule,) = tenant.kubectl.get("role", "selfheal-operator-images", f"--namespace={tenant.home}")[
            "rules"
        ]
        assert rule["resourceNames"] == [JOBS_IMAGE]


def test_each_operator_has_its_own_lease(tenants: list[Tenant]) -> None:
    """In its own namespace: both lead."""
    for tenant in tenants:
        (lease,) = tenant.kubectl.get("leases", f"--namespace={tenant.home}")["items"]
        assert lease["spec"]["holderIdentity"].startswith(tenant.operator.log.stem)


@pytest.mark.parametrize(
    ("verb", "resource"), [("list", "modelmonitors"), ("create", "jobs"), ("list", "pods")]
)
def test_no_operator_has_rights_elsewhere(tenants: list[Tenant], verb: str, resource: str) -> None:
    """The API server says so."""
    red, blue = tenants
    account = f"--as=system:serviceaccount:{red.home}:selfheal-operator"
    assert red.kubectl("auth", "can-i", verb, resource, account).strip() == "yes"
    with pytest.raises(KubectlError) as no:
        blue.kubectl("auth", "can-i", verb, resource, account)
    assert no.value.stdout.strip() == "no"
