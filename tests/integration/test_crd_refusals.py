"""What the API server refuses of a spec, in the words that a user reads.

Every bound and every rule of the CRD is in a table below, with a value on the boundary that passes and one
just beyond it; a test sees to it that none is left out.
"""

import copy
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import pytest
import yaml
from kubernetes import client, config

from localcluster import LocalCluster
from selfheal_operator.api.drift_methods import (
    AnyMethod,
    BothKindsMethod,
    CategoricalMethod,
    NumericalMethod,
)
from selfheal_operator.api.names import GROUP, PLURAL, VERSION
from selfheal_operator.api.v1alpha1.dataset import TIME_FORMAT, UNKNOWN_ADDRESS
from selfheal_operator.api.v1alpha1.promotion import Metric
from selfheal_operator.api.v1alpha1.signals import LIMITED_TYPES, MEMBERS, OF_PREDICTIONS, SIGNAL_TYPES
from support.eventually import eventually
from testbed.kubectl import Document, Kubectl, KubectlError

CRD: Final = Path(__file__).resolve().parents[2] / "crds" / "modelmonitors.selfheal.dev.yaml"

ABSENT: Final = object()

METRICS: Final = {each.__name__: get_args(get_type_hints(each)["metric"]) for each in LIMITED_TYPES}
"""The metrics of each type of signal that is held against limits."""

POD: Final[Document] = {
    "labels": {"team": "churn"},
    "annotations": {"note": "by hand"},
    "serviceAccountName": "trainer",
    "nodeSelector": {"pool": "gpu"},
    "tolerations": [
        {
            "key": "gpu",
            "operator": "Equal",
            "value": "yes",
            "effect": "NoExecute",
            "tolerationSeconds": 60,
        }
    ],
    "imagePullSecrets": [{"name": "registry"}],
    "priorityClassName": "low",
    "runtimeClassName": "gvisor",
    "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    "env": [
        {"name": "TZ", "value": "UTC"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
        {"name": "URL", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
    "volumes": [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}},
        {
            "name": "settings",
            "configMap": {
                "name": "settings",
                "items": [{"key": "k", "path": "p", "mode": 256}],
                "defaultMode": 420,
                "optional": True,
            },
        },
        {
            "name": "login",
            "secret": {
                "secretName": "login",
                "items": [{"key": "k", "path": "p", "mode": 256}],
                "defaultMode": 420,
                "optional": True,
            },
        },
        {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
        {
            "name": "driven",
            "csi": {
                "driver": "secrets-store.csi.k8s.io",
                "readOnly": True,
                "fsType": "ext4",
                "volumeAttributes": {"class": "vault"},
                "nodePublishSecretRef": {"name": "vault"},
            },
        },
        {
            "name": "disk",
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": "10Gi"}, "limits": {"storage": "10Gi"}},
                        "storageClassName": "fast",
                    }
                }
            },
        },
    ],
    "volumeMounts": [{"name": "data", "mountPath": "/data", "subPath": "churn", "readOnly": True}],
}
"""Every field of a pod template."""

FULL_SPEC: Final[Document] = {
    "dataset": {
        "reference": {"uri": "/data/reference.parquet", "format": "Parquet"},
        "current": {"uri": "https://lake.example/live.csv", "format": "CSV"},
        "labels": {
            "uri": "sql://",
            "query": "SELECT customer, churned FROM labels",
            "secretRef": {"name": "warehouse", "key": "uri"},
            "joinColumn": "customer",
            "delaySeconds": 604800,
        },
        "window": {
            "timestampColumn": "created",
            "lookbackSeconds": 604800,
            "offsetSeconds": 3600,
            "format": "%Y%m%d",
        },
        "columns": {
            "prediction": "score",
            "timestamp": "created",
            "include": ["age"],
            "exclude": ["customer"],
            "categorical": ["plan"],
        },
        "columnPolicy": {
            "empty": "Skip",
            "missing": "Fail",
            "unexpected": "Ignore",
            "maxNullShare": 0.5,
        },
        "minRows": 100,
        "maxRows": 1000000,
    },
    "target": "churned",
    "threshold": 0.3,
    "warningThreshold": 0.2,
    "drift": {
        "method": "psi",
        "numericalMethod": "wasserstein",
        "categoricalMethod": "jensenshannon",
        "columns": [{"name": "age", "method": "ks", "threshold": 0.01}],
        "rule": "Calibrated",
        "report": "OnDrift",
    },
    "signals": [
        {
            "name": f"s{number}",
            "type": name,
            member: {"metric": METRICS[name][0], "minValue": 1, "maxValue": 2},
        }
        for number, (name, member) in enumerate(MEMBERS.items())
    ],
    "trigger": {"on": ["DataDrift"], "policy": "Any", "consecutiveBreaches": 2, "withinChecks": 3},
    "mode": "Enforce",
    "spreadSeconds": 600,
    "startingDeadlineSeconds": 3600,
    "concurrencyPolicy": "Forbid",
    "successfulJobsHistoryLimit": 1,
    "failedJobsHistoryLimit": 1,
    "schedule": "0 */6 * * *",
    "timeZone": "Europe/Berlin",
    "suspend": False,
    "task": "Classification",
    "retraining": {
        "mode": "Auto",
        "cooldownSeconds": 3600,
        "maxRunsPerDay": 4,
        "maxConsecutiveFailures": 3,
        "trainingData": "Current",
        "testFraction": 0.2,
        "refit": True,
        "randomSeed": 42,
        "candidates": [
            {
                "name": "forest",
                "estimator": "sklearn.ensemble.RandomForestClassifier",
                "params": {"n_estimators": "200", "class_weight": "{0: 1, 1: 5}"},
            }
        ],
        "search": {"trials": 30, "timeoutSeconds": 600},
        "podTemplate": POD,
    },
    "promotion": {
        "mode": "Manual",
        "approvalTimeoutSeconds": 3600,
        "rollback": {"mode": "Auto", "afterChecks": 3},
        "primaryMetric": "f1_macro",
        "rule": "NotWorse",
        "margin": 0.01,
        "confidence": 0.9,
        "baseline": "Required",
        "slices": ["plan"],
        "gates": [
            {"metric": "f1_macro", "threshold": 0.8, "minAbsoluteChange": 0.005, "minRelativeChange": 0.01}
        ],
    },
    "mlflow": {
        "trackingURI": "http://mlflow.mlops:5000",
        "experiment": "churn",
        "registeredModelName": "churn",
        "championAlias": "champion",
        "secretRef": {"name": "mlflow"},
    },
    "jobTemplate": {
        "labels": {"kueue.x-k8s.io/queue-name": "ml", "team": "churn"},
        "annotations": {"note": "by hand"},
    },
    "podTemplate": POD,
}
"""Every field of the spec, the alternative intervalSeconds aside."""

INTERVAL: Final = {"schedule": ABSENT, "timeZone": ABSENT}
"""What has to go where intervalSeconds is set."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A bound in the schema of one field."""

    path: str
    keyword: str
    passes: Any
    fails: Any
    complaint: str
    beside: Mapping[str, Any] = field(default_factory=dict)
    """Other fields that have to change with it."""
    in_schema: str = ""
    """Where the schema has it, if not at the path: the values of a map are below `.*` there."""

    @property
    def at(self) -> str:
        """Return where the schema has it."""
        return self.in_schema or re.sub(r"\[\d]", "[]", self.path)


def _invalid(path: str, value: object, limit: str) -> str:
    return f"spec.{path}: Invalid value: {value}: spec.{path} in body {limit}"


def at_least(path: str, least: float, beyond: float, **more: Any) -> Bound:
    """Return a field's smallest value, and one that is too small."""
    says = _invalid(path, beyond, f"should be greater than or equal to {least}")
    return Bound(path=path, keyword="minimum", passes=least, fails=beyond, complaint=says, **more)


def at_most(path: str, most: float, beyond: float, **more: Any) -> Bound:
    """Return a field's greatest value, and one that is too great."""
    says = _invalid(path, beyond, f"should be less than or equal to {most}")
    return Bound(path=path, keyword="maximum", passes=most, fails=beyond, complaint=says, **more)


