"""What a tenant tries to gain by a ModelMonitor: Secrets, accounts, volumes, programs and names of others."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from selfheal_operator.api.names import PLURAL
from siege.attack import Attack, Seen, UntriedError
from siege.ground import ABROAD, HOME, Ground, passes
from siege.monitors import monitor
from testbed.caller import APPLY, DRY, Reply, collection
from testbed.kubectl import Document

Spec = Mapping[str, Any]


def _source(side: str) -> Callable[[str], Spec]:
    def spec(secret: str) -> Spec:
        sides: Document = {name: {"uri": f"s3://lake/{name}.csv"} for name in ("reference", "current")}
        joined = {"joinColumn": "id"} if side == "labels" else {}
        sides[side] = {"uri": "s3://lake/x.csv", "secretRef": {"name": secret}, **joined}
        return {"dataset": sides}

    return spec


_POD_SECRETS: Final[Mapping[str, Callable[[str], Document]]] = {
    "imagePullSecrets": lambda name: {"imagePullSecrets": [{"name": name}]},
    "env": lambda name: {"env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}]},
    "a volume": lambda name: {"volumes": [{"name": "v", "secret": {"secretName": name}}]},
}


def _in_pod(template: str, made: Callable[[str], Document]) -> Callable[[str], Spec]:
    return lambda name: _templated(template, made(name))


def _templated(template: str, pod: Document) -> Spec:
    return {"podTemplate": pod} if template == "podTemplate" else {"retraining": {"podTemplate": pod}}


_SECRETS: Final[Mapping[str, Callable[[str], Spec]]] = {
    **{f"dataset.{side}": _source(side) for side in ("reference", "current", "labels")},
    "mlflow": lambda name: {"mlflow": {"secretRef": {"name": name}}},
    **{
        f"{place} of {template}": _in_pod(template, made)
        for template in ("podTemplate", "retraining.podTemplate")
        for place, made in _POD_SECRETS.items()
    },
}


def _create(ground: Ground, spec: Spec, namespace: str = HOME) -> Reply:
    return ground.tenant.ask("POST", collection(PLURAL, namespace) + DRY, monitor("new", spec))


def _seen(reply: Reply) -> Seen:
    return Seen(str(reply), succeeded=reply.taken)


def _refused(name: str, bad: Spec, good: Spec, expected: str) -> Attack:
    """Return the attack of a spec that is refused, where the same with something of one's own passes."""

    def do(ground: Ground) -> Seen:
        passes(_create(ground, good), name)
        return _seen(_create(ground, bad))

    return Attack(name, 3, "tenant", do, expected)


def _pruned(name: str, pod: Document, field: str) -> Attack:
    """Return the attack of a field that the API does not have: it is refused, or not stored."""

    def do(ground: Ground) -> Seen:
        reply = _create(ground, {"podTemplate": pod})
        stored = reply.taken and field in str(reply.document["spec"])
        return Seen(f"{reply}, {field} {'stored' if stored else 'not stored'}", succeeded=stored)

    return Attack(name, 3, "tenant", do, "not stored")


def _variable(name: str) -> Spec:
    return {"podTemplate": {"env": [{"name": name, "value": "x"}]}}


def _mounted(path: str) -> Spec:
    volume, mount = {"name": "v", "configMap": {"name": "c"}}, {"name": "v", "mountPath": path}
    return {"podTemplate": {"volumes": [volume], "volumeMounts": [mount]}}


def _account_of(template: str, account: str) -> Spec:
    return _templated(template, {"serviceAccountName": account})


def _with_foreign_secret(ground: Ground) -> str:
    """Store a monitor of somebody else's, which names a Secret that the tenant may not get."""
    document = monitor("lent-secret", {**_source("current")("foreign"), "suspend": True})
    document["metadata"]["namespace"] = HOME
    ground.apply({**document})
    return collection(PLURAL, HOME, "lent-secret") + DRY


def _redirects(name: str, changes: Document) -> Attack:
    def do(ground: Ground) -> Seen:
        path = ground.once("lent-secret", _with_foreign_secret)
        passes(ground.tenant.merge(path, {"spec": {"suspend": False}}), "resuming it")
        return _seen(ground.tenant.merge(path, {"spec": changes}))

    return Attack(name, 3, "tenant", do, "names the Secret foreign")


def _applied(ground: Ground) -> Seen:
    path = collection(PLURAL, HOME, "applied") + DRY + "&fieldManager=tenant&force=true"
    passes(ground.tenant.ask("PATCH", path, monitor("applied"), kind=APPLY), "a server-side apply")
    foreign = monitor("applied", _source("current")("foreign"))
    return _seen(ground.tenant.ask("PATCH", path, foreign, kind=APPLY))


def _nine_secrets(ground: Ground) -> Seen:
    def env(*names: str) -> Spec:
        refs = [{"name": name, "key": "k"} for name in names]
        return {
            "podTemplate": {
                "env": [{"name": f"X{n}", "valueFrom": {"secretKeyRef": ref}} for n, ref in enumerate(refs)]
            }
        }

    passes(_create(ground, env("own", "warehouse", "lake")), "three of one's own")
    return _seen(_create(ground, env("own", "warehouse", "lake", *(f"s{n}" for n in range(6)))))


def _forbidden(name: str, ask: Callable[[Ground], Reply], control: Callable[[Ground], Reply]) -> Attack:
    """Return the attack that RBAC refuses; an administrator may do the same."""

    def do(ground: Ground) -> Seen:
        passes(control(ground), name)
        return _seen(ask(ground))

    return Attack(name, 3, "tenant", do, "forbidden")


