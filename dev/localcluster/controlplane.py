"""Builds the command lines of the control plane's programs."""

import json
import random
import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from localcluster.options import QUICK_CLIENT, ControlPlaneOptions
from localcluster.statedir import StateDir

LOOPBACK = "127.0.0.1"
SERVER_PORTS = range(20000, 32000)
"""Below the ports that Linux gives to outgoing connections: 32768 to 60999 by default."""


@dataclass(frozen=True)
class Ports:
    """The programs' ports, all on the loopback interface."""

    apiserver: int
    etcd: int
    etcd_peer: int
    process_node: int

    @classmethod
    def free(cls) -> "Ports":
        """Choose ports that are free now.

        Not the kernel's choice, whose range is used for outgoing connections too: while an API server is
        down, a client that keeps calling it may be assigned its port, so that it cannot restart.
        """
        with ExitStack() as stack:
            chosen: list[int] = []
            while len(chosen) < 4:
                one = stack.enter_context(socket.socket())
                port = random.choice(SERVER_PORTS)  # noqa: S311  two clusters only have to differ
                with suppress(OSError):
                    one.bind((LOOPBACK, port))
                    chosen.append(port)
            return cls(*chosen)

    @classmethod
    def kept(cls, path: Path) -> "Ports":
        """Read the ports of an earlier start, or choose and store new ones."""
        if not path.exists():
            path.write_text(json.dumps(asdict(cls.free())))
        return cls(**json.loads(path.read_text()))

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{LOOPBACK}:{self.apiserver}"


def component_commands(
    state: StateDir, ports: Ports, binaries: Path, options: ControlPlaneOptions
) -> Mapping[str, list[str]]:
    """Return each program's command line, in the order of starting."""
    audit = _audit(state) if options.audit_policy is not None else []
    commands = {
        "etcd": _etcd(state, ports),
        "kube-apiserver": [*_apiserver(state, ports), *audit],
        "kube-controller-manager": [*_controller_manager(state), *options.controller_manager],
        "kube-scheduler": _scheduler(state),
    }
    return {name: [str(binaries / name), *arguments] for name, arguments in commands.items()}


def _etcd(state: StateDir, ports: Ports) -> list[str]:
    client, peer = (f"https://{LOOPBACK}:{ports.etcd}", f"http://{LOOPBACK}:{ports.etcd_peer}")
    return [
        f"--data-dir={state.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--cert-file={state.pki}/etcd.crt",
        f"--key-file={state.pki}/etcd.key",
        f"--trusted-ca-file={state.pki}/etcd-ca.crt",
        "--client-cert-auth",
        # The data is deleted with the cluster, so writes need not wait for the disk.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(state: StateDir, ports: Ports) -> list[str]:
    pki = state.pki
    return [
        f"--etcd-servers=https://{LOOPBACK}:{ports.etcd}",
        f"--etcd-cafile={pki}/etcd-ca.crt",
        f"--etcd-certfile={pki}/etcd-client.crt",
        f"--etcd-keyfile={pki}/etcd-client.key",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={ports.apiserver}",
        # Endpoints may not be in the loopback range; nothing here uses the Service `kubernetes`.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        f"--tls-cert-file={pki}/kube-apiserver.crt",
        f"--tls-private-key-file={pki}/kube-apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={pki}/service-accounts.pub",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        # Beyond the defaults. The second requires the right to write the owner's finalizers for an owner
        # reference with blockOwnerDeletion, as on OpenShift, so that an operator without it fails here too.
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
    ]


def _audit(state: StateDir) -> list[str]:
    return [
        f"--audit-policy-file={state.audit_policy}",
        f"--audit-log-path={state.audit_log}",
        "--audit-log-maxsize=0",  # never rotated: readers need all of it
    ]


def _controller_manager(state: StateDir) -> list[str]:
    return [
        f"--kubeconfig={state.pki}/kube-controller-manager.kubeconfig",
        f"--service-account-private-key-file={state.pki}/service-accounts.key",
        f"--root-ca-file={state.pki}/ca.crt",
        "--use-service-account-credentials",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def _scheduler(state: StateDir) -> list[str]:
    return [
        f"--kubeconfig={state.pki}/kube-scheduler.kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
        *QUICK_CLIENT,
    ]
