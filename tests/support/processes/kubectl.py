"""`kubectl` for tests."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Kubectl:
    """`kubectl` in one namespace, as somebody."""

    program: Path
    kubeconfig: Path
    namespace: str

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """Run it and return what it prints; an error's text is in the `CalledProcessError`'s stderr."""
        command = [str(self.program), f"--namespace={self.namespace}", *arguments]
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        run = subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, check=False)
        if run.returncode:
            error = subprocess.CalledProcessError(run.returncode, command, run.stdout, run.stderr)
            error.add_note(run.stderr)
            raise error
        return run.stdout

    def apply(self, *documents: Document) -> None:
        """Create or change objects."""
        self("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))

    def get(self, *arguments: str) -> Document:
        """Read an object, or a list of them."""
        document: Document = json.loads(self("get", *arguments, "--output=json"))
        return document
