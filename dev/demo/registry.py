"""Reads back what the loop left in MLflow: model versions, candidates' scores, drift reports."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import mlflow
import pandas as pd
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from demo.datasets.tables import HELD_OUT
from demo.monitors import model_name
from demo.scenarios import Scenario
from demo.scores import Scores, score, scores_only
from testbed.errors import ProgramFailedError

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _errors_told(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Make MLflow's own errors, after its own retries, a sentence of the demo's."""

    @functools.wraps(method)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return method(*args, **kwargs)
        except (MlflowException, requests.RequestException) as error:
            raise ProgramFailedError(f"MLflow did not answer as expected: {error}") from error

    return told


@dataclass(frozen=True)
class Registry:
    """An MLflow server, from where we stand. Methods raise `ProgramFailedError` if it does not answer."""

    tracking_uri: str

    @property
    def client(self) -> MlflowClient:
        """A client of the server."""
        return MlflowClient(self.tracking_uri)

    @_errors_told
    def held_out_scores(self, scenario: Scenario, version: str, data: Path) -> Scores:
        """Score one registered version on the scenario's held-out rows."""
        mlflow.set_tracking_uri(self.tracking_uri)
        model: Any = mlflow.sklearn.load_model(f"models:/{model_name(scenario)}/{version}")
        rows = pd.read_parquet(data / scenario.name / HELD_OUT)
        return score(model, rows, target=scenario.target, task=scenario.task)

    @_errors_told
    def candidates(self, run_id: str) -> Mapping[str, Scores]:
        """Return the scores of each run below a retraining's run, by the run's name."""
        experiment = self.client.get_run(run_id).info.experiment_id
        runs = self.client.search_runs(
            [experiment], f"tags.`mlflow.parentRunId` = '{run_id}'", order_by=["start_time"]
        )
        return {str(run.info.run_name): scores_only(run.data.metrics) for run in runs}

    @_errors_told
    def run_page(self, run_id: str) -> str:
        """Return the URL at which MLflow shows a run to people."""
        experiment = self.client.get_run(run_id).info.experiment_id
        return f"{self.tracking_uri}/#/experiments/{experiment}/runs/{run_id}"

    @_errors_told
    def download(self, artifact_uri: str, to: Path) -> None:
        """Copy one artifact into a file."""
        mlflow.set_tracking_uri(self.tracking_uri)
        Path(mlflow.artifacts.download_artifacts(artifact_uri, dst_path=str(to.parent))).rename(to)
