"""Our client of MLflow's REST API and a real server: what it writes there MLflow's own client reads."""

import math
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from sklearn.dummy import DummyClassifier

from selfheal_jobs.tracking.model_registry import ModelRegistry, Version
from selfheal_jobs.tracking.rest_client import MLflowServer, RefusedError, reach
from selfheal_jobs.transport.retry_policy import QUICK


@pytest.fixture
def server(mlflow_uri: str) -> MLflowServer:
    """Our client."""
    return reach(mlflow_uri, QUICK)


@pytest.fixture
def theirs(mlflow_uri: str) -> MlflowClient:
    """MLflow's own."""
    return MlflowClient(mlflow_uri)


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A name for an experiment or a model that only this test uses."""
    return f"rest.{tmp_path.name}"


@pytest.fixture
def model_uri(mlflow_uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A logged model, that only MLflow's library can make."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_uri)
    mlflow.set_tracking_uri(mlflow_uri)
    mlflow.set_experiment(name)
    fitted = DummyClassifier().fit([[0], [1]], [0, 1])
    with mlflow.start_run():
        return str(
            mlflow.sklearn.log_model(fitted, name="model", serialization_format="cloudpickle").model_uri
        )


def register(server: MLflowServer, name: str, model_uri: str, number: int) -> Version:
    """Register a version that a Job of that number has made."""
    tags = {"selfheal.jobName": f"churn-retrain-{number}"}
    return ModelRegistry(server).register(name, model_uri, tags, description=f"The text of {number}.")


def test_a_run_is_what_mlflows_client_reads(server: MLflowServer, theirs: MlflowClient, name: str) -> None:
    """Its name, its values with numbers that JSON lacks, its tags, and its end."""
    run = server.create_run(server.experiment_id(name), "churn-check-1", {"a": "1"})
    values = {"x": 0.5, "infinite": math.inf, "below": -math.inf}
    server.log(run, metrics=values, params={f"p{number}": "v" for number in range(250)}, tags={"b": "2"})
    server.end_run(run, "KILLED")

    read = theirs.get_run(run.run_id)
    assert (read.info.run_name, read.info.status) == ("churn-check-1", "KILLED")
    assert read.data.metrics["x"] == 0.5
    assert read.data.metrics["infinite"] > 1e300 > -1e300 > read.data.metrics["below"]
    assert len(read.data.params) == 250
    assert {"a": "1", "b": "2"}.items() <= read.data.tags.items()


def test_runs_are_found_by_their_tags_newest_first(server: MLflowServer, name: str) -> None:
    """A repeated pod finds what its predecessor left."""
    experiment = server.experiment_id(name)
    made = [server.create_run(experiment, f"run-{number}", {"job": str(number)}) for number in (1, 2)]

    (found,) = server.search_runs(experiment, "tags.`job` = '2'")

    assert (found.run_id, found.status, found.tags["job"]) == (made[1].run_id, "RUNNING", "2")
    assert server.search_runs(experiment, "tags.`job` = '3'") == []


def test_a_registered_version_is_what_mlflows_client_reads(
    server: MLflowServer, theirs: MlflowClient, name: str, model_uri: str
) -> None:
    """Its number, its tags, its description, the model that it serves, and the link between them."""
    started = datetime.now(UTC)
    made = register(server, name, model_uri, 1)

    read = theirs.get_model_version(name, "1")
    assert (made.name, made.version) == (name, "1")
    assert abs(made.created - started).total_seconds() < 60
    assert read.tags == {"selfheal.jobName": "churn-retrain-1"}
    assert read.description == "The text of 1."
    assert read.status == "READY"
    assert theirs.get_logged_model(model_uri.removeprefix("models:/")).tags["mlflow.modelVersions"] == (
        f'[{{"name": "{name}", "version": "1"}}]'
    )
    assert mlflow.sklearn.load_model(f"models:/{name}/1").predict([[0]]) == [0]


def test_versions_are_found_by_number_by_tag_and_as_the_newest(
    server: MLflowServer, name: str, model_uri: str
) -> None:
    """And none where there is none."""
    registry = ModelRegistry(server)
    assert registry.newest_version(name) is None
    assert registry.version(name, "1") is None
    for number in (1, 2):
        register(server, name, model_uri, number)
    registry.tag_version(Version(name, "1", datetime.now(UTC), {}), "stage", "old")

    newest, first = registry.newest_version(name), registry.version(name, "1")
    assert newest is not None
    assert first is not None
    assert (newest.version, first.version, first.tags["stage"]) == ("2", "1", "old")
    assert registry.version(name, "3") is None
    tags = {"selfheal.jobName": "churn-retrain-2"}
    assert [each.version for each in registry.versions_with_tags(name, tags)] == ["2"]
    assert registry.versions_with_tags(name, {"selfheal.jobName": "another"}) == []


@pytest.mark.parametrize(
    "odd",
    [
        "customer's churn",
        'the "best"',
        """both ' and \"""",
        "a`b",
        "back\\",
        "100 %",
        "a_b",
        "a;b -- c",
        "résilié 優先度",
    ],
)
def test_versions_are_found_by_any_name_and_any_tag(
    odd: str, server: MLflowServer, name: str, model_uri: str
) -> None:
    """Also with characters that MLflow's filters cannot hold, and not those that are only alike."""
    registry, named = ModelRegistry(server), f"{name} {odd}"
    alike = named.replace("_", "x").replace("'", "x").replace('"', "x").replace("\\", "x") + " "
    for each, target in (
        (alike, odd),
        (named, odd),
        (named, "another"),
        (named, odd.replace("'", "x") + " "),
    ):
        registry.register(each, model_uri, {"selfheal.target": target})

    found, newest = (
        registry.versions_with_tags(named, {"selfheal.target": odd}),
        registry.newest_version(named),
    )

    assert [(each.name, each.version, each.tags["selfheal.target"]) for each in found] == [(named, "1", odd)]
    assert newest is not None
    assert (newest.name, newest.version) == (named, "3")


def test_an_alias_points_to_one_version(server: MLflowServer, name: str, model_uri: str) -> None:
    """It moves, and it can be taken away, twice if need be."""
    registry = ModelRegistry(server)
    assert registry.version_by_alias(name, "champion") is None
    first, second = (register(server, name, model_uri, number) for number in (1, 2))

    assert registry.version_by_alias(name, "champion") is None
    for version in (first, second):
        registry.set_alias(version, "champion")
        assert registry.version_by_alias(name, "champion") == registry.version(name, version.version)
    registry.delete_alias(name, "champion")
    registry.delete_alias(name, "champion")
    assert registry.version_by_alias(name, "champion") is None


def test_a_refusal_has_mlflows_code(server: MLflowServer) -> None:
    """By which a caller decides; people get the sentence."""
    with pytest.raises(RefusedError, match="refused") as refused:
        server.ask("POST", "runs/search", {"experiment_ids": ["0"], "filter": "no filter"})
    assert refused.value.code == "INVALID_PARAMETER_VALUE"