def _asks(method: str, path: str, body: Document | None = None) -> tuple[Any, Any]:
    return lambda g: g.tenant.ask(method, path, body), lambda g: g.admin.ask(method, path, body)


_JOB: Final[Document] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "j"},
    "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]}}},
}
_POD: Final[Document] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "churn-check-1-abcde"},
    "spec": {"containers": [{"name": "a", "image": "i"}]},
}


def _status_by_hand(ground: Ground) -> Seen:
    ground.apply(
        {**monitor("by-hand", {"suspend": True}), "metadata": {"name": "by-hand", "namespace": HOME}}
    )
    path = collection(PLURAL, HOME, "by-hand", "status") + DRY
    forged = {"status": {"missedChecks": 1}}
    passes(ground.admin.merge(path, forged), "an administrator's write")
    return _seen(ground.tenant.merge(path, forged))


def _status_on_create(ground: Ground) -> Seen:
    reply = _create(ground, {})
    if not reply.taken:
        raise UntriedError(str(reply))
    body = monitor("new") | {"status": {"missedChecks": 7}}
    stored = ground.tenant.ask("POST", collection(PLURAL, HOME) + DRY, body)
    found = "missedChecks" in stored.text
    return Seen(f"{stored}, status {'stored' if found else 'not stored'}", succeeded=found)


ATTACKS: Final = (
    *(
        _refused(
            f"a Secret of somebody else's in {place}",
            make("foreign"),
            make("own"),
            "names the Secret foreign",
        )
        for place, make in _SECRETS.items()
    ),
    *(
        _refused(
            f"a foreign ServiceAccount in {template}",
            _account_of(template, "foreign"),
            _account_of(template, "lent"),
            "may not impersonate foreign",
        )
        for template in ("podTemplate", "retraining.podTemplate")
    ),
    *(
        _refused(f"the variable {name}", _variable(name), _variable(f"MY_{name}"), "it must not match")
        for name in (
            *("PYTHONPATH", "LD_PRELOAD", "KUBERNETES_SERVICE_HOST", "SELFHEAL_CURRENT_url", "PATH", "HOME"),
            *("GIT_PYTHON_GIT_EXECUTABLE", "OPENSSL_CONF", "AWS_CONFIG_FILE", "PGHOSTADDR", "KUBECONFIG"),
        )
    ),
    *(
        _refused(f"a volume over {path}", _mounted(path), _mounted(f"/data{path}"), "mountPath must not be")
        for path in ("/opt/selfheal", "/usr/bin", "/etc", "/var/run/secrets")
    ),
    _refused(
        "an inline volume of a CSI driver",
        {"podTemplate": {"volumes": [{"name": "v", "csi": {"driver": "d"}}]}},
        {"podTemplate": {"volumes": [{"name": "v", "emptyDir": {}}]}},
        "spec.podTemplate.volumes: v",
    ),
    *(
        _refused(
            f"another namespace's name in mlflow.{field}",
            {"mlflow": {field: f"{ABROAD}.churn"}},
            {"mlflow": {field: f"{HOME}.churn"}},
            f"spec.mlflow.{field}: it must begin with",
        )
        for field in ("registeredModelName", "experiment")
    ),
    _pruned("a folder of the node", {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "hostPath"),
    _pruned(
        "a token of another audience",
        {"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
        "projected",
    ),
    _pruned("another command", {"command": ["/bin/sh"]}, "command"),
    _pruned(
        "all keys of a Secret as variables", {"envFrom": [{"secretRef": {"name": "foreign"}}]}, "envFrom"
    ),
    _pruned("the network of the node", {"hostNetwork": True}, "hostNetwork"),
    _pruned("more containers", {"initContainers": [{"name": "a", "image": "evil"}]}, "initContainers"),
    _redirects(
        "somebody else's Secret to an address of one's own",
        {"dataset": {"current": {"uri": "https://elsewhere.test/c.csv"}}},
    ),
    _redirects(
        "somebody else's Secret to an MLflow of one's own", {"mlflow": {"trackingURI": "https://e.test"}}
    ),
    _redirects("somebody else's Secret in a pod of one's own", {"podTemplate": {"labels": {"a": "b"}}}),
    Attack("a foreign Secret by server-side apply", 3, "tenant", _applied, "names the Secret foreign"),
    Attack("a foreign Secret hidden among nine", 3, "tenant", _nine_secrets, "names the Secret s0"),
    Attack("a status that is written by hand", 2, "tenant", _status_by_hand, "forbidden"),
    Attack("a status that comes with a new monitor", 2, "tenant", _status_on_create, "not stored"),
    _forbidden(
        "a monitor in a namespace of somebody else's",
        *_asks("POST", collection(PLURAL, "default") + DRY, monitor("new")),
    ),
    _forbidden("reading a foreign Secret", *_asks("GET", collection("secrets", HOME, "foreign"))),
    _forbidden("a Job of one's own", *_asks("POST", collection("jobs", HOME) + DRY, _JOB)),
    _forbidden("a pod named like one of a check", *_asks("POST", collection("pods", HOME) + DRY, _POD)),
    _forbidden(
        "a policy's binding",
        *_asks("GET", collection("validatingadmissionpolicybindings", "", "selfheal-spec")),
    ),
)
