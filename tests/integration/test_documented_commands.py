"""Every documented command works where a reader would run it.

Bash runs the commands as they are written, against a real API server that also holds other people's objects.
`SITUATIONS` has what each section of a page needs before its commands; a command in any other section fails.
Commands may start kubectl, python, mlflow and `TOOLS`; any other program is not found, and fails.
Two programs are not run. `make` targets take minutes to hours, and CI runs them: they are dry-run, and the
arguments of our programs are parsed. `docker` needs an engine: its arguments are checked by the Dockerfile.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import mlflow
import pandas as pd
import pytest
import yaml
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

from localcluster import LocalCluster
from selfheal_jobs.retrain.run import run_retrain
from selfheal_operator.api.names import RELEASE
from selfheal_operator.api.reasons import CheckResult, Purpose
from selfheal_operator.api.report import RetrainReport
from selfheal_operator.api.request import PromotionOrder
from selfheal_operator.core.jobs import check_job
from selfheal_operator.core.observed import JobDefaults, monitor_from
from selfheal_operator.kube.admission_policies import POLICIES
from support.builders.monitors import monitor_manifest, write_table
from support.builders.objects import last_check, model_version, status
from support.builders.run_requests import run_request
from support.documented import PAGES, ROOT, Script, scripts
from support.eventually import eventually
from support.fakes.inbox import Inbox
from support.played_retrainings import PlayedRetrainings
from support.processes.operators import Operator
from testbed.install import wait_for_api
from testbed.kubectl import Document, Kubectl, KubectlError
from testbed.program import answers, free_port

SCRIPTS: Final = [script for page in PAGES if page.exists() for script in scripts(page)]
TOOLS: Final = ("date", "env", "sed")
"""What the commands may use of the system, beside kubectl, python and mlflow."""

SECONDS: Final = 120
"""A command that has not ended by then fails."""


@dataclass
class Place:
    """Where a script runs: a folder with the repository's files, and a namespace of its own."""

    folder: Path
    kubectl: Kubectl
    environment: dict[str, str]
    mlflow_uri: Callable[[], str]
    """Starts a real MLflow server."""
    commands: list[str] = field(default_factory=list)
    printed: str = ""
    meanwhile: Callable[[], object] = lambda: None
    """Called again and again while a script runs: what others do in the cluster."""
    serves: Callable[[], bool] = lambda: False
    """Whether the script has come to what it is for, where it would run until Ctrl-C."""


Situation = Callable[[Place], Generator[None]]
SITUATIONS: Final[dict[tuple[str, str], Situation]] = {}
"""What is there before the commands of a section, and what must be true after them."""


def situation(*sections: tuple[str, str]) -> Callable[[Situation], Situation]:
    """Register a situation for sections of pages."""

    def register(found: Situation) -> Situation:
        SITUATIONS.update(dict.fromkeys(sections, found))
        return found

    return register


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster that other tests do not need: it is uninstalled from. Without a node, pods stay Pending."""
    state = tmp_path_factory.mktemp("documented") / "state"
    cluster = LocalCluster(state, process_node=False, guarded=True, say=print)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def place(own_cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """A copy of the repository's files, and an administrator in a namespace that only this test uses."""
    namespace = f"docs-{uuid.uuid4().hex[:8]}"
    kubeconfig = _kubeconfig(own_cluster, tmp_path / "kubeconfig", namespace)
    kubectl = Kubectl(own_cluster.kubectl, kubeconfig, "")  # the kubeconfig's, as for a reader
    kubectl("create", "namespace", namespace)
    folder = _checkout(tmp_path / "selfheal")
    (folder / ".cluster").mkdir()
    shutil.copy(kubeconfig, folder / ".cluster" / "kubeconfig")
    environment = {
        "PATH": str(_programs(tmp_path / "bin", own_cluster.kubectl)),
        "HOME": str(tmp_path),
        "KUBECONFIG": str(kubeconfig),
    }
    return Place(folder, kubectl, environment, lambda: str(request.getfixturevalue("mlflow_uri")))


