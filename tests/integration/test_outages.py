"""What becomes of an operator whose API server, or the way there, is bad for a while.

In each case it goes on by itself, without a restart, within twenty seconds, and what happened meanwhile is
neither lost nor done twice. The operator has the rights of its own account; the API server is a real one.
"""

import json
import ssl
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from localcluster import LocalCluster
from support.builders.monitors import monitor_manifest, promise_slot
from support.eventually import eventually
from support.fakes.fault_proxy import FaultProxy, error_line
from support.processes.operators import Operator
from testbed.credentials import write_operator_kubeconfig
from testbed.install import OPERATOR_NAMESPACE
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(150)
RECOVERY_SECONDS: Final = 20


@dataclass(frozen=True)
class Scene:
    """An operator, its way to the API server, and ours."""

    kubectl: Kubectl
    operator: Operator
    proxy: FaultProxy
    cluster: LocalCluster

    def apply(self, **spec: object) -> str:
        """Apply a monitor that nothing is known of yet, and return its name."""
        name = f"churn-{uuid.uuid4().hex[:6]}"
        self.kubectl.apply(monitor_manifest(name, reference="/r", current="/c", **spec))
        return name

    def apply_due(self) -> str:
        """Apply a monitor that has a slot due, whose Job goes on for ever: it may have no pod."""
        name = self.apply(podTemplate={"serviceAccountName": "absent"})
        promise_slot(self.kubectl, name)
        return name

    def is_running(self, name: str) -> bool:
        """Say whether the status names a Job that runs."""
        return bool(self.kubectl.get("modelmonitor", name)["status"].get("active"))

    def wait_until_noticed(self, name: str, *, seconds: float = RECOVERY_SECONDS) -> None:
        """Return when the operator has written the monitor's status."""
        eventually(
            lambda: "observedGeneration" in self.kubectl.get("modelmonitor", name).get("status", {}),
            f"{name} is noticed",
            timeout_seconds=seconds,
        )

    def jobs(self, monitor: str) -> list[str]:
        """Return the names of all Jobs of a monitor."""
        items = self.kubectl.get("jobs", f"--selector=selfheal.dev/monitor={monitor}")["items"]
        return [job["metadata"]["name"] for job in items]

    def wait_for_watches(self) -> None:
        """Return when both watches are open."""
        eventually(lambda: self.proxy.open_watches >= 2, "both watches are open")


@pytest.fixture(scope="module")
def stage(
    cluster: LocalCluster, installation: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """One operator for all tests: it has to survive them all."""
    del installation
    folder = tmp_path_factory.mktemp("outages")
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "outages")
    kubectl("create", "namespace", "outages")
    proxy = FaultProxy(cluster.server, cluster.state.pki / "ca.crt")
    proxy.start()
    write_operator_kubeconfig(cluster, folder / "kubeconfig", server=proxy.url)
    operator = Operator(
        folder / "kubeconfig",
        folder / "operator",
        pod_namespace=OPERATOR_NAMESPACE,
        namespaces="outages",
        resync_seconds="3600",  # nothing here is to be mended by waiting for it
        mlflow_tracking_uri="http://mlflow.invalid",
    )
    try:
        operator.start()
        yield Scene(kubectl, operator, proxy, cluster)
        assert operator.stop() == 0
    finally:
        if operator.running:
            operator.kill()
        proxy.stop()
        kubectl("delete", "namespace", "outages", "--wait=false")


@pytest.fixture
def scene(stage: Scene) -> Iterator[Scene]:
    """The operator, in good health; after the test it must not have ended."""
    stage.wait_for_watches()
    yield stage
    stage.proxy.heal()
    assert stage.operator.running
    stage.wait_until_noticed(stage.apply(suspend=True))


def test_watches_that_are_cut_go_on(scene: Scene) -> None:
    """The connections break; what happens in that moment is told by the next ones."""
    scene.proxy.cut()
    scene.wait_until_noticed(scene.apply(suspend=True))


def test_watches_that_fall_silent_are_noticed(scene: Scene) -> None:
    """Nothing comes, and no end either, as behind a load balancer that forgot the connection."""
    scene.proxy.freeze_watches()
    scene.wait_until_noticed(scene.apply(suspend=True))