def one_of(path: str, *words: str) -> Iterator[Bound]:
    """Yield every word that a field takes, and one that it does not take."""
    listed = ", ".join(f'"{word}"' for word in words)
    says = f'spec.{path}: Unsupported value: "Other": supported values: {listed}'
    for word in words:
        yield Bound(path=path, keyword="enum", passes=word, fails="Other", complaint=says)


def not_empty(path: str, passes: str = "a") -> Bound:
    """Return the shortest text for a field, and the empty one."""
    says = _invalid(path, '""', "should be at least 1 chars long")
    return Bound(path=path, keyword="minLength", passes=passes, fails="", complaint=says)


def longest(path: str, length: int, start: str = "", filler: str = "a", **more: Any) -> Bound:
    """Return the longest text for a field, and one that is a character longer."""
    text = start.ljust(length, filler)
    says = f"spec.{path}: Too long: may not be more than {length} bytes"
    return Bound(path=path, keyword="maxLength", passes=text, fails=text + filler, complaint=says, **more)


def required(path: str, present: Any) -> Bound:
    """Return a field that must be there."""
    says = f"spec.{path}: Required value"
    return Bound(path=path, keyword="required", passes=present, fails=ABSENT, complaint=says)


def most_items(path: str, most: int, item: Callable[[int], object], **more: Any) -> Bound:
    """Return the longest list, and one that is an item longer."""
    items = [item(number) for number in range(most + 1)]
    says = f"spec.{path}: Too many: {most + 1}: must have at most {most} items"
    return Bound(path=path, keyword="maxItems", passes=items[:most], fails=items, complaint=says, **more)


def distinct(path: str, key: str, item: Callable[[int], Document]) -> Bound:
    """Return a list whose items differ in their key, and one where two have the same."""
    one, other = item(1), item(2)
    twin = {**other, key: one[key]}
    says = f'spec.{path}[1]: Duplicate value: {{"{key}":"{one[key]}"}}'
    return Bound(
        path=path,
        keyword="x-kubernetes-list-map-keys",
        passes=[one, other],
        fails=[one, twin],
        complaint=says,
    )


def most_entries(path: str, most: int, value: object, **more: Any) -> Bound:
    """Return the largest map, and one that has an entry more."""
    entries = {f"k{number}": value for number in range(most + 1)}
    fewer = {f"k{number}": value for number in range(most)}
    says = f"spec.{path}: Too many: {most + 1}: must have at most {most} items"
    return Bound(path=path, keyword="maxProperties", passes=fewer, fails=entries, complaint=says, **more)


def candidate(number: int) -> Document:
    """Return the candidate of that number."""
    return {"name": f"c{number}", "estimator": "sklearn.linear_model.Ridge"}


def metric_gate(number: int) -> Document:
    """Return the gate of the metric of that number; there are not more gates than metrics."""
    metrics = get_args(Metric)
    return {"metric": metrics[number % len(metrics)], "threshold": 0.5}


def variable(number: int) -> Document:
    """Return the environment variable of that number."""
    return {"name": f"V{number}", "value": ""}


def volume(number: int) -> Document:
    """Return the volume of that number."""
    return {"name": f"v{number}", "emptyDir": {}}


def mount(number: int) -> Document:
    """Return the mount of that number."""
    return {"name": "data", "mountPath": f"/m{number}"}


SIDES: Final[Mapping[str, Document]] = {
    "dataset.reference": {},
    "dataset.current": {},
    "dataset.labels": {"joinColumn": "customer"},
}
"""Where data comes from, and what is needed there beside a uri."""


def source(side: str, uri: str, **more: Any) -> Document:
    """Return a change that replaces a source; `more` by wire names."""
    return {side: {"uri": uri, **SIDES[side], **more}}


SIGNALS_OF_TRIGGER: Final = {"signals": [{"name": f"s{n}", "type": "TargetDrift"} for n in range(10)]}


def trigger_bounds() -> Iterator[Bound]:
    """Yield the bounds of what triggers a retraining."""
    path, named = "trigger.on", ["DataDrift", *(f"s{number}" for number in range(10))]
    too_many = f"spec.{path}: Too many: 12: must have at most 11 items"
    yield Bound(
        path=path,
        keyword="maxItems",
        passes=named,
        fails=[*named, "s10"],
        complaint=too_many,
        beside=SIGNALS_OF_TRIGGER,
    )
    says = _invalid(path, 0, "should have at least 1 items")
    yield Bound(path=path, keyword="minItems", passes=["DataDrift"], fails=[], complaint=says)
    for keyword, fails, says in (
        ("minLength", "", _invalid(f"{path}[0]", '""', "should be at least 1 chars long")),
        ("maxLength", "a" * 64, f"spec.{path}[0]: Too long: may not be more than 63 bytes"),
    ):
        passes = ("a" * 63) if keyword == "maxLength" else "s"
        beside = {"signals": [{"name": passes, "type": "TargetDrift"}]}
        yield Bound(
            path=f"{path}[0]", keyword=keyword, passes=passes, fails=fails, complaint=says, beside=beside
        )
    yield from one_of("trigger.policy", "Any", "All")
    yield at_least("trigger.consecutiveBreaches", 1, 0)
    yield at_most("trigger.consecutiveBreaches", 10, 11, beside={"trigger.withinChecks": 10})
    yield at_least("trigger.withinChecks", 1, 0, beside={"trigger.consecutiveBreaches": 1})
    yield at_most("trigger.withinChecks", 10, 11)


def source_bounds(side: str) -> Iterator[Bound]:
    """Yield the bounds of a source."""
    volume: dict[str, Any] = {"beside": source(side, "/data")}
    database: dict[str, Any] = {
        "beside": source(side, "sql://", query="SELECT 1", secretRef={"name": "lake"})
    }
    yield replace(required(f"{side}.uri", "/data"), **volume)
    yield replace(not_empty(f"{side}.uri", "/"), **volume)
    yield longest(f"{side}.uri", 1024, "/data/", **volume)
    yield from (replace(bound, **volume) for bound in one_of(f"{side}.format", "CSV", "Parquet"))
    yield replace(not_empty(f"{side}.query"), **database)
    yield longest(f"{side}.query", 4096, **database)
    yield replace(required(f"{side}.secretRef.name", "lake"), **database)
    yield replace(not_empty(f"{side}.secretRef.name"), **database)
    yield longest(f"{side}.secretRef.name", 253, **database)
    yield replace(not_empty(f"{side}.secretRef.key"), **database)
    yield longest(f"{side}.secretRef.key", 253, **database)


def signal(number: int = 0, kind: str = "TargetDrift", **more: Any) -> Document:
    """Return the signal of that number; `more` by wire names."""
    limits = {MEMBERS[kind]: {"metric": METRICS[kind][0], "minValue": 1}} if kind in MEMBERS else {}
    found = {"name": f"s{number}", "type": kind} | limits | more
    return {name: value for name, value in found.items() if value is not ABSENT}


def signals(*found: Document) -> Document:
    """Return a change that replaces the signals."""
    return {"signals": list(found)}


def signal_bounds() -> Iterator[Bound]:
    """Yield the bounds of signals."""
    yield most_items("signals", 10, signal)
    yield distinct("signals", "name", signal)
    yield required("signals[0].name", "rows")
    yield not_empty("signals[0].name")
    yield longest("signals[0].name", 63)
    yield replace(required("signals[0].type", "TargetDrift"), beside=signals(signal()))
    for bound in one_of("signals[0].type", *SIGNAL_TYPES):
        yield replace(bound, beside=signals(signal(kind=bound.passes)))
    for kind, member in MEMBERS.items():
        for bound in limit_bounds(f"signals[0].{member}", METRICS[kind]):
            yield replace(bound, beside={**signals(signal(kind=kind)), **bound.beside})


