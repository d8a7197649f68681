"""Reads back what the loop left in MLflow: model versions, candidates' scores, drift reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient

from demo.datasets.tables import HELD_OUT
from demo.scenarios import Scenario
from demo.scores import Scores, score, scores_only


@dataclass(frozen=True)
class Registry:
    """An MLflow server, from where we stand."""

    tracking_uri: str

    @property
    def client(self) -> MlflowClient:
        """A client of the server."""
        return MlflowClient(self.tracking_uri)

    def held_out_scores(self, scenario: Scenario, version: str, data: Path) -> Scores:
        """Score one registered version on the scenario's held-out rows."""
        mlflow.set_tracking_uri(self.tracking_uri)
        model: Any = mlflow.sklearn.load_model(f"models:/{scenario.name}/{version}")
        rows = pd.read_parquet(data / scenario.name / HELD_OUT)
        return score(model, rows, target=scenario.target, task=scenario.task)

    def candidates(self, run_id: str) -> Mapping[str, Scores]:
        """Return the scores of each run below a retraining's run, by the run's name."""
        experiment = self.client.get_run(run_id).info.experiment_id
        runs = self.client.search_runs(
            [experiment], f"tags.`mlflow.parentRunId` = '{run_id}'", order_by=["start_time"]
        )
        return {str(run.info.run_name): scores_only(run.data.metrics) for run in runs}

    def run_page(self, run_id: str) -> str:
        """Return the URL at which MLflow shows a run to people."""
        experiment = self.client.get_run(run_id).info.experiment_id
        return f"{self.tracking_uri}/#/experiments/{experiment}/runs/{run_id}"

    def download(self, artifact_uri: str, to: Path) -> None:
        """Copy one artifact into a file."""
        mlflow.set_tracking_uri(self.tracking_uri)
        Path(mlflow.artifacts.download_artifacts(artifact_uri, dst_path=str(to.parent))).rename(to)
