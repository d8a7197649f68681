import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from selfheal_operator.api.names import JOBS_IMAGE
from selfheal_operator.api.reasons import Purpose, Task
from selfheal_operator.api.request import RunRequest
from selfheal_operator.api.v1alpha1.status import MethodUse
from selfheal_operator.core.errors import InvalidSpecError
from selfheal_operator.core.jobs import (
    check_job,
    check_job_name,
    retrain_job,
    retrain_job_name,
    tracking_target,
)
from selfheal_operator.core.observed import JobDefaults, job_from
from support.builders.objects import (
    DEFAULTS,
    HOUR,
    NOON,
    UID,
    last_check,
    model_version,
    monitor,
    spec,
    spec_document,
    status,
)

LABELS = {
    "app.kubernetes.io/managed-by": "selfheal-operator",
    "selfheal.dev/monitor": "churn",
    "selfheal.dev/monitor-uid": UID,
    "selfheal.dev/purpose": "Check",
}


def container_of(job: dict[str, Any]) -> dict[str, Any]:
    """Return the one container."""
    container: dict[str, Any]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return container


def job_for(**spec_fields: Any) -> dict[str, Any]:
    """Return the check Job of a spec."""
    return check_job(monitor(), spec(**spec_fields), NOON, DEFAULTS)


def expanded(value: str, environment: dict[str, str]) -> str:
    """Return what the kubelet makes of an environment variable's value.

    $(NAME) stands for the variable if there is one; $$ is a dollar; all else stays.
    """

    def replacement(match: re.Match[str]) -> str:
        name = match["name"]
        return "$" if name is None else environment.get(name, match[0])

    return re.sub(r"\$(?:\$|\((?P<name>[^)]*)\))", replacement, value)


def request_in(job: dict[str, Any], environment: dict[str, str] | None = None) -> RunRequest:
    """Return the request that the container finds in its environment."""
    value = next(e["value"] for e in container_of(job)["env"] if e["name"] == "SELFHEAL_REQUEST")
    return RunRequest.from_json(expanded(value, environment or {}))


JOB_UID_LABEL = {"fieldPath": "metadata.labels['batch.kubernetes.io/controller-uid']"}


def test_a_check_job_is_this_document():
    """All of it: what is new here is new in every cluster."""
    job = job_for()
    request = container_of(job)["env"].pop()

    assert request["name"] == "SELFHEAL_REQUEST"
    assert json.loads(request["value"])["jobName"] == "churn-check-29923920"
    assert job == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "churn-check-29923920",
            "namespace": "team-a",
            "labels": LABELS,
            "annotations": {
                "selfheal.dev/slot": "2026-11-23T12:00:00Z",
                "selfheal.dev/generation": "1",
                "argocd.argoproj.io/ignore-resource-updates": "true",
            },
            "ownerReferences": [
                {
                    "apiVersion": "selfheal.dev/v1alpha1",
                    "kind": "ModelMonitor",
                    "name": "churn",
                    "uid": UID,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "backoffLimit": 2,
            "activeDeadlineSeconds": 3600,
            "ttlSecondsAfterFinished": 86400,
            "podReplacementPolicy": "Failed",
            "template": {
                "metadata": {
                    "labels": LABELS,
                    "annotations": {"argocd.argoproj.io/ignore-resource-updates": "true"},
                },
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": "selfheal-runner",
                    "enableServiceLinks": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "fsGroup": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [
                        {
                            "name": "run",
                            "image": JOBS_IMAGE,
                            "imagePullPolicy": "IfNotPresent",
                            "command": ["python", "-s", "-P", "-m", "selfheal_jobs", "check"],
                            "env": [
                                {"name": "SELFHEAL_JOB_UID", "valueFrom": {"fieldRef": JOB_UID_LABEL}},
                                {"name": "SELFHEAL_ALLOWED_URIS", "value": ""},
                                {"name": "SELFHEAL_DATA_PATHS", "value": ""},
                                {"name": "SELFHEAL_MAX_DOWNLOAD_BYTES", "value": "8589934592"},
                            ],
                            "resources": {
                                "requests": {"cpu": "250m", "memory": "512Mi", "ephemeral-storage": "100Mi"},
                                "limits": {"memory": "4Gi", "ephemeral-storage": "10Gi"},
                            },
                            "volumeMounts": [{"name": "selfheal-tmp", "mountPath": "/tmp"}],
                            "terminationMessagePath": "/dev/termination-log",
                            "terminationMessagePolicy": "File",
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]},
                            },
                        }
                    ],
                    "volumes": [{"name": "selfheal-tmp", "emptyDir": {"sizeLimit": "10Gi"}}],
                },
            },
        },
    }


