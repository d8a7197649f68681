"""Who may scrape an operator that asks the API server, with real tokens on a real API server."""

import base64
import json
import shutil
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from integration.test_manifests import RecordingClient, granted
from localcluster import LocalCluster
from selfheal_operator.kube.access_reviews import Access, AccessReviews
from support.eventually import eventually
from support.fakes.fault_proxy import FaultProxy
from support.processes.operators import Operator
from support.scrapes import Scrape
from testbed.accounts import role_binding
from testbed.credentials import write_operator_kubeconfig
from testbed.install import MANIFESTS, OPERATOR_NAMESPACE
from testbed.kubectl import Document, Kubectl, KubectlError

pytestmark = pytest.mark.timeout(420)  # the first test also pays for the cluster
COMPONENT: Final = MANIFESTS / "metrics_authorization"
SCRAPER: Final = "selfheal-metrics-scraper"
MADE_UP: Final = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.c2lnbmF0dXJl"


def rendered(kubectl: Kubectl, folder: Path, *resources: str) -> list[Document]:
    """Return what a kustomization with the component applies."""
    for name in ("crds", "manifests"):
        shutil.copytree(MANIFESTS.parent / name, folder / name)
    own = folder / "own"
    own.mkdir()
    kustomization = {
        "resources": [f"../manifests/{each}" for each in resources],
        "components": ["../manifests/metrics_authorization"],
    }
    (own / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return list(yaml.safe_load_all(kubectl("kustomize", str(own))))


@pytest.fixture(scope="module")
def admin(cluster: LocalCluster, installation: Path) -> Kubectl:
    """An administrator in the operator's namespace."""
    del installation
    return Kubectl(cluster.kubectl, cluster.kubeconfig, OPERATOR_NAMESPACE)


@pytest.fixture(scope="module")
def rights(admin: Kubectl) -> Iterator[None]:
    """The component's roles, bindings, and the scraper's account; gone afterwards."""
    paths = [f"--filename={path}" for path in COMPONENT.glob("*.yaml") if path.name != "kustomization.yaml"]
    admin("apply", *paths)
    yield
    admin("delete", "--ignore-not-found", *paths)  # the Secret goes with its account


@pytest.fixture(scope="module")
def proxy(cluster: LocalCluster) -> Iterator[FaultProxy]:
    """The operator's way to the API server."""
    proxy = FaultProxy(cluster.server, cluster.state.pki / "ca.crt")
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def operator(
    cluster: LocalCluster, rights: None, proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    """An operator that asks whose a token is, and logs all that it can."""
    del rights
    folder = tmp_path_factory.mktemp("authorized")
    write_operator_kubeconfig(cluster, folder / "kubeconfig", server=proxy.url)
    operator = Operator(
        folder / "kubeconfig", folder / "operator", metrics_authorization="true", log_level="DEBUG"
    )
    operator.start()
    yield operator
    assert operator.stop() == 0


Tokens = Callable[..., str]


@pytest.fixture
def token_of(kubectl: Kubectl) -> Tokens:
    """Makes a token of a new account, which may scrape or not."""

    def make(*, may_scrape: bool) -> str:
        name = f"prometheus-{uuid.uuid4().hex[:6]}"
        kubectl("create", "serviceaccount", name)
        if may_scrape:
            binding = role_binding(name, "", "selfheal-metrics-reader", name, home=kubectl.namespace)
            kubectl.apply(binding)
        return kubectl("create", "token", name).strip()

    return make


def asked(operator: Operator, token: str = "", path: str = "/metrics") -> tuple[int, str]:
    """Return status and text of an answer to the bearer of a token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(operator.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status), str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def reviews(operator: Operator, token: str) -> float:
    """Return how many tokens the operator has asked the API server about."""
    scrape = Scrape(asked(operator, token)[1])
    return sum(
        sample.value
        for sample in scrape.samples("selfheal_api_requests_total", verb="create", resource="tokenreviews")
    )


def test_an_operator_without_the_rights_says_what_to_do(
    installation: Path, kubectl: Kubectl, tmp_path: Path
) -> None:
    """It cannot look, which is 503 and no verdict on the scraper. The first test: others give the rights."""
    operator = Operator(installation, tmp_path / "operator", metrics_authorization="true")
    operator.start()
    try:
        assert asked(operator, kubectl("create", "token", "default").strip())[0] == 503
    finally:
        assert operator.stop() == 0
    assert "hint='add manifests/metrics_authorization to the kustomization'" in operator.log.read_text()


def test_a_scraper_needs_a_token_and_the_right(operator: Operator, token_of: Tokens) -> None:
    """Without a token, or with one that nobody issued, 401; without the right 403; with it the metrics."""
    assert asked(operator)[0] == 401
    assert asked(operator, MADE_UP)[0] == 401
    status, text = asked(operator, token_of(may_scrape=False))
    assert (status, "selfheal-metrics-reader" in text) == (403, True)
    status, text = asked(operator, token_of(may_scrape=True))
    assert (status, Scrape(text).value("selfheal_leader")) == (200, 1)


def test_the_token_of_the_service_monitor_is_good_for_nothing_else(
    operator: Operator, admin: Kubectl
) -> None:
    """It reads the metrics, and neither a Secret nor a monitor."""
    document = eventually(lambda: _with_token(admin), "Kubernetes has written the token")
    assert asked(operator, base64.b64decode(document["data"]["token"]).decode())[0] == 200
    account = f"--as=system:serviceaccount:{OPERATOR_NAMESPACE}:{SCRAPER}"
    for verb, what in (("get", "secrets"), ("list", "modelmonitors"), ("create", "tokenreviews")):
        with pytest.raises(KubectlError) as no:
            admin("auth", "can-i", verb, what, account)
        assert no.value.stdout.strip() == "no"


def _with_token(admin: Kubectl) -> Document:
    document: Document = admin.get("secret", SCRAPER)
    return document if "token" in document.get("data", {}) else {}


def test_probes_need_no_token(operator: Operator) -> None:
    """The kubelet has none to show."""
    assert asked(operator, path="/livez") == (200, "ok")
    assert asked(operator, path="/readyz") == (200, "ok")


def test_many_scrapes_cost_one_review(operator: Operator, token_of: Tokens) -> None:
    """Of the same token, within the time that an answer holds."""
    token = token_of(may_scrape=True)
    first = reviews(operator, token)
    assert [reviews(operator, token) for _ in range(5)] == [first] * 5
    assert reviews(operator, token_of(may_scrape=True)) == first + 1


def test_an_api_server_that_is_away_refuses_nobody(
    operator: Operator, proxy: FaultProxy, token_of: Tokens
) -> None:
    """A new token is answered 503 until the API server is back. A known one and probes do not notice."""
    known, new = token_of(may_scrape=True), token_of(may_scrape=True)
    assert asked(operator, known)[0] == 200
    proxy.answer(503)
    try:
        assert asked(operator, new)[0] == 503
        assert asked(operator, known)[0] == 200
        assert asked(operator, path="/livez")[0] == 200
    finally:
        proxy.heal()
    assert asked(operator, new)[0] == 200


def test_no_token_is_logged(operator: Operator, token_of: Tokens) -> None:
    """Even where everything else is, whatever becomes of the token."""
    tokens = [MADE_UP, token_of(may_scrape=False), token_of(may_scrape=True)]
    assert [asked(operator, token)[0] for token in tokens] == [401, 403, 200]
    log = operator.log.read_text()
    assert "DEBUG" in log
    assert [token for token in tokens if token in log or token.rpartition(".")[2] in log] == []


async def test_the_operators_role_grants_what_a_review_needs_and_nothing_else(
    admin: Kubectl, rights: None, installation: Path, token_of: Tokens
) -> None:
    """Both questions are really asked, under the operator's own account."""
    del rights
    client = await RecordingClient.connect(str(installation))
    found = {await AccessReviews(client).access(token, "/metrics") for token in _three(token_of)}
    await client.close()
    assert found == set(Access)
    assert granted(admin.get("clusterrole", "selfheal-operator-metrics")) == client.needed


def _three(token_of: Tokens) -> Iterator[str]:
    yield from (MADE_UP, token_of(may_scrape=False), token_of(may_scrape=True))


@pytest.mark.parametrize("base", [".", "namespaced"])
def test_the_component_is_all_that_a_kustomization_needs(kubectl: Kubectl, tmp_path: Path, base: str) -> None:
    """It turns the setting on, rolls the operator out, and gives the ServiceMonitor the token."""
    documents = rendered(kubectl, tmp_path, base, "monitoring")
    (settings,) = (each for each in documents if "SELFHEAL_JOBS_IMAGE" in each.get("data", {}))
    assert settings["data"]["SELFHEAL_METRICS_AUTHORIZATION"] == "true"
    (deployment,) = (each for each in documents if each["kind"] == "Deployment")
    assert settings["metadata"]["name"] in json.dumps(deployment)
    (monitor,) = (each for each in documents if each["kind"] == "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    secret = {"name": SCRAPER, "key": "token"}
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": secret}


def test_the_component_does_without_the_prometheus_operator(kubectl: Kubectl, tmp_path: Path) -> None:
    """Where there is no ServiceMonitor, there is nothing to patch."""
    documents = rendered(kubectl, tmp_path, ".")
    assert "ServiceMonitor" not in {each["kind"] for each in documents}
