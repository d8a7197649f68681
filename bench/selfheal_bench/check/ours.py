"""Our check: the container's own command, with a request as the operator writes it."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from selfheal_bench.check.entrant import UnfitRunError, surroundings
from selfheal_bench.check.stub import Stub
from selfheal_bench.check.tables import Tables
from selfheal_bench.check_request import check_request

OURS: Final = "selfheal"
_OF_THE_RUN: Final = ("startTime", "completionTime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check found, less what differs from run to run."""

    check: Mapping[str, Any]
    """`status.lastCheck`, without its times."""
    metrics: Mapping[str, float]
    """What was logged to MLflow: each column's score with all of its digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OurCheck:
    """A check of a monitor that says no more than it has to: all else is as by default."""

    servers: Stub
    folder: Path
    """Gets the container's termination message."""
    name: str = OURS
    request: Callable[..., dict[str, Any]] = check_request
    packages: str | None = None
    """A PYTHONPATH by which other packages of ours are found than the benchmark's own."""
    verdicts: list[Verdict] = field(default_factory=list)
    """One for each run."""

    def command(self, tables: Tables) -> list[str]:
        """Return the container's command."""
        del tables
        return [sys.executable, "-m", "selfheal_jobs", "check"]

    def environment(self, tables: Tables) -> dict[str, str]:
        """Return the environment of its process. PYTHONPATH stays: it may be how the project is found."""
        path = self.packages or os.environ.get("PYTHONPATH")
        return (surroundings() | ({"PYTHONPATH": path} if path else {})) | {
            "KUBECONFIG": str(self.servers.kubeconfig),
            "SELFHEAL_REQUEST": json.dumps(
                self.request(tables.reference, tables.current, mlflow=self.servers.mlflow)
            ),
            "TERMINATION_MESSAGE_PATH": str(self.folder / "termination-log"),
        }

    def verify(self, tables: Tables, printed: str) -> int:
        """Return how many columns have drifted, by what was reported since it was asked last.

        Raises:
            UnfitRunError: The verdict is not the expected one of all rows and columns, or it was not logged
                to MLflow, with its page where there is drift.
        """
        told = [each["lastCheck"] for each in self.servers.reported]
        metrics = dict(self.servers.metrics)
        self.servers.reported.clear()
        self.servers.metrics.clear()
        if not told:
            raise UnfitRunError(f"it has not reported anything: {printed[-300:]}")
        last: dict[str, Any] = told[-1]
        if not _expected(tables, last):
            raise UnfitRunError(f"the verdict is another one than expected: {json.dumps(last)}")
        check = {name: value for name, value in last.items() if name not in _OF_THE_RUN}
        self.verdicts.append(Verdict(check=check, metrics=metrics))
        return int(last["columnsDrifted"])


def _expected(tables: Tables, last: Mapping[str, Any]) -> bool:
    size = tables.size
    rows = {"reference": size.rows, "current": size.rows, "sampled": False}
    all_columns = {"columnsChecked": size.columns}
    expected = all_columns | (
        {"result": "Drift", "columnsDrifted": size.columns} if tables.drifted else {"result": "NoDrift"}
    )
    return (
        {name: last.get(name) for name in expected} == expected
        and {"sampled": False} | last["rows"] == rows
        and "runID" in last
        and ("reportURI" in last) == tables.drifted
    )