def test_a_check_is_told_by_which_methods_the_last_one_judged():
    """So that it can say of a change without asking the API server."""
    use = MethodUse(kind="Numerical", method="ks", columns=5)
    seen = status(last_check=last_check(methods=[use]), model=model_version())
    request = request_in(check_job(monitor(status=seen), spec(), NOON, DEFAULTS))

    assert request.previous_methods == (use,)
    assert request.champion == model_version()  # whose digest MLflow cannot tell


def test_a_retraining_is_told_the_version_to_beat():
    """The one that the status names when the Job is made."""
    seen = status(last_check=last_check(), model=model_version())
    request = request_in(retrain_job(monitor(status=seen), spec(), 4, NOON, DEFAULTS))

    assert request.champion == model_version()
    assert request.previous_methods == ()


def test_the_first_runs_of_a_monitor_are_told_nothing():
    """There was none before."""
    assert request_in(job_for()).previous_methods == ()
    assert request_in(retrain_job(monitor(), spec(), 1, NOON, DEFAULTS)).champion is None


def test_a_retraining_differs_from_a_check_in_these_places_only():
    """One builder for both: the same account, the same profile, the same contract."""
    check, retraining = job_for(), retrain_job(monitor(), spec(), 4, NOON, DEFAULTS, triggers=["DataDrift"])

    assert retraining["metadata"]["annotations"].pop("selfheal.dev/triggers") == "DataDrift"
    assert retraining["metadata"].pop("name") == "churn-retrain-4"
    assert retraining["spec"].pop("backoffLimit") == 1
    assert retraining["spec"].pop("activeDeadlineSeconds") == 21600
    assert container_of(retraining).pop("command")[-1] == "retrain"
    assert request_in(retraining).purpose is Purpose.RETRAIN
    for document in (retraining["metadata"], retraining["spec"]["template"]["metadata"]):
        assert document["labels"].pop("selfheal.dev/purpose") == "Retrain"
    del check["metadata"]["name"], check["spec"]["backoffLimit"], check["spec"]["activeDeadlineSeconds"]
    del container_of(check)["command"]
    for document in (check["metadata"], check["spec"]["template"]["metadata"]):
        assert document["labels"].pop("selfheal.dev/purpose") == "Check"
    for job in (check, retraining):
        container_of(job)["env"].clear()
    assert retraining == check


def test_the_platform_team_sets_what_every_job_gets():
    """Image, deadlines, and how long a finished Job stays."""
    defaults = JobDefaults(
        image="registry/jobs:1.2",
        image_pull_policy="Always",
        tracking_uri="http://mlflow",
        check_deadline_seconds=60,
        retrain_deadline_seconds=120,
        ttl_seconds=7200,
    )
    check = check_job(monitor(), spec(), NOON, defaults)
    retraining = retrain_job(monitor(), spec(), 1, NOON, defaults)

    assert (container_of(check)["image"], container_of(check)["imagePullPolicy"]) == (
        "registry/jobs:1.2",
        "Always",
    )
    assert (check["spec"]["activeDeadlineSeconds"], retraining["spec"]["activeDeadlineSeconds"]) == (60, 120)
    assert check["spec"]["ttlSecondsAfterFinished"] == 7200


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["c", "churn", "m" * 45, "a.b-c"])
def test_names_of_jobs_fit_into_a_label(name):
    """The Job controller labels pods with the Job's name: 63 characters, for a century to come."""
    slot = NOON.replace(year=2159)

    for job in (check_job_name(name, slot), retrain_job_name(name, 999_999_999)):
        assert len(job) <= 63
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", job)


def test_two_slots_of_one_monitor_have_two_names():
    """They are a minute apart at least."""
    names = {check_job_name("churn", NOON + n * HOUR / 60) for n in range(100)}

    assert len(names) == 100


