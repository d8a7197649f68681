"""A monitor of its own for each input: runs the retraining's own code, and keeps its report."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fuzzretrain.inputs import TARGET, Input, small_candidates
from selfheal_jobs.columns.task import infer_task
from selfheal_jobs.delivery.status_patch import Delivery
from selfheal_jobs.retrain.run import run_retrain
from selfheal_jobs.tables.content import content
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.report import AnyReport, RetrainReport
from selfheal_operator.api.request import MonitorRef, RunRequest
from testbed.unwatched_monitor import UnwatchedMonitor

_INTEGERS: Final = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}


@dataclass
class _Reports:
    """Stands where the monitor's status is."""

    kept: list[RetrainReport] = field(default_factory=list)

    def deliver(self, report: AnyReport, *, forgets_model: bool = False) -> Delivery:
        del forgets_model
        if isinstance(report, RetrainReport):
            self.kept.append(report)
        return Delivery.STORED


@dataclass(frozen=True, kw_only=True)
class FuzzMonitor:
    """A monitor whose experiment and model nobody else uses."""

    mlflow_uri: str
    folder: Path
    seed: int
    """Of the small candidates."""
    name: str = field(default_factory=lambda: f"fuzz-{uuid.uuid4().hex[:12]}")

    def experiment_id(self) -> str:
        """Return the experiment of the monitor, which is made the first time."""
        mlflow.set_tracking_uri(self.mlflow_uri)
        return str(mlflow.set_experiment(self.name).experiment_id)

    def retrained(self, given: Input) -> list[RetrainReport]:
        """Run one retraining, and return what it has delivered."""
        reports = _Reports()
        run_retrain(self._request(given), reports, lambda: datetime.now(UTC))
        return reports.kept

    def versions(self) -> list[str]:
        """Return the registered versions of the model."""
        found = mlflow.MlflowClient(self.mlflow_uri).search_model_versions(f"name = '{self.name}'")
        return sorted(str(each.version) for each in found)

    def _request(self, given: Input) -> RunRequest:
        mark = uuid.uuid4().hex[:8]
        ref = MonitorRef(namespace="fuzz", name="fuzz", uid=self.name, generation=1)
        monitor = UnwatchedMonitor(ref=ref, model=self.name, mlflow_uri=self.mlflow_uri)
        return monitor.request(Purpose.RETRAIN, self._spec(given, mark), job_name=f"fuzz-retrain-{mark}")

    def _spec(self, given: Input, mark: str) -> dict[str, Any]:
        tables = {"reference": given.reference, "current": given.current, "labels": given.labels}
        paths = {
            name: {"uri": str(saved(table, self.folder / f"{name}-{mark}", as_csv=given.as_csv))}
            for name, table in tables.items()
            if table is not None
        }
        if "labels" in paths:
            paths["labels"]["joinColumn"] = "key"
        task = task_of(given)
        base: dict[str, Any] = {
            "target": TARGET,
            "threshold": 0.3,
            "intervalSeconds": 3600,
            "dataset": paths,
            "retraining": {"candidates": small_candidates(np.random.default_rng(self.seed), task)},
        }
        return merged(base, given.spec)


def task_of(given: Input) -> Task:
    """Return the task that the small candidates are for: the spec's, or that of the current target."""
    if named := given.spec.get("task"):
        return Task(named)
    target = str(given.spec.get("target", TARGET))
    if target not in given.current.schema.names:
        return Task.CLASSIFICATION
    return infer_task(content(ArrowTable.of(given.current), target)) or Task.CLASSIFICATION


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with these values over its own, section by section.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": 4})
    {'a': {'b': 3, 'c': 2}, 'd': 4}
    """
    sections = {
        name: merged(base[name], value)
        if isinstance(base.get(name), dict) and isinstance(value, dict)
        else value
        for name, value in over.items()
    }
    return {**base, **sections}


def saved(table: pa.Table, path: Path, *, as_csv: bool) -> Path:
    """Write a table, and return where it is."""
    if as_csv:
        path = path.with_suffix(".csv")
        table.to_pandas(types_mapper=_INTEGERS.get).to_csv(path, index=False)
        return path
    path = path.with_suffix(".parquet")
    pq.write_table(table, path)
    return path
