"""One local cluster: start it, stop it, and interrupt its API server for a while."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcluster import childprocess
from localcluster.binaries import ensure_binaries
from localcluster.childprocess import ProcessRecord
from localcluster.controlplane import Ports, component_commands
from localcluster.errors import ComponentError, NotAClusterError
from localcluster.kubeconfig import certificate_user, kubeconfig, write_kubeconfig
from localcluster.options import ControlPlaneOptions
from localcluster.pki import write_pki
from localcluster.statedir import StateDir

NODE_NAME = "process-node"
CLUSTER_MARK = "LOCALCLUSTER_STATE"  # in the environment of each of a cluster's processes, pods included
READY_SECONDS = 120
PODS_GRACE_SECONDS = 5
SOURCE_ROOT = Path(__file__).resolve().parent.parent
USUAL = ControlPlaneOptions()


class LocalCluster:
    """A control plane, and if wanted a node, in one state directory.

    Every method may be called from another process than the one that called `start`: the state directory
    records what runs. All of them raise `LocalClusterError`s.

    Args:
        state: The folder for all of the cluster's files; created by `start`, removed by `stop`.
        process_node: Whether a node runs the pods; without one, they stay Pending.
        options: Options of the control plane.
        interpreter: The interpreter that `python` in a pod's command stands for.
        guarded: Whether to stop the cluster when this process ends for any reason. For tests.
        say: Receives progress messages.
    """

    def __init__(  # noqa: PLR0913 - all but the first are named and may be left out
        self,
        state: Path,
        *,
        process_node: bool = True,
        options: ControlPlaneOptions = USUAL,
        interpreter: str = sys.executable,
        guarded: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.state = StateDir(state.resolve())
        self._process_node = process_node
        self._options = options
        self._interpreter = interpreter
        self._guarded = guarded
        self._guard: subprocess.Popen[bytes] | None = None
        self._say = say

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator (group system:masters)."""
        return self.state.kubeconfig

    @property
    def binaries(self) -> Path:
        """The folder with the programs of the cluster and `kubectl`; downloaded or built first if need be."""
        return ensure_binaries(self._say)

    @property
    def kubectl(self) -> Path:
        """The `kubectl` of the cluster's version."""
        return self.binaries / "kubectl"

    @property
    def server(self) -> str:
        """The API server's URL."""
        return Ports.kept(self.state.ports).server

    @property
    def components(self) -> tuple[str, ...]:
        """The names of the programs this cluster consists of."""
        scheduler = ("kube-scheduler",) if self._options.scheduler else ()
        node = ("process-node",) if self._process_node else ()
        return ("etcd", "kube-apiserver", "kube-controller-manager", *scheduler, *node)

    @property
    def running(self) -> Mapping[str, bool]:
        """Which component runs now."""
        records = {name: ProcessRecord.read(self.state.record(name)) for name in self.components}
        return {name: record is not None and record.running for name, record in records.items()}

    def start(self) -> None:
        """Start the components that do not run; return when pods can run (without a node: be created)."""
        binaries = self.binaries
        with self.state.locked():
            self.state.create()
            self._start_guard()
            self._write_identities()
            self._write_audit_policy()
            self._ensure("etcd", binaries)
            self._ensure("kube-apiserver", binaries)
            if self._process_node:
                # Started in parallel: importing its libraries takes about as long as the API server's start.
                self._ensure_process_node()
            self._wait("kube-apiserver", self.api_ready, "to be ready")
            self._ensure("kube-controller-manager", binaries)
            if self._options.scheduler:
                self._ensure("kube-scheduler", binaries)
            self._wait(
                "kube-controller-manager", self._has_default_account, "to make the default ServiceAccount"
            )
            if self._process_node:
                self._wait("process-node", self._node_takes_pods, "to be Ready")
            for name in self.components:
                self._wait(name, lambda: True, "to stay")

    def stop(self) -> None:
        """Stop everything, even if a crashed process started it, and remove the state directory."""
        if self.state.exists:
            with self.state.locked():
                self._end_processes()
                self.state.remove()
        self._dismiss_guard()

    def stop_apiserver(self) -> None:
        """Kill the API server, as a crash would: clients lose their connections."""
        childprocess.stop(self._existing.record("kube-apiserver"), grace_seconds=0)

    def start_apiserver(self) -> None:
        """Start the API server on its old port with its old data, and wait until it is ready."""
        self._ensure("kube-apiserver", self.binaries)
        self._wait("kube-apiserver", self.api_ready, "to be ready")

    def restart_apiserver(self) -> None:
        """Kill the API server and start it again."""
        self.stop_apiserver()
        self.start_apiserver()

    @contextmanager
    def paused_controllers(self) -> Iterator[None]:
        """Stop kube-controller-manager for a while: no garbage collection, and no pods for new Jobs."""
        record = ProcessRecord.read(self._existing.record("kube-controller-manager"))
        if record is None:
            raise NotAClusterError(f"no kube-controller-manager runs in {self.state.root}")
        record.kill_group(signal.SIGSTOP)
        try:
            yield
        finally:
            record.kill_group(signal.SIGCONT)

    def stop_process_node(self) -> None:
        """Kill the process node, as a machine's crash would: its pods end without a report."""
        childprocess.stop(self._existing.record("process-node"), grace_seconds=0)

    def start_process_node(self) -> None:
        """Start the process node again, and wait until it is Ready."""
        self._ensure_process_node()
        self._wait("process-node", self._node_takes_pods, "to be Ready")

    def api_ready(self) -> bool:
        """Whether the API server's /readyz succeeds."""
        return self._get("/readyz") is not None

    @property
    def _existing(self) -> StateDir:
        if not self.state.exists:
            raise NotAClusterError(f"no local cluster in {self.state.root}")
        return self.state

    def _end_processes(self) -> None:
        childprocess.stop(self.state.record("process-node"), grace_seconds=PODS_GRACE_SECONDS)
        # No grace period: what they would write on a graceful shutdown is deleted right after.
        for name in reversed(self.components):
            childprocess.stop(self.state.record(name), grace_seconds=0)
        # Processes without a record: pods' processes of a crashed node, or of an interrupted start.
        childprocess.kill_marked(CLUSTER_MARK, str(self.state.root))

    def _start_guard(self) -> None:
        """Start a process that stops the cluster when its pipe to this process closes, for any reason."""
        if not self._guarded or self._guard:
            return
        # It imports lazily at the end, because the start of the cluster is the busy time.
        code = "import sys; sys.stdin.read(); from localcluster.__main__ import main; main()"
        command = [sys.executable, "-c", code, f"--state={self.state.root}", "down"]
        self._guard = subprocess.Popen(
            command,
            env=_with_source_root(os.environ),
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must not end it: it has to clean up
        )

    def _dismiss_guard(self) -> None:
        if self._guard:
            self._guard.communicate()
            self._guard = None

    def _write_identities(self) -> None:
        ports = Ports.kept(self.state.ports)
        pki = self.state.pki
        if self.kubeconfig.exists():
            return
        write_pki(pki, NODE_NAME)
        paths = {
            name: pki / f"{name}.kubeconfig"
            for name in ("kube-controller-manager", "kube-scheduler", "process-node")
        }
        # The administrator's kubeconfig is written last; its existence means that all files are written.
        for name, path in {**paths, "admin": self.kubeconfig}.items():
            user = certificate_user((pki / f"{name}.crt").read_bytes(), (pki / f"{name}.key").read_bytes())
            write_kubeconfig(path, kubeconfig(ports.server, (pki / "ca.crt").read_bytes(), user))

    def _write_audit_policy(self) -> None:
        if self._options.audit_policy is not None:
            self.state.audit_policy.write_text(json.dumps(self._options.audit_policy))

    def _ensure(self, name: str, binaries: Path) -> None:
        if not self.running[name]:
            ports = Ports.kept(self.state.ports)
            command = component_commands(self.state, ports, binaries, self._options)[name]
            # A higher GOGC shortens the API server's start by a third, for 100 MiB.
            self._launch(name, command, {"GOGC": "400", **os.environ})

    def _ensure_process_node(self) -> None:
        if self.running["process-node"]:
            return
        ports = Ports.kept(self.state.ports)
        command = [
            *(sys.executable, "-m", "localcluster.processnode"),
            f"--state={self.state.root}",
            f"--node-name={NODE_NAME}",
            f"--interpreter={self._interpreter}",
            f"--server={ports.server}",
            f"--port={ports.process_node}",
        ]
        self._launch("process-node", command, _with_source_root(os.environ))

    def _launch(self, name: str, command: list[str], env: dict[str, str]) -> None:
        self._say(f"starting {name}")
        childprocess.start(
            command,
            record=self.state.record(name),
            log=self.state.log(name),
            env={**env, CLUSTER_MARK: str(self.state.root)},
        )

    def _wait(self, name: str, condition: Callable[[], bool], goal: str) -> None:
        """Wait for a component; fail at once if its process ends."""
        ended = childprocess.wait_until(
            lambda: condition() or not self.running[name], timeout_seconds=READY_SECONDS, poll_seconds=0.1
        )
        if not ended or not self.running[name]:
            problem = f"did not come {goal} within {READY_SECONDS} s" if not ended else "ended by itself"
            log = self.state.log(name)
            lines = log.read_text(errors="replace").splitlines()[-15:]
            raise ComponentError(f"{name} {problem}; its log is {log} and ends with:\n" + "\n".join(lines))

    def _has_default_account(self) -> bool:
        return self._get("/api/v1/namespaces/default/serviceaccounts/default") is not None

    def _node_takes_pods(self) -> bool:
        answer = self._get(f"/api/v1/nodes/{NODE_NAME}")
        return answer is not None and takes_pods(json.loads(answer))

    def _get(self, path: str) -> bytes | None:
        """Send a GET as the administrator; return the body, or None if it does not succeed."""
        pki = self.state.pki
        try:
            context = ssl.create_default_context(cafile=pki / "ca.crt")
            context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            )
            with opener.open(self.server + path, timeout=5) as answer:
                content: bytes = answer.read()
                return content
        except (OSError, urllib.error.HTTPError):
            return None


def _with_source_root(environment: Mapping[str, str]) -> dict[str, str]:
    """Add this package's location to PYTHONPATH for a new interpreter."""
    path = os.pathsep.join(filter(None, (str(SOURCE_ROOT), environment.get("PYTHONPATH"))))
    return {**environment, "PYTHONPATH": path}


def takes_pods(node: dict[str, Any]) -> bool:
    """Return whether the scheduler would bind pods to this node: Ready and without a not-ready taint."""
    conditions = {c["type"]: c["status"] for c in node.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and not node.get("spec", {}).get("taints")
