"""The local cluster runs pods as its documentation says."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localcluster import LocalCluster
from localcluster.gobuild import KUBERNETES_VERSION
from support.eventually import eventually
from testbed.kubectl import Kubectl

Document = dict[str, Any]


def job(name: str, script: str, *, pod: Document | None = None, **container: Any) -> Document:
    """A Job whose pod runs a Python script once."""
    main = {"name": "main", "image": "none", "command": ["python", "-c", script], **container}
    template = {"spec": {"restartPolicy": "Never", "containers": [main], **(pod or {})}}
    spec = {"backoffLimit": 0, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def pod_of(kubectl: Kubectl, name: str) -> Document:
    """The only pod of a Job, or an empty document."""
    pods = kubectl.get("pods", f"--selector=job-name={name}")["items"]
    return pods[0] if pods else {}


def container_state(pod: Document, kind: str) -> Document:
    """Return the state of the pod's container if it is of this kind, else an empty document."""
    statuses = pod.get("status", {}).get("containerStatuses", [{}])
    state: Document = statuses[0].get("state", {}).get(kind, {})
    return state


def wait_for_state(kubectl: Kubectl, name: str, kind: str, **expected: Any) -> Document:
    """Wait until the Job's pod is in a state, and return the state."""

    def state() -> Document:
        found = container_state(pod_of(kubectl, name), kind)
        return found if expected.items() <= found.items() else {}

    return eventually(state, f"the pod of {name} is {kind} {expected}")


def wait_for_job(kubectl: Kubectl, name: str, condition: str) -> None:
    """Wait until the Job controller says how the Job ended."""

    def met() -> bool:
        conditions = kubectl.get("job", name)["status"].get("conditions", [])
        return any(c["type"] == condition and c["status"] == "True" for c in conditions)

    eventually(met, f"Job {name} is {condition}")


def alive(pid: int) -> bool:
    """Whether a process runs; one that merely waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_job_completes(kubectl: Kubectl) -> None:
    """A Job whose process exits with zero is Complete; its log and its last words are kept."""
    script = "import os; print('out'); open(os.environ['TERMINATION_MESSAGE_PATH'], 'w').write('all good')"
    kubectl.apply(job("fine", script))

    wait_for_job(kubectl, "fine", "Complete")

    end = container_state(pod_of(kubectl, "fine"), "terminated")
    assert (end["exitCode"], end["reason"], end["message"]) == (0, "Completed", "all good")
    assert kubectl("logs", "job/fine") == "out\n"


def test_job_fails_with_exit_code(kubectl: Kubectl) -> None:
    """The exit code is reported; without last words the end of the log stands in for them, if asked for."""
    script = "import sys; print('what went wrong'); sys.exit(3)"
    kubectl.apply(job("bad", script, terminationMessagePolicy="FallbackToLogsOnError"))

    wait_for_job(kubectl, "bad", "Failed")

    end = container_state(pod_of(kubectl, "bad"), "terminated")
    assert (end["exitCode"], end["reason"], end["message"]) == (3, "Error", "what went wrong\n")


def test_killed_process_is_reported_with_its_signal(kubectl: Kubectl) -> None:
    """A process that dies of a signal exits with 128 and the signal's number."""
    kubectl.apply(job("killed", "import os; os.kill(os.getpid(), 9)"))

    end = wait_for_state(kubectl, "killed", "terminated")

    assert (end["exitCode"], end["signal"], end["reason"]) == (137, 9, "Error")


def test_deletion_ends_the_process(kubectl: Kubectl, tmp_path: Path) -> None:
    """A deleted Job's process gets SIGTERM and its grace period; then its pod is gone, children and all."""
    script = f"""
import pathlib, signal, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
def goodbye(*_):
    pathlib.Path("{tmp_path}/goodbye").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, goodbye)
pathlib.Path("{tmp_path}/child").write_text(str(child.pid))
time.sleep(600)
"""
    kubectl.apply(job("endless", script))
    pid = int(
        eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text(), "it runs")
    )
    assert alive(pid)

    kubectl("delete", "job", "endless")

    eventually(lambda: not kubectl.get("pods")["items"], "the pod is gone")
    assert (tmp_path / "goodbye").exists()
    assert not alive(pid)


def test_grace_period_ends(kubectl: Kubectl, tmp_path: Path) -> None:
    """A process that ignores SIGTERM is killed after the pod's grace period."""
    ready = tmp_path / "ready"
    script = f"""
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("{ready}").write_text(str(os.getpid()))
time.sleep(600)
"""
    kubectl.apply(job("stubborn", script, pod={"terminationGracePeriodSeconds": 1}))
    pid = int(eventually(lambda: ready.exists() and ready.read_text(), "it runs"))

    kubectl("delete", "job", "stubborn")

    eventually(lambda: not kubectl.get("pods")["items"], "the pod is gone")
    assert not alive(pid)


