"""Promotions on a real API server with real MLflow: the Job that moves the alias, and what can come between.

The retraining is played by the test, which registers a version and reports it as the container does; the
operator and the promotion's container are the real ones.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.builders.monitors import YEARLY, monitor_manifest
from support.eventually import eventually
from support.played_retrainings import NAME, PlayedRetrainings
from support.processes.operators import Operator
from testbed.kubectl import Kubectl

pytestmark = pytest.mark.timeout(420)  # the first test also pays for the cluster, MLflow and the operator


@pytest.fixture
def story(
    kubectl: Kubectl, installation: Path, mlflow_uri: str, tmp_path: Path
) -> Iterator[PlayedRetrainings]:
    """A monitor and its operator."""
    kubectl.apply(monitor_manifest(NAME, reference="/r.csv", current="/c.csv", schedule=YEARLY))
    operator = Operator(installation, tmp_path / "operator", mlflow_tracking_uri=mlflow_uri)
    operator.start()
    story = PlayedRetrainings(kubectl, mlflow_uri)
    try:
        story.wait(lambda s: s.get("conditions"), "the operator has seen it")
        yield story
    finally:
        assert operator.stop() == 0


def test_a_registered_version_becomes_the_champion_and_the_next_one_after_it(
    story: PlayedRetrainings,
) -> None:
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
    assert status["promotion"]["previous"]["digest"] == "a" * 64
    jobs = [job["metadata"]["name"] for job in story.kubectl.get("jobs")["items"]]
    assert sorted(jobs) == ["churn-promote-1", "churn-promote-2"]
    eventually(lambda: story.events().count("ModelPromoted") == 2, "both are told")


def test_an_alias_that_a_person_has_moved_stays_where_it_is(story: PlayedRetrainings) -> None:
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


def test_a_version_that_was_deleted_is_not_promoted(story: PlayedRetrainings) -> None:
    """Whoever deletes it before the promotion has decided otherwise."""
    champion = story.register()
    story.client.set_registered_model_alias(story.model, "champion", champion)
    story.patch(suspend=True)
    version = story.retrained(alias_version=champion)
    story.client.delete_model_version(story.model, version)
    story.patch(suspend=False)

    story.wait(lambda s: s.get("lastPromotion", {}).get("reason") == "VersionNotFound", "it is said")
    assert story.alias() == champion


def test_with_mode_none_nobody_moves_the_alias(story: PlayedRetrainings) -> None:
    """As before there were promotions."""
    story.patch(promotion={"mode": "None"})
    version = story.retrained()

    story.wait(lambda s: s.get("promotion", {}).get("lastRetrainingTime"), "the operator has decided")
    assert story.alias() is None
    assert story.kubectl.get("jobs")["items"] == []
    assert story.condition("Promoted")["reason"] == "NotYetPromoted"
    assert story.client.get_model_version(story.model, version).tags["selfheal.promotion"] == "Awaited"


def test_while_mlflow_is_away_a_promotion_is_tried_again_and_then_done(
    story: PlayedRetrainings, mlflow_uri: str
) -> None:
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


def test_with_mode_manual_a_person_rejects_approves_and_rolls_back(story: PlayedRetrainings) -> None:
    """Each decision is an annotation; the version, the status and an Event say who has decided."""
    champion = story.register()
    story.client.set_registered_model_alias(story.model, "champion", champion)
    story.patch(promotion={"mode": "Manual"})

    rejected = story.retrained(alias_version=champion)
    story.wait(lambda s: s.get("promotion", {}).get("pending"), "it waits")
    assert story.condition("PromotionPending")["reason"] == "AwaitingApproval"
    story.decide(f"reject:{rejected}")
    story.wait(lambda s: "pending" not in s["promotion"], "it is rejected")
    assert story.condition("PromotionPending")["reason"] == "Rejected"
    assert story.alias() == champion

    approved = story.retrained(alias_version=champion)
    story.wait(lambda s: s["promotion"].get("pending"), "it waits")
    story.decide(f"approve:{approved}")
    story.promoted(approved)
    assert story.alias() == approved
    said = story.client.get_model_version(story.model, approved).tags["selfheal.approvedBy"]
    assert said.startswith("the annotation of kubectl-annotate at 20")

    story.decide("rollback:99")
    story.wait(lambda s: s["lastPromotion"]["reason"] == "VersionNotFound", "there is no such version")
    assert story.alias() == approved
    story.decide(f"rollback:{champion}")
    status = story.promoted(champion)
    assert story.alias() == champion
    assert status["model"]["previousVersion"] == approved
    assert story.condition("Promoted")["reason"] == "ModelRolledBack"
    told = {"AwaitingApproval", "Rejected", "Approved", "ModelPromoted", "VersionNotFound", "ModelRolledBack"}
    eventually(lambda: told <= set(story.events()), "all is told")
