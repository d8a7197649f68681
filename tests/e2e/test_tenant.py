"""A tenant, and a run that was taken over, try from real pods what their rights do not give them."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest

from demo.images import Images
from demo.stage import stage_namespace
from e2e.conftest import furnish, wait_for_rollout
from e2e.raid import Answer, Request, idle_pod, sent
from e2e.slow_data import NAME as DATA
from e2e.slow_data import OPEN, URL, slow_data
from selfheal_operator.api.names import LABEL_MONITOR, PLURAL, RUNNER_ACCOUNT
from support.builders.monitors import monitor_manifest
from support.eventually import eventually
from testbed.accounts import role_binding
from testbed.caller import DRY, collection
from testbed.kubectl import Document, Kubectl
from testbed.permissions.requests import job as posing_job

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

CHECKED: Final = "churn"
OTHER: Final = "other"
TENANT: Final = "tenant"
IDLE_RUNNER: Final = "web-0"
START_SECONDS: Final = 300
"""A check is due within a minute; its pod then has to start, on a busy machine."""


@dataclass(frozen=True)
class Ground:
    """Where the attacks happen: a namespace with two monitors, one of which is just being checked."""

    admin: Kubectl
    run: str
    """The pod of the check."""
    abroad: Kubectl
    """Another namespace, where the tenant may do whatever Kubernetes' role edit has."""

    @property
    def job(self) -> str:
        """The check's Job."""
        return self.run[: -len("-x7k2p")]

    def report(self, **changes: object) -> Document:
        """Return the status with the report that the check's pod may make."""
        slot = datetime.fromtimestamp(60 * int(self.job.rpartition("-")[2]), UTC)
        verdict = {
            "scheduledTime": f"{slot:%Y-%m-%dT%H:%M:%SZ}",
            "jobName": self.job,
            "result": "NoDrift",
            "reason": "WithinThreshold",
            "message": "forged",
            "observedGeneration": 1,
        }
        return {"status": {"lastCheck": {**verdict, **changes}}}

    def path(self, plural: str, *names: str) -> str:
        """Return the path of a dry run."""
        return collection(plural, self.admin.namespace, *names) + DRY

    def answer(self, who: str, request: Request) -> Answer:
        """Send a request from the pod of somebody."""
        return sent(self.admin, {"run": self.run}.get(who, who), request)


def rights(namespace: str) -> list[Document]:
    """Return the tenant: who may edit monitors, get one Secret of two, and impersonate nobody."""
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["own"], "verbs": ["get"]}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": [rule]}
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"k": "v"}}
    return [
        *({**account, "metadata": _named(name, namespace)} for name in (TENANT, "lent")),
        *({**secret, "metadata": _named(name, namespace)} for name in ("own", "foreign")),
        {**role, "metadata": _named("own", namespace)},
        role_binding("own", namespace, "own", TENANT, kind="Role"),
        *(role_binding(name, namespace, name, TENANT) for name in ("selfheal-edit", "selfheal-view")),
    ]


def _named(name: str, namespace: str) -> Document:
    return {"name": name, "namespace": namespace}


@pytest.fixture(scope="module")
def ground(operator: Kubectl, images: Images) -> Iterator[Ground]:
    """The namespace, while the check's pod waits for its data."""
    admin = Kubectl(operator.program, operator.kubeconfig, f"selfheal-e2e-{uuid.uuid4().hex[:6]}")
    abroad = Kubectl(admin.program, admin.kubeconfig, f"{admin.namespace}-abroad")
    try:
        furnish(admin, stage_namespace(admin.namespace), stage_namespace(abroad.namespace))
        furnish(abroad, *_edited_by_the_tenant(abroad.namespace, admin.namespace))
        furnish(admin, *slow_data(admin.namespace, images.jobs), *rights(admin.namespace))
        wait_for_rollout(admin, DATA)
        admin.apply(_monitor(CHECKED, intervalSeconds=60), _monitor(OTHER, suspend=True))
        run = eventually(lambda: _running(admin), "a check waits for its data", timeout_seconds=START_SECONDS)
        admin("patch", PLURAL, CHECKED, "--type=merge", '--patch={"spec": {"suspend": true}}')
        admin.apply(idle_pod(TENANT, TENANT, images.jobs), idle_pod(IDLE_RUNNER, RUNNER_ACCOUNT, images.jobs))
        admin("wait", "--for=condition=Ready", f"pod/{TENANT}", f"pod/{IDLE_RUNNER}", "--timeout=120s")
        yield Ground(admin, run, abroad)
    finally:
        names = [each.namespace for each in (admin, abroad)]
        admin("delete", "namespace", *names, "--ignore-not-found", "--wait=true", "--timeout=120s")


