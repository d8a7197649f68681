"""A real operator among monitors whose statuses are forged: it starts, serves all others, and mends these."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from selfheal_operator.api.names import CHECK_MANAGER
from selfheal_operator.core.errors import RejectedError
from selfheal_operator.core.observed import monitor_from
from selfheal_operator.kube.client import ApiClient
from selfheal_operator.kube.cluster import Cluster
from support.builders.monitors import monitor_manifest
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.forged_statuses import FORGED, REPORTED, SIGNS
from testbed.kubectl import Kubectl
from testbed.nested_documents import deep_managed_fields

NOWHERE: Final = "/nowhere.parquet"


@pytest.fixture
def operator(installation: Path, tmp_path: Path) -> Iterator[Operator]:
    """An operator that has not been started: the statuses are forged by then."""
    operator = Operator(installation, tmp_path / "operator", mlflow_tracking_uri="http://127.0.0.1:9")
    yield operator
    assert operator.stop() == 0


def status(kubectl: Kubectl, name: str) -> dict[str, Any]:
    """Return a monitor's status."""
    found: dict[str, Any] = kubectl.get("modelmonitor", name).get("status", {})
    return found


def forge(kubectl: Kubectl, name: str, forged: dict[str, Any]) -> None:
    """Write a status as anybody who may patch one."""
    patch = json.dumps({"status": forged})
    kubectl("patch", "modelmonitor", name, "--subresource=status", "--type=merge", "--patch", patch)


def is_mended(kubectl: Kubectl, name: str) -> bool:
    """Return whether the operator has written its part, and nothing of what was forged stands there."""
    found = status(kubectl, name)
    ready = [each for each in found.get("conditions", ()) if each["type"] == "Ready"]
    part = {key: value for key, value in found.items() if key not in REPORTED}
    text = json.dumps(part)
    return bool(ready) and not any(word in text for word in SIGNS)


def wait_until_mended(kubectl: Kubectl, name: str) -> None:
    """Wait for that."""
    eventually(lambda: is_mended(kubectl, name), f"{name} is as it should be")


def test_a_forged_status_stops_neither_the_operator_nor_another_monitor(
    kubectl: Kubectl, operator: Operator
) -> None:
    """Forged while no operator ran, and again while one does."""
    for name, forged in FORGED.items():
        kubectl.apply(monitor_manifest(name, reference=NOWHERE, current=NOWHERE))
        forge(kubectl, name, forged)
    kubectl.apply(monitor_manifest("plain", reference=NOWHERE, current=NOWHERE))

    operator.start()

    for name in ("plain", *FORGED):
        wait_until_mended(kubectl, name)
    for name, forged in FORGED.items():
        forge(kubectl, name, forged)
    for name in FORGED:
        wait_until_mended(kubectl, name)
    scrape = operator.scrape()
    assert scrape.value("selfheal_reconcile_errors_total", kind="Defect") == 0
    assert "Traceback" not in operator.log.read_text()


def test_an_object_that_nests_deep_stops_neither_the_operator_nor_another_monitor(
    kubectl: Kubectl, operator: Operator
) -> None:
    """The API server stores such managedFields of anybody's; they come with each list and watch."""
    for name in ("deep", "plain"):
        kubectl.apply(monitor_manifest(name, reference=NOWHERE, current=NOWHERE))
    nest_deep(kubectl, "deep", "before")

    operator.start()

    for name in ("deep", "plain"):
        wait_until_mended(kubectl, name)
    nest_deep(kubectl, "deep", "meanwhile")
    kubectl.apply(monitor_manifest("later", reference=NOWHERE, current=NOWHERE))
    wait_until_mended(kubectl, "later")
    log = operator.log.read_text()
    assert "Traceback" not in log
    assert "Watch ended" not in log


def nest_deep(kubectl: Kubectl, name: str, manager: str) -> None:
    """Write that a manager owns a field which lies deeper than Python 3.11 reads by default."""
    patch = deep_managed_fields(manager, depth=1200)
    kubectl("patch", "modelmonitor", name, "--type=merge", "--patch", patch)


@pytest.fixture
async def cluster_of_operator(installation: Path) -> AsyncIterator[Cluster]:
    """The API server, with the operator's rights."""
    client = await ApiClient.connect(str(installation))
    yield Cluster(client)
    await client.close()


@pytest.mark.parametrize(
    "part",
    [
        {"signals": [{"name": "s", "type": "t", "result": "Unknown", "reason": "R", "message": "m"}] * 2},
        {"observedGeneration": 2**80},
        {"result": "Maybe"},
        {"message": "x" * 5000},
        {"topDriftedColumns": [{"name": "a", "method": "ks", "score": "0", "threshold": "0"}] * 500},
    ],
    ids=lambda part: next(iter(part)),
)
async def test_a_report_that_the_crd_refuses_is_a_refusal(
    cluster_of_operator: Cluster, kubectl: Kubectl, part: dict[str, Any]
) -> None:
    """And not an outage, after which it would be tried again for a day."""
    kubectl.apply(monitor_manifest("idle", reference=NOWHERE, current=NOWHERE, suspend=True))
    monitor = monitor_from(await cluster_of_operator.monitor(kubectl.namespace, "idle"))

    with pytest.raises(RejectedError):
        await cluster_of_operator.apply_status(
            monitor, {"lastCheck": FORGED["report"]["lastCheck"] | part}, CHECK_MANAGER
        )