def _kubeconfig(cluster: LocalCluster, path: Path, namespace: str) -> Path:
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    document["contexts"][0]["context"]["namespace"] = namespace
    path.write_text(yaml.safe_dump(document))
    return path


def _checkout(folder: Path) -> Path:
    for name in ("crds", "manifests"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    return folder


def _programs(folder: Path, kubectl: Path) -> Path:
    folder.mkdir()
    (folder / "kubectl").symlink_to(kubectl)
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name) or name)
    for name in ("python", "mlflow"):  # a link would not find its environment
        (folder / name).write_text(f'#!/bin/sh\nexec {Path(sys.executable).parent / name} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_documented_command_works(script: Script, request: pytest.FixtureRequest) -> None:
    """It ends with exit code 0, and what its section promises is true afterwards."""
    to_run = [command for command in script.commands if not _checked_without_running(command)]
    if to_run:
        found = SITUATIONS.get((script.page, script.section))
        assert found is not None, f"{script}: add what is there to SITUATIONS, so that the command is run"
        place: Place = request.getfixturevalue("place")
        place.commands = to_run
        with contextmanager(found)(place):
            place.printed = _run(to_run, place)
        if script.output:
            assert _without_durations(place.printed) == _without_durations(script.output)


def test_every_situation_is_needed() -> None:
    """One whose section was renamed or removed would be kept for nothing."""
    assert SITUATIONS.keys() <= {(script.page, script.section) for script in SCRIPTS}


def _run(commands: list[str], place: Place) -> str:
    """Run commands in one shell that stops at the first failure, and return what they print."""
    with (place.folder / "output").open("w+") as output:
        shell = subprocess.Popen(
            ["/bin/bash", "-euo", "pipefail", "-c", "\n".join(commands)],
            cwd=place.folder,
            env=place.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ended = _ended(shell, place)
        printed = Path(output.name).read_text()
    assert ended, printed
    return printed.strip()


def _ended(shell: subprocess.Popen[bytes], place: Place) -> bool:
    """Wait; return whether the script did what it is for."""
    deadline = time.monotonic() + SECONDS
    try:
        while shell.poll() is None and time.monotonic() < deadline:
            if place.serves():
                return True
            place.meanwhile()
            time.sleep(0.1)
        return shell.poll() == 0
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGTERM)
            shell.wait(timeout=30)


def _without_durations(table: str) -> list[str]:
    """Return lines without ages, whose width also moves the columns."""
    return [
        re.sub(r"\s+", " ", re.sub(r"\b(\d+[dhms])+\b", "AGE", line)).strip() for line in table.splitlines()
    ]


# What is not run.


def _checked_without_running(command: str) -> bool:
    """Check a command of `make` or `docker`; return False for one of any other program."""
    program, *arguments = shlex.split(command, comments=True)
    checks = {"make": _check_make, "docker": _check_docker}
    if check := checks.get(program):
        check(arguments)
    return program in checks


def _check_make(arguments: list[str]) -> None:
    """A target that `make help` lists, with variables that it reads; CI runs the targets themselves."""
    makefile = (ROOT / "Makefile").read_text()
    target, *variables = arguments
    assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), f"make help does not list {target}"
    for variable in variables:
        name = variable.partition("=")[0]
        assert re.search(rf"\b{name}\b", makefile + E2E_SETTINGS), f"nothing reads {name}"
    # `make test ARGS=...` hands its own ARGS on to every make below it.
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    dry = subprocess.run(
        ["make", "-n", *arguments], cwd=ROOT, env=alone, capture_output=True, text=True, check=True
    )
    for module, rest in re.findall(r"^\.venv/bin/python -m ([\w.]+) (.+)$", dry.stdout, re.MULTILINE):
        if any((ROOT / root / module.split(".")[0]).is_dir() for root in ("bench", "dev")):
            _check_arguments(module, shlex.split(rest))


E2E_SETTINGS: Final = (ROOT / "dev" / "demo" / "images.py").read_text()
"""The end-to-end test reads the images' names from the environment, as make passes its variables on."""


