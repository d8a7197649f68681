"""The manifests on an API server: the rights of the operator and of people, and that examples are valid."""

import inspect
import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from kubernetes.aio import client as aio

from selfheal_operator.api.names import JOBS_IMAGE
from selfheal_operator.core.errors import RejectedError
from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.observed import JobDefaults, Monitor, monitor_from
from selfheal_operator.core.plan import Event, EventType
from selfheal_operator.kube.admission_policies import AdmissionPolicies
from selfheal_operator.kube.batch_jobs import BatchJobs
from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.cluster import Cluster
from selfheal_operator.kube.kubernetes_events import KubernetesEvents
from support.builders.monitors import monitor_manifest
from testbed.kubectl import Document, Kubectl, KubectlError

ROOT: Final = Path(__file__).resolve().parents[2]
MANIFESTS: Final = ROOT / "manifests"
EXAMPLES: Final = sorted((MANIFESTS / "examples").glob("*.yaml"))
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
IMAGES_ROLE: Final = "selfheal-operator-images"
DEFAULTS: Final = JobDefaults(tracking_uri="http://mlflow")
"""With the image that manifests/ configure: the policy selfheal-jobs allows no other."""

Right = tuple[str, str, str]
"""An API group, a resource, and a verb."""

NOT_REQUESTED_BY_ITSELF: Final = {
    # kopf lists and watches both; that it may list is shown by the operator's own lists.
    ("selfheal.dev", "modelmonitors", "watch"),
    ("batch", "jobs", "watch"),
    # Asked for by the API server's admission, when a Job's owner reference blocks its owner's deletion ...
    ("selfheal.dev", "modelmonitors/finalizers", "update"),
    # ... and when a binding gives away rights that the operator does not have itself.
    ("rbac.authorization.k8s.io", "clusterroles", "bind"),
    # Asked for by the policy selfheal-status.
    ("selfheal.dev", "modelmonitors/status", "overwrite"),
}


class RecordingClient(ApiClient):
    """Really asks the API server, and remembers which right each request needed."""

    def __init__(self, transport: aio.ApiClient) -> None:
        super().__init__(transport)
        self.needed: set[Right] = set()

    async def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        """Send the request as it is."""
        self.needed.add(right(method, path))
        return await super().request(method, path, body, **options)


def right(method: str, path: str) -> Right:
    """Return the right that RBAC asks for; as in the API server, what has no name is a list."""
    found = re.fullmatch(
        r"/apis?(/(?P<group>[a-z0-9.]+\.[a-z0-9.]+|batch|apps))?/v[^/]+(/namespaces/[^/]+)?"
        r"/(?P<resource>[a-z]+)(/(?P<name>[^/]+))?(?P<sub>/[a-z]+)?",
        path,
    )
    assert found is not None, path
    verbs = {
        "GET": "get" if found["name"] else "list",
        "POST": "create",
        "PATCH": "patch",
        "DELETE": "delete",
    }
    return found["group"] or "", found["resource"] + (found["sub"] or ""), verbs[method]


def granted(role: Document) -> set[Right]:
    """Return every single right in a role."""
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.fixture
async def client(installation: Path) -> AsyncIterator[RecordingClient]:
    """A connection with the operator's own rights."""
    client = await RecordingClient.connect(str(installation))
    yield client
    await client.close()


@pytest.fixture
async def monitor(client: RecordingClient, kubectl: Kubectl) -> Monitor:
    """A monitor that nobody works on."""
    kubectl.apply(monitor_manifest("idle", reference="/r.csv", current="/c.csv", suspend=True))
    return monitor_from(await Cluster(client).monitor(kubectl.namespace, "idle"))