def limit_bounds(path: str, metrics: Sequence[str]) -> Iterator[Bound]:
    """Yield the bounds of a metric's limits."""
    most = 10**12
    yield required(f"{path}.metric", metrics[0])
    yield from one_of(f"{path}.metric", *metrics)
    yield at_least(f"{path}.minValue", -most, -2 * most)
    yield at_most(f"{path}.maxValue", most, 2 * most)
    yield at_most(f"{path}.minValue", most, 2 * most, beside={f"{path}.maxValue": most})
    yield at_least(f"{path}.maxValue", -most, -2 * most, beside={f"{path}.minValue": -most})


PODS: Final = ("podTemplate", "retraining.podTemplate")

AMOUNT: Final = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
LABEL_VALUE: Final = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"


def like(path: str, pattern: str, passes: str, fails: str) -> Bound:
    """Return a text that a field's pattern takes, and one that it does not."""
    says = _invalid(path, json.dumps(fails), f"should match '{pattern}'")
    return Bound(path=path, keyword="pattern", passes=passes, fails=fails, complaint=says)


def in_a_map(bound: Bound) -> Bound:
    """Return the bound of a map's values: in the schema it has no key."""
    return replace(bound, in_schema=replace(bound, path=bound.path.rpartition(".")[0] + ".*").at)


def label_bounds(path: str, key: str) -> Iterator[Bound]:
    """Yield the bounds of labels, of which the full spec has the key."""
    yield most_entries(path, 16, "a")
    yield in_a_map(longest(f"{path}.{key}", 63))
    yield in_a_map(like(f"{path}.{key}", LABEL_VALUE, "a-1_2.b", "-a"))


def metadata_bounds(at: str) -> Iterator[Bound]:
    """Yield the bounds of labels and annotations."""
    yield from label_bounds(f"{at}.labels", "team")
    yield most_entries(f"{at}.annotations", 16, "a")
    yield in_a_map(longest(f"{at}.annotations.note", 1024))


def name_bounds(path: str, most: int = 253) -> Iterator[Bound]:
    """Yield the bounds of a name that must be there."""
    yield required(path, "a")
    yield not_empty(path)
    yield longest(path, most)


def resource_bounds(at: str, resource: str) -> Iterator[Bound]:
    """Yield the bounds of compute resources."""
    for what in ("requests", "limits"):
        yield most_entries(f"{at}.{what}", 16, 1)
        amount = f"{at}.{what}.{resource}"
        yield in_a_map(at_least(amount, 0, -1))
        yield in_a_map(like(amount, AMOUNT, "1.5Gi", "1 GB"))
        yield in_a_map(longest(amount, 32, filler="1"))


def file_bounds(at: str) -> Iterator[Bound]:
    """Yield the bounds of keys that become files."""
    yield most_items(f"{at}.items", 16, lambda number: {"key": f"k{number}", "path": "p"})
    yield from name_bounds(f"{at}.items[0].key")
    yield from name_bounds(f"{at}.items[0].path")
    for mode in (f"{at}.items[0].mode", f"{at}.defaultMode"):
        yield at_least(mode, 0, -1)
        yield at_most(mode, 511, 512)


def volume_bounds(at: str) -> Iterator[Bound]:
    """Yield the bounds of volumes."""
    yield most_items(at, 16, volume)
    yield distinct(at, "name", volume)
    yield from name_bounds(f"{at}[0].name", 63)
    yield from name_bounds(f"{at}[0].persistentVolumeClaim.claimName")
    yield from name_bounds(f"{at}[1].configMap.name")
    yield from file_bounds(f"{at}[1].configMap")
    yield from name_bounds(f"{at}[2].secret.secretName")
    yield from file_bounds(f"{at}[2].secret")
    yield from one_of(f"{at}[3].emptyDir.medium", "Memory")
    yield at_least(f"{at}[3].emptyDir.sizeLimit", 0, -1)
    yield like(f"{at}[3].emptyDir.sizeLimit", AMOUNT, "500m", "all")
    yield longest(f"{at}[3].emptyDir.sizeLimit", 32, filler="1")
    yield from name_bounds(f"{at}[4].csi.driver")
    yield longest(f"{at}[4].csi.fsType", 63)
    yield most_entries(f"{at}[4].csi.volumeAttributes", 16, "a")
    yield in_a_map(longest(f"{at}[4].csi.volumeAttributes.class", 512))
    yield from name_bounds(f"{at}[4].csi.nodePublishSecretRef.name")
    template = f"{at}[5].ephemeral.volumeClaimTemplate"
    yield required(template, POD["volumes"][5]["ephemeral"]["volumeClaimTemplate"])
    yield required(f"{template}.spec", POD["volumes"][5]["ephemeral"]["volumeClaimTemplate"]["spec"])
    claim = f"{template}.spec"
    yield required(f"{claim}.accessModes", ["ReadWriteOnce"])
    yield Bound(
        path=f"{claim}.accessModes",
        keyword="minItems",
        passes=["ReadWriteOnce"],
        fails=[],
        complaint=_invalid(f"{claim}.accessModes", 0, "should have at least 1 items"),
    )
    yield most_items(f"{claim}.accessModes", 4, lambda _: "ReadWriteOnce")
    modes = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
    yield from one_of(f"{claim}.accessModes[0]", *modes)
    yield required(f"{claim}.resources", {"requests": {"storage": "1Gi"}})
    yield from resource_bounds(f"{claim}.resources", "storage")
    yield longest(f"{claim}.storageClassName", 253)


def pod_bounds(at: str) -> Iterator[Bound]:
    """Yield the bounds of a pod template."""
    yield from metadata_bounds(at)
    yield from label_bounds(f"{at}.nodeSelector", "pool")
    for name in ("serviceAccountName", "priorityClassName", "runtimeClassName"):
        yield longest(f"{at}.{name}", 253)
    yield most_items(f"{at}.tolerations", 16, lambda number: {"key": f"k{number}"})
    yield longest(f"{at}.tolerations[0].key", 317)
    yield longest(f"{at}.tolerations[0].value", 63)
    yield from one_of(f"{at}.tolerations[0].operator", "Exists", "Equal")
    effects = ("NoSchedule", "PreferNoSchedule", "NoExecute")
    yield from one_of(f"{at}.tolerations[0].effect", *effects)
    yield most_items(f"{at}.imagePullSecrets", 8, lambda number: {"name": f"s{number}"})
    yield distinct(f"{at}.imagePullSecrets", "name", lambda number: {"name": f"s{number}"})
    yield from name_bounds(f"{at}.imagePullSecrets[0].name")
    yield from resource_bounds(f"{at}.resources", "memory")
    yield most_items(f"{at}.env", 64, variable)
    yield distinct(f"{at}.env", "name", variable)
    yield from name_bounds(f"{at}.env[0].name")
    yield longest(f"{at}.env[0].value", 1024)
    for index, kind in ((1, "secretKeyRef"), (2, "configMapKeyRef")):
        yield from name_bounds(f"{at}.env[{index}].valueFrom.{kind}.name")
        yield from name_bounds(f"{at}.env[{index}].valueFrom.{kind}.key")
    yield from name_bounds(f"{at}.env[3].valueFrom.fieldRef.fieldPath", 512)
    yield from volume_bounds(f"{at}.volumes")
    yield most_items(f"{at}.volumeMounts", 16, mount)
    yield distinct(f"{at}.volumeMounts", "mountPath", mount)
    yield from name_bounds(f"{at}.volumeMounts[0].name")
    yield from name_bounds(f"{at}.volumeMounts[0].mountPath", 1024)
    yield longest(f"{at}.volumeMounts[0].subPath", 1024)


def name_of(number: int) -> str:
    """Return the name of the column of that number."""
    return f"c{number}"


PARAM: Final = "retraining.candidates[0].params.n_estimators"
PARAMS: Final = "retraining.candidates[].params.*"

