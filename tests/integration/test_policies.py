"""What the admission policies of manifests/policies refuse, and what they let pass: both sides of each rule.

Every request is made with a real token of the identity that it is about: the tenant, who may edit
ModelMonitors and get one Secret, a pod, and the operator. Most are dry runs, which policies see like others.
"""

import copy
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from localcluster import LocalCluster
from localcluster.kubeconfig import kubeconfig, write_kubeconfig
from selfheal_jobs.delivery.cluster_access import of_kubeconfig
from selfheal_jobs.transport.json_http import AnswerError
from selfheal_operator.api.names import API_VERSION, JOBS_IMAGE, PLURAL, RUNNER_ACCOUNT
from selfheal_operator.core.jobs import check_job, check_job_name, promote_job_name, retrain_job_name
from selfheal_operator.core.observed import JobDefaults, monitor_from
from selfheal_operator.kube.admission_policies import POLICIES
from support.builders.monitors import monitor_manifest
from support.eventually import eventually
from support.processes.operators import Operator
from testbed.accounts import role_binding, unstarted_pod
from testbed.install import MANIFESTS, OPERATOR_NAMESPACE, rendered
from testbed.kubectl import Document, Kubectl

CRD: Final = MANIFESTS.parent / "crds" / "modelmonitors.selfheal.dev.yaml"
EXAMPLES: Final = sorted((MANIFESTS / "examples").glob("*.yaml"))
POLICY_FILES: Final = MANIFESTS / "policies"
SLOT: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHECK: Final = check_job_name("churn", SLOT)
RETRAIN: Final = retrain_job_name("churn", 3)
PROMOTE: Final = promote_job_name("churn", 2)
LONG_NAME: Final = "n" * 45

Change = Mapping[str, Any]


GROUPS: Final = {PLURAL: API_VERSION, "jobs": "batch/v1"}


class Identity:
    """Somebody by a token of theirs, in one namespace."""

    def __init__(self, kubeconfig_path: Path, namespace: str) -> None:
        self._server = of_kubeconfig(kubeconfig_path).server()
        self.namespace = namespace

    def said(
        self,
        method: str,
        plural: str,
        *names: str,
        body: Document | None = None,
        namespace: str = "",
        really: bool = False,
    ) -> str:
        """Send a request, by default as a dry run; return what the API server says against it.

        Nothing if it takes it. A PATCH is a merge patch.
        """
        within = f"/apis/{GROUPS[plural]}/namespaces/{namespace or self.namespace}/{plural}"
        path = "/".join((within, *names)) + ("" if really else "?dryRun=All")
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            self._server.call(method, path, body, content_type=kind)
        except AnswerError as refused:
            return str(json.loads(refused.body)["message"])
        return ""


class Identities:
    """Everybody in one namespace.

    Args:
        cluster: Their cluster.
        admin: An administrator's `kubectl` in the namespace.
        folder: For their kubeconfigs.
    """

    def __init__(self, cluster: LocalCluster, admin: Kubectl, folder: Path) -> None:
        self._cluster, self._folder = cluster, folder
        self.admin = admin
        self._known: dict[tuple[str, ...], Path] = {}

    def account(self, name: str, *binding: str, within: str = "") -> Identity:
        """Return a ServiceAccount, by a token that says nothing of a pod unless it is bound to one."""
        if (name, *binding) not in self._known:
            token = self.admin("create", "token", name, *binding).strip()
            authority = (self._cluster.state.pki / "ca.crt").read_bytes()
            path = self._known[name, *binding] = self._folder / f"{len(self._known)}.kubeconfig"
            write_kubeconfig(path, kubeconfig(self._cluster.server, authority, {"token": token}))
        return Identity(self._known[name, *binding], within or self.admin.namespace)

    def pod(self, name: str, account: str = RUNNER_ACCOUNT, within: str = "") -> Identity:
        """Return a pod of an account, which never starts, as it would act in another namespace."""
        self.admin.apply(unstarted_pod(name, self.admin.namespace, account))
        binding = ("--bound-object-kind=Pod", f"--bound-object-name={name}")
        return self.account(account, *binding, within=within)


@pytest.fixture(scope="module")
def identities(
    cluster: LocalCluster, installation: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Identities]:
    """Everybody in one namespace, with the policies installed."""
    del installation
    admin = Kubectl(cluster.kubectl, cluster.kubeconfig, f"policies-{uuid.uuid4().hex[:8]}")
    admin("create", "namespace", admin.namespace)
    eventually(lambda: bool(admin.get("serviceaccounts")["items"]), "the namespace has a ServiceAccount")
    yield Identities(cluster, admin, tmp_path_factory.mktemp("identities"))
    admin("delete", "namespace", admin.namespace, "--wait=false")


def account(name: str) -> Document:
    """Return a ServiceAccount."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def bound(role: str, name: str, namespace: str, kind: str = "ClusterRole") -> Document:
    """Return what binds a role to a ServiceAccount of the namespace."""
    return role_binding(f"{name}-{role}", namespace, role, name, kind=kind)


def may(name: str, verb: str, resource: str, *names: str) -> Document:
    """Return a role with one right, to all objects of a kind or to those with these names."""
    rule = {"apiGroups": [""], "verbs": [verb], "resources": [resource], "resourceNames": list(names)}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": [rule],
    }


# selfheal-spec


@pytest.fixture(scope="module")
def tenant(identities: Identities) -> Identity:
    """Somebody who may edit ModelMonitors, get the Secret `own`, and impersonate the account `lent`."""
    admin = identities.admin
    admin.apply(
        account("tenant"),
        may("own", "get", "secrets", "own"),
        may("lent", "impersonate", "serviceaccounts", "lent"),
        *(bound(role, "tenant", admin.namespace, "Role") for role in ("own", "lent")),
        *(bound(role, "tenant", admin.namespace) for role in ("selfheal-edit", "selfheal-view")),
    )
    tenant = identities.account("tenant")
    eventually(lambda: "PYTHONPATH" in create(tenant, DENIED), "the policies are in force")
    return tenant


DENIED: Final[Change] = {"podTemplate": {"env": [{"name": "PYTHONPATH", "value": "/data"}]}}


def monitor(changes: Change, name: str = "new") -> Document:
    """Return a monitor with some parts of its spec set."""
    document = monitor_manifest(name, reference="/r.csv", current="/c.csv", suspend=True)
    document["spec"] |= copy.deepcopy(dict(changes))
    return document


def create(author: Identity, changes: Change) -> str:
    """Create a monitor; return what is said against it."""
    return author.said("POST", PLURAL, body=monitor(changes))


def edit(author: Identity, changes: Change) -> str:
    """Merge changes into the stored monitor's spec; return what is said against them."""
    return author.said("PATCH", PLURAL, "stored", body={"spec": changes})