def test_the_job_that_is_built_is_the_job_that_is_read():
    """What the operator writes on a Job is what it later believes of it."""
    document = job_for()
    document["metadata"] |= {"uid": "job-uid", "creationTimestamp": "2026-11-23T12:00:01Z"}

    job = job_from(document)

    assert job is not None
    assert (job.name, job.owner_uid, job.purpose) == (document["metadata"]["name"], UID, Purpose.CHECK)
    assert (job.slot, job.generation) == (NOON, 1)


# --- the request --------------------------------------------------------------------------------------------


def test_the_request_says_everything_that_the_run_needs():
    """Whatever happens to the monitor meanwhile, the run finishes under the rules that it began with."""
    seen = monitor(status=status(task=Task.REGRESSION, target="churned"), generation=7)
    document = spec_document(mlflow={"experiment": "churn"}, retraining={"randomSeed": 7})

    request = request_in(check_job(seen, spec(**document), NOON, DEFAULTS))

    assert request.spec == spec(**document)
    assert request.task is request.known_task is Task.REGRESSION
    assert (request.slot, request.job_name) == (NOON, "churn-check-29923920")
    assert (request.monitor.namespace, request.monitor.name) == ("team-a", "churn")
    assert (request.monitor.uid, request.monitor.generation) == (UID, 7)
    assert request.mlflow.tracking_uri == "http://mlflow.mlops:5000"


def test_the_task_of_the_spec_comes_before_the_one_that_was_inferred():
    """A user who names it has the last word."""
    seen = monitor(status=status(task=Task.REGRESSION))

    request = request_in(check_job(seen, spec(task="Classification"), NOON, DEFAULTS))

    assert request.task is Task.CLASSIFICATION


def test_a_task_that_was_inferred_from_another_target_is_forgotten():
    """The target was a class and is a quantity now: the run infers the task anew."""
    seen = monitor(status=status(task=Task.CLASSIFICATION, target="churned"))

    request = request_in(check_job(seen, spec(target="revenue"), NOON, DEFAULTS))

    assert (request.task, request.known_task) == (None, None)


@pytest.mark.parametrize(
    ("case", "model", "passed"),
    [
        ("it does not say what it predicts", {}, True),
        ("it predicts the target", {"target": "churned"}, True),
        ("it predicts another target", {"target": "revenue"}, False),
        ("it is of another registered model", {"name": "team-a.revenue"}, False),
    ],
)
def test_only_a_version_of_this_model_and_target_is_the_one_to_beat(case, model, passed):
    """Both can be edited: the version in the status is then another model's."""
    seen = monitor(status=status(model=model_version(**model)))

    request = request_in(retrain_job(seen, spec(), 4, NOON, DEFAULTS))

    assert (request.champion is not None) == passed, case


@pytest.mark.parametrize(
    ("token", "force", "ignore_champion"),
    [
        ("2026-11-23T12:00:00Z", False, False),
        ("2026-11-23T12:00:00Z;force", True, False),
        ("now; ignoreChampion ;force;", True, True),
        ("force", False, False),
    ],
)
def test_the_options_of_a_request_reach_the_retraining(token, force, ignore_champion):
    """After a semicolon each; what comes before the first one is any text."""
    request = request_in(retrain_job(monitor(), spec(), 4, NOON, DEFAULTS, token=token))

    assert (request.force, request.ignore_champion) == (force, ignore_champion)


@pytest.mark.parametrize(("token", "known"), [("", ("DataDrift", "errors")), ("now", ())])
def test_a_retraining_knows_what_triggered_it(token, known):
    """A requested one was triggered by nothing that a check found."""
    job = retrain_job(monitor(), spec(), 4, NOON, DEFAULTS, token=token, triggers=["DataDrift", "errors"])

    assert request_in(job).triggers == known


