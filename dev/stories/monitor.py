"""One ModelMonitor whose checks and retrainings run one after the other, each as its container's program."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import mlflow
import pandas as pd

from selfheal_operator.api.names import ENV_REQUEST, ENV_TERMINATION_MESSAGE_PATH
from selfheal_operator.api.reasons import Purpose
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.request import MonitorRef, RunRequest
from selfheal_operator.api.v1alpha1.status import LastCheck, LastRetraining, ModelVersion
from testbed.errors import SetupError
from testbed.unwatched_monitor import UnwatchedMonitor

NAMESPACE: Final = "stories"


@dataclass(kw_only=True)
class Monitor:
    """A monitor with an experiment and a registered model of its own."""

    name: str
    target: str
    folder: Path
    """For its tables."""
    mlflow_uri: str
    dataset: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of spec.dataset."""
    jobs: int = 0
    present: ModelVersion | None = None
    """status.model, which the next run is told."""

    def table(self, name: str, rows: pd.DataFrame) -> Path:
        """Write a table, and return its file."""
        path = self.folder / f"{name}.parquet"
        rows.to_parquet(path, index=False)
        return path

    def check(self, reference: Path, current: Path) -> LastCheck:
        """Run a check."""
        report = CheckReport.from_json(self._run(self._request(Purpose.CHECK, reference, current)))
        found, known = report.model, self.present
        # As in a cluster: of the same version the status keeps what it has, the digest included.
        if found and (known is None or (known.name, known.version) != (found.name, found.version)):
            self.present = found
        return report.last_check

    def first_version(self, reference: Path) -> LastRetraining:
        """Learn from the reference alone."""
        return self._retrained(reference, reference, retraining={"trainingData": "Reference"})

    def retrain(
        self, reference: Path, current: Path, promotion: Mapping[str, Any] | None = None, **options: bool
    ) -> LastRetraining:
        """Run a retraining.

        Args:
            reference: The file of the reference.
            current: The file of the current data.
            promotion: spec.promotion, if it is not the default.
            options: `force` and `ignore_champion`, as in a request.
        """
        return self._retrained(reference, current, options, promotion=promotion or {})

    def _retrained(
        self, reference: Path, current: Path, options: Mapping[str, bool] | None = None, **spec: Any
    ) -> LastRetraining:
        request = self._request(Purpose.RETRAIN, reference, current, **spec)
        report = RetrainReport.from_json(self._run(request.replaced(**(options or {}))))
        self.present = report.model or self.present
        return report.last_retraining

    def answers(self, version: str, rows: pd.DataFrame) -> Any:
        """Return what a registered version answers, as a server of MLflow does."""
        mlflow.set_tracking_uri(self.mlflow_uri)
        mlflow.set_registry_uri(self.mlflow_uri)  # MLFLOW_REGISTRY_URI may name another one
        model = mlflow.pyfunc.load_model(f"models:/{self._model}/{version}")
        return model.predict(rows[model.metadata.get_input_schema().input_names()])

    @property
    def _model(self) -> str:
        return f"{NAMESPACE}.{self.name}"

    def _request(self, purpose: Purpose, reference: Path, current: Path, **spec: Any) -> RunRequest:
        self.jobs += 1
        tables = {"reference": {"uri": str(reference)}, "current": {"uri": str(current)}}
        document = {
            "dataset": tables | dict(self.dataset),
            "target": self.target,
            "threshold": 0.2,
            "intervalSeconds": 86400,
            "drift": {"report": "Never"},
        }
        ref = MonitorRef(namespace=NAMESPACE, name=self.name, uid=self.name, generation=1)
        monitor = UnwatchedMonitor(ref=ref, model=self._model, mlflow_uri=self.mlflow_uri)
        request = monitor.request(purpose, document | spec, job_name=f"{self.name}-{self.jobs}")
        return request.replaced(champion=self.present)

    def _run(self, request: RunRequest) -> str:
        """Run the container's program, which prints its report where there is no cluster."""
        settings = {
            ENV_REQUEST: request.to_json(),
            ENV_TERMINATION_MESSAGE_PATH: str(self.folder / "termination-message"),
            "KUBECONFIG": "",
        }
        ended = subprocess.run(
            [sys.executable, "-m", "selfheal_jobs", request.purpose.lower()],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        reports = re.findall(r"^\{$.*?^\}$", ended.stdout, flags=re.MULTILINE | re.DOTALL)
        if not reports:
            raise SetupError(f"{request.job_name} printed no report:\n{ended.stdout}\n{ended.stderr}")
        return str(reports[-1])  # a check prints its verdict, and again with its run in MLflow
