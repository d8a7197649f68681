"""The CRD as users meet it: how it is applied, explained and listed, and who may write what."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from localcluster import LocalCluster
from selfheal_operator.api.model import format_time
from support.eventually import eventually
from testbed.kubectl import Document, Kubectl

ROOT: Final = Path(__file__).resolve().parents[2]
CRD: Final = ROOT / "crds" / "modelmonitors.selfheal.dev.yaml"

ANNOTATION_LIMIT: Final = 262_144
"""Bytes that the API server allows for all annotations of an object together."""

MONITOR: Final[Document] = {
    "apiVersion": "selfheal.dev/v1alpha1",
    "kind": "ModelMonitor",
    "metadata": {"name": "churn"},
    "spec": {
        "dataset": {"reference": {"uri": "/data/reference.csv"}, "current": {"uri": "/data/current.csv"}},
        "target": "churned",
        "threshold": 0.3,
        "schedule": "0 */6 * * *",
    },
}
"""The smallest one."""


@pytest.fixture(scope="module")
def crd(cluster: LocalCluster) -> Kubectl:
    """`kubectl` of an administrator who has applied the CRD the plain way."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "default")
    kubectl("apply", "-f", str(CRD))
    kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRD))
    eventually(
        lambda: "modelmonitors" in kubectl("api-resources", "--api-group=selfheal.dev"), "it is served"
    )
    # Published a moment after it is served, and `kubectl explain` reads it.
    eventually(lambda: "selfheal.dev/v1alpha1" in kubectl("get", "--raw=/openapi/v3"), "it is described")
    return kubectl


@pytest.fixture
def applied(crd: Kubectl, kubectl: Kubectl) -> Kubectl:
    """`kubectl` in a namespace with the smallest monitor."""
    del crd
    kubectl.apply(MONITOR)
    return kubectl


def test_the_crd_is_small_enough_for_a_plain_apply(crd: Kubectl) -> None:
    """`kubectl apply` keeps the whole CRD in an annotation, which has room for it."""
    annotations = crd.get("crd", "modelmonitors.selfheal.dev")["metadata"]["annotations"]

    assert "kubectl.kubernetes.io/last-applied-configuration" in annotations
    assert sum(len(key) + len(value.encode()) for key, value in annotations.items()) < ANNOTATION_LIMIT


def test_explain_says_what_the_tables_are(crd: Kubectl) -> None:
    """`kubectl explain modelmonitor.spec.dataset` is enough to fill it in."""
    explained = crd("explain", "modelmonitor.spec.dataset")

    for part in EXPLAINED_DATASET:
        assert part in explained


EXPLAINED_DATASET: Final = (
    "DESCRIPTION:\n    dataset names the two tables that are compared.\n",
    "  current\t<Object> -required-\n    current is the data that the model meets now.\n",
    (
        "  reference\t<Object> -required-\n"
        "    reference is the data that the present model was trained on: what normal\n    looks like."
    ),
)


def test_every_field_is_explained(crd: Kubectl) -> None:
    """No field is left without a description, in the spec or in the status."""
    version = crd.get("crd", "modelmonitors.selfheal.dev")["spec"]["versions"][0]
    properties = version["schema"]["openAPIV3Schema"]["properties"]

    assert list(_unexplained(properties["spec"], "spec")) == []
    assert list(_unexplained(properties["status"], "status")) == []


def _unexplained(schema: Document, path: str) -> Iterator[str]:
    if not schema.get("description") and not path.endswith("[]"):
        yield path
    for name, child in schema.get("properties", {}).items():
        yield from _unexplained(child, f"{path}.{name}")
    if "items" in schema:
        yield from _unexplained(schema["items"], f"{path}[]")


def _documented() -> Iterator[Any]:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        blocks = re.findall(r"```yaml\n(.+?)```", page.read_text(), flags=re.DOTALL)
        for number, block in enumerate(block for block in blocks if "kind: ModelMonitor" in block):
            yield pytest.param(block, id=f"{page.name}-{number}")