def _edited_by_the_tenant(namespace: str, home: str) -> list[Document]:
    """Return the tenant's role in a namespace, and the account of runs as an operator makes it."""
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named(RUNNER_ACCOUNT, namespace)},
        role_binding(RUNNER_ACCOUNT, namespace, RUNNER_ACCOUNT, RUNNER_ACCOUNT),
        role_binding(TENANT, namespace, "edit", TENANT, home=home),
    ]


def _monitor(name: str, **spec: object) -> Document:
    """Return a monitor of the slow data, whose checks have nobody to tell but its status."""
    alone = {"mlflow": {"trackingURI": "http://127.0.0.1:9"}, "retraining": {"mode": "Disabled"}}
    sides = (f"{URL}/reference.csv", f"{URL}/current.csv")
    return monitor_manifest(name, reference=sides[0], current=sides[1], target="late", **{**alone, **spec})


def _running(admin: Kubectl) -> str:
    """Return the name of the check's pod, while it runs."""
    pods = admin.get("pods", f"--selector={LABEL_MONITOR}={CHECKED}")["items"]
    return next((pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] == "Running"), "")


def creates(**spec: object) -> Callable[[Ground], Request]:
    """Return the creation of a monitor."""

    def request(ground: Ground) -> Request:
        document = monitor_manifest("new", reference="/r", current="/c", **spec)
        return Request("POST", ground.path(PLURAL), document)

    return request


def reports(monitor: str, **changes: object) -> Callable[[Ground], Request]:
    """Return a report to a monitor, which is that of the check but for some changes."""
    return lambda ground: Request("PATCH", ground.path(PLURAL, monitor, "status"), ground.report(**changes))


def poses(ground: Ground) -> Request:
    """Return the creation of a Job that is called like a check of the other monitor."""
    document = posing_job(ground.admin.namespace, "0", owned=False)
    document["metadata"]["name"] = f"{OTHER}-check-29923920"
    return Request("POST", ground.path("jobs"), document)


def reads(ground: Ground) -> Request:
    """Return a request for a Secret."""
    return Request("GET", collection("secrets", ground.admin.namespace, "foreign"))


def makes_up_missed_checks(ground: Ground) -> Request:
    """Return a report with a field of the operator's."""
    document = ground.report()
    return Request(
        "PATCH", ground.path(PLURAL, CHECKED, "status"), {"status": {**document["status"], "missedChecks": 7}}
    )


NAMES_FOREIGN_SECRET: Final = creates(mlflow={"secretRef": {"name": "foreign"}})
NAMES_FOREIGN_ACCOUNT: Final = creates(podTemplate={"serviceAccountName": "lent"})

ATTACKS: Final[dict[str, tuple[str, Callable[[Ground], Request], str]]] = {
    "the tenant forges a verdict": (TENANT, reports(OTHER), r'cannot patch resource "modelmonitors/status"'),
    "the tenant names a foreign Secret": (
        TENANT,
        NAMES_FOREIGN_SECRET,
        r"names the Secret foreign, which \S+:tenant",
    ),
    "the tenant names a foreign account": (
        TENANT,
        NAMES_FOREIGN_ACCOUNT,
        r":tenant may not impersonate lent",
    ),
    "the tenant poses as a check": (TENANT, poses, r'cannot create resource "jobs"'),
    "the tenant reads a Secret": (TENANT, reads, r'cannot get resource "secrets"'),
    "a run forges a verdict": ("run", reports(OTHER), r"does not belong to a Job of the monitor other"),
    "a run reports for another Job": (
        "run",
        reports(CHECKED, jobName=f"{CHECKED}-check-29923920"),
        r"must name its own Job",
    ),
    "a run makes up missed checks": ("run", makes_up_missed_checks, r"and nothing else"),
    "a run creates a monitor": ("run", creates(), r'cannot create resource "modelmonitors"'),
    "a run creates a Job": ("run", poses, r'cannot create resource "jobs"'),
    "a run reads a Secret": ("run", reads, r'cannot get resource "secrets"'),
    "a pod of the runs' account that is none": (
        IDLE_RUNNER,
        reports(CHECKED),
        rf"the pod {IDLE_RUNNER} does not belong to a Job of the monitor {CHECKED}",
    ),
}
"""Who tries it, the request, and the reason why it is refused."""