def _check_arguments(module: str, arguments: list[str]) -> None:
    """Run a program of ours up to the point where it has parsed its arguments."""
    parsed = subprocess.run(
        [sys.executable, "-c", PARSE_ONLY, module, *arguments], capture_output=True, text=True, check=False
    )
    assert parsed.returncode == 0, parsed.stderr


PARSE_ONLY: Final = """
import argparse, runpy, sys

def parse_and_end(parser, *given):
    parse(parser, *given)
    raise SystemExit(0)

parse = argparse.ArgumentParser.parse_args
argparse.ArgumentParser.parse_args = parse_and_end
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
raise SystemExit(f"{sys.argv[0]} has parsed no arguments")
"""


def _check_docker(arguments: list[str]) -> None:
    """What is built is a target of the Dockerfile, what is pushed was built; others name the base image."""
    command, *rest = arguments
    assert command in {"build", "push", "pull", "inspect"}, f"docker {command} is not checked"
    if command in {"pull", "inspect"}:
        assert f"ARG PYTHON_IMAGE={rest[-1]}\n" in (ROOT / "Dockerfile").read_text()
    elif command == "build":
        target, image = rest[rest.index("--target") + 1], rest[rest.index("-t") + 1]
        assert rest == ["--target", target, "-t", image, "."]
        stages = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        assert target in stages
    else:
        (image,) = rest
        registry, _, name = image.rpartition("/")
        assert name in {f"selfheal-{kind}:{RELEASE}" for kind in ("operator", "jobs")}
        built = f"make images REGISTRY={registry}"
        assert any(built in script.commands for script in SCRIPTS), f"{image} was not built"


# What is there.


def _install(place: Place) -> None:
    place.kubectl("apply", "-k", str(place.folder / "manifests"))
    wait_for_api(place.kubectl)


def _ensure_namespace(place: Place, name: str) -> Kubectl:
    inside = Kubectl(place.kubectl.program, place.kubectl.kubeconfig, name)
    inside.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: bool(inside.get("serviceaccounts")["items"]), "the namespace has a ServiceAccount")
    return inside


def _write_status(kubectl: Kubectl, monitor: str, document: Document) -> None:
    patch = json.dumps({"status": document})
    kubectl("patch", "modelmonitor", monitor, "--subresource=status", "--type=merge", "--patch", patch)


def _condition(kind: str, value: str, reason: str, message: str = "as the page shows") -> Document:
    return {
        "type": kind,
        "status": value,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-11-23T12:00:00Z",
    }


def _column(header: str, line: str, name: str) -> str:
    """Return what a table of kubectl's shows below a heading."""
    begin = header.index(name)
    end = re.compile(r"\S").search(header, begin + len(name))
    return line[begin : end.start() if end else None].strip()


@situation(("README.md", "What the status means"), ("docs/modelmonitor.md", "The status"))
def _the_monitors_that_the_page_shows(place: Place) -> Generator[None]:
    _install(place)
    (table,) = {s.output for s in SCRIPTS if s.output and s.commands == ("kubectl get modelmonitors",)}
    header, *lines = table.splitlines()
    for line in lines:
        name = _column(header, line, "NAME")
        place.kubectl.apply(monitor_manifest(name, reference="/data/a.csv", current="/data/b.csv"))
        _write_status(place.kubectl, name, _status_of(header, line))
    of_the_demo = "flights-delay"
    if of_the_demo in str(place.commands):
        (sentences,) = (s.output for s in SCRIPTS if s.output.startswith("Ready=True"))
        found = re.findall(r"^(\w+)=(\w+) (\w+): (.+)$", sentences, re.MULTILINE)
        place.kubectl.apply(monitor_manifest(of_the_demo, reference="/data/a.csv", current="/data/b.csv"))
        _write_status(place.kubectl, of_the_demo, {"conditions": [_condition(*parts) for parts in found]})
    yield
    place.kubectl("delete", "modelmonitor", of_the_demo, "--ignore-not-found")