def test_pod_has_the_rights_of_its_own_service_account(kubectl: Kubectl, cluster: LocalCluster) -> None:
    """A pod may do what its ServiceAccount's Role says, and nothing else."""
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "role", "reader", "--verb=get", "--resource=configmaps")
    kubectl(
        "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={kubectl.namespace}:reader"
    )
    kubectl("create", "configmap", "open", "--from-literal=word=sesame")
    kubectl("create", "secret", "generic", "closed", "--from-literal=word=treasure")
    script = f"""
import subprocess
get = ["{cluster.kubectl}", "get", "-o", "jsonpath={{.data.word}}"]
for what in ("configmap/open", "secret/closed"):
    run = subprocess.run([*get, what], capture_output=True)
    print(run.returncode, (run.stdout or run.stderr).decode().strip())
"""
    kubectl.apply(job("reader", script, pod={"serviceAccountName": "reader"}))

    wait_for_job(kubectl, "reader", "Complete")

    allowed, denied = kubectl("logs", "job/reader").splitlines()
    assert allowed == "0 sesame"
    assert denied.startswith("1 ")
    assert f'User "system:serviceaccount:{kubectl.namespace}:reader" cannot get resource "secrets"' in denied


def test_pod_without_token_has_no_kubeconfig(kubectl: Kubectl) -> None:
    """automountServiceAccountToken: false leaves the pod without an identity, as in a real cluster."""
    script = "import os; print('KUBECONFIG' in os.environ)"
    kubectl.apply(job("nobody", script, pod={"automountServiceAccountToken": False}))

    wait_for_job(kubectl, "nobody", "Complete")

    assert kubectl("logs", "job/nobody") == "False\n"


def test_missing_secret_is_waited_for(kubectl: Kubectl) -> None:
    """A pod whose Secret is missing says so in the kubelet's words, and runs once the Secret is there."""
    env = [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "later", "key": "word"}}}]
    kubectl.apply(job("patient", "import os; print(os.environ['WORD'])", env=env))

    waiting = wait_for_state(kubectl, "patient", "waiting", reason="CreateContainerConfigError")
    assert waiting["message"] == 'secret "later" not found'
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "later"}}
    kubectl.apply({**secret, "data": {"word": base64.b64encode(b"sesame").decode()}})

    wait_for_job(kubectl, "patient", "Complete")
    assert kubectl("logs", "job/patient") == "sesame\n"


def test_environment_is_the_pods_own(kubectl: Kubectl) -> None:
    """A process sees its pod's environment and nothing of the shell that started the cluster."""
    fields = [
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "GREETING", "value": "hello $(POD)"},
    ]
    script = "import json, os; print(json.dumps(dict(os.environ)))"
    kubectl.apply(job("env", script, env=fields, resources={"limits": {"memory": "1Gi"}}))

    wait_for_job(kubectl, "env", "Complete")

    environment = json.loads(kubectl("logs", "job/env"))
    name = pod_of(kubectl, "env")["metadata"]["name"]
    assert (environment["POD"], environment["LIMIT"], environment["GREETING"]) == (
        name,
        "1024",
        f"hello {name}",
    )
    assert "PYTEST_CURRENT_TEST" not in environment


def test_active_deadline_of_a_pod(kubectl: Kubectl) -> None:
    """A pod that runs longer than its activeDeadlineSeconds fails as DeadlineExceeded."""
    kubectl.apply(job("slow", "import time; time.sleep(600)", pod={"activeDeadlineSeconds": 1}))

    wait_for_job(kubectl, "slow", "Failed")

    status = pod_of(kubectl, "slow")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143


def test_active_deadline_of_a_job(kubectl: Kubectl, tmp_path: Path) -> None:
    """A Job that runs longer than its activeDeadlineSeconds fails, and its process is ended."""
    script = f"import os, time; open('{tmp_path}/pid', 'w').write(str(os.getpid())); time.sleep(600)"
    slow = job("slow", script)
    slow["spec"]["activeDeadlineSeconds"] = 3
    kubectl.apply(slow)
    pid = int(eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "it runs"))

    wait_for_job(kubectl, "slow", "Failed")

    eventually(lambda: not alive(pid), "the process has ended")


@pytest.mark.parametrize(
    ("pod", "container", "sentence"),
    [
        ({}, {"command": None}, "the container must set its command"),
        (
            {"volumes": [{"name": "v", "configMap": {"name": "x"}}]},
            {"volumeMounts": [{"name": "v", "mountPath": "/etc/x"}]},
            "cannot mount volume v (configMap) at /etc/x",
        ),
        ({"initContainers": [{"name": "i", "image": "none"}]}, {}, "no init containers"),
    ],
)
def test_pod_that_a_process_cannot_be(
    kubectl: Kubectl, pod: Document, container: Document, sentence: str
) -> None:
    """What a process cannot have is refused with a sentence, not passed over."""
    kubectl.apply(job("greedy", "pass", pod=pod, **container))

    wait_for_job(kubectl, "greedy", "Failed")

    assert sentence in pod_of(kubectl, "greedy")["status"]["message"]