def source(side: str, secret: str) -> Change:
    """Return a dataset one side of which has a Secret."""
    sides = {name: {"uri": f"s3://lake/{name}.csv"} for name in ("reference", "current")}
    of_side = {"uri": "s3://lake/x.csv", "secretRef": {"name": secret}}
    joined = {"joinColumn": "id"} if side == "labels" else {}
    return {"dataset": sides | {side: of_side | joined}}


POD_SECRETS: Final[Mapping[str, Callable[[str], Document]]] = {
    "imagePullSecrets[].name": lambda name: {"imagePullSecrets": [{"name": name}]},
    "env[].valueFrom.secretKeyRef.name": lambda name: {
        "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}]
    },
    "volumes[].secret.secretName": lambda name: {"volumes": [{"name": "v", "secret": {"secretName": name}}]},
    "volumes[].csi.nodePublishSecretRef.name": lambda name: {
        "volumes": [{"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": name}}}]
    },
}
SECRETS: Final[Mapping[str, Callable[[str], Change]]] = {
    **{
        f"dataset.{side}.secretRef.name": lambda name, side=side: source(side, name)  # type: ignore[misc]
        for side in ("reference", "current", "labels")
    },
    "mlflow.secretRef.name": lambda name: {"mlflow": {"secretRef": {"name": name}}},
    **{
        f"podTemplate.{path}": lambda name, made=made: {"podTemplate": made(name)}  # type: ignore[misc]
        for path, made in POD_SECRETS.items()
    },
    **{
        f"retraining.podTemplate.{path}": lambda name, made=made: {  # type: ignore[misc]
            "retraining": {"podTemplate": made(name)}
        }
        for path, made in POD_SECRETS.items()
    },
}
"""Every place of a spec that names a Secret, with what puts a name there."""


def test_every_place_of_the_crd_that_names_a_secret_is_tested_here() -> None:
    """A field that is added to the API needs a case above, which shows whether the policy knows it."""
    (version,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert set(_secret_names(spec, "")) == SECRETS.keys()


def _secret_names(schema: Document, path: str) -> Iterator[str]:
    for name, child in schema.get("properties", {}).items():
        below = f"{path}.{name}".lstrip(".")
        *_, parent = ("", *path.split("."))
        if name == "secretName" or (name == "name" and "secret" in parent.lower()):
            yield below
        yield from _secret_names(child, below)
    if "items" in schema:
        yield from _secret_names(schema["items"], f"{path}[]")


@pytest.mark.parametrize("place", SECRETS)
def test_an_author_names_only_secrets_that_they_may_get(tenant: Identity, place: str) -> None:
    """Their own passes the rule; any other one is refused by its name, whether or not it exists."""
    said = create(tenant, SECRETS[place]("foreign"))
    assert f"names the Secret foreign, which system:serviceaccount:{tenant.namespace}:tenant may not" in said
    assert "Secret" not in create(tenant, SECRETS[place]("own"))


def env_of(*secrets: str) -> Change:
    """Return a pod template with a variable of each Secret."""
    return {
        "podTemplate": {
            "env": [
                {"name": f"X{number}", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}
                for number, secret in enumerate(secrets)
            ]
        }
    }


def test_each_of_eight_secrets_is_looked_at_and_more_need_a_right_to_all(identities: Identities) -> None:
    """The API server limits what a policy may ask the authorizer; one Secret counts once."""
    admin = identities.admin
    names = [f"s{number}" for number in range(8)]
    admin.apply(
        account("eight"),
        may("eight", "get", "secrets", *names),
        bound("eight", "eight", admin.namespace, "Role"),
        bound("selfheal-edit", "eight", admin.namespace),
    )
    tenant = identities.account("eight")
    eventually(lambda: not create(tenant, env_of(*names, *names)), "eight Secrets pass")
    for number in range(8):
        others = env_of(*names[:number], "foreign", *names[number + 1 :])
        assert "names the Secret foreign" in create(tenant, others)
    assert "more than eight Secrets" in create(tenant, env_of(*names, "own"))

    admin.apply(may("all", "get", "secrets"), bound("all", "eight", admin.namespace, "Role"))
    most = env_of(*(f"t{number}" for number in range(64)))
    eventually(lambda: not create(tenant, most), "all Secrets pass")


def pods_of(template: str, pod: Document) -> Change:
    """Return a pod template: that of all pods, or that of retrainings."""
    return {template: pod if template == "podTemplate" else {"podTemplate": pod}}


@pytest.mark.parametrize("template", ["podTemplate", "retraining"])
def test_an_author_names_only_accounts_that_they_may_impersonate(tenant: Identity, template: str) -> None:
    """The runner's account needs no right: it can report and nothing else."""

    def running_as(account: str) -> Change:
        return pods_of(template, {"serviceAccountName": account})

    assert "may not impersonate default:" in create(tenant, running_as("default"))
    assert create(tenant, running_as("lent")) == ""
    assert create(tenant, running_as(RUNNER_ACCOUNT)) == ""


@pytest.mark.parametrize("template", ["podTemplate", "retraining"])
@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONPATH", "PYTHONSTARTUP", "LD_PRELOAD", "KUBERNETES_SERVICE_HOST", "SELFHEAL_CURRENT_URL"),
        *("PATH", "HOME", "GIT_PYTHON_GIT_EXECUTABLE", "OPENSSL_CONF", "AWS_CONFIG_FILE", "PGHOSTADDR"),
        "KUBECONFIG",
    ],
)
def test_a_variable_that_changes_what_runs_is_refused(tenant: Identity, template: str, name: str) -> None:
    """Its prefix decides; one that only contains it passes."""

    def setting(variable: str) -> Change:
        return pods_of(template, {"env": [{"name": variable, "value": "x"}]})

    assert f"spec.podTemplate.env: {name}: it must not match" in create(tenant, setting(name))
    assert create(tenant, setting(f"MY_{name}")) == ""


