"""Runs a case of `cases` as its containers do, against a real MLflow server."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import infer_signature
from mlflow.pyfunc.model import PythonModel

from integration.faults.cases import CASES, Case, Learnt, Rule, Spec
from selfheal_jobs.check.run import run_check
from selfheal_jobs.retrain.run import run_retrain
from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.report import CheckReport, RetrainReport
from selfheal_operator.api.request import MonitorRef, RunRequest
from selfheal_operator.api.v1alpha1.status import LastCheck
from support.fakes.inbox import Inbox
from testbed.unwatched_monitor import UnwatchedMonitor


@dataclass(frozen=True, kw_only=True)
class FaultMonitor:
    """A monitor of its own for each case: runs checks and retrainings, one after the other."""

    mlflow_uri: str
    model: str

    @classmethod
    def new(cls, mlflow_uri: str) -> "FaultMonitor":
        """Return a monitor with an experiment and a registered model that nobody else uses."""
        mlflow.set_tracking_uri(mlflow_uri)
        return cls(mlflow_uri=mlflow_uri, model=f"faults.{uuid.uuid4().hex[:12]}")

    def request(self, purpose: Purpose, spec: Spec, task: Task | None = None) -> RunRequest:
        """Return the request that the operator would make of the spec."""
        whole = {"intervalSeconds": 3600, "drift": {"report": "Never"}} | spec
        ref = MonitorRef(namespace="faults", name="case", uid=self.model, generation=1)
        monitor = UnwatchedMonitor(ref=ref, model=self.model, mlflow_uri=self.mlflow_uri)
        return monitor.request(purpose, whole, job_name=f"case-{uuid.uuid4().hex[:8]}", task=task)

    def check(self, spec: Spec, task: Task | None = None) -> LastCheck:
        """Run a check and return what it reports."""
        inbox = Inbox()
        run_check(self.request(Purpose.CHECK, spec, task), inbox, lambda: datetime.now(UTC))
        *_, report = inbox.reports  # the verdict, and the same with its run in MLflow
        assert isinstance(report, CheckReport)
        return report.last_check

    def retrain(self, spec: Spec, task: Task | None = None, **more: Any) -> RetrainReport:
        """Run a retraining, with more fields of the request, and return its report."""
        inbox = Inbox()
        request = self.request(Purpose.RETRAIN, spec, task).replaced(**more)
        run_retrain(request, inbox, lambda: datetime.now(UTC))
        (report,) = inbox.reports
        assert isinstance(report, RetrainReport)
        return report

    def register(self, rule: Rule) -> None:
        """Register the function as a version that selfheal did not train."""
        signature = None if rule.example is None else infer_signature(rule.example)
        mlflow.set_experiment(self.model)
        with mlflow.start_run():
            made = mlflow.pyfunc.log_model(
                name="model", python_model=_model(rule), pip_requirements=[], signature=signature
            )
        mlflow.register_model(made.model_uri, self.model)

    def prepare(self, case: Case) -> RetrainReport | None:
        """Make the champion of the case; return the report of the retraining that learnt it."""
        if isinstance(case.champion, Rule):
            self.register(case.champion)
        return self.retrain(case.champion.spec) if isinstance(case.champion, Learnt) else None

    def predict(self, version: str, rows: pd.DataFrame) -> Any:
        """Return the answers of a registered version, as a server of MLflow gives them."""
        return mlflow.pyfunc.load_model(f"models:/{self.model}/{version}").predict(rows)


def _model(rule: Rule) -> PythonModel:
    """Return the function as a model that can be loaded where this module is absent."""
    predict = rule.predict

    class Model(PythonModel):
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
            del self, context, params
            return predict(model_input)

    return Model()


def case_of(name: str, folder: Path) -> Case:
    """Return the case of this id, with its files in the folder."""
    return CASES[name](folder)


def check_case(name: str, folder: Path, mlflow_uri: str) -> LastCheck:
    """Run a case that is a check."""
    case = case_of(name, folder)
    return FaultMonitor.new(mlflow_uri).check(case.spec, _task(case))


def retrain_case(name: str, folder: Path, mlflow_uri: str) -> tuple[FaultMonitor, list[RetrainReport]]:
    """Run a case that is a retraining; return the reports of the case itself and of its later retrainings."""
    case = case_of(name, folder)
    monitor = FaultMonitor.new(mlflow_uri)
    monitor.prepare(case)
    specs = (case.spec, *case.later)
    return monitor, [
        monitor.retrain(spec, _task(case) if not done else None) for done, spec in enumerate(specs)
    ]


def _task(case: Case) -> Task | None:
    return Task(case.task) if case.task else None