def _status_of(header: str, line: str) -> Document:
    ready, result, share = (_column(header, line, name) for name in ("READY", "RESULT", "DRIFT"))
    completed = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
    fields: dict[str, Any] = {}
    if result:
        fields["last_check"] = last_check(
            result=CheckResult(result), drift_share=share or None, completion_time=completed
        )
    if version := _column(header, line, "MODEL"):
        fields["model"] = model_version(version)
    conditions = [
        _condition("Ready", ready, "MonitorActive" if ready == "True" else "ChecksFailing"),
        _condition("Retraining", "False", _column(header, line, "RETRAINING")),
    ]
    return {**status(**fields).to_wire(), "conditions": conditions}


@situation(
    ("docs/modelmonitor.md", "Events"),
    ("docs/modelmonitor.md", "ModelMonitor"),
    ("docs/retraining.md", "What to do"),
    ("docs/reference.md", "ModelMonitor, field by field"),
)
def _a_monitor(place: Place) -> Generator[None]:
    _install(place)
    place.kubectl.apply(monitor_manifest("churn", reference="/data/a.csv", current="/data/b.csv"))
    yield
    assert "churn" in place.printed or "FIELDS" in place.printed


@situation(("docs/promotion.md", "An example"))
def _promotions_by_hand(place: Place) -> Generator[None]:
    """A version with the alias, and two retrainings: the second one after the first is rejected."""
    _install(place)
    manual = {"mode": "Manual"}
    place.kubectl.apply(monitor_manifest("churn", reference="/r.csv", current="/c.csv", promotion=manual))
    played = PlayedRetrainings(place.kubectl, place.mlflow_uri())
    played.client.set_registered_model_alias(played.model, "champion", played.register())
    played.retrained(alias_version="1")

    kubeconfig, folder = Path(place.kubectl.kubeconfig), place.folder / "operator"

    def meanwhile() -> None:
        played.run_promotions(kubeconfig)
        if played.number == 1 and played.condition("PromotionPending").get("reason") == "Rejected":
            played.retrained(alias_version="1")

    place.meanwhile = meanwhile
    operator = Operator(kubeconfig, folder, mlflow_tracking_uri=played.mlflow_uri)
    operator.start()
    try:
        yield
    finally:
        operator.stop()
    assert played.alias() == "1"
    shown = (ROOT / "docs" / "promotion.md").read_text().partition("```text\n")[2].partition("```")[0]
    assert _without_durations(place.printed) == _without_durations(shown.strip())


@situation(("README.md", "When things go wrong"), ("docs/install.md", "High availability"))
def _a_leader(place: Place) -> Generator[None]:
    _install(place)
    (table,) = (s.output for s in SCRIPTS if s.output and "get leases" in s.commands[0])
    header, line = table.splitlines()
    system = _ensure_namespace(place, "selfheal-system")
    system.apply(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": _column(header, line, "NAME"), "namespace": system.namespace},
            "spec": {"holderIdentity": _column(header, line, "HOLDER")},
        }
    )
    yield
    assert "selfheal-operator" in place.printed


@situation(("CONTRIBUTING.md", "Set up"))
def _a_local_cluster(place: Place) -> Generator[None]:
    port = free_port()
    place.environment |= {"SELFHEAL_HEALTH_PORT": str(port)}
    place.serves = lambda: answers(f"http://127.0.0.1:{port}/readyz")
    yield


@situation(("docs/install.md", "2. The operator"))
def _a_kustomization_of_the_readers_own(place: Place) -> Generator[None]:
    _enter_own_folder(place)
    place.meanwhile = lambda: _make_pods_ready(place)
    yield
    deployment = place.kubectl.get("deployment", "selfheal-operator", "--namespace=selfheal-system")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    own = "rollout" in str(place.commands)
    assert container["image"].startswith(
        "registry.example.com/ml/" if own else f"selfheal-operator:{RELEASE}"
    )