VOLUMES: Final[Mapping[str, Document]] = {
    "persistentVolumeClaim": {"claimName": "data"},
    "configMap": {"name": "c"},
    "secret": {"secretName": "own"},
    "emptyDir": {},
    "ephemeral": {
        "volumeClaimTemplate": {
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        }
    },
}


def volume_of(kind: str, document: Document) -> Change:
    """Return a pod template with one volume."""
    return {"podTemplate": {"volumes": [{"name": "v", kind: document}]}}


@pytest.mark.parametrize("kind", VOLUMES)
def test_a_volume_of_the_list_passes(tenant: Identity, kind: str) -> None:
    """All that the CRD has, but for CSI drivers."""
    assert create(tenant, volume_of(kind, VOLUMES[kind])) == ""


def test_a_csi_driver_is_refused_until_it_is_allowed(
    tenant: Identity, parameters: Callable[..., None]
) -> None:
    """What it hands out, and to whom, only the platform team knows."""
    one = volume_of("csi", {"driver": "secrets-store.csi.k8s.io"})
    other = volume_of("csi", {"driver": "other"})
    assert "spec.podTemplate.volumes: v: allowed are persistentVolumeClaim" in create(tenant, one)
    parameters(allowedCSIDrivers="['secrets-store.csi.k8s.io', 'x']")
    eventually(lambda: not create(tenant, one), "the driver is allowed")
    assert "and csi of secrets-store.csi.k8s.io, x" in create(tenant, other)


@pytest.mark.parametrize("field", ["registeredModelName", "experiment"])
def test_a_name_in_mlflow_begins_with_the_namespace(tenant: Identity, field: str) -> None:
    """A dot or a slash ends the namespace's name: a longer one does not pass for it."""
    own = f"{tenant.namespace}.churn"
    assert create(tenant, {"mlflow": {field: own}}) == ""
    for name in ("churn", f"{tenant.namespace}-2.churn", tenant.namespace, f"x.{own}"):
        said = create(tenant, {"mlflow": {field: name}})
        assert f"spec.mlflow.{field}: it must begin with {tenant.namespace}. or {tenant.namespace}/" in said
    slash = f"{tenant.namespace}/churn"
    assert (create(tenant, {"mlflow": {field: slash}}) == "") == (field == "experiment")


EVERYTHING_REFUSED: Final[Change] = {
    **source("current", "foreign"),
    "mlflow": {"experiment": "other"},
    "podTemplate": {
        "serviceAccountName": "default",
        "env": [{"name": "PYTHONPATH", "value": "/data"}],
        "volumes": [{"name": "v", "csi": {"driver": "d"}}],
    },
}
"""As a cluster may have it from before the policies."""


@pytest.fixture
def stored(identities: Identities, tenant: Identity) -> Iterator[Identity]:
    """The tenant, beside a stored monitor whose spec they might not have written."""
    identities.admin.apply(monitor(EVERYTHING_REFUSED, "stored"))
    yield tenant
    identities.admin("delete", PLURAL, "stored", "--ignore-not-found")


def test_labels_annotations_and_finalizers_of_any_monitor_can_be_edited(stored: Identity) -> None:
    """Nobody is locked out of an object by a policy that came later."""
    edits: list[Document] = [
        {"labels": {"team": "a"}},
        {"annotations": {"note": "b"}},
        {"finalizers": ["example.com/f"]},
        {"finalizers": []},
    ]
    for metadata in edits:
        assert stored.said("PATCH", PLURAL, "stored", body={"metadata": metadata}, really=True) == ""
    assert stored.said("DELETE", PLURAL, "stored") == ""


def test_a_spec_is_applied_again_as_it_is(stored: Identity) -> None:
    """As a GitOps controller does, whatever its rights are."""
    assert edit(stored, EVERYTHING_REFUSED) == ""


