"""The whole loop on a real cluster: real images, pods and RBAC, under the restricted Pod Security profile."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from demo.monitors import monitor
from demo.scenarios import FLIGHTS_DELAY
from demo.stage import DATA_URL, MLFLOW_URI
from support.eventually import eventually
from testbed.kubectl import Document, Kubectl, KubectlError

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

NAME = FLIGHTS_DELAY.name
LOOP_SECONDS = 900
"""A check is due within a minute; each container then needs half a minute, more on a busy machine."""
UNRESTRICTED_POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "root"},
    "spec": {"containers": [{"name": "root", "image": "busybox"}]},
}


SECURITY_COLUMNS = (
    "POD:.metadata.name",
    "ACCOUNT:.spec.serviceAccountName",
    "NONROOT:.spec.securityContext.runAsNonRoot",
    "USER:.spec.securityContext.runAsUser",
    "SECCOMP:.spec.securityContext.seccompProfile.type",
    "READONLY:.spec.containers[*].securityContext.readOnlyRootFilesystem",
    "ESCALATE:.spec.containers[*].securityContext.allowPrivilegeEscalation",
    "DROP:.spec.containers[*].securityContext.capabilities.drop",
)


@dataclass(frozen=True)
class Healed:
    """What is left after one turn of the loop."""

    monitor: Document
    jobs: list[Document]
    pods: list[Document]


@pytest.fixture(scope="module")
def healed(team: Kubectl) -> Iterator[Healed]:
    """One monitor on data that has really moved, applied and left alone until it is retrained."""
    document = monitor(FLIGHTS_DELAY, data=DATA_URL, tracking_uri=MLFLOW_URI)
    document["metadata"]["namespace"] = team.namespace
    document["spec"]["mlflow"]["registeredModelName"] = f"{team.namespace}.{NAME}"
    team.apply(document)
    show(team, "get", "mmon", "--output=wide")
    eventually(lambda: status(team).get("lastCheck"), "a check has reported", timeout_seconds=LOOP_SECONDS)
    show(team, "get", "mmon", "--output=wide")
    eventually(
        lambda: status(team).get("lastRetraining"), "a retraining has reported", timeout_seconds=LOOP_SECONDS
    )
    eventually(
        lambda: "ModelRegistered" in event_reasons(team), "the operator says that a model was registered"
    )
    eventually(
        lambda: status(team).get("lastPromotion"), "a promotion has reported", timeout_seconds=LOOP_SECONDS
    )
    show(team, "get", "mmon", "--output=wide")
    show(team, "describe", "mmon", NAME)
    show(team, "get", "jobs,pods", "--output=wide")
    show(team, "get", "namespace", team.namespace, "--show-labels")
    show(team, "get", "pods", "--output=custom-columns=" + ",".join(SECURITY_COLUMNS))
    yield Healed(
        monitor=eventually(lambda: with_evidence(team), "the last check names its report"),
        jobs=team.get("jobs")["items"],
        pods=team.get("pods", "--selector=selfheal.dev/monitor=" + NAME)["items"],
    )
    team("delete", "mmon", NAME, "--ignore-not-found")


def status(team: Kubectl) -> Document:
    """Return the monitor's status."""
    found: Document = team.get("mmon", NAME).get("status", {})
    return found


def with_evidence(team: Kubectl) -> Document:
    """Return the monitor if its last check names its report, which is written after the verdict, else {}."""
    found: Document = team.get("mmon", NAME)
    return found if "reportURI" in found["status"]["lastCheck"] else {}


def event_reasons(team: Kubectl) -> set[str]:
    """Return the reasons of the monitor's Events. A condition may show the next check's Drift already."""
    events = team.get("events", f"--field-selector=involvedObject.name={NAME}")["items"]
    return {str(event["reason"]) for event in events}


def show(team: Kubectl, *arguments: str) -> None:
    """Print what a user would see; `pytest -s` shows it."""
    print(f"\n$ kubectl {' '.join(arguments)}\n{team(*arguments)}", flush=True)  # noqa: T201 - for whoever watches


def test_a_pod_that_runs_as_it_likes_is_refused_here(team: Kubectl) -> None:
    """The profile is enforced in the namespace: what passes below has passed it."""
    with pytest.raises(KubectlError) as refused:
        team("create", "--dry-run=server", "-f", "-", stdin=json.dumps(UNRESTRICTED_POD))
    assert 'violates PodSecurity "restricted' in refused.value.stderr


