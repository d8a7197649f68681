"""When a model is retrained: one monitor's story, with real containers, MLflow, and an API server.

Nothing but what the target depends on has changed, so that a signal alone sees it; and every retraining
fails, because of a parameter that scikit-learn refuses.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from localcluster import LocalCluster
from support.builders.monitors import monitor_manifest
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(420)
PATIENCE_SECONDS = 240
MODEL = "when.errors"


def _table(path: Path, cause: str, seed: int) -> Path:
    """Write three normal features, a quantity that one of them decides, and what a model says of it."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(500, 3)), columns=["a", "b", "c"])
    table = table.assign(said=100 + 20 * table["a"], churned=100 + 20 * table[cause])
    table.to_parquet(path)
    return path


class Story:
    """The monitor `errors`, as it stands in the cluster."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._checks = 0

    def wait(self, reached: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        """Return the status once it is so."""
        eventually(lambda: reached(self.status()), what, timeout_seconds=PATIENCE_SECONDS)
        return self.status()

    def status(self) -> dict[str, Any]:
        """Return the status."""
        status: dict[str, Any] = self._kubectl.get("modelmonitor", "errors").get("status", {})
        return status

    def patch(self, **spec: Any) -> None:
        """Edit the spec."""
        self._kubectl(
            "patch", "modelmonitor", "errors", "--type=merge", "--patch", json.dumps({"spec": spec})
        )

    def annotate(self, request: str, token: str) -> None:
        """Request a run."""
        self._kubectl("annotate", "--overwrite", "modelmonitor", "errors", f"selfheal.dev/{request}={token}")

    def check(self) -> None:
        """Request a check, and wait for its verdict."""
        before, self._checks = self.status().get("lastCheck"), self._checks + 1
        self.annotate("check-requested-at", f"check {self._checks}")
        self.wait(
            lambda status: status.get("lastCheck", {}).get("runID") and status["lastCheck"] != before,
            "a check",
        )


def reason(status: dict[str, Any], kind: str = "Retraining") -> str:
    """Return the reason of a condition."""
    return next((str(c["reason"]) for c in status.get("conditions", ()) if c["type"] == kind), "")


def stalled(status: dict[str, Any]) -> str:
    """Return the status of the condition Stalled."""
    return next((str(c["status"]) for c in status.get("conditions", ()) if c["type"] == "Stalled"), "")


def _register_two_versions(client: MlflowClient) -> None:
    """Register versions that selfheal did not make; somebody has named the older one the champion."""
    client.create_registered_model(MODEL)
    run = client.create_run(client.create_experiment(MODEL)).info
    for _ in range(2):
        client.create_model_version(MODEL, source=f"{run.artifact_uri}/model", run_id=run.run_id)
    client.set_registered_model_alias(MODEL, "champion", "1")


@pytest.fixture
def story(kubectl: Kubectl, installation: Path, mlflow_uri: str, tmp_path: Path) -> Iterator[Story]:
    """A monitor that observes, whose model somebody else has registered; and an operator."""
    _register_two_versions(MlflowClient(mlflow_uri))
    manifest = monitor_manifest(
        "errors",
        reference=_table(tmp_path / "reference.parquet", "a", 1),
        current=_table(tmp_path / "current.parquet", "b", 2),
        mode="Observe",
        signals=[
            {
                "name": "error",
                "type": "Performance",
                "performance": {"metric": "root_mean_squared_error", "maxValue": 8},
            }
        ],
        trigger={"on": ["DataDrift", "error"], "consecutiveBreaches": 2},
        mlflow={"registeredModelName": MODEL},
        retraining={
            "cooldownSeconds": 0,
            "maxConsecutiveFailures": 2,
            "candidates": [
                {
                    "name": "broken",
                    "estimator": "sklearn.linear_model.Ridge",
                    "params": {"solver": "lbfgs"},  # scikit-learn wants it together with positive only
                }
            ],
        },
    )
    manifest["spec"]["dataset"]["columns"] = {"prediction": "said"}
    kubectl.apply(manifest)
    operator = Operator(installation, tmp_path / "operator", mlflow_tracking_uri=mlflow_uri)
    operator.start()
    try:
        yield Story(kubectl)
    finally:
        assert operator.stop() == 0


def test_a_retraining_starts_when_the_rules_say_so_and_not_before(
    story: Story, cluster: LocalCluster
) -> None:
    """Observed, debounced, triggered by a signal, stalled after two failures, and resumed by a request."""
    del cluster
    story.check()
    status = story.wait(lambda s: reason(s) == "Observing", "it says what it would do")
    assert status["model"] == status["model"] | {"name": MODEL, "version": "1"}
    assert status["lastCheck"]["result"] == "NoDrift"
    assert status["history"][0]["breached"] == ["error"]

    story.patch(mode="Enforce")
    story.wait(lambda s: reason(s) == "Debouncing", "one breach is not enough")
    assert story.status()["retraining"]["count"] == 0

    story.check()
    story.wait(lambda s: s["retraining"]["count"] == 1, "the second breach triggers")
    status = story.wait(lambda s: s["retraining"]["consecutiveFailures"] == 1, "it fails")
    assert status["lastRetraining"]["reason"] == "ChampionNotScorable"
    assert stalled(status) == "False"

    story.check()
    story.check()
    status = story.wait(lambda s: stalled(s) == "True", "two failures in a row are enough")
    assert status["retraining"]["count"] == 2
    story.check()
    story.check()
    status = story.wait(lambda s: reason(s) == "Stalled", "no further one starts")
    assert status["retraining"]["count"] == 2

    story.annotate("retrain-requested-at", "again;forse")
    status = story.wait(lambda s: reason(s) == "InvalidRequest", "an option is misspelt")
    assert stalled(status) == "True"
    story.annotate("retrain-requested-at", "again;force")
    status = story.wait(lambda s: s.get("lastHandledRetrainRequest") == "again;force", "it is answered")
    assert stalled(status) == "False"
    status = story.wait(lambda s: s["retraining"]["consecutiveFailures"] == 1, "a new row of failures begins")
    assert stalled(status) == "False"