def test_what_sends_no_secret_elsewhere_can_be_edited(stored: Identity) -> None:
    """Suspended, for example, by whoever is on call."""
    harmless = {"suspend": False, "threshold": 0.5, "schedule": "@daily", "retraining": {"mode": "Manual"}}
    assert edit(stored, harmless) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": {"current": {"uri": "https://elsewhere.example.com/c.csv"}}},
        {"mlflow": {"trackingURI": "https://elsewhere.example.com"}},
        {"podTemplate": {"labels": {"team": "a"}}},
        {"retraining": {"podTemplate": {"serviceAccountName": "default"}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_secret_of_somebody_elses_cannot_be_sent_elsewhere(stored: Identity, changes: Change) -> None:
    """Its name stays the same in such an edit; where its value goes does not."""
    assert "names the Secret foreign" in edit(stored, changes)


def test_what_was_there_before_stays_and_no_more_is_added(identities: Identities, tenant: Identity) -> None:
    """A variable, a volume and a name in MLflow are refused only where they are new or change."""
    pod = {name: EVERYTHING_REFUSED["podTemplate"][name] for name in ("env", "volumes")}
    identities.admin.apply(monitor({"mlflow": {"experiment": "other"}, "podTemplate": pod}, "stored"))
    assert edit(tenant, {"podTemplate": {"labels": {"team": "a"}}}) == ""
    assert edit(tenant, {"mlflow": {"experiment": None}}) == ""
    for change, said in (
        ({"podTemplate": {"env": [*pod["env"], {"name": "LD_PRELOAD", "value": "x"}]}}, "env: LD_PRELOAD:"),
        ({"podTemplate": {"env": [{"name": "PYTHONPATH", "value": "/elsewhere"}]}}, "env: PYTHONPATH:"),
        ({"podTemplate": {"volumes": [{"name": "w", "csi": {"driver": "e"}}]}}, "volumes: w:"),
        ({"mlflow": {"experiment": "third"}}, "spec.mlflow.experiment:"),
    ):
        assert said in edit(tenant, change)
    identities.admin("delete", PLURAL, "stored")


def test_a_gitops_controller_with_wide_rights_is_held_to_the_rest(identities: Identities) -> None:
    """It may get every Secret; which variables, volumes and names are allowed does not depend on rights."""
    admin = identities.admin
    admin.apply(account("gitops"), bound("cluster-admin", "gitops", admin.namespace))
    gitops = identities.account("gitops")
    eventually(lambda: not create(gitops, {}), "it may create monitors")
    assert create(gitops, source("current", "foreign")) == ""
    assert "PYTHONPATH" in create(gitops, DENIED)


@pytest.fixture
def parameters(identities: Identities) -> Iterator[Callable[..., None]]:
    """Change parameters of the policy by their names; what it had is put back."""
    admin, kind = identities.admin, "validatingadmissionpolicy"
    before = admin.get(kind, "selfheal-spec")["spec"]

    def put(**expressions: str) -> None:
        admin(
            "patch",
            kind,
            "selfheal-spec",
            "--type=json",
            "--patch",
            json.dumps(replaced(before, expressions)),
        )

    yield put
    put(**{each["name"]: each["expression"] for part in PARAMETER_PARTS for each in before[part]})


PARAMETER_PARTS: Final = ("matchConditions", "variables")


def replaced(spec: Document, expressions: Mapping[str, str]) -> list[Document]:
    """Return the JSON patch that replaces expressions, wherever their names stand."""
    return [
        {"op": "replace", "path": f"/spec/{part}/{index}/expression", "value": expressions[each["name"]]}
        for part in PARAMETER_PARTS
        for index, each in enumerate(spec[part])
        if each["name"] in expressions
    ]


WIDENED: Final[Mapping[str, tuple[str, Change]]] = {
    "allowedSecrets": ("'Any'", source("current", "foreign")),
    "allowedServiceAccounts": ("['*']", {"podTemplate": {"serviceAccountName": "default"}}),
    "deniedEnv": ("'^LD_'", DENIED),
    "allowedMLflowNames": ("'Any'", {"mlflow": {"experiment": "other"}}),
    "allowedCSIDrivers": ("['d']", volume_of("csi", {"driver": "d"})),
    "author-is-not-exempt": (
        "!request.userInfo.groups.exists(g, g in ['system:masters', 'system:serviceaccounts'])",
        EVERYTHING_REFUSED,
    ),
}
NARROWED: Final[Mapping[str, tuple[str, Change]]] = {
    "allowedVolumes": ("['configMap']", volume_of("persistentVolumeClaim", {"claimName": "data"})),
}


def test_every_parameter_is_tested_here() -> None:
    """They are the first variables, and a condition."""
    text = (POLICY_FILES / "spec_policy.yaml").read_text()
    policy, _ = yaml.safe_load_all(text[: text.index("# The parameters end here.")] + "\n---\n{}")
    names = {each["name"] for each in policy["spec"]["variables"]}
    assert names | {"author-is-not-exempt"} == WIDENED.keys() | NARROWED.keys()


@pytest.mark.parametrize("key", WIDENED)
def test_a_platform_team_widens_a_rule(tenant: Identity, parameters: Callable[..., None], key: str) -> None:
    """What is refused by default passes once the key has another value."""
    value, changes = WIDENED[key]
    assert create(tenant, changes) != ""
    parameters(**{key: value})
    eventually(lambda: not create(tenant, changes), f"{key} is widened")


@pytest.mark.parametrize("key", NARROWED)
def test_a_platform_team_narrows_a_rule(tenant: Identity, parameters: Callable[..., None], key: str) -> None:
    """The other way round."""
    value, changes = NARROWED[key]
    assert create(tenant, changes) == ""
    parameters(**{key: value})
    eventually(lambda: bool(create(tenant, changes)), f"{key} is narrowed")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_passes_for_an_editor_of_the_namespace(identities: Identities, example: Path) -> None:
    """Kubernetes' role `edit` includes the rights to its Secrets and accounts."""
    admin = identities.admin
    admin.apply(account("editor"), bound("edit", "editor", admin.namespace))
    editor = identities.account("editor")
    text = example.read_text().replace("team-a", admin.namespace)
    (document,) = (each for each in yaml.safe_load_all(text) if each["kind"] == "ModelMonitor")
    eventually(lambda: editor.said("POST", PLURAL, body=document) == "", "it is accepted")


def largest(name: str, secret: str) -> Document:
    """Return a pod template with as many of everything as the CRD allows."""
    return {
        "imagePullSecrets": [{"name": f"{name}-{number}"} for number in range(7)] + [{"name": secret}],
        "env": [
            {"name": f"X{number}" + "x" * 200, "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}
            for number in range(64)
        ],
        "volumes": [{"name": f"v{number}", "secret": {"secretName": secret}} for number in range(16)],
    }


def test_the_largest_spec_is_within_the_cost_that_the_api_server_allows(tenant: Identity) -> None:
    """The API server ends an expression that costs too much, and refuses the request for it."""
    long_name = "s" * 253
    changes = {
        "podTemplate": largest("a", long_name),
        "retraining": {"podTemplate": largest("b", long_name)},
    }
    said = create(tenant, changes)
    assert "names the Secret" in said
    assert "cost" not in said


# selfheal-status


INTENT: Final = {"version": "1", "approvedBy": "the gates", "decidedTime": "2026-11-23T12:00:00Z"}
"""Of the promotion that is to be reported on."""


@pytest.fixture(scope="module")
def runners(identities: Identities) -> Identities:
    """Two monitors in a namespace where the runner's account has its rights."""
    admin = identities.admin
    admin.apply(
        *(monitor({}, name) for name in ("churn", LONG_NAME)),
        *(account(name) for name in (RUNNER_ACCOUNT, "lake-reader")),
        *(bound(RUNNER_ACCOUNT, name, admin.namespace) for name in (RUNNER_ACCOUNT, "lake-reader")),
    )
    promotion = {"count": 2, "intent": INTENT}
    patch = json.dumps({"status": {"observedGeneration": 1, "missedChecks": 3, "promotion": promotion}})
    admin("patch", PLURAL, "churn", "--subresource=status", "--type=merge", "--patch", patch)
    runner = identities.account(RUNNER_ACCOUNT)
    eventually(lambda: "only the operator" in report(runner), "the policies are in force")
    return identities


def verdict(job: str, **changes: Any) -> Document:
    """Return the outcome of a check."""
    return {
        "scheduledTime": "2026-11-23T12:00:00Z",
        "jobName": job,
        "result": "NoDrift",
        "reason": "WithinThreshold",
        "message": "1 of 5 columns drifted",
        "observedGeneration": 1,
        **changes,
    }


def outcome(job: str) -> Document:
    """Return the outcome of a retraining."""
    return verdict(job, result="Registered", reason="ModelRegistered", message="Version 1 registered")


def moved(job: str) -> Document:
    """Return the outcome of a promotion."""
    told = {"result": "Promoted", "reason": "ModelPromoted", "message": "Version 1 is promoted"}
    return verdict(job, version="1", **told)


OWN: Final[Mapping[str, Document]] = {
    CHECK: {"lastCheck": verdict(CHECK)},
    RETRAIN: {"lastRetraining": outcome(RETRAIN)},
    PROMOTE: {"lastPromotion": moved(PROMOTE)},
}
"""The report of each kind of run, by its Job."""


def report(writer: Identity, status: Document | None = None, monitor_name: str = "churn") -> str:
    """Merge a report into the status, by default that of the check; return what is said against it."""
    body = {"status": status or {"lastCheck": verdict(CHECK)}}
    return writer.said("PATCH", PLURAL, monitor_name, "status", body=body)


MODEL: Final[Document] = {"name": "churn", "version": "1", "registeredTime": "2026-11-23T12:00:00Z"}


def test_a_pod_of_a_job_reports_what_its_kind_reports(runners: Identities) -> None:
    """Its outcome and the champion; a check the task too, and a retraining the version to promote."""
    check, retraining = runners.pod(f"{CHECK}-x7k2p"), runners.pod(f"{RETRAIN}-b5c9d", "lake-reader")
    found = {"task": "Classification", "target": "churned", "model": MODEL}
    assert report(check, {"lastCheck": verdict(CHECK), **found}) == ""
    assert report(check, {"lastCheck": verdict(CHECK, runID="r"), "model": None}) == ""
    registered = {"lastRetraining": outcome(RETRAIN), "model": MODEL, "challenger": MODEL}
    assert report(retraining, registered) == ""
    assert report(runners.pod(f"{PROMOTE}-q8w3r"), {"lastPromotion": moved(PROMOTE), "model": MODEL}) == ""


PROVEN: Final[Document] = {**MODEL, "digest": "a" * 64, "origin": "Retraining"}


@pytest.fixture
def proven(runners: Identities) -> Iterator[Identities]:
    """Let the monitor have a version that a retraining has registered."""
    _store(runners, model=PROVEN)
    yield runners
    _store(runners, model=None)


def _store(runners: Identities, **status: Document | None) -> None:
    patch = json.dumps({"status": status})
    runners.admin("patch", PLURAL, "churn", "--subresource=status", "--type=merge", "--patch", patch)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "2"},
        {"name": "other"},
        {"registeredTime": "2026-11-23T12:00:01Z"},
        {"digest": "b" * 64},
        {"version": "2", "digest": None},
        {"version": "2", "origin": None},
        {"digest": None, "origin": "Found"},
    ],
)
def test_a_check_does_not_vouch_for_files(proven: Identities, changes: Document) -> None:
    """A retraining loads a version of this digest and origin where its Secrets are."""
    found = {"lastCheck": verdict(CHECK), "model": {**PROVEN, **changes}}
    assert "may leave out digest and origin" in report(proven.pod(f"{CHECK}-x7k2p"), found)