@pytest.mark.parametrize("manifest", [*_documented()])
def test_a_monitor_in_the_docs_is_accepted(crd: Kubectl, manifest: str) -> None:
    """What a reader copies from the README or the docs can be applied as it is."""
    assert "created" in crd("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=manifest)


def test_nothing_is_written_into_a_spec(applied: Kubectl) -> None:
    """What was applied is what is stored, so GitOps tools see no difference: no default is filled in."""
    stored = applied.get("mmon", "churn")

    assert stored["spec"] == MONITOR["spec"]
    assert applied("diff", "-f", "-", stdin=json.dumps(MONITOR)) == ""


def test_a_status_shows_no_difference_to_git(applied: Kubectl) -> None:
    """`kubectl diff` stays empty when there is a status."""
    _write_status(applied, {"observedGeneration": 1, "nextCheckTime": "2030-01-01T00:00:00Z"})

    assert applied("diff", "-f", "-", stdin=json.dumps(MONITOR)) == ""


def test_a_new_monitor_has_no_status(crd: Kubectl, kubectl: Kubectl) -> None:
    """A status in a user's manifest is dropped: only the status subresource takes one."""
    del crd
    kubectl.apply({**MONITOR, "status": {"observedGeneration": 7}})

    assert "status" not in kubectl.get("mmon", "churn")


def test_an_edit_cannot_change_the_status(applied: Kubectl) -> None:
    """A status that comes through the main resource is ignored."""
    _write_status(applied, {"observedGeneration": 1})

    applied("patch", "mmon", "churn", "--type=merge", "--patch", '{"status": {"observedGeneration": 7}}')

    assert applied.get("mmon", "churn")["status"] == {"observedGeneration": 1}


def test_a_status_write_cannot_change_the_spec(applied: Kubectl) -> None:
    """A spec that comes through the status subresource is ignored, and the generation stays."""
    patch = json.dumps({"spec": {"threshold": 0.9}, "status": {"observedGeneration": 1}})
    applied("patch", "mmon", "churn", "--subresource=status", "--type=merge", "--patch", patch)

    stored = applied.get("mmon", "churn")

    assert (stored["spec"], stored["metadata"]["generation"]) == (MONITOR["spec"], 1)
    assert stored["status"] == {"observedGeneration": 1}


def test_a_monitor_has_a_short_name_and_a_category(applied: Kubectl) -> None:
    """`mmon`, the singular, the plural and the category name the same."""
    names = ("mmon", "modelmonitor", "modelmonitors", "mlops")

    assert {applied("get", name, "--output=name").strip() for name in names} == {
        "modelmonitor.selfheal.dev/churn"
    }


def test_a_new_monitor_is_listed_with_empty_columns(applied: Kubectl) -> None:
    """Before the first check there is nothing to show but the name and the age."""
    assert _columns(applied("get", "mmon")) == {"NAME": "churn", "AGE": "0s"}


def test_the_list_shows_what_came_of_the_checks(applied: Kubectl) -> None:
    """`kubectl get mmon` shows readiness, version, verdict and retraining."""
    _write_status(applied, _drifted())

    assert _columns(applied("get", "mmon")) == {
        "NAME": "churn",
        "READY": "True",
        "MODEL": "8",
        "DRIFT": "0.4000",
        "RESULT": "Drift",
        "LAST CHECK": "15m",
        "RETRAINING": "CoolingDown",
        "AGE": "0s",
    }


def test_the_wide_list_adds_the_schedule_and_why(applied: Kubectl) -> None:
    """`-o wide` adds when checks are due, and the sentence behind READY."""
    _write_status(applied, _drifted())
    applied("patch", "mmon", "churn", "--type=merge", "--patch", '{"spec": {"suspend": true}}')

    shown = _columns(applied("get", "mmon", "-o", "wide"))

    assert {name: shown[name] for name in ("SCHEDULE", "SUSPEND", "NEXT CHECK", "MESSAGE")} == {
        "SCHEDULE": "0 */6 * * *",
        "SUSPEND": "true",
        "NEXT CHECK": "2030-01-01T00:00:00Z",
        "MESSAGE": "Checks run on schedule",
    }


def test_the_wide_list_shows_the_interval(crd: Kubectl, kubectl: Kubectl) -> None:
    """A monitor without a cron schedule shows its interval in seconds."""
    del crd
    spec = {**MONITOR["spec"], "intervalSeconds": 900}
    del spec["schedule"]
    kubectl.apply({**MONITOR, "spec": spec})

    assert _columns(kubectl("get", "mmon", "-o", "wide"))["INTERVAL"] == "900"


def _write_status(kubectl: Kubectl, status: Document) -> None:
    patch = json.dumps({"status": status})
    kubectl("patch", "mmon", "churn", "--subresource=status", "--type=merge", "--patch", patch)


def _drifted() -> Document:
    quarter_past = format_time(datetime.now(UTC) - timedelta(minutes=15, seconds=10))
    conditions = (
        ("Ready", "True", "MonitorActive", "Checks run on schedule"),
        ("DriftDetected", "True", "ThresholdExceeded", "4 of 10 columns drifted (0.4000 > 0.3000)"),
        ("Retraining", "False", "CoolingDown", "Drift was found; the next retraining may start later"),
    )
    return {
        "nextCheckTime": "2030-01-01T00:00:00Z",
        "conditions": [
            {"type": kind, "status": status, "reason": reason, "message": message}
            | {"lastTransitionTime": quarter_past}
            for kind, status, reason, message in conditions
        ],
        "lastCheck": {
            "scheduledTime": quarter_past,
            "jobName": "churn-check-1",
            "completionTime": quarter_past,
            "result": "Drift",
            "reason": "ThresholdExceeded",
            "message": "4 of 10 columns drifted (0.4000 > 0.3000)",
            "driftShare": "0.4000",
            "observedGeneration": 1,
        },
        "model": {"name": "churn", "version": "8", "runID": "9b1c", "registeredTime": quarter_past},
    }


def _columns(table: str) -> dict[str, str]:
    """Read kubectl's table of one row; empty cells are left out, and ages under a minute are 0s."""
    header, row = table.rstrip("\n").split("\n")
    starts = [match.start() for match in re.finditer(r"\S+(?: \S+)*", header)]
    ends = [*starts[1:], None]
    cells = {header[a:b].strip(): row[a:b].strip() for a, b in zip(starts, ends, strict=True)}
    cells["AGE"] = re.sub(r"^\d{1,2}s$", "0s", cells["AGE"])
    return {name: cell for name, cell in cells.items() if cell}