async def test_the_operators_role_grants_what_it_asks_for_and_nothing_else(
    client: RecordingClient, monitor: Monitor, kubectl: Kubectl
) -> None:
    """Every call that it has is made under its own account; what they need is exactly what the role lists."""
    cluster, engine, policies = Cluster(client), BatchJobs(client), AdmissionPolicies(client)
    status = {"observedGeneration": 1}
    await cluster.ensure_runner_account(monitor.namespace)
    body = await cluster.apply_status(monitor, status)
    await cluster.set_status(body, {"missedChecks": None})
    await KubernetesEvents(client).tell(monitor, Event(EventType.NORMAL, "Tested", "a message"), NOW)
    manifest = check_job(monitor, monitor.read_spec(), NOW, DEFAULTS)
    await engine.create(manifest)
    job, _ = await engine.create(manifest)
    await engine.pods(job)
    assert await engine.find(monitor.namespace, job.name) is not None
    stopped = await engine.stop(job)
    assert stopped is not None
    assert stopped[0].replaced
    await engine.delete(job.namespace, job.name, job.uid)
    await engine.delete(job.namespace, job.name, job.uid)
    assert await engine.stop(job) is None
    assert await engine.find(monitor.namespace, job.name) is None
    await engine.create(manifest)
    await cluster.probe()
    assert set((await policies.enforced()).values()) == {True}
    for listing in (cluster.monitors(), engine.runs(), cluster.monitors_listed(), engine.listed()):
        assert [found async for found in listing]

    made = {
        Cluster: {
            *("ensure_runner_account", "apply_status", "set_status"),
            *("probe", "monitor", "monitors", "monitors_listed"),
        },
        BatchJobs: {"create", "find", "stop", "delete", "pods", "runs", "listed", "read"},
        KubernetesEvents: {"tell"},
        AdmissionPolicies: {"enforced"},
    }
    for part, calls in made.items():
        has = {name for name, _ in inspect.getmembers(part, inspect.isfunction) if not name.startswith("_")}
        assert has == calls, f"a call of {part.__name__} is missing above"
    role = json.loads(kubectl("get", "clusterrole", "selfheal-operator", "--output=json"))
    assert granted(role) == client.needed | NOT_REQUESTED_BY_ITSELF


async def test_the_operator_can_bind_no_role_but_the_runners(
    client: RecordingClient, kubectl: Kubectl, installation: Path
) -> None:
    """Otherwise whoever takes over the operator would own the cluster."""
    del installation
    binding = {
        "metadata": {"name": "all"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": kubectl.namespace}],
    }
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{kubectl.namespace}/rolebindings"
    with pytest.raises(RejectedError, match="attempting to grant RBAC permissions not currently held"):
        await client.request("POST", path, binding)


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize(
    ("role", "verb", "subresource", "answer"),
    [
        ("view", "watch", "", "yes"),
        ("view", "patch", "", "no"),
        ("edit", "create", "", "yes"),
        ("edit", "deletecollection", "", "yes"),
        ("edit", "patch", "status", "no"),
        ("admin", "update", "", "yes"),
        ("admin", "patch", "status", "no"),
    ],
)
def test_kubernetes_own_roles_reach_monitors(
    kubectl: Kubectl, role: str, verb: str, subresource: str, answer: str
) -> None:
    """Whoever may view or edit a namespace may do so with its monitors; the status is selfheal's."""
    kubectl("create", "rolebinding", "jane", f"--clusterrole={role}", "--user=jane")
    question = (
        "auth",
        "can-i",
        verb,
        "modelmonitors.selfheal.dev",
        f"--subresource={subresource}",
        "--as=jane",
    )
    try:
        says = kubectl(*question)
    except KubectlError as no:  # its exit code is 1 then
        says = no.stdout
    assert says.strip() == answer


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid(kubectl: Kubectl, example: Path) -> None:
    """The API server takes it as it stands, with no field that it does not know."""
    kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", str(example))


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("field", ["dataset", "target", "threshold", "schedule"])
def test_the_smallest_example_could_not_be_smaller(kubectl: Kubectl, field: str) -> None:
    """It has four fields, and without any of them it is refused."""
    document = yaml.safe_load((MANIFESTS / "examples" / "smallest.yaml").read_text())
    assert document["spec"].keys() == {"dataset", "target", "threshold", "schedule"}
    del document["spec"][field]
    with pytest.raises(KubectlError) as refused:
        kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(document))
    assert field in refused.value.stderr


@pytest.fixture
def restricted(kubectl: Kubectl) -> Kubectl:
    """A namespace under the restricted Pod Security profile."""
    kubectl("label", "namespace", kubectl.namespace, "pod-security.kubernetes.io/enforce=restricted")
    return kubectl


def pod(template: Document) -> str:
    """Return a pod as its controller would make it, of an account that surely exists."""
    spec = {**template["spec"], "serviceAccountName": "default"}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec})


def test_the_operators_pod_meets_the_restricted_profile(restricted: Kubectl) -> None:
    """A Deployment is admitted whatever its pods are like, so the pod itself is asked about."""
    deployment = yaml.safe_load((MANIFESTS / "base" / "deployment.yaml").read_text())
    restricted("create", "--dry-run=server", "-f", "-", stdin=pod(deployment["spec"]["template"]))


async def test_the_pods_of_jobs_meet_the_restricted_profile(restricted: Kubectl, monitor: Monitor) -> None:
    """The same for the pods that the operator's Jobs make."""
    manifest = check_job(monitor, monitor.read_spec(), NOW, DEFAULTS)
    restricted("create", "--dry-run=server", "-f", "-", stdin=pod(manifest["spec"]["template"]))