@pytest.mark.parametrize("proof", [{"digest": "a" * 64}, {"origin": "Retraining"}])
def test_a_check_does_not_vouch_for_the_first_version(runners: Identities, proof: Document) -> None:
    """Here the status has none yet."""
    found = {"lastCheck": verdict(CHECK), "model": {**MODEL, **proof}}
    assert "may leave out digest and origin" in report(runners.pod(f"{CHECK}-x7k2p"), found)


def test_a_check_reports_beside_a_version_of_a_retraining(proven: Identities) -> None:
    """It leaves the version as it is, shows another one without digest and origin, or finds none."""
    another = {**PROVEN, "version": "2", "digest": None, "origin": None}
    for model in (PROVEN, another, None):
        assert report(proven.pod(f"{CHECK}-x7k2p"), {"lastCheck": verdict(CHECK), "model": model}) == ""
    assert report(proven.pod(f"{CHECK}-x7k2p"), {"lastCheck": verdict(CHECK)}) == ""


def test_a_retraining_vouches_for_what_it_registers(proven: Identities) -> None:
    """The digest is that of the files that it has logged."""
    registered = {**PROVEN, "version": "2", "digest": "b" * 64}
    status = {"lastRetraining": outcome(RETRAIN), "model": registered}
    assert report(proven.pod(f"{RETRAIN}-b5c9d", "lake-reader"), status) == ""