BOUNDS: Final = (
    *(bound for side in SIDES for bound in source_bounds(side)),
    required("dataset.reference", {"uri": "/data"}),
    required("dataset.current", {"uri": "/data"}),
    required("dataset.labels.joinColumn", "customer"),
    not_empty("dataset.labels.joinColumn"),
    longest("dataset.labels.joinColumn", 256),
    at_least("dataset.labels.delaySeconds", 0, -1),
    at_most("dataset.labels.delaySeconds", 31_536_000, 31_536_001),
    required("dataset.window.timestampColumn", "created"),
    not_empty("dataset.window.timestampColumn"),
    longest("dataset.window.timestampColumn", 256),
    required("dataset.window.lookbackSeconds", 60),
    at_least("dataset.window.lookbackSeconds", 1, 0),
    at_most("dataset.window.lookbackSeconds", 315_360_000, 315_360_001),
    at_least("dataset.window.offsetSeconds", 0, -1),
    at_most("dataset.window.offsetSeconds", 31_536_000, 31_536_001),
    not_empty("dataset.window.format", passes="s"),
    longest("dataset.window.format", 64, "%Y"),
    like("dataset.window.format", TIME_FORMAT, "ms", "minutes"),
    not_empty("dataset.columns.prediction"),
    longest("dataset.columns.prediction", 256),
    not_empty("dataset.columns.timestamp"),
    longest("dataset.columns.timestamp", 256),
    *(
        bound
        for use in ("include", "exclude", "categorical")
        for bound in (
            most_items(f"dataset.columns.{use}", 200, name_of),
            not_empty(f"dataset.columns.{use}[0]"),
            longest(f"dataset.columns.{use}[0]", 128),
        )
    ),
    *one_of("dataset.columnPolicy.empty", "Skip", "CountAsDrift", "Fail"),
    *one_of("dataset.columnPolicy.missing", "Fail", "Skip", "CountAsDrift"),
    *one_of("dataset.columnPolicy.unexpected", "Ignore", "Fail"),
    at_least("dataset.columnPolicy.maxNullShare", 0, -0.01),
    at_most("dataset.columnPolicy.maxNullShare", 1, 1.01),
    at_least("dataset.minRows", 1, 0),
    at_most("dataset.minRows", 1_000_000_000, 1_000_000_001),
    at_least("dataset.maxRows", 1000, 999),
    at_most("dataset.maxRows", 1_000_000_000, 1_000_000_001),
    required("dataset", FULL_SPEC["dataset"]),
    required("target", "churned"),
    not_empty("target"),
    longest("target", 256),
    required("threshold", 0.3),
    at_least("threshold", 0, -0.01, beside={"warningThreshold": ABSENT}),
    at_most("threshold", 1, 1.01),
    at_least("warningThreshold", 0, -0.01),
    at_most("warningThreshold", 1, 1.01, beside={"threshold": 1}),
    *one_of("drift.method", *get_args(BothKindsMethod)),
    *one_of("drift.numericalMethod", *get_args(NumericalMethod)),
    *one_of("drift.categoricalMethod", *get_args(CategoricalMethod)),
    most_items("drift.columns", 256, lambda number: {"name": name_of(number), "threshold": 1}),
    distinct("drift.columns", "name", lambda number: {"name": name_of(number), "threshold": 1}),
    required("drift.columns[0].name", "age"),
    not_empty("drift.columns[0].name"),
    longest("drift.columns[0].name", 256),
    *one_of("drift.columns[0].method", *get_args(AnyMethod)),
    Bound(
        path="drift.columns[0].threshold",
        keyword="minimum",
        passes=0.000001,
        fails=0,
        complaint=_invalid("drift.columns[0].threshold", 0, "should be greater than 0"),
    ),
    at_most("drift.columns[0].threshold", 1_000_000, 1_000_001),
    *one_of("drift.rule", "Calibrated", "Evidently"),
    *one_of("drift.report", "OnDrift", "Always", "Never"),
    *signal_bounds(),
    at_least("spreadSeconds", 0, -1),
    at_most("spreadSeconds", 86_400, 86_401),
    at_least("startingDeadlineSeconds", 1, 0),
    at_most("startingDeadlineSeconds", 31_536_000, 31_536_001),
    *one_of("concurrencyPolicy", "Forbid", "Replace"),
    *(
        bound
        for limit in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")
        for bound in (at_least(limit, 0, -1), at_most(limit, 100, 101))
    ),
    not_empty("schedule"),  # the operator says what is no cron expression
    longest("schedule", 128, "0 0 1 1 *", " "),
    at_least("intervalSeconds", 60, 59, beside=INTERVAL),
    at_most("intervalSeconds", 31_536_000, 31_536_001, beside=INTERVAL),
    not_empty("timeZone", "UTC"),
    Bound(
        path="timeZone",
        keyword="maxLength",
        passes="America/Argentina/ComodRivadavia",  # no name is longer
        fails="A" * 65,
        complaint="spec.timeZone: Too long: may not be more than 64 bytes",
    ),
    *one_of("task", "Classification", "Regression"),
    *one_of("retraining.mode", "Auto", "Manual", "Disabled"),
    *trigger_bounds(),
    *one_of("mode", "Enforce", "Observe"),
    at_least("retraining.maxRunsPerDay", 1, 0),
    at_most("retraining.maxRunsPerDay", 24, 25),
    at_least("retraining.maxConsecutiveFailures", 1, 0),
    at_most("retraining.maxConsecutiveFailures", 100, 101),
    at_least("retraining.cooldownSeconds", 0, -1),
    at_most("retraining.cooldownSeconds", 31_536_000, 31_536_001),
    *one_of("retraining.trainingData", "Auto", "Current", "Reference", "ReferenceAndCurrent"),
    Bound(
        path="retraining.testFraction",
        keyword="minimum",
        passes=0.01,
        fails=0,
        complaint=_invalid("retraining.testFraction", 0, "should be greater than 0"),
    ),
    Bound(
        path="retraining.testFraction",
        keyword="maximum",
        passes=0.99,
        fails=1,
        complaint=_invalid("retraining.testFraction", 1, "should be less than 1"),
    ),
    at_least("retraining.randomSeed", 0, -1),
    at_most("retraining.randomSeed", 2_147_483_647, 2_147_483_648),
    at_least("retraining.search.trials", 1, 0),
    at_most("retraining.search.trials", 1000, 1001),
    at_least("retraining.search.timeoutSeconds", 1, 0),
    at_most("retraining.search.timeoutSeconds", 86_400, 86_401),
    most_items("retraining.candidates", 10, candidate),
    distinct("retraining.candidates", "name", candidate),
    required("retraining.candidates[0].name", "forest"),
    not_empty("retraining.candidates[0].name"),
    longest("retraining.candidates[0].name", 63),
    required("retraining.candidates[0].estimator", "sklearn.linear_model.Ridge"),
    not_empty("retraining.candidates[0].estimator"),
    longest("retraining.candidates[0].estimator", 128),
    most_entries("retraining.candidates[0].params", 32, "1"),
    replace(not_empty(PARAM), in_schema=PARAMS),
    replace(longest(PARAM, 512), in_schema=PARAMS),
    *one_of("promotion.mode", "Auto", "Manual", "None"),
    at_least("promotion.approvalTimeoutSeconds", 60, 59),
    at_most("promotion.approvalTimeoutSeconds", 31_536_000, 31_536_001),
    *one_of("promotion.rollback.mode", "Manual", "Auto"),
    at_least("promotion.rollback.afterChecks", 1, 0),
    at_most("promotion.rollback.afterChecks", 10, 11),
    *one_of("promotion.primaryMetric", *get_args(Metric)),
    *one_of("promotion.rule", "NotWorse", "Better"),
    at_least("promotion.margin", 0, -0.01),
    at_most("promotion.margin", 1, 1.01),
    at_least("promotion.confidence", 0.5, 0.49),
    Bound(
        path="promotion.confidence",
        keyword="maximum",
        passes=0.999,
        fails=1,
        complaint=_invalid("promotion.confidence", 1, "should be less than 1"),
    ),
    *one_of("promotion.baseline", "Required", "Ignore"),
    most_items("promotion.slices", 10, name_of),
    not_empty("promotion.slices[0]"),
    longest("promotion.slices[0]", 256),
    most_items("promotion.gates", 8, metric_gate),
    distinct("promotion.gates", "metric", metric_gate),
    required("promotion.gates[0].metric", "f1_macro"),
    *one_of("promotion.gates[0].metric", *get_args(Metric)),
    Bound(
        path="promotion.gates[0].minAbsoluteChange",
        keyword="minimum",
        passes=0.01,
        fails=0,
        complaint=_invalid("promotion.gates[0].minAbsoluteChange", 0, "should be greater than 0"),
    ),
    Bound(
        path="promotion.gates[0].minRelativeChange",
        keyword="minimum",
        passes=0.01,
        fails=0,
        complaint=_invalid("promotion.gates[0].minRelativeChange", 0, "should be greater than 0"),
    ),
    Bound(
        path="promotion.gates[0].minRelativeChange",
        keyword="maximum",
        passes=0.99,
        fails=1,
        complaint=_invalid("promotion.gates[0].minRelativeChange", 1, "should be less than 1"),
    ),
    longest("mlflow.trackingURI", 1024, "http://mlflow/"),
    not_empty("mlflow.experiment"),
    longest("mlflow.experiment", 256),
    not_empty("mlflow.registeredModelName"),
    longest("mlflow.registeredModelName", 256),
    not_empty("mlflow.championAlias"),
    longest("mlflow.championAlias", 255),
    required("mlflow.secretRef.name", "mlflow"),
    not_empty("mlflow.secretRef.name"),
    longest("mlflow.secretRef.name", 253),
    *(bound for at in PODS for bound in pod_bounds(at)),
    *metadata_bounds("jobTemplate"),
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of the object at `on`: changes of the full spec that it lets through, and that it refuses."""

    on: str
    complaint: str
    """As it is shown; it ends with the rule's message."""
    passes: tuple[Mapping[str, Any], ...]
    fails: tuple[Mapping[str, Any], ...]
    before: Mapping[str, Any] = field(default_factory=dict)
    """For a rule on changes: how the stored object differs from the full spec."""


def source_rules(side: str) -> Iterator[Rule]:
    """Yield the rules of a source."""
    lake = {"secretRef": {"name": "lake"}}
    query = {"query": "SELECT 1"}

    def refused(field: str, says: str, passes: list[Document], fails: list[Document]) -> Rule:
        complaint = f"spec.{side}.{field}: Invalid value: {says}"
        return Rule(on=side, complaint=complaint, passes=tuple(passes), fails=tuple(fails))

    yield refused(
        "uri",
        UNKNOWN_ADDRESS,
        [
            source(side, uri)
            for uri in ("/", "/data/*/part-?.csv", "file:///data/live", "http://h", "https://h/?b=*")
        ]
        + [source(side, f"{scheme}://lake/live/*.csv", **lake) for scheme in ("s3", "gs", "az")],
        [
            source(side, uri)
            for uri in (
                "data.csv",
                "./a",
                "file://a",
                "http://",
                "https:///a",
                "HTTP://h",
                "s3://",
                "gs:///a",
                "gopher://h",
            )
        ],
    )
    yield refused(
        "uri",
        "uri must name one file over http(s): a server cannot be asked which files a * stands for",
        [source(side, "https://h/%2A.csv"), source(side, "/data/*.csv"), source(side, "s3://lake/*.csv")],
        [source(side, "https://h/*.csv"), source(side, "http://h/*/a.csv?b")],
    )
    yield refused(
        "uri",
        "uri must not contain a user name or password: name a Secret in secretRef instead",
        [
            source(side, uri)
            for uri in (
                *("https://h/a@b.csv", "/data/a@b.csv", "https://h:65535/a@b.csv", "http://[::1]:80/a@b.csv"),
                *("https://h/a:b@c.csv?d=e@f", "file:///data/a:b@c.csv"),
            )
        ],
        [
            source(side, uri)
            for uri in (
                *("https://ann:secret@h/a.csv", "http://ann@h", "s3://key:secret@lake/a"),
                *("https://ann:pa/ss@h/a.csv", "https://ann:pa?ss@h/a.csv", "https://ann:12pa#ss@h/a.csv"),
                *("https://ann:/ss@h/a.csv", "https://ann:123456/ss@h/a.csv", "s3://key:sec/ret@lake/a"),
            )
        ],
    )
    yield refused(
        "uri",
        "uri must be sql:// and a table, with its schema or without, such as sql://sales.churn; "
        "for anything else write sql:// and a query",
        [source(side, f"sql://{table}", **lake) for table in ("t", "sales.churn_2026", "_a.b$")]
        + [source(side, "sql://", **lake, **query)],
        [source(side, f"sql://{table}", **lake) for table in ("", "a.b.c", "2026", "a b", "t;", 'a"b')],
    )
    yield refused(
        "query",
        "query has a meaning only together with the uri sql://",
        [source(side, "sql://", **lake, **query)],
        [source(side, "sql://t", **lake, **query), source(side, "/data", **query)],
    )
    yield refused(
        "secretRef",
        "secretRef must name the Secret that holds the database's URL",
        [source(side, "sql://t", **lake), source(side, "s3://lake/a")],
        [source(side, "sql://t"), source(side, "sql://", **query)],
    )
    yield refused(
        "secretRef",
        "key has a meaning only for sql://: of other sources all keys of the Secret are used",
        [source(side, "sql://t", secretRef={"name": "lake", "key": "uri"})],
        [source(side, "s3://lake/a", secretRef={"name": "lake", "key": "uri"})],
    )
    yield refused(
        "secretRef",
        "secretRef has no meaning for a mounted volume",
        [source(side, "https://h/a.csv", **lake)],
        [source(side, "/data", **lake), source(side, "file:///data", **lake)],
    )
    yield refused(
        "format",
        "format has no meaning for sql://",
        [source(side, "s3://lake/a", format="CSV")],
        [source(side, "sql://t", **lake, format="CSV")],
    )


def signal_rules() -> Iterator[Rule]:
    """Yield the rules of signals."""
    at = "spec.signals[0]"

    def refused(field: str, says: str, passes: list[Document], fails: list[Document]) -> Rule:
        complaint = f"{at}{field}: Invalid value: {says}"
        changes = [tuple(signals(each) for each in every) for every in (passes, fails)]
        return Rule(on="signals[]", complaint=complaint, passes=changes[0], fails=changes[1])

    yield refused(
        ".name",
        "name must consist of lower case letters, digits and hyphens, with no hyphen at either end",
        [signal(name=name) for name in ("a", "0", "a-1")],
        [signal(name=name) for name in ("A", "a_b", "-a", "a-", "a/b")],
    )
    limits = {"metric": "accuracy", "minValue": 1}
    yield refused(
        "",
        f"set the field of the type's name and no other: {', '.join(MEMBERS.values())}; "
        "the other types have none, and are judged as columns are",
        [signal(kind=kind) for kind in SIGNAL_TYPES],
        [signal(0, kind, **{member: ABSENT}) for kind, member in MEMBERS.items()]
        + [signal(kind="TargetDrift", performance=limits), signal(kind="DataQuality", performance=limits)],
    )
    for kind, member in MEMBERS.items():
        yield from limit_rules(kind, member)


def limit_rules(kind: str, member: str) -> Iterator[Rule]:
    """Yield the rules of a metric's limits."""
    at = f"spec.signals[0].{member}"

    def change(**limits: float) -> Document:
        return signals(signal(0, kind, **{member: {"metric": METRICS[kind][0], **limits}}))

    yield Rule(
        on=f"signals[].{member}",
        complaint=f"{at}: Invalid value: set minValue or maxValue, or both",
        passes=(change(minValue=1), change(maxValue=1)),
        fails=(change(),),
    )
    yield Rule(
        on=f"signals[].{member}",
        complaint=f"{at}.minValue: Invalid value: minValue must be at most maxValue",
        passes=(change(minValue=1, maxValue=1),),
        fails=(change(minValue=1.1, maxValue=1),),
    )


LONGEST_KEY: Final = "a" * 253 + "/" + "b" * 63


def key_rules(at: str) -> Iterator[Rule]:
    """Yield the rules of labels and annotations."""
    for kind in ("labels", "annotations"):
        path = f"{at}.{kind}"
        yield Rule(
            on=at,
            complaint=(
                f"spec.{path}: Invalid value: a key of {kind} must be at most 317 characters, "
                "and must not begin with selfheal.dev/: those are the operator's"
            ),
            passes=({path: {LONGEST_KEY: "a"}}, {path: {"selfheal.example/a": "b"}}),
            fails=({path: {LONGEST_KEY + "b": "a"}}, {path: {"selfheal.dev/a": "b"}}),
        )


def length_rule(at: str, field: str, what: str, most: int = 317) -> Rule:
    """Return the rule on the length of a map's keys."""
    return Rule(
        on=re.sub(r"\[\d]", "[]", at),
        complaint=f"spec.{at}.{field}: Invalid value: a {what} {field} must be at most {most} characters",
        passes=({f"{at}.{field}": {LONGEST_KEY[-most:]: "1"}},),
        fails=({f"{at}.{field}": {"a" + LONGEST_KEY[-most:]: "1"}},),
    )


OWN_FOLDERS: Final = ("/data", "/mnt/etc", "/var/lib/x", "/tmp", "/tmp/x", "/optional", "/home/..x")
SYSTEM_FOLDERS: Final = (
    *("/", "//", "/opt", "/opt/selfheal/bin", "opt", "//usr/lib", "/bin", "/sbin/x", "/lib64", "/etc/x"),
    *("/proc", "/sys", "/dev/shm", "/run/x", "/var/run", "/var//run/x", "/root", "/data/../opt", "/./etc"),
)


def pod_rules(at: str) -> Iterator[Rule]:
    """Yield the rules of a pod template."""
    yield from key_rules(at)
    yield length_rule(at, "nodeSelector", "key of")
    claim = f"{at}.volumes[5].ephemeral.volumeClaimTemplate.spec.resources"
    yield length_rule(f"{at}.volumes[4].csi", "volumeAttributes", "key of", 128)
    for place in (f"{at}.resources", claim):
        yield length_rule(place, "requests", "name in")
        yield length_rule(place, "limits", "name in")
    yield Rule(
        on=f"{at}.env[]",
        complaint=(
            f"spec.{at}.env[0].name: Invalid value: name must not be SELFHEAL_REQUEST: the operator sets it"
        ),
        passes=({f"{at}.env[0].name": "SELFHEAL_REQUESTS"},),
        fails=({f"{at}.env[0].name": "SELFHEAL_REQUEST"},),
    )
    field_ref = {"fieldRef": {"fieldPath": "metadata.name"}}
    path = f"{at}.volumeMounts[0].mountPath"
    yield Rule(
        on=f"{at}.volumeMounts[]",
        complaint=(
            f"spec.{path}: Invalid value: mountPath must not be / or a folder of the system or the program "
            "(/opt, /usr, /bin, /sbin, /lib, /etc, /proc, /sys, /dev, /run, /var/run, /root), "
            "and have no . or .. in it: mount it below /data or /mnt"
        ),
        passes=tuple({path: each} for each in OWN_FOLDERS),
        fails=tuple({path: each} for each in SYSTEM_FOLDERS),
    )
    yield Rule(
        on=f"{at}.env[]",
        complaint=f"spec.{at}.env[0].valueFrom: Invalid value: set value or valueFrom, not both",
        passes=({f"{at}.env[0]": {"name": "A"}}, {f"{at}.env[0]": {"name": "A", "valueFrom": field_ref}}),
        fails=({f"{at}.env[0]": {"name": "A", "value": "", "valueFrom": field_ref}},),
    )
    key = {"name": "a", "key": "b"}
    yield Rule(
        on=f"{at}.env[].valueFrom",
        complaint=(
            f"spec.{at}.env[1].valueFrom: Invalid value: "
            "set exactly one of secretKeyRef, configMapKeyRef and fieldRef"
        ),
        passes=tuple(
            {f"{at}.env[1].valueFrom": each}
            for each in (field_ref, {"secretKeyRef": key}, {"configMapKeyRef": key})
        ),
        fails=tuple(
            {f"{at}.env[1].valueFrom": each} for each in ({}, {"secretKeyRef": key, "configMapKeyRef": key})
        ),
    )
    kinds = [{name: value for name, value in each.items() if name != "name"} for each in POD["volumes"]]
    yield Rule(
        on=f"{at}.volumes[]",
        complaint=(
            f"spec.{at}.volumes[0]: Invalid value: "
            "set exactly one of persistentVolumeClaim, configMap, secret, emptyDir, csi and ephemeral"
        ),
        passes=tuple({f"{at}.volumes[0]": {"name": "a"} | kind} for kind in kinds),
        fails=(
            {f"{at}.volumes[0]": {"name": "a"}},
            {f"{at}.volumes[0]": {"name": "a", "hostPath": {"path": "/"}}},
            *({f"{at}.volumes[0]": {"name": "a"} | kinds[0] | kind} for kind in kinds[1:]),
        ),
    )


RULES: Final = (
    *(rule for side in SIDES for rule in source_rules(side)),
    Rule(
        on="",
        complaint="spec: Invalid value: set exactly one of schedule and intervalSeconds",
        passes=({"schedule": "@daily"}, {**INTERVAL, "intervalSeconds": 60}),
        fails=(INTERVAL, {"intervalSeconds": 60}),
    ),
    Rule(
        on="",
        complaint="spec.warningThreshold: Invalid value: warningThreshold must be at most threshold",
        passes=({"warningThreshold": 0.3}, {"warningThreshold": ABSENT}),
        fails=({"warningThreshold": 0.31},),
    ),
    Rule(
        on="",
        complaint=(
            "spec.signals: Invalid value: "
            f"dataset.columns.prediction must name a column for {' and '.join(OF_PREDICTIONS)}"
        ),
        passes=(
            signals(signal(kind="PredictionDrift")),
            {"dataset.columns.prediction": ABSENT, **signals(signal(kind="TargetDrift"))},
        ),
        fails=tuple(
            {where: ABSENT, **signals(signal(kind=kind))}
            for where in ("dataset.columns.prediction", "dataset.columns")
            for kind in OF_PREDICTIONS
        ),
    ),
    Rule(
        on="",
        complaint=(
            "spec.dataset.columns.prediction: Invalid value: "
            "dataset.columns.prediction must be another column than target"
        ),
        passes=({"dataset.columns.prediction": "Churned"}, {"dataset.columns": ABSENT, "signals": ABSENT}),
        fails=({"dataset.columns.prediction": "churned"},),
    ),
    Rule(
        on="dataset",
        complaint=(
            "spec.dataset.labels.delaySeconds: Invalid value: delaySeconds has a meaning only together with "
            "dataset.window: name the column that tells how old a row is in its timestampColumn"
        ),
        passes=(
            {"dataset.window": ABSENT, "dataset.labels.delaySeconds": ABSENT},
            {"dataset.window": ABSENT, "dataset.labels.delaySeconds": 0},
            {"dataset.window": ABSENT, "dataset.labels": ABSENT},
            {"dataset.labels.delaySeconds": 1},
        ),
        fails=({"dataset.window": ABSENT, "dataset.labels.delaySeconds": 1},),
    ),
    Rule(
        on="drift.columns[]",
        complaint=(
            "spec.drift.columns[0]: Invalid value: set method or threshold, or both: "
            "a column that is only named is judged as all others are"
        ),
        passes=({"drift.columns[0].method": ABSENT}, {"drift.columns[0].threshold": ABSENT}),
        fails=({"drift.columns[0].method": ABSENT, "drift.columns[0].threshold": ABSENT},),
    ),
    *signal_rules(),
    Rule(
        on="",
        complaint="spec.trigger.on: Invalid value: trigger.on must hold DataDrift or names of spec.signals",
        passes=({"trigger.on": ["s0", "DataDrift"]}, {"trigger.on": ABSENT, "signals": ABSENT}),
        fails=(
            {"trigger.on": ["s9"]},
            {"trigger.on": ["dataDrift"]},
            {"trigger.on": ["s0"], "signals": ABSENT},
        ),
    ),
    Rule(
        on="trigger",
        complaint=(
            "spec.trigger.withinChecks: Invalid value: withinChecks must be at least consecutiveBreaches"
        ),
        passes=(
            {"trigger.withinChecks": 2},
            {"trigger.withinChecks": ABSENT},
            {"trigger.withinChecks": 1, "trigger.consecutiveBreaches": ABSENT},
        ),
        fails=({"trigger.withinChecks": 1},),
    ),
    Rule(
        on="",
        complaint="spec.schedule: Invalid value: schedule must not contain a time zone: set timeZone instead",
        passes=({"schedule": "0 6 * * mon"},),
        fails=({"schedule": "TZ=UTC 0 6 * * *"}, {"schedule": "CRON_TZ=Europe/Berlin 0 6 * * *"}),
    ),
    Rule(
        on="",
        complaint="spec.timeZone: Invalid value: timeZone has a meaning only together with schedule",
        passes=({"timeZone": ABSENT}, {**INTERVAL, "intervalSeconds": 60}),
        fails=({"schedule": ABSENT, "intervalSeconds": 60},),
    ),
    Rule(
        on="",
        complaint="spec.timeZone: Invalid value: timeZone must be an IANA name, such as Europe/Berlin",
        passes=({"timeZone": "UTC"}, {"timeZone": "Etc/GMT+2"}, {"timeZone": "Asia/Kolkata"}),
        fails=({"timeZone": "+02:00"}, {"timeZone": "Local"}),
    ),
    Rule(
        on="",
        complaint=(
            'spec: Invalid value: "object": unknown time zone Europe/Atlantis evaluating rule: '
            "timeZone must be an IANA name, such as Europe/Berlin"
        ),
        passes=({"timeZone": "Europe/Athens"},),
        fails=({"timeZone": "Europe/Atlantis"},),
    ),
    Rule(
        on="",
        complaint=(
            "spec.task: Invalid value: task cannot be changed once set, except with the target: "
            "make another ModelMonitor"
        ),
        passes=({"task": "Classification"}, {"threshold": 0.4}, {"target": "price", "task": "Regression"}),
        fails=({"task": "Regression"}, {"task": ABSENT}),
        before={"task": "Classification"},
    ),
    Rule(
        on="",
        complaint=(
            "spec.mlflow.registeredModelName: Invalid value: registeredModelName cannot be changed once set: "
            "make another ModelMonitor for another model"
        ),
        passes=({"mlflow.registeredModelName": "churn"}, {"mlflow.experiment": "other"}),
        fails=(
            {"mlflow.registeredModelName": "other"},
            {"mlflow.registeredModelName": ABSENT},
            {"mlflow": ABSENT},
        ),
        before={"mlflow.registeredModelName": "churn"},
    ),
    Rule(
        on="promotion.gates[]",
        complaint=(
            "spec.promotion.gates[0]: Invalid value: set at least one of threshold, minAbsoluteChange and "
            "minRelativeChange"
        ),
        passes=({"promotion.gates": [{"metric": "accuracy", "threshold": 0}]},),
        fails=({"promotion.gates": [{"metric": "accuracy"}]},),
    ),
    Rule(
        on="retraining.candidates[]",
        complaint=(
            "spec.retraining.candidates[0].name: Invalid value: name must consist of lower case letters, "
            "digits and hyphens, with no hyphen at either end"
        ),
        passes=tuple({"retraining.candidates[0].name": name} for name in ("a", "0", "forest-2", "a--b")),
        fails=tuple({"retraining.candidates[0].name": name} for name in ("Forest", "a_b", "-a", "a-", "a b")),
    ),
    Rule(
        on="retraining.candidates[]",
        complaint=(
            "spec.retraining.candidates[0].params: Invalid value: "
            "a name in params must be at most 64 characters"
        ),
        passes=({"retraining.candidates[0].params": {"p" * 64: "1"}},),
        fails=({"retraining.candidates[0].params": {"p" * 65: "1"}},),
    ),
    Rule(
        on="mlflow",
        complaint=(
            "spec.mlflow.trackingURI: Invalid value: trackingURI must be the http:// or https:// address "
            "of an MLflow server, such as http://mlflow.mlops:5000"
        ),
        passes=({"mlflow.trackingURI": "https://m"}, {"mlflow.trackingURI": ABSENT}),
        fails=tuple({"mlflow.trackingURI": uri} for uri in ("", "sqlite:///m.db", "mlflow:5000", "http://")),
    ),
    Rule(
        on="mlflow",
        complaint=(
            "spec.mlflow.trackingURI: Invalid value: trackingURI must not contain a user name or password: "
            "name a Secret in secretRef instead"
        ),
        passes=({"mlflow.trackingURI": "https://m/a@b"}, {"mlflow.trackingURI": "https://m:5000/a@b"}),
        fails=tuple(
            {"mlflow.trackingURI": uri}
            for uri in ("https://ann:secret@m", "http://ann@m:5000/", "https://ann:pa/ss@m")
        ),
    ),
    Rule(
        on="mlflow",
        complaint=(
            "spec.mlflow.championAlias: Invalid value: championAlias must consist of letters, digits, "
            "hyphens and underscores, and be neither latest nor like v1, which MLflow reserves"
        ),
        passes=(
            {"mlflow.championAlias": ABSENT},
            *(
                {"mlflow.championAlias": alias}
                for alias in ("live_1", "v", "1", "V1-a", "Latest", "latest-1")
            ),
        ),
        fails=tuple(
            {"mlflow.championAlias": alias} for alias in ("latest", "v1", "V12", "a b", "a/b", "a.b", "ä")
        ),
    ),
    Rule(
        on="mlflow",
        complaint=(
            "spec.mlflow.registeredModelName: Invalid value: "
            "registeredModelName must not contain a slash, a colon or a quotation mark"
        ),
        passes=({"mlflow.registeredModelName": "team-a.churn (new)"},),
        fails=tuple({"mlflow.registeredModelName": name} for name in ("a/b", "a:b", "bob's", 'a"b')),
    ),
    *key_rules("jobTemplate"),
    *(rule for at in PODS for rule in pod_rules(at)),
)

LONGEST_NAME: Final = 45
NAME_COMPLAINT: Final = (
    "<nil>: Invalid value: metadata.name must be at most 45 characters: the names of Jobs are made from it"
)


@dataclass(frozen=True)
class Server:
    """The API server, asked without consequences."""

    api: client.CustomObjectsApi
    namespace: str = "default"

    def complaints(self, spec: Document, name: str = "monitor") -> list[str]:
        """Return what the API server says against a new object; nothing if it takes it."""
        return _said(
            lambda: self.api.create_namespaced_custom_object(
                *(GROUP, VERSION, self.namespace, PLURAL), _object(spec, name), dry_run="All"
            )
        )

    def complaints_at_change(self, before: Document, after: Document) -> list[str]:
        """Return what the API server says against a change of an object."""
        name = f"stored-{uuid.uuid4().hex[:8]}"
        where = (GROUP, VERSION, self.namespace, PLURAL)
        stored = self.api.create_namespaced_custom_object(*where, _object(before, name))
        try:
            changed = {**stored, "spec": after}
            return _said(
                lambda: self.api.replace_namespaced_custom_object(*where, name, changed, dry_run="All")
            )
        finally:
            self.api.delete_namespaced_custom_object(*where, name)


def _object(spec: Document, name: str) -> Document:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "ModelMonitor",
        "metadata": {"name": name},
        "spec": spec,
    }


