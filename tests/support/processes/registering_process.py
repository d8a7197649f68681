"""Retrains as one pod of a Job, and waits before it registers until another pod is there too.

Arguments: the request, and a folder where the pods find each other. Prints the report.
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from selfheal_jobs.retrain.run import run_retrain
from selfheal_jobs.tracking.model_registry import ModelRegistry
from selfheal_operator.api.request import RunRequest
from support.fakes.inbox import Inbox

PODS = 2
PATIENCE_SECONDS = 120


def main(request: str, folder: str) -> None:
    """Run to the end."""
    really = ModelRegistry.register

    def register(self: ModelRegistry, *arguments: Any, **options: Any) -> Any:
        meet(Path(folder))
        return really(self, *arguments, **options)

    ModelRegistry.register = register  # type: ignore[method-assign]
    inbox = Inbox()
    run_retrain(RunRequest.from_json(request), inbox, lambda: datetime.now(UTC))
    (report,) = inbox.reports
    sys.stdout.write(report.to_json() + "\n")


def meet(folder: Path) -> None:
    """Wait until all pods are here."""
    (folder / str(os.getpid())).touch()
    until = time.monotonic() + PATIENCE_SECONDS
    while len(list(folder.iterdir())) < PODS:
        if time.monotonic() > until:
            raise TimeoutError("no other pod has come")
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])
