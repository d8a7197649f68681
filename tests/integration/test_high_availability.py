"""Two operators, each with the rights of the operator's account and a way of its own to the API server.

One leads. Whatever becomes of it, the other goes on, and never do both write.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localcluster import LocalCluster
from selfheal_operator.core.leadership import lease_name
from support.builders.monitors import monitor_manifest
from support.eventually import eventually
from support.fakes.fault_proxy import FaultProxy
from support.processes.operators import Operator
from testbed.credentials import write_operator_kubeconfig
from testbed.install import OPERATOR_NAMESPACE
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(150)
PATIENCE_SECONDS = 40


@dataclass(frozen=True)
class Replica:
    """One of two operators, and its way to the API server."""

    operator: Operator
    proxy: FaultProxy

    def has_written(self, since: float = 0) -> bool:
        """Say whether it has written anything."""
        return bool(self.proxy.writes_after(since))


@dataclass(frozen=True)
class Pair:
    """Two replicas that serve one namespace; `first` has become the leader."""

    kubectl: Kubectl
    first: Replica
    second: Replica

    def edit(self) -> None:
        """Change the monitor's spec, so that whoever leads has to write its status."""
        monitor = self.kubectl.get("modelmonitor", "edited")
        patch = {"spec": {"threshold": 0.4 if monitor["metadata"]["generation"] % 2 else 0.3}}
        self.kubectl("patch", "modelmonitor", "edited", "--type=merge", "--patch", json.dumps(patch))

    def is_answered(self) -> bool:
        """Say whether the status is about the newest spec."""
        monitor = self.kubectl.get("modelmonitor", "edited")
        return bool(monitor.get("status", {}).get("observedGeneration") == monitor["metadata"]["generation"])

    def wait_until_answered(self) -> None:
        """Return when the status is about the newest spec."""
        eventually(self.is_answered, "the newest spec is in the status", timeout_seconds=PATIENCE_SECONDS)

    def lease(self) -> dict[str, Any]:
        """Return the spec of the Lease."""
        name = lease_name([self.kubectl.namespace])
        lease = self.kubectl.get("lease", name, f"--namespace={OPERATOR_NAMESPACE}")
        spec: dict[str, Any] = lease["spec"]
        return spec

    @contextmanager
    def edits(self) -> Iterator[None]:
        """Edit all the time."""
        end = threading.Event()

        def go_on() -> None:
            while not end.wait(0.2):
                self.edit()

        editor = threading.Thread(target=go_on)
        editor.start()
        try:
            yield
        finally:
            end.set()
            editor.join()


@pytest.fixture
def pair(cluster: LocalCluster, installation: Path, kubectl: Kubectl, tmp_path: Path) -> Iterator[Pair]:
    """Both are Ready, and the first one leads."""
    del installation
    replicas = []
    for name in ("first", "second"):
        proxy = FaultProxy(cluster.server, cluster.state.pki / "ca.crt")
        proxy.start()
        config = tmp_path / f"{name}.kubeconfig"
        write_operator_kubeconfig(cluster, config, server=proxy.url)
        operator = Operator(
            config,
            tmp_path / name,
            pod_namespace=OPERATOR_NAMESPACE,
            namespaces=kubectl.namespace,
            resync_seconds="3600",
        )
        replicas.append(Replica(operator, proxy))
    pair = Pair(kubectl, *replicas)
    kubectl.apply(monitor_manifest("edited", reference="/r", current="/c", suspend=True))
    try:
        pair.first.operator.start()
        pair.wait_until_answered()
        pair.second.operator.start()
        yield pair
    finally:
        for replica in replicas:
            if replica.operator.running:
                replica.operator.kill()
            replica.proxy.stop()


def test_one_leads_and_the_other_stands_by(pair: Pair) -> None:
    """Both are Ready and know everything, and all that is written, the leader writes."""
    for _ in range(5):
        pair.edit()
        pair.wait_until_answered()

    assert pair.first.has_written()
    assert not pair.second.has_written()
    assert pair.lease()["holderIdentity"].startswith("first_")


def test_a_leader_that_is_asked_to_end_hands_over(pair: Pair) -> None:
    """It gives the Lease back, so that the other need not wait until it has run out."""
    assert pair.first.operator.stop() == 0
    ended = time.monotonic()
    pair.edit()
    pair.wait_until_answered()

    assert time.monotonic() - ended < pair.lease()["leaseDurationSeconds"]
    assert pair.second.has_written()
    assert pair.lease()["holderIdentity"].startswith("second_")
    assert pair.lease()["leaseTransitions"] == 1


def test_a_leader_that_is_killed_is_replaced(pair: Pair) -> None:
    """The Lease runs out, and what was to be done meanwhile is done."""
    pair.first.operator.kill()
    pair.edit()
    assert not pair.is_answered()

    pair.wait_until_answered()

    assert pair.lease()["holderIdentity"].startswith("second_")


def test_a_leader_that_was_stopped_writes_nothing_after_it_wakes(pair: Pair) -> None:
    """It finds that its time is over before it writes, stands by, and leads again when it is its turn."""
    with pair.edits():
        eventually(lambda: len(pair.first.proxy.writes_after(0)) > 5, "it is busy")
        pair.first.operator.suspend()
        eventually(pair.second.has_written, "it is replaced", timeout_seconds=PATIENCE_SECONDS)

        woken = time.monotonic()
        pair.first.operator.resume()
        time.sleep(5)

        assert pair.second.has_written(since=woken)
        assert not pair.first.has_written(since=woken)
    assert pair.first.operator.running

    back = time.monotonic()
    pair.second.operator.stop()
    pair.edit()
    pair.wait_until_answered()
    assert pair.first.has_written(since=back)


def test_a_leader_that_is_cut_off_stops_before_it_is_replaced(pair: Pair) -> None:
    """It cannot know what the others do, but it knows how long they will wait."""
    with pair.edits():
        eventually(lambda: len(pair.first.proxy.writes_after(0)) > 5, "it is busy")
        cut_off = time.monotonic()
        pair.first.proxy.stall()
        eventually(pair.second.has_written, "it is replaced", timeout_seconds=PATIENCE_SECONDS)

        replaced = pair.second.proxy.writes_after(0)[0].time
        last = max((each.time for each in pair.first.proxy.writes_after(cut_off)), default=cut_off)
        assert last < replaced

        pair.first.proxy.heal()
        healed = time.monotonic()
        eventually(
            lambda: any(each.time > healed and "lease" in each.path for each in pair.first.proxy.seen),
            "it looks at the Lease again",
        )
        time.sleep(3)
        assert not pair.first.has_written(since=healed)