def _said(request: Callable[[], object]) -> list[str]:
    try:
        request()
    except client.ApiException as refusal:
        causes = json.loads(str(refusal.body))["details"]["causes"]
        return [f"{cause['field']}: {cause['message']}" for cause in causes]
    return []


def changed(spec: Document, changes: Mapping[str, Any]) -> Document:
    """Return a copy of a spec with other values at some paths, such as `podTemplate.env[0].name`."""
    result = copy.deepcopy(spec)
    for path, value in changes.items():
        *way, last = re.findall(r"[^.\[\]]+", path)
        place: Any = result
        for step in way:
            place = place[_step(place, step)]
        if value is ABSENT:
            del place[last]
        else:
            place[_step(place, last)] = value
    return result


def _step(place: Any, step: str) -> str | int:
    return int(step) if isinstance(place, list) else step


@pytest.fixture(scope="module")
def server(cluster: LocalCluster) -> Iterator[Server]:
    """The API server, with the CRD."""
    kubectl = Kubectl(cluster.kubectl, cluster.kubeconfig, "default")
    kubectl("apply", "-f", str(CRD))
    kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRD))
    connection = config.new_client_from_config(str(cluster.kubeconfig))
    server = Server(client.CustomObjectsApi(connection))
    eventually(lambda: _is_in_force(server), "the API server holds objects against the CRD")
    yield server
    connection.close()


