"""Runs `kubectl` with one kubeconfig in one namespace."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from selfheal_operator.api.names import GROUP, PLURAL
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from testbed.errors import TestbedError

Document = dict[str, Any]

CALL_SECONDS: Final = 300
"""Longer than any --timeout passed to kubectl."""


class KubectlError(TestbedError):
    """kubectl failed, or did not end in time.

    Attributes:
        returncode: Its exit code; None if it did not end in time.
        stdout: What it printed.
        stderr: Its error output.
    """

    def __init__(
        self, sentence: str, returncode: int | None = None, stdout: str = "", stderr: str = ""
    ) -> None:
        super().__init__(sentence)
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one kubeconfig and one namespace."""

    program: Path
    kubeconfig: Path
    namespace: str

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line, without the namespace."""
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", *arguments]

    def __call__(self, *arguments: str, stdin: str = "", seconds: float = CALL_SECONDS) -> str:
        """Run it in the namespace, and return what it prints; raise as `anywhere`."""
        return self.anywhere(f"--namespace={self.namespace}", *arguments, stdin=stdin, seconds=seconds)

    def anywhere(self, *arguments: str, stdin: str = "", seconds: float = CALL_SECONDS) -> str:
        """Run it, and return what it prints.

        Raises:
            KubectlError: if it fails, or does not end within `seconds`.
        """
        said = f"kubectl {' '.join(arguments)}"
        try:
            run = subprocess.run(
                self.command(*arguments),
                input=stdin,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KubectlError(f"{said}: no answer within {seconds:.0f} s") from None
        if run.returncode != 0:
            raise KubectlError(f"{said}: {run.stderr.strip()}", run.returncode, run.stdout, run.stderr)
        return run.stdout

    def apply(self, *documents: Mapping[str, Any]) -> None:
        """Create or change objects with client-side apply, as users do."""
        self("apply", "-f", "-", stdin=_list_of(documents))

    def apply_server_side(self, *documents: Mapping[str, Any]) -> None:
        """Create or change objects with server-side apply, which has no annotation limited to 256 KiB.

        Each document may name its own namespace.
        """
        self.anywhere("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=_list_of(documents))

    def get(self, *arguments: str) -> Document:
        """Read an object, or a list of them."""
        document: Document = json.loads(self("get", *arguments, "--output=json"))
        return document

    def statuses(self) -> dict[str, ModelMonitorStatus]:
        """Return every monitor's status by the monitor's name."""
        return {
            each["metadata"]["name"]: ModelMonitorStatus.from_wire(each.get("status", {}))
            for each in self.get(f"{PLURAL}.{GROUP}")["items"]
        }


def _list_of(documents: tuple[Mapping[str, Any], ...]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