def test_drift_is_found_by_a_real_container(healed: Healed) -> None:
    """The check's pod read both tables by HTTP and reported a share above the threshold."""
    check = healed.monitor["status"]["lastCheck"]
    assert (check["result"], check["reason"]) == ("Drift", "ThresholdExceeded"), check["message"]
    assert float(check["driftShare"]) > healed.monitor["spec"]["threshold"]
    assert check["runID"]
    assert check["reportURI"]


def test_the_retrained_model_is_registered_and_named_in_the_status(healed: Healed) -> None:
    """The retraining's pod trained, registered version 1 and reported it."""
    retraining, model = healed.monitor["status"]["lastRetraining"], healed.monitor["status"]["model"]
    assert retraining["result"] == "Registered", retraining["message"]
    assert model["name"] == healed.monitor["spec"]["mlflow"]["registeredModelName"]
    assert model["version"] == retraining["version"] == "1"


def test_mlflow_holds_the_version_that_the_status_names(healed: Healed, team: Kubectl) -> None:
    """Asked by itself, the registry inside the cluster knows the version and its run."""
    model = healed.monitor["status"]["model"]
    ask = (
        "import mlflow; client = mlflow.MlflowClient('http://localhost:5000'); "
        f"print(client.get_model_version({model['name']!r}, {model['version']!r}).run_id)"
    )
    assert team("exec", "deployment/mlflow", "--", "python", "-c", ask).strip() == model["runID"]


def test_a_pod_has_moved_the_alias_to_the_version(healed: Healed, team: Kubectl) -> None:
    """The status says so, and so does the registry."""
    promotion, model = healed.monitor["status"]["lastPromotion"], healed.monitor["status"]["model"]
    assert promotion["reason"] == "ModelPromoted", promotion["message"]
    ask = (
        "import mlflow; client = mlflow.MlflowClient('http://localhost:5000'); "
        f"print(client.get_model_version_by_alias({model['name']!r}, {model['alias']!r}).version)"
    )
    assert team("exec", "deployment/mlflow", "--", "python", "-c", ask).strip() == model["version"]


def test_one_check_led_to_one_retraining(healed: Healed) -> None:
    """There is one retraining Job, of the number that the status counts."""
    retrainings = [
        job for job in healed.jobs if job["metadata"]["labels"]["selfheal.dev/purpose"] == "Retrain"
    ]
    assert [job["metadata"]["name"] for job in retrainings] == [f"{NAME}-retrain-1"]
    assert healed.monitor["status"]["retraining"]["count"] == 1


def test_its_pods_may_nothing_that_the_profile_forbids(healed: Healed) -> None:
    """Each ran as a user, without privileges or a root file system to write to, as the runner."""
    assert {pod["metadata"]["labels"]["selfheal.dev/purpose"] for pod in healed.pods} == {
        "Check",
        "Promote",
        "Retrain",
    }
    for pod in healed.pods:
        spec, (container,) = pod["spec"], pod["spec"]["containers"]
        assert spec["serviceAccountName"] == "selfheal-runner"
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_operators_were_refused_nothing(healed: Healed, operator: Kubectl) -> None:
    """Their role was enough for one turn of the loop, and neither replica was ever restarted."""
    del healed
    selector = "--selector=app.kubernetes.io/component=operator"
    pods = operator.get("pods", selector)["items"]
    assert len(pods) == operator.get("deployment", "selfheal-operator")["spec"]["replicas"] == 2
    for pod in pods:
        assert "forbidden" not in operator("logs", pod["metadata"]["name"], "--tail=-1").lower()
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_nothing_but_the_status_was_written(healed: Healed) -> None:
    """The spec is at its first generation; no finalizer, label or annotation was added to what we applied."""
    metadata = healed.monitor["metadata"]
    assert metadata["generation"] == 1
    assert "finalizers" not in metadata
    assert "labels" not in metadata
    assert set(metadata["annotations"]) == {"kubectl.kubernetes.io/last-applied-configuration"}


def test_deleting_the_monitor_removes_its_jobs_and_pods(healed: Healed, team: Kubectl) -> None:
    """Garbage collection does it: no finalizer keeps the monitor until the operator has acted."""
    assert healed.jobs
    team("delete", "mmon", NAME, "--timeout=30s")
    eventually(lambda: not team.get("jobs")["items"], "its Jobs are gone", timeout_seconds=60)
    selector = f"--selector=selfheal.dev/monitor={NAME}"
    eventually(lambda: not team.get("pods", selector)["items"], "its pods are gone", timeout_seconds=60)