def _is_in_force(server: Server) -> bool:
    try:
        return server.complaints({}) != []
    except (client.ApiException, KeyError):  # for a moment after it is established there is no such resource
        return False


def test_the_full_spec_is_accepted(server: Server) -> None:
    """The object that all cases are made from passes, with a value in every field."""
    assert server.complaints(FULL_SPEC) == []


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: f"{bound.path}-{bound.keyword}")
def test_a_bound_holds_exactly_at_its_value(server: Server, bound: Bound) -> None:
    """The value on the boundary passes; the one beyond it is refused with the field and the limit."""
    passing = changed(FULL_SPEC, {**bound.beside, bound.path: bound.passes})

    assert server.complaints(passing) == []
    assert bound.complaint in server.complaints(changed(passing, {bound.path: bound.fails}))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.complaint)
def test_a_rule_tells_what_to_change(server: Server, rule: Rule) -> None:
    """What keeps the rule passes; what breaks it is refused with this one sentence."""
    for changes in rule.passes:
        assert _verdict(server, rule, changes) == [], changes
    for changes in rule.fails:
        assert rule.complaint in _verdict(server, rule, changes), changes


def _verdict(server: Server, rule: Rule, changes: Mapping[str, Any]) -> list[str]:
    wanted = changed(FULL_SPEC, changes)
    if not rule.before:
        return server.complaints(wanted)
    return server.complaints_at_change(changed(FULL_SPEC, rule.before), wanted)


