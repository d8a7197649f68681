"""Our check: the container's own command, with a request as the operator writes it."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from selfheal_bench.check.entrant import UnfitRunError, surroundings
from selfheal_bench.check.stub import Stub
from selfheal_bench.check.tables import Tables
from selfheal_bench.check_request import check_request

OURS: Final = "selfheal"


@dataclass(frozen=True, slots=True, kw_only=True)
class OurCheck:
    """A check of a monitor that says no more than it has to: all else is as by default."""

    servers: Stub
    folder: Path
    """Gets the container's termination message."""

    @property
    def name(self) -> str:
        """Return its name."""
        return OURS

    def command(self, tables: Tables) -> list[str]:
        """Return the container's command."""
        del tables
        return [sys.executable, "-m", "selfheal_jobs", "check"]

    def environment(self, tables: Tables) -> dict[str, str]:
        """Return the environment of its process. PYTHONPATH stays: it may be how the project is found."""
        found_by = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        return (surroundings() | found_by) | {
            "KUBECONFIG": str(self.servers.kubeconfig),
            "SELFHEAL_REQUEST": json.dumps(
                check_request(tables.reference, tables.current, mlflow=self.servers.mlflow)
            ),
            "TERMINATION_MESSAGE_PATH": str(self.folder / "termination-log"),
        }

    def verify(self, tables: Tables, printed: str) -> int:
        """Return how many columns have drifted, by what was reported since it was asked last.

        Raises:
            UnfitRunError: The verdict is not NoDrift of all rows and columns, or it was not logged to MLflow.
        """
        told = [each["lastCheck"] for each in self.servers.reported]
        self.servers.reported.clear()
        if not told:
            raise UnfitRunError(f"it has not reported anything: {printed[-300:]}")
        last: dict[str, Any] = told[-1]
        rows = {"reference": tables.size.rows, "current": tables.size.rows, "sampled": False}
        expected = {"result": "NoDrift", "columnsChecked": tables.size.columns}
        found = {name: last.get(name) for name in expected}
        if found != expected or {"sampled": False} | last["rows"] != rows or "runID" not in last:
            raise UnfitRunError(f"the verdict is another one than expected: {json.dumps(last)}")
        return int(last["columnsDrifted"])