def rendered(kubectl: Kubectl, folder: Path) -> list[Document]:
    """Return what `kubectl apply -k` would apply."""
    return list(yaml.safe_load_all(kubectl("kustomize", str(folder))))


def settings_of(documents: list[Document]) -> tuple[str, Document]:
    """Return the name and the content of the operator's settings."""
    (settings,) = (each for each in documents if "SELFHEAL_JOBS_IMAGE" in each.get("data", {}))
    return settings["metadata"]["name"], settings["data"]


def allowed_images(documents: list[Document]) -> list[str]:
    """Return the images that the operator's account may use in its Jobs."""
    (role,) = (each for each in documents if each["metadata"]["name"] == IMAGES_ROLE and "rules" in each)
    (rule,) = role["rules"]
    return list(rule["resourceNames"])


def test_images_in_the_kustomization_reach_the_jobs_too(kubectl: Kubectl, tmp_path: Path) -> None:
    """The jobs' image is a setting, but is named like any other image; the operator is rolled out for it."""
    for folder in ("crds", "manifests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    before, _ = settings_of(rendered(kubectl, tmp_path / "manifests"))
    path = tmp_path / "manifests" / "kustomization.yaml"
    kustomization = yaml.safe_load(path.read_text())
    kustomization["images"] = [{"name": "selfheal-jobs", "newName": "registry.test/jobs", "newTag": "1"}]
    path.write_text(yaml.safe_dump(kustomization))

    documents = rendered(kubectl, tmp_path / "manifests")
    name, settings = settings_of(documents)
    assert settings["SELFHEAL_JOBS_IMAGE"] == "registry.test/jobs:1"
    assert allowed_images(documents) == ["registry.test/jobs:1"]
    assert name != before
    (deployment,) = (each for each in documents if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": name}}]


def test_the_guides_kustomization_sets_the_images_and_the_settings(kubectl: Kubectl, tmp_path: Path) -> None:
    """What docs/install.md tells a platform team to write works as it stands there."""
    guide = (ROOT / "docs" / "install.md").read_text()
    (block,) = re.findall(r"```yaml\n(# kustomization.yaml\n.*?)```", guide, re.DOTALL)
    for folder in ("crds", "manifests"):
        shutil.copytree(ROOT / folder, tmp_path / "selfheal" / folder)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "kustomization.yaml").write_text(block)

    documents = rendered(kubectl, tmp_path / "own")
    _, settings = settings_of(documents)
    assert settings == {
        "SELFHEAL_JOBS_IMAGE": "registry.example.com/ml/selfheal-jobs:0.1.0",
        "SELFHEAL_MLFLOW_TRACKING_URI": "http://mlflow.mlops:5000",
    }
    assert allowed_images(documents) == [settings["SELFHEAL_JOBS_IMAGE"]]
    (deployment,) = (each for each in documents if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/ml/selfheal-operator:0.1.0"


@pytest.mark.parametrize("base", ["base", ".", "namespaced"])
def test_an_operator_may_use_the_image_of_its_settings(kubectl: Kubectl, tmp_path: Path, base: str) -> None:
    """It is set in one place: a kustomization of one's own that sets it moves the right along."""
    for folder in ("crds", "manifests"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "own").mkdir()
    generated = {
        "name": "selfheal-operator",
        "namespace": "selfheal-system",
        "behavior": "merge",
        "literals": ["SELFHEAL_JOBS_IMAGE=registry.test/jobs:1"],
    }
    own = {
        "resources": [f"../manifests/{base}"],
        "configMapGenerator": [generated],
        "transformers": ["../manifests/jobs_image"],
    }
    (tmp_path / "own" / "kustomization.yaml").write_text(yaml.safe_dump(own))
    documents = {folder: rendered(kubectl, tmp_path / folder) for folder in (f"manifests/{base}", "own")}
    images = [allowed_images(each) for each in documents.values()]
    assert images == [[JOBS_IMAGE], ["registry.test/jobs:1"]]


def test_argo_cds_settings_can_be_patched_in_git(kubectl: Kubectl, tmp_path: Path) -> None:
    """The patch of docs/install.md is one for kustomize as well, and keeps the other keys."""
    patch = MANIFESTS / "argocd" / "argocd_cm.yaml"
    shutil.copy(patch, tmp_path / "patch.yaml")
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm"},
        "data": {"url": "u"},
    }
    (tmp_path / "argocd-cm.yaml").write_text(yaml.safe_dump(settings))
    kustomization = {"resources": ["argocd-cm.yaml"], "patches": [{"path": "patch.yaml"}]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))

    (patched,) = rendered(kubectl, tmp_path)
    assert patched["data"] == {"url": "u", **yaml.safe_load(patch.read_text())["data"]}