@pytest.mark.parametrize("path", ["task", "mlflow.registeredModelName"])
def test_what_cannot_be_changed_can_be_set_later(server: Server, path: str) -> None:
    """A monitor that began without a task or a model's name may be given one."""
    assert server.complaints_at_change(changed(FULL_SPEC, {path: ABSENT}), FULL_SPEC) == []


def test_a_name_leaves_room_for_the_names_of_jobs(server: Server) -> None:
    """45 characters pass, 46 do not."""
    assert server.complaints(FULL_SPEC, "n" * LONGEST_NAME) == []
    assert server.complaints(FULL_SPEC, "n" * (LONGEST_NAME + 1)) == [NAME_COMPLAINT]


def test_an_unknown_field_is_an_error_to_kubectl(server: Server, kubectl: Kubectl) -> None:
    """A typing error is not dropped in silence."""
    spec = changed(FULL_SPEC, {"treshold": 0.3})

    assert 'unknown field "treshold"' in _refusal(kubectl, spec)


def test_what_triggers_is_named_once(server: Server) -> None:
    """The list is a set: a name that is there twice is a slip."""
    twice = changed(FULL_SPEC, {"trigger.on": ["DataDrift", "DataDrift"]})

    assert 'spec.trigger.on[1]: Duplicate value: "DataDrift"' in server.complaints(twice)


