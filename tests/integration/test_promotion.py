"""Promotions on a real API server with real MLflow: the Job that moves the alias, and what can come between.

The retraining is played by the test, which registers a version and reports it as the container does; the
operator and the promotion's container are the real ones.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from selfheal_operator.api.model import format_time
from support.builders.monitors import YEARLY, monitor_manifest
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(420)  # the first test also pays for the cluster, MLflow and the operator
NAME: Final = "churn"
PATIENCE_SECONDS: Final = 240
"""A promotion waits a minute for MLflow, and then for its next attempt."""


@dataclass
class Story:
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
        return f"{self.kubectl.namespace}.{NAME}"

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


@pytest.fixture
def story(kubectl: Kubectl, installation: Path, mlflow_uri: str, tmp_path: Path) -> Iterator[Story]:
    """A monitor and its operator."""
    kubectl.apply(monitor_manifest(NAME, reference="/r.csv", current="/c.csv", schedule=YEARLY))
    operator = Operator(installation, tmp_path / "operator", mlflow_tracking_uri=mlflow_uri)
    operator.start()
    story = Story(kubectl, mlflow_uri)
    try:
        story.wait(lambda s: s.get("conditions"), "the operator has seen it")
        yield story
    finally:
        assert operator.stop() == 0


def test_a_registered_version_becomes_the_champion_and_the_next_one_after_it(story: Story) -> None:
    """The first one where there is no alias, the second one from the first; each says who decided."""
    first = story.retrained()
    status = story.promoted(first)

    assert story.alias() == first
    assert status["model"] == status["model"] | {"alias": "champion", "digest": "a" * 64}
    assert status["model"]["promotedTime"]
    promoted = story.condition("Promoted")
    assert (promoted["status"], promoted["reason"]) == ("True", "ModelPromoted")
    assert promoted["message"] == (
        f"Version {first} is promoted: it has the alias champion, there was no such alias before. "
        f"Decided by the gates of churn-retrain-1."
    )
    tags = story.client.get_model_version(story.model, first).tags
    assert tags["selfheal.approvedBy"] == "the gates of churn-retrain-1"
    assert tags["selfheal.promotion"] == "Promoted"

    second = story.retrained(alias_version=first)
    status = story.promoted(second)
    assert story.alias() == second
    assert status["model"]["previousVersion"] == first
    assert status["lastPromotion"]["previous"]["digest"] == "a" * 64
    jobs = [job["metadata"]["name"] for job in story.kubectl.get("jobs")["items"]]
    assert sorted(jobs) == ["churn-promote-1", "churn-promote-2"]
    eventually(lambda: story.events().count("ModelPromoted") == 2, "both are told")


def test_an_alias_that_a_person_has_moved_stays_where_it_is(story: Story) -> None:
    """Moved after the comparison. The condition and an Event say so, and nothing is tried again."""
    champion, other = story.register(), story.register()
    story.client.set_registered_model_alias(story.model, "champion", other)
    story.retrained(alias_version=champion)

    status = story.wait(lambda s: s.get("lastPromotion"), "the promotion has ended")
    assert (status["lastPromotion"]["result"], status["lastPromotion"]["reason"]) == (
        "Stopped",
        "AliasMovedElsewhere",
    )
    assert story.alias() == other
    story.wait(lambda _: story.condition("Promoted").get("reason") == "AliasMovedElsewhere", "it is said")
    eventually(lambda: "AliasMovedElsewhere" in story.events(), "it is told")
    assert len(story.kubectl.get("jobs")["items"]) == 1


def test_a_version_that_was_deleted_is_not_promoted(story: Story) -> None:
    """Whoever deletes it before the promotion has decided otherwise."""
    champion = story.register()
    story.client.set_registered_model_alias(story.model, "champion", champion)
    story.patch(suspend=True)
    version = story.retrained(alias_version=champion)
    story.client.delete_model_version(story.model, version)
    story.patch(suspend=False)

    story.wait(lambda s: s.get("lastPromotion", {}).get("reason") == "VersionNotFound", "it is said")
    assert story.alias() == champion


def test_with_mode_none_nobody_moves_the_alias(story: Story) -> None:
    """As before there were promotions."""
    story.patch(promotion={"mode": "None"})
    version = story.retrained()

    story.wait(lambda s: s.get("promotion", {}).get("lastRetrainingTime"), "the operator has decided")
    assert story.alias() is None
    assert story.kubectl.get("jobs")["items"] == []
    assert story.condition("Promoted")["reason"] == "NotYetPromoted"
    assert story.client.get_model_version(story.model, version).tags["selfheal.promotion"] == "Awaited"


def test_while_mlflow_is_away_a_promotion_is_tried_again_and_then_done(story: Story, mlflow_uri: str) -> None:
    """It is never reported as anything else than that MLflow is away."""
    story.patch(mlflow={"trackingURI": "http://127.0.0.1:9"})
    first = story.retrained()
    status = story.wait(
        lambda s: s.get("lastPromotion", {}).get("reason") == "MLflowUnavailable", "MLflow is away"
    )
    assert status["lastPromotion"]["result"] == "Failed"
    assert "model" not in status

    story.patch(mlflow={"trackingURI": mlflow_uri})
    status = story.promoted(first)
    assert status["promotion"]["intent"]["attempts"] >= 2
    assert story.alias() == first