@given(target=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
@example("$(HOME)")
@example("$$(HOME)")
@example("$$$(HOME)")
@example("$")
@example("$(")
@example("price in $")
@example('"\\$(HOME)\\"')
def test_the_request_survives_kubernetes_expansion_of_variables(target):
    """A column may be called $(HOME)."""
    request = request_in(job_for(target=target), {"HOME": "/root", "": "empty"})

    assert request.spec.target == target


def test_null_parameters_reach_the_estimator():
    """max_depth: null is not the same as none given."""
    candidate = {"name": "forest", "estimator": "x", "params": {"max_depth": "null"}}

    request = request_in(job_for(retraining={"candidates": [candidate]}))

    assert request.spec.retraining.candidates[0].params == {"max_depth": "null"}


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ({}, ("http://mlflow.mlops:5000", "team-a/churn", "team-a.churn")),
        ({"trackingURI": "http://mine"}, ("http://mine", "team-a/churn", "team-a.churn")),
        ({"experiment": "e", "registeredModelName": "m"}, ("http://mlflow.mlops:5000", "e", "m")),
    ],
)
def test_what_the_user_leaves_out_of_mlflow_is_filled_in(written, target):
    """The namespace keeps the models of two teams apart."""
    found = tracking_target(monitor(), spec(mlflow=written), DEFAULTS)

    assert (found.tracking_uri, found.experiment, found.registered_model_name) == target


def test_without_an_mlflow_server_both_who_can_name_one_are_told():
    """The user, here; the platform team, for all."""
    with pytest.raises(InvalidSpecError) as raised:
        tracking_target(monitor(), spec(), replace(DEFAULTS, tracking_uri=None))
    assert raised.value.field == "spec.mlflow.trackingURI"
    assert "SELFHEAL_MLFLOW_TRACKING_URI" in str(raised.value)


# --- the pod ------------------------------------------------------------------------------------------------


def test_a_pod_takes_what_the_spec_gives_it():
    """Account, resources, environment, volumes, and the Secret of MLflow."""
    job = job_for(
        mlflow={"secretRef": {"name": "mlflow-login"}},
        podTemplate={
            "serviceAccountName": "mine",
            "resources": {"limits": {"memory": "8Gi", "cpu": 2}},
            "env": [{"name": "AWS_REGION", "value": "eu-central-1"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "lake"}}],
            "volumeMounts": [{"name": "data", "mountPath": "/data", "subPath": "a", "readOnly": True}],
        },
    )
    pod, container = job["spec"]["template"]["spec"], container_of(job)

    assert pod["serviceAccountName"] == "mine"
    assert pod["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "lake"}},
        {"name": "selfheal-tmp", "emptyDir": {"sizeLimit": "10Gi"}},
    ]
    assert container["resources"] == {
        "requests": {"ephemeral-storage": "100Mi"},
        "limits": {"memory": "8Gi", "cpu": 2, "ephemeral-storage": "10Gi"},
    }
    assert container["env"][0] == {"name": "AWS_REGION", "value": "eu-central-1"}
    assert container["envFrom"] == [
        {"secretRef": {"name": "mlflow-login"}},
        {"prefix": "SELFHEAL_MLFLOW_", "secretRef": {"name": "mlflow-login"}},
    ]
    assert container["volumeMounts"] == [
        {"name": "data", "mountPath": "/data", "subPath": "a", "readOnly": True},
        {"name": "selfheal-tmp", "mountPath": "/tmp"},
    ]


def test_each_source_has_its_secret_under_a_prefix_of_its_own():
    """Two sources with different Secrets never see each other's keys; MLflow's keep their names."""
    dataset = {
        "reference": {"uri": "s3://lake/a", "secretRef": {"name": "lake"}},
        "current": {"uri": "sql://t", "secretRef": {"name": "warehouse", "key": "uri"}},
        "labels": {"uri": "s3://lake/b", "secretRef": {"name": "lake"}, "joinColumn": "id"},
    }
    job = job_for(dataset=dataset, mlflow={"secretRef": {"name": "mlflow-login"}})

    assert container_of(job)["envFrom"] == [
        {"secretRef": {"name": "mlflow-login"}},
        {"prefix": "SELFHEAL_MLFLOW_", "secretRef": {"name": "mlflow-login"}},
        {"prefix": "SELFHEAL_REFERENCE_", "secretRef": {"name": "lake"}},
        {"prefix": "SELFHEAL_CURRENT_", "secretRef": {"name": "warehouse"}},
        {"prefix": "SELFHEAL_LABELS_", "secretRef": {"name": "lake"}},
    ]


def test_without_secrets_there_is_no_environment_from_elsewhere():
    """An empty list would be a difference to what the API server stores."""
    assert "envFrom" not in container_of(job_for())