def test_pod_that_is_never_to_end_waits(kubectl: Kubectl) -> None:
    """A Deployment's pod that cannot be a process says so and waits: failed, it would come again at once."""
    labels = {"app": "server"}
    main = {"name": "main", "image": "none", "command": ["sleep", "600"]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [main]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    kubectl.apply(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "server"}, "spec": spec}
    )

    def pods() -> list[Document]:
        found: list[Document] = kubectl.get("pods", "--selector=app=server")["items"]
        return found

    eventually(lambda: pods() and pods()[0]["status"].get("containerStatuses"), "the node has looked at it")
    (only,) = pods()
    waiting = container_state(only, "waiting")
    assert waiting["reason"] == "UnsupportedByProcessNode"
    assert "restartPolicy Never, not Always" in waiting["message"]
    kubectl("delete", "deployment", "server")
    eventually(lambda: not pods(), "the pod is gone")


def test_missing_program(kubectl: Kubectl) -> None:
    """A command that is not there is told as a container runtime tells it."""
    kubectl.apply(job("typo", "pass", command=["pyton"]))

    end = wait_for_state(kubectl, "typo", "terminated")

    assert (end["exitCode"], end["reason"]) == (128, "StartError")
    assert end["message"] == "cannot start pyton: No such file or directory"


def test_process_outlives_the_api_server(kubectl: Kubectl, cluster: LocalCluster, tmp_path: Path) -> None:
    """While the API server is away a process runs on, and what it did meanwhile is reported afterwards."""
    script = f"""
import os, pathlib, time
folder = pathlib.Path("{tmp_path}")
(folder / "pid").write_text(str(os.getpid()))
while not (folder / "go").exists():
    time.sleep(0.05)
print(os.getpid())
"""
    kubectl.apply(job("steady", script))
    wait_for_state(kubectl, "steady", "running")
    # Running comes first: the interpreter takes a moment to reach the script.
    pid = eventually(
        lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "it has told its process id"
    )

    cluster.stop_apiserver()
    (tmp_path / "go").touch()
    eventually(lambda: not alive(int(pid)), "the process has ended")
    cluster.start_apiserver()

    wait_for_job(kubectl, "steady", "Complete")
    assert kubectl("logs", "job/steady") == f"{pid}\n"


def test_restarted_node_runs_nothing_twice(kubectl: Kubectl, cluster: LocalCluster, tmp_path: Path) -> None:
    """A node that comes back after a crash gives up the pods it ran before, and their processes are gone."""
    runs = tmp_path / "runs"
    script = f"import os, time; print(os.getpid(), file=open('{runs}', 'a')); time.sleep(600)"
    kubectl.apply(job("once", script))
    wait_for_state(kubectl, "once", "running")
    pid = int(eventually(lambda: runs.exists() and runs.read_text(), "it runs"))

    cluster.stop_process_node()
    cluster.start_process_node()

    wait_for_job(kubectl, "once", "Failed")
    assert pod_of(kubectl, "once")["status"]["reason"] == "ContainerLost"
    assert runs.read_text() == f"{pid}\n"
    assert not alive(pid)


def test_logs_outlive_the_pod(kubectl: Kubectl, cluster: LocalCluster) -> None:
    """`localcluster logs` finds a Job's log when Job and pod are deleted."""
    kubectl.apply(job("brief", "print('remember me')"))
    wait_for_job(kubectl, "brief", "Complete")
    kubectl("delete", "job", "brief")
    eventually(lambda: not kubectl.get("pods")["items"], "the pod is gone")

    state = f"--state={cluster.state.root}"
    command = [sys.executable, "-m", "localcluster", state, "logs", "brief", "-n", kubectl.namespace]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "remember me\n"


def test_versions(kubectl: Kubectl) -> None:
    """Client and server tell the version they were built from, as the official ones do."""
    versions = json.loads(kubectl("version", "--output=json"))

    assert versions["clientVersion"]["gitVersion"] == KUBERNETES_VERSION
    assert versions["serverVersion"]["gitVersion"] == KUBERNETES_VERSION
    assert versions["serverVersion"]["minor"] == KUBERNETES_VERSION.split(".")[1]


def test_guarded_cluster_ends_with_its_starter(tmp_path: Path) -> None:
    """However a test run dies, its cluster goes with it: no process and no file is left."""
    state = tmp_path / "state"
    script = f"""
import os, pathlib
from localcluster import LocalCluster
from localcluster.gobuild import KUBERNETES_VERSION
LocalCluster(pathlib.Path({str(state)!r}), guarded=True, process_node=False).start()
os.kill(os.getpid(), 9)
"""
    starter = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert starter.returncode == -9, starter.stderr

    eventually(lambda: not state.exists(), "the state directory is gone")
    assert not processes_naming(state)


def processes_naming(path: Path) -> list[str]:
    """Command lines of this machine's processes that mention a path."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if str(path) in line:
            found.append(line)
    return found
