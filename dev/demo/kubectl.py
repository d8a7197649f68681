"""The demo talks to the cluster as its reader would: with kubectl."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from demo.errors import DemoError
from selfheal_operator.api.names import GROUP, PLURAL
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus

CALL_SECONDS: Final = 30


class KubectlError(DemoError):
    """The cluster refused, or could not be reached."""


@dataclass(frozen=True)
class Kubectl:
    """One kubectl, one kubeconfig, one namespace."""

    program: Path
    kubeconfig: Path
    namespace: str

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        return [str(self.program), f"--kubeconfig={self.kubeconfig}", *arguments]

    def run(self, *arguments: str, seconds: float = CALL_SECONDS) -> str:
        """Return what kubectl prints when it is asked about the namespace."""
        return self.run_anywhere(f"--namespace={self.namespace}", *arguments, seconds=seconds)

    def run_anywhere(
        self, *arguments: str, document: str | None = None, seconds: float = CALL_SECONDS
    ) -> str:
        """Return what kubectl prints, `document` being its input.

        Raises:
            KubectlError: if it fails, or does not end in time.
        """
        try:
            done = subprocess.run(
                self.command(*arguments),
                input=document,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise KubectlError(f"kubectl {' '.join(arguments)}: no answer within {seconds:.0f} s") from None
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Apply documents on the server's side: no copy goes into an annotation, which holds 256 KiB only."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.run_anywhere(
            "apply", "--server-side", "--force-conflicts", "--filename=-", document=json.dumps(items)
        )

    def statuses(self) -> dict[str, ModelMonitorStatus]:
        """Return every monitor's status by the monitor's name."""
        monitors = json.loads(self.run("get", f"{PLURAL}.{GROUP}", "--output=json"))["items"]
        return {
            each["metadata"]["name"]: ModelMonitorStatus.from_wire(each.get("status", {}))
            for each in monitors
        }