def test_a_way_that_is_a_black_hole_for_a_while(scene: Scene) -> None:
    """Nothing at all comes through, for longer than any of the operator's deadlines."""
    scene.proxy.stall()
    name = scene.apply(suspend=True)
    time.sleep(25)
    assert "status" not in scene.kubectl.get("modelmonitor", name)

    scene.proxy.heal()

    scene.wait_until_noticed(name)


def _say(line: str) -> Callable[[Scene], None]:
    return lambda scene: scene.proxy.say_in_watches(line)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(_say(error_line(410)), id="410 Gone"),
        pytest.param(_say(error_line(500)), id="an error in the stream"),
        pytest.param(_say('{"type": "MODIFIED", "object": {"kind"'), id="half a line"),
        pytest.param(_say("{}\n"), id="a line without a type"),
    ],
)
def test_watches_that_end_badly_are_begun_anew(scene: Scene, fault: Callable[[Scene], None]) -> None:
    """Neither of them may end the operator."""
    fault(scene)
    scene.wait_until_noticed(scene.apply(suspend=True))


def test_what_was_deleted_while_nobody_watched_is_found_out(scene: Scene) -> None:
    """After 410 Gone, a watch does not tell of it: the Job would be waited for until its monitor is gone."""
    name = scene.apply_due()
    (job,) = eventually(lambda: scene.jobs(name), "its Job is there")
    eventually(lambda: scene.is_running(name), "the status says that it runs")
    scene.proxy.freeze_watches()
    scene.kubectl("delete", "job", job, "--cascade=background")
    scene.proxy.say_in_watches(error_line(410))

    eventually(
        lambda: not scene.is_running(name),
        "the status no longer says that it runs",
        timeout_seconds=RECOVERY_SECONDS,
    )
    assert scene.jobs(name) == [], "its slot had a Job; it does not get another"


@pytest.mark.parametrize(("status", "retry_after"), [(429, "1"), (429, None), (500, None), (503, "1")])
def test_a_window_of_refusals_is_waited_out(scene: Scene, status: int, retry_after: str | None) -> None:
    """An API server that is overloaded, or whose storage is away, refuses everything."""
    scene.proxy.answer(status, retry_after=retry_after)
    scene.proxy.cut()
    name = scene.apply(suspend=True)
    time.sleep(12)

    scene.proxy.heal()

    scene.wait_until_noticed(name)


def test_writes_whose_answers_are_lost_are_done_once(scene: Scene) -> None:
    """The API server has carried them out, and the operator cannot know."""
    scene.proxy.lose_answers(4)
    name = scene.apply_due()

    eventually(
        lambda: scene.is_running(name),
        "the status says that its check runs",
        timeout_seconds=RECOVERY_SECONDS,
    )
    assert len(scene.jobs(name)) == 1


def test_an_api_server_that_was_away_and_forgot_the_past(scene: Scene) -> None:
    """It is restarted, and etcd has compacted what the watches saw last: they cannot go on from there."""
    gone = scene.apply(suspend=True)
    scene.wait_until_noticed(gone)
    scene.proxy.freeze_watches()
    scene.kubectl("delete", "modelmonitor", gone)
    name = scene.apply(suspend=True)
    _compact(scene.cluster)
    scene.cluster.stop_apiserver()
    scene.proxy.cut()
    time.sleep(15)

    scene.cluster.start_apiserver()

    scene.wait_until_noticed(name)


def _compact(cluster: LocalCluster) -> None:
    """Have etcd forget everything but the present."""
    pki = cluster.state.pki
    ports = json.loads(cluster.state.ports.read_text())
    context = ssl.create_default_context(cafile=pki / "etcd-ca.crt")
    context.load_cert_chain(pki / "etcd-client.crt", pki / "etcd-client.key")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )

    def ask(call: str, **question: object) -> dict[str, dict[str, str]]:
        url = f"https://127.0.0.1:{ports['etcd']}/v3/kv/{call}"
        with opener.open(url, data=json.dumps(question).encode(), timeout=10) as answer:
            document: dict[str, dict[str, str]] = json.load(answer)
            return document

    revision = ask("range", key="AA==")["header"]["revision"]
    ask("compaction", revision=revision, physical=True)
