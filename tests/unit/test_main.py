"""The operator's process says in one line what the platform team must set."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
clusters: [{name: nowhere, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: nobody, user: {token: none}}]
"""


def started(**settings: str) -> subprocess.CompletedProcess[str]:
    """Start an operator that cannot run, and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "selfheal_operator"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """The path of a kubeconfig, for an API server that does not exist."""
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    return str(path)


def test_a_port_that_is_taken_is_a_wrong_setting(kubeconfig):
    """The operator's default port is a popular one."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        port = str(taken.getsockname()[1])
        operator = started(KUBECONFIG=kubeconfig, SELFHEAL_HEALTH_PORT=port)

    assert operator.returncode == 1
    assert f"SELFHEAL_HEALTH_PORT: port {port} is taken or forbidden" in operator.stderr
    assert "Traceback" not in operator.stderr


def test_a_kubeconfig_that_does_not_exist_is_a_wrong_setting(tmp_path):
    """A typing error in its path."""
    operator = started(KUBECONFIG=str(tmp_path / "absent"))

    assert operator.returncode == 1
    assert f"KUBECONFIG: {tmp_path / 'absent'}" in operator.stderr
    assert "Traceback" not in operator.stderr