def _enter_own_folder(place: Place) -> None:
    """The page's kustomization in a folder beside the repository's."""
    (block,) = re.findall(
        r"```yaml\n(# kustomization.yaml\n.*?)```", (ROOT / "docs/install.md").read_text(), re.DOTALL
    )
    place.folder = place.folder.parent / "own"
    place.folder.mkdir()
    (place.folder / "kustomization.yaml").write_text(block)


def _make_pods_ready(place: Place) -> None:
    """Do what a kubelet would: the cluster has no node."""
    system = ("--namespace=selfheal-system",)
    running = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    patch = ("--subresource=status", "--patch", json.dumps({"status": running}))
    for pod in place.kubectl("get", "pods", *system, "--output=name").split():
        with suppress(KubectlError):  # the rollout may have deleted it meanwhile
            place.kubectl("patch", pod, *system, *patch)


@situation(("docs/install.md", "Permissions"))
def _the_operator(place: Place) -> Generator[None]:
    _install(place)
    yield
    (policy,) = place.kubectl.get("networkpolicies", "--namespace=selfheal-system")["items"]
    assert policy["spec"]["ingress"]


@situation(("docs/security.md", "selfheal-spec"))
def _the_policies(place: Place) -> Generator[None]:
    _install(place)
    yield
    variables = place.kubectl.get("validatingadmissionpolicy", "selfheal-spec")["spec"]["variables"]
    first = [(each["name"], each["expression"]) for each in variables[:4]]
    assert first[0] == ("allowedSecrets", "'Author'")
    assert first[3] == ("allowedCSIDrivers", '["secrets-store.csi.k8s.io"]')
    assert len(variables) > len(first)


@situation(("docs/security.md", "Several operators"))
def _no_policy(place: Place) -> Generator[None]:
    place.kubectl("delete", "validatingadmissionpolicy", "selfheal-spec", "--ignore-not-found")
    yield
    for name in POLICIES:
        place.kubectl("get", "validatingadmissionpolicy", name)
        place.kubectl("get", "validatingadmissionpolicybinding", name)


@situation(("docs/install.md", "MLflow"))
def _no_database(place: Place) -> Generator[None]:
    yield
    assert (place.folder / "mlflow.db").exists()


@situation(("docs/install.md", "3. A first monitor"))
def _the_namespace_of_a_team(place: Place) -> Generator[None]:
    _install(place)
    team = _ensure_namespace(place, "team-a")
    yield
    example = yaml.safe_load((place.folder / "manifests" / "examples" / "smallest.yaml").read_text())
    assert team.get("modelmonitor", example["metadata"]["name"])["spec"] == example["spec"]
    assert "schedule\t<string>" in place.printed


@situation(("docs/install.md", "Metrics"), ("docs/metrics.md", "Scraping"))
def _the_prometheus_operators_types(place: Place) -> Generator[None]:
    _install(place)
    kinds = {"servicemonitors": "ServiceMonitor", "prometheusrules": "PrometheusRule"}
    place.kubectl.apply(
        *(_foreign_type("monitoring.coreos.com", plural, kind) for plural, kind in kinds.items())
    )
    for plural in kinds:
        place.kubectl("wait", "--for=condition=Established", f"crd/{plural}.monitoring.coreos.com")
    eventually(lambda: place.kubectl("get", ",".join(kinds)) is not None, "both are served")
    yield
    for plural in ("services", *kinds):
        assert place.kubectl.get(plural, "--namespace=selfheal-system")["items"]


def _foreign_type(group: str, plural: str, kind: str) -> Document:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }


ARGO_CD: Final[Document] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "argocd-cm",
        "namespace": "argocd",
        "labels": {"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"},
    },
    "data": {"url": "https://argocd.example.com", "admin.enabled": "false"},
}
"""Argo CD finds its settings by the labels."""


@situation(("docs/metrics.md", "Authorization"))
def _the_component_of_authorization(place: Place) -> Generator[None]:
    _install(place)
    place.kubectl("apply", "-f", str(place.folder / "manifests/metrics_authorization/reader_role.yaml"))
    yield
    account = "--as=system:serviceaccount:monitoring:prometheus"
    assert place.kubectl("auth", "can-i", "get", "/metrics", account).strip() == "yes"


