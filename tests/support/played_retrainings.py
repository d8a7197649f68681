"""A monitor whose retrainings the test plays: it registers versions in MLflow, and reports them."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from selfheal_jobs.delivery.cluster_access import of_kubeconfig
from selfheal_jobs.delivery.status_patch import ApiServer
from selfheal_jobs.promote.run import run_promote
from selfheal_operator.api.model import format_time
from selfheal_operator.api.names import ENV_REQUEST
from selfheal_operator.api.request import RunRequest
from support.eventually import eventually
from testbed.kubectl import Kubectl

NAME: Final = "churn"
PATIENCE_SECONDS: Final = 240
"""A promotion waits a minute for MLflow, and then for its next attempt."""


@dataclass
class PlayedRetrainings:
    """One monitor, whose checks are never due."""

    kubectl: Kubectl
    mlflow_uri: str
    number: int = 0
    """Of the newest retraining."""
    client: MlflowClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = MlflowClient(self.mlflow_uri)

    @property
    def model(self) -> str:
        """The name of the registered model."""
        return f"{self.kubectl.get('modelmonitor', NAME)['metadata']['namespace']}.{NAME}"

    def status(self) -> dict[str, Any]:
        """Return the monitor's status."""
        status: dict[str, Any] = self.kubectl.get("modelmonitor", NAME).get("status", {})
        return status

    def condition(self, kind: str) -> dict[str, Any]:
        """Return one condition."""
        return next((each for each in self.status().get("conditions", []) if each["type"] == kind), {})

    def wait(self, reached: Callable[[dict[str, Any]], Any], what: str) -> dict[str, Any]:
        """Return the status once it is so."""
        eventually(lambda: reached(self.status()), what, timeout_seconds=PATIENCE_SECONDS)
        return self.status()

    def patch(self, **spec: Any) -> None:
        """Change the spec."""
        self.kubectl("patch", "modelmonitor", NAME, "--type=merge", "--patch", json.dumps({"spec": spec}))

    def run_promotions(self, kubeconfig: Path) -> None:
        """Have the containers of promotions run here, where no node runs them."""
        for job in self.kubectl.get("jobs", "--selector=selfheal.dev/purpose=Promote")["items"]:
            (container,) = job["spec"]["template"]["spec"]["containers"]
            text = next(each["value"] for each in container["env"] if each["name"] == ENV_REQUEST)
            request = RunRequest.from_json(text.replace("$$", "$"))
            sink = ApiServer(of_kubeconfig(kubeconfig), request.monitor)
            run_promote(request, sink, lambda: datetime.now(UTC))

    def decide(self, decision: str) -> None:
        """Annotate the monitor with a decision."""
        self.kubectl("annotate", "modelmonitor", NAME, "--overwrite", f"selfheal.dev/decision={decision}")

    def alias(self) -> str | None:
        """Return the version that the alias is on."""
        try:
            return str(self.client.get_model_version_by_alias(self.model, "champion").version)
        except MlflowException:
            return None

    def register(self) -> str:
        """Register a version as a retraining does."""
        with contextlib.suppress(MlflowException):  # it is there already
            self.client.create_registered_model(self.model)
        version = str(self.client.create_model_version(self.model, "s3://models/nowhere").version)
        self.client.set_model_version_tag(self.model, version, "selfheal.promotion", "Awaited")
        return version

    def retrained(self, alias_version: str | None = None, **outcome: Any) -> str:
        """Report a retraining that has registered a version; return the version."""
        self.number += 1
        version, now = self.register(), format_time(datetime.now(UTC))
        created = self.client.get_model_version(self.model, version).creation_timestamp
        registered = format_time(datetime.fromtimestamp(created / 1000, UTC))
        told = {
            "scheduledTime": now,
            "jobName": f"{NAME}-retrain-{self.number}",
            "completionTime": now,
            "result": "Registered",
            "reason": "ModelRegistered",
            "message": f"Version {version} registered",
            "version": version,
            "observedGeneration": 1,
            **({"aliasVersion": alias_version} if alias_version else {}),
            **outcome,
        }
        status = {
            "lastRetraining": told,
            "challenger": {
                "name": self.model,
                "version": version,
                "registeredTime": registered,
                "digest": "a" * 64,
            },
            # The operator believes reports of Jobs that it has counted.
            "retraining": {"count": self.number, "lastTriggerTime": now},
        }
        self.kubectl(
            *("patch", "modelmonitor", NAME, "--subresource=status", "--type=merge", "--patch"),
            json.dumps({"status": status}),
        )
        return version

    def promoted(self, version: str) -> dict[str, Any]:
        """Return the status once the version is the champion."""
        return self.wait(
            lambda s: s.get("model", {}).get("version") == version and s["model"].get("alias"),
            f"version {version} is promoted",
        )

    def events(self) -> list[str]:
        """Return the reasons of the monitor's Events."""
        selector = f"--field-selector=involvedObject.name={NAME},involvedObject.kind=ModelMonitor"
        return [event["reason"] for event in self.kubectl.get("events", selector)["items"]]