LEGITIMATE: Final[dict[str, tuple[str, Callable[[Ground], Request]]]] = {
    "the tenant names their own Secret": (TENANT, creates(mlflow={"secretRef": {"name": "own"}})),
    "the tenant reads their own Secret": (
        TENANT,
        lambda ground: Request("GET", collection("secrets", ground.admin.namespace, "own")),
    ),
    "a run reads its monitor": (
        "run",
        lambda ground: Request("GET", collection(PLURAL, ground.admin.namespace, CHECKED)),
    ),
    "a run reports": ("run", reports(CHECKED)),
}
"""The same requests, where they are allowed: what is refused is refused for what differs."""


@pytest.mark.parametrize("name", LEGITIMATE)
def test_what_is_legitimate_passes(ground: Ground, name: str) -> None:
    """The token in the pod is good, and the API server is reached."""
    who, request = LEGITIMATE[name]
    answer = ground.answer(who, request(ground))
    assert answer.code in {200, 201}, answer.message


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_for_its_reason(ground: Ground, name: str) -> None:
    """By RBAC or by a policy, which the message tells."""
    who, request, reason = ATTACKS[name]
    answer = ground.answer(who, request(ground))
    print(f"\n{name}: {answer.code} {answer.message[:300]}")  # noqa: T201 - for whoever watches
    assert answer.code in {403, 422}
    assert re.search(reason, answer.message)


def test_a_job_of_another_namespace_that_is_called_like_the_check_reports_nothing(
    ground: Ground, images: Images
) -> None:
    """The tenant may create it there, and its pod has a name and an account like those of the check's."""
    pod = idle_pod("", RUNNER_ACCOUNT, images.jobs)["spec"]
    document = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": ground.job},
        "spec": {"template": {"spec": pod}},
    }
    created = ground.answer(TENANT, Request("POST", collection("jobs", ground.abroad.namespace), document))
    assert created.code == 201, created.message
    selector = f"--selector=job-name={ground.job}"
    eventually(lambda: ground.abroad.get("pods", selector)["items"], "it has a pod")
    ground.abroad("wait", "--for=condition=Ready", "pod", selector, "--timeout=120s")
    (posing,) = ground.abroad.get("pods", selector)["items"]
    answer = sent(ground.abroad, posing["metadata"]["name"], reports(CHECKED)(ground))
    print(f"\na Job of another namespace: {answer.code} {answer.message[:300]}")  # noqa: T201 - as above
    assert answer.code == 403
    assert 'cannot patch resource "modelmonitors/status"' in answer.message


def test_the_report_of_the_check_arrives(ground: Ground) -> None:
    """The pod that was attacked from reports what it has found; nothing of the attacks is left."""
    ground.admin(*OPEN)
    check = eventually(
        lambda: ground.admin.get(PLURAL, CHECKED).get("status", {}).get("lastCheck"),
        "the check has reported",
        timeout_seconds=START_SECONDS,
    )
    assert (check["jobName"], check["result"]) == (ground.job, "NoDrift"), check["message"]
    assert "forged" not in check["message"]
    assert "lastCheck" not in ground.admin.get(PLURAL, OTHER).get("status", {})
    assert [each["metadata"]["name"] for each in ground.admin.get("jobs")["items"]] == [ground.job]