@situation(("docs/install.md", "Argo CD"))
def _argo_cd_as_its_guide_installs_it(place: Place) -> Generator[None]:
    """By client-side `kubectl apply`: a server-side apply of our two keys would remove all others."""
    argo = _ensure_namespace(place, "argocd")
    argo.apply(ARGO_CD)
    yield
    ours = yaml.safe_load((place.folder / "manifests" / "argocd" / "argocd_cm.yaml").read_text())["data"]
    for _ in "patched", "then Argo CD is upgraded":
        stored = argo.get("configmap", "argocd-cm")
        assert stored["data"] == {**ARGO_CD["data"], **ours}
        assert stored["metadata"]["labels"] == ARGO_CD["metadata"]["labels"]
        argo.apply(ARGO_CD)


@situation(("docs/modelmonitor.md", "Run now"))
def _an_operator_that_handles_requests(place: Place) -> Generator[None]:
    _install(place)
    place.kubectl.apply(monitor_manifest("churn", reference="/data/a.csv", current="/data/b.csv"))
    place.meanwhile = lambda: _handle_requests(place.kubectl)
    yield
    tokens = _request_tokens(place.kubectl).values()
    assert tokens
    assert all(token.startswith(f"{datetime.now(UTC):%Y-}") for token in tokens)


def _request_tokens(kubectl: Kubectl) -> dict[str, str]:
    annotations = kubectl.get("modelmonitor", "churn")["metadata"].get("annotations", {})
    return {name: value for name, value in annotations.items() if name.endswith("-requested-at")}


def _handle_requests(kubectl: Kubectl) -> None:
    if token := _request_tokens(kubectl).get("selfheal.dev/check-requested-at"):
        _write_status(kubectl, "churn", {"lastHandledCheckRequest": token})


@situation(("docs/own-image.md", "Your own image"), ("bench/README.md", "`make bench-check`"))
def _a_request(place: Place) -> Generator[None]:
    (purpose,) = (Purpose(command.split()[-1].capitalize()) for command in place.commands)
    absent = place.folder / "absent.csv"
    # A check says that there is no data without asking MLflow; the others ask first.
    mlflow = {"trackingURI": place.mlflow_uri()} if purpose is not Purpose.CHECK else {}
    request = run_request(purpose, reference=absent, current=absent, mlflow=mlflow)
    if purpose is Purpose.PROMOTE:
        request = request.replaced(promotion=PromotionOrder(version="8", approved_by="the gates"))
    place.environment |= {"SELFHEAL_REQUEST": request.to_json()}
    del place.environment["KUBECONFIG"]
    yield
    reason = "VersionNotFound" if purpose is Purpose.PROMOTE else "DataNotFound"
    assert f'"reason": "{reason}"' in place.printed


@situation(("docs/own-image.md", "Repeat a run by hand"))
def _a_job_of_a_check(place: Place) -> Generator[None]:
    """Its spec holds a dollar, which a Job's manifest holds twice."""
    _install(place)
    team = _ensure_namespace(place, "team-a")
    data = write_table(place.folder / "data.parquet", rows=300, shift=0, seed=1)
    mlflow = {"trackingURI": place.mlflow_uri(), "experiment": "a $(price) in $"}
    team.apply(monitor_manifest("churn", reference=data, current=data, mlflow=mlflow))
    monitor = monitor_from(team.get("modelmonitor", "churn"))
    due = datetime.fromtimestamp(29923975 * 60, UTC)
    team.apply(check_job(monitor, monitor.read_spec(), due, JobDefaults(image="none")))
    yield
    assert "NoDrift" in place.printed