CHALLENGER: Final[Document] = {**PROVEN, "version": "2", "digest": "b" * 64}
BEFORE: Final[Document] = {**PROVEN, "version": "3", "digest": "c" * 64}


@pytest.fixture
def promotable(proven: Identities) -> Iterator[Identities]:
    """Let the status have recorded the version to promote too, and the one before."""
    _store(proven, challenger=CHALLENGER, promotion={"previous": BEFORE})
    yield proven
    _store(proven, challenger=None, promotion={"previous": None})


@pytest.mark.parametrize("model", [PROVEN, CHALLENGER, BEFORE, {**MODEL, "version": "4"}, None])
def test_a_promotion_shows_a_version_as_it_is_recorded(promotable: Identities, model: Document) -> None:
    """A retraining or the operator has recorded it, or nobody, and then it has neither digest nor origin."""
    found = None if model is None else {**dict.fromkeys(("digest", "origin")), **model, "alias": "champion"}
    status = {"lastPromotion": moved(PROMOTE), "model": found}
    assert report(promotable.pod(f"{PROMOTE}-q8w3r"), status) == ""


@pytest.mark.parametrize(
    "model",
    [
        {**CHALLENGER, "digest": "a" * 64},
        {**CHALLENGER, "origin": "Found"},
        {**CHALLENGER, "version": "4"},
        {**BEFORE, "registeredTime": "2026-11-23T12:00:01Z"},
        {**BEFORE, "name": "other"},
    ],
)
def test_a_promotion_does_not_vouch_for_files(promotable: Identities, model: Document) -> None:
    """Otherwise it could have a retraining load whatever it has found."""
    status = {"lastPromotion": moved(PROMOTE), "model": model}
    assert "may leave out digest and origin" in report(promotable.pod(f"{PROMOTE}-q8w3r"), status)


@pytest.mark.parametrize("forged", [{"scheduledTime": "2026-11-23T12:00:01Z"}, {"version": "2"}])
def test_a_promotion_reports_on_the_stored_decision(runners: Identities, forged: Document) -> None:
    """A run of an earlier one cannot say how this one has ended."""
    status = {"lastPromotion": {**moved(PROMOTE), **forged}}
    said = report(runners.pod(f"{PROMOTE}-q8w3r"), status)
    assert "may only report on the decision in status.promotion.intent" in said


def test_a_promotion_that_nobody_has_decided_reports_nothing(runners: Identities) -> None:
    """Its intent was never stored."""
    _store(runners, promotion={"intent": None})
    try:
        said = report(runners.pod(f"{PROMOTE}-q8w3r"), {"lastPromotion": moved(PROMOTE)})
    finally:
        _store(runners, promotion={"intent": INTENT})
    assert "may only report on the decision in status.promotion.intent" in said


def test_a_requested_check_reports(runners: Identities) -> None:
    """Its Job is named for the request, not for a slot."""
    job = "churn-check-r0123abcd"
    assert report(runners.pod(f"{job}-x7k2p"), {"lastCheck": verdict(job)}) == ""


def test_a_pod_with_a_name_that_was_cut_reports(runners: Identities) -> None:
    """58 characters are left of a Job's name and its hyphen: two digits of this one are lost."""
    job = check_job_name(LONG_NAME, SLOT)
    pod = runners.pod(f"{job}-"[:58] + "x7k2p")
    assert report(pod, {"lastCheck": verdict(job)}, LONG_NAME) == ""
    other = check_job_name(LONG_NAME, SLOT.replace(day=22))
    assert "must name its own Job" in report(pod, {"lastCheck": verdict(other)}, LONG_NAME)


@pytest.mark.parametrize(
    ("pod", "status", "said"),
    [
        (f"{CHECK}-x7k2p", {"missedChecks": 0}, "may change task, target, lastCheck, model and nothing else"),
        (f"{CHECK}-x7k2p", {"observedGeneration": None}, "and nothing else"),
        (f"{CHECK}-x7k2p", {"nextCheckTime": "9999-12-31T23:59:59Z"}, "and nothing else"),
        (f"{CHECK}-x7k2p", {"lastRetraining": outcome(RETRAIN)}, "and nothing else"),
        (
            f"{RETRAIN}-x7k2p",
            {"lastCheck": verdict(CHECK)},
            "may change lastRetraining, model, challenger and nothing else",
        ),
        (f"{RETRAIN}-x7k2p", {"task": "Regression"}, "and nothing else"),
        (f"{RETRAIN}-x7k2p", {"promotion": {"count": 9}}, "and nothing else"),
        (f"{RETRAIN}-x7k2p", {"lastPromotion": moved(PROMOTE)}, "and nothing else"),
        (f"{PROMOTE}-x7k2p", {"challenger": MODEL}, "may change lastPromotion, model and nothing else"),
        (f"{PROMOTE}-x7k2p", {"promotion": {"count": 9}}, "and nothing else"),
    ],
)
def test_a_pod_changes_no_other_field(runners: Identities, pod: str, status: Document, said: str) -> None:
    """Neither one of the operator's nor one of the other kind of run."""
    assert said in report(runners.pod(pod), {**OWN[pod.rpartition("-")[0]], **status})


@pytest.mark.parametrize(
    ("pod", "status"),
    [
        (f"{CHECK}-x7k2p", {"lastCheck": verdict("churn-check-29923976")}),
        (f"{CHECK}-x7k2p", {"lastCheck": verdict("churn")}),
        (f"{CHECK}-x7k2p", {"model": MODEL}),
        (f"{RETRAIN}-x7k2p", {"lastRetraining": outcome("churn-retrain-4")}),
        (f"{RETRAIN}-x7k2p", {"lastRetraining": outcome("churn-retrain-33")}),
        (f"{PROMOTE}-x7k2p", {"lastPromotion": moved("churn-promote-22")}),
        ("churn-check-1-check-29923976-x7k2p", {"lastCheck": verdict("churn-check-1-check-29923976")}),
    ],
)
def test_a_pod_names_its_own_job(runners: Identities, pod: str, status: Document) -> None:
    """Also where another monitor's name begins like a Job of this one."""
    assert "must name its own Job" in report(runners.pod(pod), status)