def test_an_unquoted_on_is_refused_and_not_dropped(server: Server, kubectl: Kubectl, tmp_path: Path) -> None:
    """YAML 1.1 takes it for the word true, which the documentation says."""
    assert server.complaints(FULL_SPEC) == []
    manifest = tmp_path / "monitor.yaml"
    text = yaml.safe_dump(_object(FULL_SPEC, "quoted"))
    assert text.count("'on':") == 1

    manifest.write_text(text)
    kubectl("apply", "--dry-run=server", "-f", str(manifest))
    manifest.write_text(text.replace("'on':", "on:"))
    with pytest.raises(KubectlError) as failure:
        kubectl("apply", "--dry-run=server", "-f", str(manifest))

    assert 'unknown field "spec.trigger.true"' in str(failure.value.stderr)


def test_kubectl_shows_the_sentence_beside_the_field(server: Server, kubectl: Kubectl) -> None:
    """What the API server says arrives on the user's terminal."""
    spec = changed(FULL_SPEC, {"dataset.current.uri": "gopher://lake/churn/"})

    assert f"spec.dataset.current.uri: Invalid value: {UNKNOWN_ADDRESS}" in _refusal(kubectl, spec)


def _refusal(kubectl: Kubectl, spec: Document) -> str:
    with pytest.raises(KubectlError) as failure:
        kubectl.apply(_object(spec, "monitor"))
    return str(failure.value.stderr)


def test_a_refusal_does_not_repeat_a_password(server: Server) -> None:
    """A complaint about a URI with a password names the field, not the value."""
    spec = changed(
        FULL_SPEC,
        {
            "dataset.current.uri": "https://ann:hunter2@lake/a.csv",
            "mlflow.trackingURI": "https://ann:hunter2@mlflow",
        },
    )

    complaints = server.complaints(spec)

    assert len(complaints) == 2
    assert "hunter2" not in " ".join(complaints)


def test_every_bound_of_the_crd_is_tested_here() -> None:
    """A bound that is added to the API needs a case in the table above."""
    tested = {(bound.at, bound.keyword) for bound in BOUNDS}

    assert set(_bounds(_spec_schema(), "")) == tested


def test_every_rule_of_the_crd_is_tested_here() -> None:
    """A CEL rule that is added to the API needs a case in the table above."""
    in_crd = set(_messages(_spec_schema(), ""))

    untested = {
        (on, message)
        for on, message in in_crd
        if not any(rule.on == on and rule.complaint.endswith(message) for rule in RULES)
    }

    assert in_crd
    assert untested == set()
    assert [rule["message"] for rule in _root_schema()["x-kubernetes-validations"]] == [
        NAME_COMPLAINT.removeprefix("<nil>: Invalid value: "),
        # tests/integration/test_editing.py, since it needs a status
        "registeredModelName is namespace.name by default, and that has versions: make another ModelMonitor",
    ]


def _root_schema() -> Document:
    root: Document = yaml.safe_load(CRD.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return root


def _spec_schema() -> Document:
    spec: Document = _root_schema()["properties"]["spec"]
    return spec


KEYWORDS: Final = (
    *("enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("minProperties", "maxProperties"),
    "x-kubernetes-list-map-keys",
)


def _bounds(schema: Document, path: str) -> Iterator[tuple[str, str]]:
    yield from ((path, keyword) for keyword in KEYWORDS if keyword in schema)
    yield from ((f"{path}.{name}".lstrip("."), "required") for name in schema.get("required", ()))
    for below, child in _children(schema, path):
        yield from _bounds(child, below)


def _messages(schema: Document, path: str) -> Iterator[tuple[str, str]]:
    yield from ((path, rule["message"]) for rule in schema.get("x-kubernetes-validations", ()))
    for below, child in _children(schema, path):
        yield from _messages(child, below)


def _children(schema: Document, path: str) -> Iterator[tuple[str, Document]]:
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}".lstrip("."), child
    if "items" in schema:
        yield f"{path}[]", schema["items"]
    if "additionalProperties" in schema:
        yield f"{path}.*", schema["additionalProperties"]