@situation(("docs/your-own-model.md", "Show it to selfheal"), ("docs/your-own-model.md", "What replaces it"))
def _a_model_of_the_readers_own(place: Place) -> Generator[None]:
    _install(place)
    team = _ensure_namespace(place, "team-a")
    page = (ROOT / "docs/your-own-model.md").read_text()
    (manifest,) = re.findall(r"```yaml\n(# churn.yaml\n.*?)```", page, re.DOTALL)
    (place.folder / "churn.yaml").write_text(manifest)
    data = write_table(place.folder / "data.parquet", rows=400, shift=0, seed=1)
    client = _own_model(place.mlflow_uri(), data)
    place.environment |= {"MLFLOW_TRACKING_URI": client.tracking_uri}
    is_later = "champion" in str(place.commands) and "copy" not in str(place.commands)
    for _ in range(2 if is_later else 0):
        client.copy_model_version("models:/churn/1", "team-a.churn")
    yield
    if is_later:
        assert client.get_model_version_by_alias("team-a.churn", "champion").version == "2"
    elif "kubectl" in str(place.commands):
        assert team.get("modelmonitor", "churn")["spec"] == yaml.safe_load(manifest)["spec"]
    else:
        assert _champion_of_a_retraining(client.tracking_uri, data) == "1"


def _own_model(uri: str, data: Path) -> mlflow.MlflowClient:
    """Register the version of a team, and nothing under the names of the page's monitor."""
    client = mlflow.MlflowClient(uri)
    for name in ("churn", "team-a.churn"):
        with suppress(MlflowException):
            client.delete_registered_model(name)
    rows = pd.read_parquet(data)
    columns = rows[["age", "income"]]
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("a team's own")
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            LogisticRegression().fit(columns, rows["churned"]),
            name="model",
            registered_model_name="churn",
            signature=mlflow.models.infer_signature(columns),
            serialization_format="cloudpickle",
            pip_requirements=[],
        )
    return client


def _champion_of_a_retraining(uri: str, data: Path) -> str | None:
    """Return the version that a retraining of the page's monitor has compared its candidate with."""
    linear = {"name": "linear", "estimator": "sklearn.linear_model.LogisticRegression"}
    request = run_request(
        Purpose.RETRAIN,
        reference=data,
        current=data,
        job_name=f"churn-retrain-{uuid.uuid4().hex[:8]}",
        mlflow={"trackingURI": uri},
        target="churned",
        retraining={"candidates": [linear]},
    )
    inbox = Inbox()
    run_retrain(request, inbox, lambda: datetime.now(UTC))
    (report,) = inbox.reports
    assert isinstance(report, RetrainReport)
    assert any(gate.name == "champion" for gate in report.last_retraining.gates), report.last_retraining
    return report.last_retraining.champion_version


@situation(("docs/install.md", "Uninstall"))
def _what_is_ours_beside_what_is_not(place: Place) -> Generator[None]:
    _enter_own_folder(place)
    place.kubectl("apply", "-k", str(place.folder))
    wait_for_api(place.kubectl)
    place.kubectl.apply(monitor_manifest("churn", reference="/data/a.csv", current="/data/b.csv"))
    monitor = monitor_from(place.kubectl.get("modelmonitor", "churn"))
    defaults = JobDefaults(image="none", tracking_uri="http://127.0.0.1:9")
    place.kubectl.apply(check_job(monitor, monitor.read_spec(), datetime.now(UTC), defaults))
    place.kubectl.apply(_account("selfheal-runner", "selfheal-operator"), _account("theirs", "Helm"))
    place.kubectl.apply(_binding("selfheal-runner", "selfheal-operator"), _binding("theirs", "Helm"))
    yield
    left = place.kubectl.get("serviceaccounts,rolebindings")["items"]
    assert {each["metadata"]["name"] for each in left} == {"default", "theirs"}
    eventually(lambda: not place.kubectl.get("jobs")["items"], "the Jobs are collected")
    found = place.kubectl("get", "crd,clusterroles,clusterrolebindings,namespaces", "--output=name")
    assert "selfheal" not in found


def _account(name: str, manager: str) -> Document:
    labels = {"app.kubernetes.io/managed-by": manager}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "labels": labels}}


def _binding(name: str, manager: str) -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": manager}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    }