def test_a_check_reports_its_own_slot(runners: Identities) -> None:
    """One in the future would make all real reports look old."""
    for forged in ("9999-12-31T23:59:59Z", "2026-11-23T12:01:00Z"):
        status = {"lastCheck": verdict(CHECK, scheduledTime=forged)}
        pod = runners.pod(f"{CHECK}-x7k2p")
        assert "must be the slot of the Job" in report(pod, status)


@pytest.mark.parametrize("pod", ["other-check-29823840-x7k2p", "web-0", "churn-5d9f-x7k2p", "churn"])
def test_a_pod_of_anything_else_reports_nothing(runners: Identities, pod: str) -> None:
    """Though its account has the right to patch the status of every monitor in the namespace."""
    assert "does not belong to a Job of the monitor churn" in report(runners.pod(pod))


def test_a_token_without_a_pod_reports_nothing(runners: Identities) -> None:
    """Whoever may create tokens for the account is not yet one of its pods."""
    said = report(runners.account(RUNNER_ACCOUNT))
    assert "only the operator and pods of this monitor's Jobs write it" in said


def test_a_pod_of_another_namespace_reports_nothing(
    runners: Identities, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Its name there proves nothing here, even with a RoleBinding in this namespace."""
    other = Kubectl(cluster.kubectl, cluster.kubeconfig, f"{runners.admin.namespace}-2")
    other("create", "namespace", other.namespace)
    try:
        other.apply(account(RUNNER_ACCOUNT))
        binding = bound(RUNNER_ACCOUNT, RUNNER_ACCOUNT, other.namespace)
        runners.admin.apply({**binding, "metadata": {"name": "other"}})
        pod = Identities(cluster, other, tmp_path).pod(f"{CHECK}-x7k2p", within=runners.admin.namespace)
        eventually(lambda: "only the operator" in report(pod), "it is refused by the policy")
    finally:
        other("delete", "namespace", other.namespace, "--wait=false")


def test_the_operator_writes_every_field(runners: Identities, installation: Path) -> None:
    """Also those that a container would report: it recovers reports that never arrived."""
    operator = Identity(installation, runners.admin.namespace)
    every = {"missedChecks": 4, **OWN[CHECK], **OWN[RETRAIN], **OWN[PROMOTE]}
    assert report(operator, every) == ""


# selfheal-jobs


@pytest.fixture(scope="module")
def job(runners: Identities) -> Document:
    """The Job of a check, as the operator makes it."""
    found = monitor_from(runners.admin.get(PLURAL, "churn"))
    return check_job(found, found.read_spec(), SLOT, JobDefaults(tracking_uri="http://mlflow"))


@pytest.fixture(scope="module")
def operator(runners: Identities, installation: Path, job: Document) -> Identity:
    """The operator's own token, in a namespace with a monitor."""
    operator = Identity(installation, runners.admin.namespace)
    foreign = copy.deepcopy(job)
    del foreign["metadata"]["ownerReferences"]
    eventually(lambda: "ownerReferences" in start(operator, foreign), "in force")
    return operator


def start(creator: Identity, document: Document) -> str:
    """Create a Job; return what is said against it."""
    namespace = document["metadata"]["namespace"]
    return creator.said("POST", "jobs", body=document, namespace=namespace)


def pod_of(document: Document) -> Document:
    """Return the spec of a Job's pods."""
    spec: Document = document["spec"]["template"]["spec"]
    return spec


def container_of(document: Document) -> Document:
    """Return a Job's container."""
    (container,) = pod_of(document)["containers"]
    found: Document = container
    return found


def test_the_operator_creates_the_jobs_of_monitors(operator: Identity, job: Document) -> None:
    """As it makes them."""
    assert start(operator, job) == ""


JOBS: Final[Mapping[str, tuple[Callable[[Document], object], str]]] = {
    "no owner": (lambda made: made["metadata"].pop("ownerReferences"), "metadata.ownerReferences"),
    "owner that does not control": (
        lambda made: made["metadata"]["ownerReferences"][0].update(controller=False),
        "metadata.ownerReferences",
    ),
    "owner of another kind": (
        lambda made: made["metadata"]["ownerReferences"][0].update(
            kind="CronJob", apiVersion="batch/v1", blockOwnerDeletion=False
        ),
        "metadata.ownerReferences",
    ),
    "image": (lambda made: container_of(made).update(image="evil:1"), "evil:1 is not allowed"),
    "image of an init container": (
        lambda made: pod_of(made).update(
            initContainers=[{**container_of(made), "name": "i", "image": "evil:1"}]
        ),
        "evil:1 is not allowed",
    ),
    "hostNetwork": (lambda made: pod_of(made).update(hostNetwork=True), "no namespace of the host"),
    "hostPID": (lambda made: pod_of(made).update(hostPID=True), "no namespace of the host"),
    "hostIPC": (lambda made: pod_of(made).update(hostIPC=True), "no namespace of the host"),
    "escalation": (lambda made: container_of(made).pop("securityContext"), "not privileged"),
    "capability": (
        lambda made: container_of(made)["securityContext"].update(capabilities={"add": ["SYS_ADMIN"]}),
        "not privileged",
    ),
    "hostPath": (
        lambda made: pod_of(made)["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
        "spec.template.spec.volumes",
    ),
    "projected": (
        lambda made: pod_of(made)["volumes"].append(
            {
                "name": "t",
                "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]},
            }
        ),
        "spec.template.spec.volumes",
    ),
    "kube-system": (lambda made: made["metadata"].update(namespace="kube-system"), "metadata.namespace"),
}
"""What differs from a Job of the operator's. The local cluster itself refuses privileged containers."""


@pytest.mark.parametrize("case", JOBS)
def test_whoever_takes_the_operator_over_creates_no_other_job(
    operator: Identity, cluster: LocalCluster, job: Document, case: str
) -> None:
    """The same Job but for one thing; an administrator may create it."""
    change, said = JOBS[case]
    made = copy.deepcopy(job)
    change(made)
    assert said in start(operator, made)
    assert start(Identity(cluster.kubeconfig, operator.namespace), made) == ""


def test_an_image_that_the_platform_allows_passes(
    operator: Identity, runners: Identities, job: Document
) -> None:
    """By its name, or by its folder of a registry: a right of the operator's account in its own namespace."""
    system = Kubectl(runners.admin.program, runners.admin.kubeconfig, OPERATOR_NAMESPACE)
    role = ("role", "selfheal-operator-images")
    configured = system.get(*role)["rules"][0]["resourceNames"]
    assert configured == [JOBS_IMAGE]

    def allow(*images: str) -> None:
        value = [*configured, *images]
        patch = [{"op": "replace", "path": "/rules/0/resourceNames", "value": value}]
        system("patch", *role, "--type=json", "--patch", json.dumps(patch))

    def refused(image: str) -> bool:
        made = copy.deepcopy(job)
        container_of(made)["image"] = image
        return "is not allowed" in start(operator, made)

    try:
        allow("registry.example.com/ml/", "mine:1")
        eventually(lambda: not refused("mine:1"), "the image is allowed")
        assert not refused("registry.example.com/ml/jobs@sha256:" + "0" * 64)
        assert refused("registry.example.com/mlx/jobs:1")
        assert refused("mine:11")
        assert not refused(JOBS_IMAGE)
    finally:
        allow()


def test_two_images_in_one_job_are_refused(operator: Identity, job: Document) -> None:
    """The API server lets an expression ask for the rights to one."""
    made = copy.deepcopy(job)
    pod_of(made)["initContainers"] = [{**container_of(made), "name": "i", "image": "evil:1"}]
    assert f"{JOBS_IMAGE}, evil:1 is not allowed" in start(operator, made)


def test_an_account_of_this_name_without_rights_to_images_runs_none(
    runners: Identities, job: Document
) -> None:
    """No setting of another operator's, and none that is missing, allows anything."""
    admin = runners.admin
    admin.apply(account("selfheal-operator"), bound("edit", "selfheal-operator", admin.namespace))
    other = runners.account("selfheal-operator")
    made = copy.deepcopy(job)
    made["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = (
        False  # it may not update finalizers either
    )
    eventually(lambda: f"{JOBS_IMAGE} is not allowed" in start(other, made), "it is held to the policy")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_the_operator_changes_and_deletes_no_job_of_anybody_else(
    operator: Identity, runners: Identities, job: Document, method: str
) -> None:
    """RBAC cannot tell Jobs apart; its own, also of an earlier image, it ends as before."""
    own, foreign = copy.deepcopy(job), copy.deepcopy(job)
    for each in own, foreign:
        each["spec"]["suspend"] = True
    container_of(own)["image"] = "selfheal-jobs:earlier"
    foreign["metadata"]["name"] = "foreign"
    del foreign["metadata"]["ownerReferences"]
    runners.admin.apply(own, foreign)
    body = {"spec": {"activeDeadlineSeconds": 1}} if method == "PATCH" else None
    assert "of ModelMonitors only" in operator.said(method, "jobs", "foreign", body=body)
    assert operator.said(method, "jobs", own["metadata"]["name"], body=body) == ""


# All of them


@pytest.mark.parametrize("policy", POLICIES)
def test_the_api_server_finds_nothing_wrong_with_the_expressions(identities: Identities, policy: str) -> None:
    """It checks their types against the CRD and Jobs, and writes what it finds into the policy's status."""
    kind = "validatingadmissionpolicy"
    found: Document = eventually(
        lambda: identities.admin.get(kind, policy).get("status", {}), "it is checked"
    )
    assert found["typeChecking"] == {}


def test_every_policy_fails_closed_and_denies() -> None:
    """An error in an expression refuses the request, and there is no parameter that may not be found."""
    documents = [
        each for path in POLICY_FILES.glob("*_policy.yaml") for each in yaml.safe_load_all(path.read_text())
    ]
    policies = [each for each in documents if each["kind"] == "ValidatingAdmissionPolicy"]
    bindings = [each for each in documents if each["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert {each["metadata"]["name"] for each in policies} == set(POLICIES)
    assert {each["metadata"]["name"] for each in bindings} == set(POLICIES)
    assert {each["spec"]["failurePolicy"] for each in policies} == {"Fail"}
    assert all("paramKind" not in each["spec"] for each in policies)
    for each in bindings:
        assert each["spec"] == {"policyName": each["metadata"]["name"], "validationActions": ["Deny"]}


def test_the_operator_says_when_a_policy_is_missing_and_when_it_is_back(
    identities: Identities, installation: Path, tmp_path: Path
) -> None:
    """In its log and by the metric that the alert reads, without a restart."""
    admin = identities.admin
    process = Operator(
        installation, tmp_path / "operator", resync_seconds="1", mlflow_tracking_uri="http://m"
    )
    (binding,) = (
        each
        for each in rendered(admin)
        if each["kind"] == "ValidatingAdmissionPolicyBinding" and each["metadata"]["name"] == "selfheal-spec"
    )

    def enforced(policy: str) -> float | None:
        return process.scrape().value("selfheal_policy_enforced", policy=policy)

    try:
        process.start()
        eventually(lambda: {enforced(policy) for policy in POLICIES} == {1}, "all are enforced")
        admin("delete", "validatingadmissionpolicybinding", "selfheal-spec")
        eventually(lambda: enforced("selfheal-spec") == 0, "it is missing")
        assert enforced("selfheal-status") == 1
        assert "Admission policies are missing, or do not deny" in process.log.read_text()
    finally:
        admin.apply_server_side(binding)
        eventually(lambda: enforced("selfheal-spec") == 1, "it is back")
        process.stop()