@pytest.mark.parametrize(
    ("path", "ours"), [("/tmp", False), ("/tmp/", False), ("/tmp/cache", True), ("/var/tmp", True)]
)
def test_there_is_one_writable_tmp(path, ours):
    """The root file system is read-only; who brings a /tmp keeps it."""
    mount = {"name": "scratch", "mountPath": path}
    job = job_for(podTemplate={"volumes": [{"name": "scratch", "emptyDir": {}}], "volumeMounts": [mount]})

    assert (
        {"name": "selfheal-tmp", "emptyDir": {"sizeLimit": "10Gi"}}
        in job["spec"]["template"]["spec"]["volumes"]
    ) is ours
    assert len(container_of(job)["volumeMounts"]) == 1 + ours


def test_the_request_cannot_be_replaced_by_the_users_environment():
    """Of two variables of one name, the last one counts."""
    job = job_for(podTemplate={"env": [{"name": "SELFHEAL_REQUEST", "value": "{}"}]})

    assert container_of(job)["env"][-1]["value"] != "{}"


OURS = (
    "SELFHEAL_JOB_UID",
    "SELFHEAL_ALLOWED_URIS",
    "SELFHEAL_DATA_PATHS",
    "SELFHEAL_MAX_DOWNLOAD_BYTES",
    "SELFHEAL_REQUEST",
)


@pytest.mark.parametrize("name", OURS)
def test_what_the_platform_team_permits_is_not_replaced_by_the_users_environment(name):
    """The variable is there once, also where the platform team says nothing: a Secret may have such a key."""
    mine = [{"name": name, "value": "mine"}, {"name": "A", "value": "1"}]

    found = container_of(job_for(podTemplate={"env": mine}))["env"]

    assert [each["name"] for each in found] == ["A", *OURS]
    assert "mine" not in [each.get("value") for each in found]


def test_a_run_is_told_what_the_platform_team_permits():
    """Patterns of addresses, the mounts and further folders, and the largest download."""
    defaults = JobDefaults(
        tracking_uri="http://mlflow",
        allowed_uris=("s3://lake/*", "https://$(HOST)/*"),
        data_paths=("/opt/data",),
        max_download_bytes=1000,
    )
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "more", "mountPath": "/more"}]

    job = check_job(monitor(), spec(podTemplate={"volumeMounts": mounts}), NOON, defaults)

    found = {each["name"]: each.get("value") for each in container_of(job)["env"]}
    assert found["SELFHEAL_ALLOWED_URIS"] == "s3://lake/*,https://$$(HOST)/*"
    assert found["SELFHEAL_DATA_PATHS"] == "/data:/more:/opt/data"
    assert found["SELFHEAL_MAX_DOWNLOAD_BYTES"] == "1000"


@pytest.mark.parametrize(
    ("limit", "most"), [("1Ki", "512"), ("2k", "1000"), (1999, "999"), ("20Gi", "8589934592")]
)
def test_a_download_takes_no_more_than_half_of_the_pods_disk(limit, most):
    """The rows are spooled beside it, and a pod beyond its limit is evicted."""
    job = job_for(podTemplate={"resources": {"limits": {"ephemeral-storage": limit}}})

    found = {each["name"]: each.get("value") for each in container_of(job)["env"]}
    assert found["SELFHEAL_MAX_DOWNLOAD_BYTES"] == most


def test_pods_keep_to_the_restricted_profile():
    """Whatever the spec says: namespaces that enforce it are the rule."""
    job = job_for(podTemplate={"volumes": [{"name": "data", "emptyDir": {}}]})
    pod, container = job["spec"]["template"]["spec"]["securityContext"], container_of(job)["securityContext"]

    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] != 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in container


def test_a_pod_goes_where_the_spec_sends_it():
    """By the fields of a pod, and no other ones where they are not set."""
    placed = {
        "nodeSelector": {"pool": "gpu"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "imagePullSecrets": [{"name": "registry"}],
        "priorityClassName": "low",
        "runtimeClassName": "gvisor",
    }

    pod = job_for(podTemplate=placed)["spec"]["template"]["spec"]

    assert {name: pod[name] for name in placed} == placed
    assert set(pod) - set(placed) == set(job_for()["spec"]["template"]["spec"])


def test_labels_reach_the_job_or_its_pods_and_ours_win():
    """Kueue reads the queue from the Job, a mesh its annotations from the pod."""
    mine = {"labels": {"team": "churn", "selfheal.dev/monitor": "other"}, "annotations": {"note": "a"}}
    queue = {"labels": {"kueue.x-k8s.io/queue-name": "ml", "selfheal.dev/purpose": "Other"}}

    job = job_for(podTemplate=mine, jobTemplate=queue | {"annotations": {"selfheal.dev/slot": "never"}})

    pod = job["spec"]["template"]["metadata"]
    assert job["metadata"]["labels"] == LABELS | {"kueue.x-k8s.io/queue-name": "ml"}
    assert job["metadata"]["annotations"]["selfheal.dev/slot"] == "2026-11-23T12:00:00Z"
    assert pod["labels"] == LABELS | {"team": "churn"}
    assert pod["annotations"] == {"note": "a", "argocd.argoproj.io/ignore-resource-updates": "true"}


def test_a_retraining_has_a_pod_template_of_its_own_field_by_field():
    """What it sets replaces the whole field; an empty list takes away what checks have."""
    checks = {
        "env": [{"name": "A", "value": "1"}],
        "nodeSelector": {"pool": "cpu"},
        "resources": {"requests": {"cpu": 1}, "limits": {"memory": "2Gi"}},
        "serviceAccountName": "mine",
    }
    trainings = {"env": [], "nodeSelector": {"gpu": "yes"}, "resources": {"limits": {"memory": "8Gi"}}}
    written = spec(podTemplate=checks, retraining={"podTemplate": trainings})

    check = check_job(monitor(), written, NOON, DEFAULTS)
    retraining = retrain_job(monitor(), written, 1, NOON, DEFAULTS)

    assert check["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "cpu"}
    assert memory_limit(check) == "2Gi"
    assert container_of(check)["resources"]["requests"]["cpu"] == 1
    assert "A" in [each["name"] for each in container_of(check)["env"]]
    pod = retraining["spec"]["template"]["spec"]
    assert (pod["nodeSelector"], pod["serviceAccountName"]) == ({"gpu": "yes"}, "mine")
    assert memory_limit(retraining) == "8Gi"
    assert "cpu" not in container_of(retraining)["resources"]["requests"]
    assert "A" not in [each["name"] for each in container_of(retraining)["env"]]


def test_nothing_that_is_written_on_a_monitor_is_copied_onto_its_jobs():
    """A GitOps tool would take a Job that carries its labels for one of its own, and prune it."""
    document = job_for()

    assert set(document["metadata"]["labels"]) == set(LABELS)
    assert set(document["metadata"]["annotations"]) == {
        "selfheal.dev/slot",
        "selfheal.dev/generation",
        "argocd.argoproj.io/ignore-resource-updates",
    }


def memory_limit(job) -> str:
    """Return the limit of the container's memory."""
    limit: str = container_of(job)["resources"]["limits"]["memory"]
    return limit


@pytest.mark.parametrize("where", ["requests", "limits"])
def test_local_storage_is_limited_unless_the_user_says_how_much(where):
    """A limit of ours below a request of theirs would be refused; /tmp has the platform team's limit."""
    own = {where: {"ephemeral-storage": "20Gi"}}
    defaults = replace(DEFAULTS, storage="2Gi")

    job = check_job(monitor(), spec(podTemplate={"resources": own}), NOON, defaults)
    usual = check_job(monitor(), spec(), NOON, defaults)

    assert container_of(job)["resources"] == own
    assert container_of(usual)["resources"]["limits"]["ephemeral-storage"] == "2Gi"
    for each in (job, usual):
        (volume,) = each["spec"]["template"]["spec"]["volumes"]
        assert volume["emptyDir"] == {"sizeLimit": "2Gi"}


def test_a_run_imports_nothing_from_its_working_directory(tmp_path: Path) -> None:
    """It is /tmp, where a monitor may mount a volume with a program of its own."""
    (tmp_path / "selfheal_jobs.py").write_text("print('the program of a volume')")
    _, *arguments = container_of(job_for())["command"]

    run = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert "the program of a volume" not in run.stdout
    assert "SELFHEAL_REQUEST holds the run's request" in run.stdout
